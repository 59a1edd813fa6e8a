"""Lists of findings that are decided at one blow: chosen, or all of a series or a study."""

from collections.abc import Sequence

from qa_daemon.queue.deciding import allowed
from qa_daemon.queue.deciding.answers import Group, Refusal, RefusalKind, Refused, Seen, Selection
from qa_daemon.queue.deciding.desk import Desk
from qa_daemon.store.review import decision_rows
from qa_daemon.store.review.decision_rows import InHand


def freeze(desk: Desk, finding_ids: Sequence[int]) -> Selection:
    """Return the chosen findings as they stand now, counted in groups with an example of each.

    Raises
    ------
    Refused
        If there are too many, one is unknown, or they stand differently.
    """
    ids = tuple(dict.fromkeys(finding_ids))
    allowed.check_count(len(ids), desk.settings.decisions.batch_max)
    with desk.store.reading() as connection:
        held = decision_rows.in_hand(connection, ids)
    missing = [each for each in ids if each not in held]
    if missing:
        refusal = Refusal(kind=RefusalKind.UNKNOWN, finding_id=missing[0])
        raise Refused(refusal, f"finding {missing[0]}: there is none; see: qa-daemon queue list")
    findings = [held[each] for each in ids]
    allowed.check_alike(findings)
    stale = next((each for each in findings if each.revision != each.revision_now), None)
    if stale is not None:
        allowed.check_current(stale, Seen(stale.id, stale.revision))
    return Selection(
        seen=tuple(Seen(each.id, each.revision) for each in findings),
        standing=findings[0].standing,
        groups=_groups(findings),
    )


def of_series(desk: Desk, finding_id: int) -> Selection:
    """Return what is undecided in the series of a finding; raises as `freeze` does."""
    with desk.store.reading() as connection:
        ids = decision_rows.undecided_beside(connection, finding_id, of_study=False)
    return freeze(desk, ids)


def of_study(desk: Desk, finding_id: int) -> Selection:
    """Return what is undecided in the study of a finding; raises as `freeze` does."""
    with desk.store.reading() as connection:
        ids = decision_rows.undecided_beside(connection, finding_id, of_study=True)
    return freeze(desk, ids)


def _groups(findings: Sequence[InHand]) -> tuple[Group, ...]:
    alike: dict[tuple[str, str], list[InHand]] = {}
    for each in findings:
        alike.setdefault((each.rule, each.issue_key), []).append(each)
    return tuple(
        Group(
            rule=members[0].rule,
            message=members[0].message,
            count=len(members),
            example=Seen(members[0].id, members[0].revision),
        )
        for members in alike.values()
    )
