"""Lines as one person is shown them: in words, with the patient as the role may see it."""

from datetime import datetime
from typing import Final

from attrs import frozen

from qa_daemon.habits.trend import state_of
from qa_daemon.language.speech import Speech
from qa_daemon.queue.listing.pseudonym import pseudonym
from qa_daemon.records.finding import Severity
from qa_daemon.records.issue import IssueState
from qa_daemon.store.listing.line_rows import LineRow

#: Values are cut at so many characters; hostile ones reach 64 KiB.
VALUE_SHOWN_MAX: Final = 64
#: What turns a line of text round (UAX #9), and what breaks it.
_TURNS: Final = (*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x2028, 0x2029)
#: Control characters as their symbols (U+2400 and on); what has none, as U+FFFD.
_SYMBOLS: Final = (
    {code: 0x2400 + code for code in range(0x20)}
    | {0x7F: 0x2421}
    | dict.fromkeys((*range(0x80, 0xA0), *_TURNS), 0xFFFD)
)


@frozen(kw_only=True)
class Sight:
    """Who looks: language, time, and whether patients are shown by name.

    Attributes
    ----------
    key
        Of the service, for pseudonyms.
    """

    speech: Speech
    now: datetime
    sees_patients: bool
    key: bytes


@frozen(kw_only=True)
class Line:
    """One line of the list, ready to be drawn.

    Attributes
    ----------
    sentence
        What is wrong, whole; the list cuts it with dots.
    state
        Of the issue; None where it says nothing new.
    """

    row: LineRow
    sentence: str
    severity: Severity
    state: IssueState | None
    patient: str
    patient_id: str
    accession: str
    station: str
    protocol: str
    sure: str
    age: str
    found: str

    @property
    def is_issue(self) -> bool:
        """Whether it stands for several findings."""
        return self.row.count > 1


def line_of(row: LineRow, sight: Sight) -> Line:
    """Return a line as one person is shown it."""
    speech = sight.speech
    state = state_of(row.sightings, row.ruling, sight.now)
    return Line(
        row=row,
        sentence=printable(speech.sentence(row.wording) or row.message, whole=True),
        severity=row.severity,
        state=None if state is IssueState.ONGOING else state,
        patient=patient_of(row, sight),
        patient_id=printable(row.person.patient_id) if sight.sees_patients else "",
        accession=printable(row.person.accession) if sight.sees_patients else "",
        station=printable(row.practice.station),
        protocol=printable(row.practice.protocol),
        sure=speech.percent(row.confidence),
        age=speech.age(sight.now - row.first_at),
        found=speech.moment(row.first_at),
    )


def patient_of(row: LineRow, sight: Sight) -> str:
    """Return the name, or what stands for it before people who may not see it."""
    person = row.person
    if sight.sees_patients:
        return printable(person.name) or printable(person.patient_id)
    digits = pseudonym(sight.key, person.patient_id, person.name)
    return sight.speech.say("Patient {digits}", digits=digits) if digits else ""


def printable(text: str, *, whole: bool = False) -> str:
    """Return a received text as it can be shown: no control character acts, and it ends."""
    shown = text.translate(_SYMBOLS).strip()
    if whole or len(shown) <= VALUE_SHOWN_MAX:
        return shown[: VALUE_SHOWN_MAX * 8]
    return shown[: VALUE_SHOWN_MAX - 1] + "\N{HORIZONTAL ELLIPSIS}"
