"""What a person accepts in place of what was suggested: another class, or other values.

Another class gets exactly the tags that `suggest` computes for it. Other values must be writable
with their representation, and the finding's own rule must find nothing more with them.
"""

from collections.abc import Iterable, Sequence
from functools import partial

from attrs import evolve, frozen

from qa_daemon.grounds.beside import Sources, surroundings
from qa_daemon.grounds.visit import orders_known
from qa_daemon.queue.deciding.answers import (
    AcceptClass,
    AcceptEdited,
    Edit,
    Refusal,
    RefusalKind,
    Refused,
)
from qa_daemon.queue.deciding.desk import Desk
from qa_daemon.records.finding import Action, Change, Suggestion
from qa_daemon.records.inference import Inference
from qa_daemon.rules.facts import SeriesFacts
from qa_daemon.rules.schema import Rule
from qa_daemon.series.assemble import assemble
from qa_daemon.store import instance_rows, result_rows
from qa_daemon.store.result_rows import FindingRow
from qa_daemon.suggest.propose import as_seen, still_found
from qa_daemon.suggest.values import obeys_vr, written_as


@frozen
class Subject:
    """A finding's rule as it is in force, and the facts that it looks at."""

    rule: Rule
    facts: SeriesFacts


def class_suggestions(desk: Desk, row: FindingRow, label: str) -> tuple[Suggestion, ...]:
    """Return the tags under which a picture of this class would be right, the likeliest first.

    Raises
    ------
    Refused
        If the finding is not about how a picture lies, or its tags say so already.
    """
    if label not in {"0", "1", "2", "3", "4", "5", "6", "7"}:
        raise _unfit(row, "label", f"class {label!r}: there are 0 to 7")
    subject = _subject(desk, row)
    found = as_seen(subject.rule, subject.facts, int(label))
    if found is None:
        raise _unfit(row, "label", f"{row.finding.rule} is not about how a picture lies")
    if not found:
        raise _unfit(
            row, "label", f"the tags already say class {label}; reject it: the tags are right"
        )
    return found


def in_class(desk: Desk, row: FindingRow, answer: AcceptClass) -> Suggestion:
    """Return the suggestion for another class, under the cause that was named or the likeliest."""
    found = class_suggestions(desk, row, answer.label)
    if answer.hypothesis is None:
        return found[0]
    named = next((each for each in found if each.hypothesis is answer.hypothesis), None)
    if named is None:
        offered_causes = ", ".join(str(each.hypothesis) for each in found)
        raise _unfit(row, "hypothesis", f"{answer.hypothesis} comes to the same; {offered_causes}")
    return named


def edited(desk: Desk, row: FindingRow, answer: AcceptEdited) -> Suggestion:
    """Return the suggestion with the values of a person.

    Raises
    ------
    Refused
        If a value may not be written there, or the finding would stay.
    """
    base = offered(row, answer.rank)
    if base is None or not base.changes:
        raise _unfit(row, "", "it has no suggestion whose values could be edited")
    for edit in answer.edits:
        _check_edit(row, base.changes, edit)
    changes = [_with_edits(change, answer.edits) for change in base.changes]
    suggestion = evolve(base, changes=tuple(_effective(changes)), confidence=None, display=None)
    if not suggestion.changes:
        raise _unfit(row, "", "with these values nothing would change; reject the finding")
    if row.series_key:
        subject = _subject(desk, row)
        said = still_found(subject.rule, suggestion, subject.facts)
        if said:
            raise _unfit(row, answer.edits[0].path if answer.edits else "", f"still wrong: {said}")
    return suggestion


def _check_edit(row: FindingRow, changes: Sequence[Change], edit: Edit) -> None:
    meant = [change for change in changes if _means(edit, change)]
    if not meant:
        raise _unfit(row, edit.path, f"{edit.path}: the suggestion does not change it there")
    for change in meant:
        if not edit.values or not obeys_vr(change.vr, written_as(change.vr, edit.values)):
            raise _unfit(row, edit.path, f"{edit.path}: no value of representation {change.vr}")
        count = len(change.proposed or change.current or ())
        if count != len(edit.values):
            raise _unfit(row, edit.path, f"{edit.path}: {count} values belong there")


def _means(edit: Edit, change: Change) -> bool:
    return edit.path == change.path and edit.sop_instance_uid in {None, change.sop_instance_uid}


def _with_edits(change: Change, edits: Iterable[Edit]) -> Change:
    for edit in edits:
        if _means(edit, change):
            action = Action.ADD if change.current is None else Action.REPLACE
            values = written_as(change.vr, edit.values)
            change = evolve(change, action=action, proposed=values)
    return change


def _effective(changes: Iterable[Change]) -> Iterable[Change]:
    return (change for change in changes if change.proposed != change.current)


def _subject(desk: Desk, row: FindingRow) -> Subject:
    """Read the series of a finding as its rule wants it."""
    pack = desk.rules
    rule = pack.rules.get(row.finding.rule)
    if rule is None or not row.series_key:
        raise _unfit(row, "", f"{row.finding.rule} is not in force, or is of a whole study")
    # As they lie in the store; who decides reads no received bytes.
    sources = Sources(desk.store, partial(instance_rows.instances_of, desk.store))
    instances = sources.instances_of(row.series_key, row.revision)
    if not instances:
        raise _unfit(row, "", "no object of its series can be read")
    series = assemble(instances, row.revision)
    known = orders_known(desk.store, series)
    siblings, context = surroundings(sources, row.series_key, series, known)
    result = result_rows.result_of(desk.store, row.series_key, row.revision)
    inference = Inference() if result is None else result.inference or Inference()
    return Subject(rule, SeriesFacts(series, inference, siblings, context))


def _unfit(row: FindingRow, path: str, message: str) -> Refused:
    refusal = Refusal(kind=RefusalKind.UNFIT, finding_id=row.id, path=path)
    return Refused(refusal, f"finding {row.id}: {message}")


def offered(row: FindingRow, rank: int) -> Suggestion | None:
    """Return the suggestion of this rank; None for rank 0 of a finding without one.

    Raises
    ------
    Refused
        If there are not so many.
    """
    finding = row.finding
    found = (finding.suggestion, *finding.alternatives)
    if not 0 <= rank < len(found):
        refusal = Refusal(kind=RefusalKind.UNKNOWN, finding_id=row.id)
        message = f"finding {row.id}: has {len(finding.alternatives)} beside the likeliest"
        raise Refused(refusal, message)
    return found[rank]
