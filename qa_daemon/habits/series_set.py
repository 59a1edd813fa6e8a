"""Which series a study of one kind usually has at a station, and which are lacking."""

from collections.abc import Iterable
from typing import Final

from qa_daemon.habits.fingerprint import practice_of
from qa_daemon.habits.usual import SERIES_MIN, SHARE_MIN, VALUE_LENGTH_MAX
from qa_daemon.records.element import first_text
from qa_daemon.records.issue import UsualSet
from qa_daemon.records.series import Series

#: Labels of series, the one that tells them apart best first.
_LABELS: Final = ("SeriesDescription", "ProtocolName")


def study_kind(series: Series) -> tuple[str, ...] | None:
    """Return modality, station and Study Description; None where one of them is not said."""
    if not series.instances:
        return None
    practice = practice_of(series)
    described = " ".join(first_text(series.shared, "StudyDescription").casefold().split())
    kind = (practice.modality, practice.station, described)
    return kind if all(kind) else None


def label_of(series: Series) -> str:
    """Return what the protocol calls a series, "" where it does not or where it is free text."""
    named = next(filter(None, (first_text(series.shared, each) for each in _LABELS)), "")
    label = " ".join(named.casefold().split())
    return label if len(label) <= VALUE_LENGTH_MAX else ""


def lacking(
    usual: UsualSet,
    present: Iterable[Series],
    *,
    studies_min: int = SERIES_MIN,
    share_min: float = SHARE_MIN,
) -> tuple[str, ...]:
    """Return the labels that nearly all earlier studies had, and this one has not."""
    if usual.study_count < studies_min:
        return ()
    here = {label_of(each) for each in present}
    return tuple(
        sorted(
            label
            for label, count in usual.counts.items()
            if count >= share_min * usual.study_count and label not in here
        )
    )
