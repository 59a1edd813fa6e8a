"""A change set as a table: one row for each element of each instance."""

from typing import Final

from qa_daemon import INTENDED_USE
from qa_daemon.export.package import Package
from qa_daemon.export.written.as_text import in_words
from qa_daemon.records.finding import Change
from qa_daemon.trends.as_csv import table

HEAD: Final = (
    "change_set", "kind", "rule", "study_instance_uid", "series_instance_uid", "sop_instance_uid",
    "action", "path", "tag", "vr", "current", "proposed", "decided_by", "decided_at",
    "intended_use",
)  # fmt: skip


def change_set_as_csv(package: Package) -> str:
    """Return the table; no cell is a formula to a spreadsheet."""
    said = package.change_set
    uids = [each.sop_instance_uid for each in package.instances]
    rows = [
        _row(package, change, uid)
        for change in said.suggestion.changes
        for uid in ([change.sop_instance_uid] if change.sop_instance_uid else uids or [""])
    ]
    return table(HEAD, rows)


def _row(package: Package, change: Change, uid: str) -> tuple[str, ...]:
    said = package.change_set
    return (
        said.uid,
        said.kind.value,
        said.rule,
        said.study_instance_uid,
        said.series_instance_uid,
        uid,
        change.action.value,
        change.path,
        change.tag,
        change.vr,
        in_words(change.current),
        in_words(change.proposed),
        said.decided_by,
        said.decided_at.isoformat(),
        INTENDED_USE,
    )
