"""A change set as a text for people."""

from collections.abc import Iterator, Sequence
from typing import Final

from qa_daemon import INTENDED_USE
from qa_daemon.export.package import Package
from qa_daemon.records.change_set import ChangeKind
from qa_daemon.records.finding import Change

#: Changes that say the same of many instances are told once, with so many of their UIDs.
UIDS_MAX: Final = 3
_TITLES: Final = {
    ChangeKind.CHANGE: "Change set",
    ChangeKind.REVERSE: "Reverse change set: puts back what was there before",
}


def change_set_as_text(package: Package) -> str:
    """Return the text, lines ended by one line feed each."""
    return "".join(f"{line}\n" for line in _lines(package))


def _lines(package: Package) -> Iterator[str]:
    said = package.change_set
    yield _TITLES[said.kind]
    yield f"UID         {said.uid}"
    if said.reverses:
        yield f"Reverses    {said.reverses}"
    yield f"Study       {said.study_instance_uid or '(not known)'}"
    yield f"Series      {said.series_instance_uid or '(the whole study or visit)'}"
    yield f"Modality    {said.modality or '(none)'}"
    yield f"Instances   {len(package.instances)} (revision {said.revision})"
    yield f"Rule        {said.rule}"
    yield f"Finding     {printable(said.message)}"
    yield f"Decided     by {printable(said.decided_by)}, {said.decided_at:%Y-%m-%d %H:%M:%S} UTC"
    if said.first_by:
        yield f"First       {printable(said.first_by)} answered before"
    if said.words:
        yield f"Words       {printable(said.words)}"
    yield ""
    yield from _changes(said.suggestion.changes)
    yield ""
    yield f"qa-daemon {package.version}. {INTENDED_USE}"
    yield "An instruction to whoever may write; nothing was changed by this service."


def _changes(changes: Sequence[Change]) -> Iterator[str]:
    alike: dict[tuple[str, ...], list[Change]] = {}
    for change in changes:
        told = (change.action.value, change.path, change.tag, change.vr)
        key = (*told, in_words(change.current), in_words(change.proposed))
        alike.setdefault(key, []).append(change)
    for (action, path, tag, vr, current, proposed), members in alike.items():
        yield f"{action} {path} ({tag[:4]},{tag[4:]}) {vr}"
        yield f"  from  {current}"
        yield f"  to    {proposed}"
        uids = [each.sop_instance_uid for each in members if each.sop_instance_uid]
        if not uids:
            yield "  in    every instance"
            continue
        more = f" and {len(uids) - UIDS_MAX} more" if len(uids) > UIDS_MAX else ""
        yield f"  in    {', '.join(uids[:UIDS_MAX])}{more}"


def in_words(values: Sequence[object] | None) -> str:
    """Return the values of an element on one line."""
    if values is None:
        return "(absent)"
    return printable("\\".join("" if each is None else str(each) for each in values)) or "(empty)"


def printable(text: str) -> str:
    """Return text on one line, without control and hidden characters."""
    return "".join(each if each.isprintable() else "\ufffd" for each in text)
