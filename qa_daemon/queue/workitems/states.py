"""The states of a Unified Procedure Step and what may be asked in each (PS3.4 Table CC.1.1-2)."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from qa_daemon.errors import InputError


class StepState(StrEnum):
    """Procedure Step State (0074,1000)."""

    SCHEDULED = "SCHEDULED"
    IN_PROGRESS = "IN PROGRESS"
    COMPLETED = "COMPLETED"
    CANCELED = "CANCELED"


FINAL: Final = frozenset((StepState.COMPLETED, StepState.CANCELED))


class Status(StrEnum):
    """DIMSE status of PS3.4 CC.2 that a request comes to; UPS-RS says the same in HTTP."""

    SUCCESS = "0000"
    ALREADY_CANCELED = "B304"
    ALREADY_COMPLETED = "B306"
    NOT_UPDATABLE = "C300"
    WRONG_TRANSACTION = "C301"
    ALREADY_IN_PROGRESS = "C302"
    NOT_BY_ACTION = "C303"
    FINAL_STATE_NOT_MET = "C304"
    UNKNOWN = "C307"
    NOT_IN_PROGRESS = "C310"
    COMPLETED = "C311"
    NOT_CANCELED = "C312"
    NOT_CONTACTABLE = "C313"


class StepRefused(InputError):  # noqa: N818  a status of the standard
    """A request that comes to a failure status; nothing was written."""

    def __init__(self, status: Status, words: str) -> None:
        super().__init__(words)
        self.status = status


_S, _X = StepState, Status

#: What a Change UPS State with the right Transaction UID comes to: from a state, to a state.
CHANGES: Final[Mapping[tuple[StepState, StepState], Status]] = MappingProxyType(
    {
        (_S.SCHEDULED, _S.SCHEDULED): _X.NOT_BY_ACTION,
        (_S.SCHEDULED, _S.IN_PROGRESS): _X.SUCCESS,
        (_S.SCHEDULED, _S.COMPLETED): _X.NOT_IN_PROGRESS,
        (_S.SCHEDULED, _S.CANCELED): _X.NOT_IN_PROGRESS,
        (_S.IN_PROGRESS, _S.SCHEDULED): _X.NOT_BY_ACTION,
        (_S.IN_PROGRESS, _S.IN_PROGRESS): _X.ALREADY_IN_PROGRESS,
        (_S.IN_PROGRESS, _S.COMPLETED): _X.SUCCESS,
        (_S.IN_PROGRESS, _S.CANCELED): _X.SUCCESS,
        (_S.COMPLETED, _S.SCHEDULED): _X.NOT_BY_ACTION,
        (_S.COMPLETED, _S.IN_PROGRESS): _X.NOT_UPDATABLE,
        (_S.COMPLETED, _S.COMPLETED): _X.ALREADY_COMPLETED,
        (_S.COMPLETED, _S.CANCELED): _X.NOT_UPDATABLE,
        (_S.CANCELED, _S.SCHEDULED): _X.NOT_BY_ACTION,
        (_S.CANCELED, _S.IN_PROGRESS): _X.NOT_UPDATABLE,
        (_S.CANCELED, _S.COMPLETED): _X.NOT_UPDATABLE,
        (_S.CANCELED, _S.CANCELED): _X.ALREADY_CANCELED,
    }
)

#: What the standard calls these in words (PS3.4 Tables CC.2.1-2, CC.2.2-2, CC.2.6-1).
WORDS: Final[Mapping[Status, str]] = MappingProxyType(
    {
        _X.ALREADY_CANCELED: "The UPS is already in the requested state of CANCELED.",
        _X.ALREADY_COMPLETED: "The UPS is already in the requested state of COMPLETED.",
        _X.NOT_UPDATABLE: "The work item is in a final state and can be changed no more.",
        _X.WRONG_TRANSACTION: "This is not the Transaction UID with which it was claimed.",
        _X.ALREADY_IN_PROGRESS: "Somebody has claimed it already.",
        _X.NOT_BY_ACTION: "Nobody can set a work item back to SCHEDULED.",
        _X.FINAL_STATE_NOT_MET: "It lacks what a work item in a final state must hold.",
        _X.UNKNOWN: "There is no such work item.",
        _X.NOT_IN_PROGRESS: "Claim it first: it is not IN PROGRESS.",
        _X.COMPLETED: "The UPS is already COMPLETED.",
        _X.NOT_CANCELED: "Performer chooses not to cancel.",
        _X.NOT_CONTACTABLE: "The performer cannot be contacted.",
    }
)
