"""Event reports of work items (PS3.4 CC.2.4, PS3.18 11.13), for one who listens."""

import json
from collections.abc import Iterator
from typing import Final

from attrs import define, field

from qa_daemon.queue.deciding.desk import Desk
from qa_daemon.queue.workitems import service
from qa_daemon.queue.workitems.identity import uid_of
from qa_daemon.queue.workitems.states import StepRefused, StepState
from qa_daemon.report.as_json import Json
from qa_daemon.report.as_workitem import UPS_PUSH, data_set, element
from qa_daemon.store.feed import event_rows
from qa_daemon.store.feed.event_rows import Position
from qa_daemon.store.workitems import step_rows, subscription_rows
from qa_daemon.store.workitems.step_rows import EventRow
from qa_daemon.store.workitems.subscription_rows import ALL

STATE_REPORT: Final = 1
CANCEL_REQUESTED: Final = 2
PROGRESS_REPORT: Final = 3
#: Events looked at in one go.
EVENTS_PER_LOOK: Final = 200
#: States that one listener has heard; beyond that some are told again, which does no harm.
STATES_KEPT_MAX: Final = 10_000


@define
class Listener:
    """What one who listens has heard, and what comes next. For one thread at a time."""

    _desk: Desk
    _key: bytes
    _ae_title: str
    _user_id: int
    _position: Position
    _event_id: int
    _told: dict[int, StepState] = field(factory=dict, init=False)
    _message_id: int = field(default=0, init=False)
    _wanted: frozenset[int] = field(factory=frozenset, init=False)

    def reports(self) -> list[dict[str, Json]]:
        """Return the reports of what has happened since the last time.

        A new subscription to one work item is told its state first (PS3.4 CC.2.3.3).
        """
        before, store = self._wanted, self._desk.store
        self._wanted = subscription_rows.subscriptions(store, self._ae_title, self._user_id)
        reports: list[dict[str, Json]] = []
        for finding_id in sorted(self._wanted - before - {ALL}):
            reports += self._state(finding_id)
        for event in step_rows.events_after(store, self._event_id, EVENTS_PER_LOOK):
            self._event_id = event.id
            reports += self._of_step(event)
        for happened in event_rows.feed_after(store, self._position, EVENTS_PER_LOOK):
            self._position = happened.after
            if happened.finding_id is not None and self._is_wanted(happened.finding_id):
                reports += self._state(happened.finding_id)
        return reports

    def _of_step(self, event: EventRow) -> Iterator[dict[str, Json]]:
        if not self._is_wanted(event.finding_id):
            return
        if event.kind == "state":
            yield from self._state(event.finding_id)
        elif event.kind == "progress":
            item = json.loads(event.document)
            held = element("ProcedureStepProgressInformationSequence", item)
            yield self._report(event.finding_id, PROGRESS_REPORT, held)
        else:
            asked = dict(json.loads(event.document))
            title = element("RequestingAE", "QADAEMON")
            yield self._report(event.finding_id, CANCEL_REQUESTED, {**title, **asked})

    def _state(self, finding_id: int) -> Iterator[dict[str, Json]]:
        """Yield the report of a state that was not told yet."""
        try:
            state = service.standing(self._desk, finding_id).state
        except StepRefused:
            return  # it is gone, or nobody need decide it
        if self._told.get(finding_id) is state:
            return
        if len(self._told) >= STATES_KEPT_MAX:
            self._told.clear()
        self._told[finding_id] = state
        held = {
            **element("ProcedureStepState", state.value),
            **element("InputReadinessState", "READY"),
        }
        yield self._report(finding_id, STATE_REPORT, held)

    def _report(self, finding_id: int, event_type: int, held: dict[str, Json]) -> dict[str, Json]:
        self._message_id = self._message_id % 0xFFFF + 1
        return data_set(
            element("AffectedSOPClassUID", UPS_PUSH),
            element("MessageID", self._message_id),
            element("AffectedSOPInstanceUID", uid_of(finding_id, self._key)),
            element("EventTypeID", event_type),
            held,
        )

    def _is_wanted(self, finding_id: int) -> bool:
        return ALL in self._wanted or finding_id in self._wanted


def listener(desk: Desk, key: bytes, ae_title: str, user_id: int) -> Listener:
    """Return one who hears what happens from now on."""
    position = event_rows.latest(desk.store)
    return Listener(desk, key, ae_title, user_id, position, step_rows.last_event(desk.store))
