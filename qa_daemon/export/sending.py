"""The loop that takes entries of the outbox to their places, each at least once."""

import contextlib
import random
import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

from attrs import define, field

from qa_daemon.config.settings import Settings
from qa_daemon.errors import ConfigurationError, RetryableError
from qa_daemon.export.channels import folder, mail, ups, ups_rs, webhook
from qa_daemon.export.package import Answer, Package, Verdict
from qa_daemon.store import instance_rows
from qa_daemon.store.database import Store
from qa_daemon.store.outbox import delivery_rows
from qa_daemon.store.outbox.delivery_rows import Entry
from qa_daemon.telemetry.events import LogEvent
from qa_daemon.telemetry.log import log

#: How often the outbox is looked at when nothing is due.
REST_S: Final = 1.0
TROUBLE_PAUSE_S: Final = 2.0
#: Beyond the longest deadline of a place (120 s, twice): then another sender may take the entry.
LEASE_S: Final = 300.0
#: The end of the service waits so long for a try that is under way.
PATIENCE_S: Final = 5.0
#: Pauses differ by this share, so that what failed together does not come back together.
JITTER: Final = 0.25

Channel = Callable[[Package], Answer]


@define
class Sender:
    """Sends what is due, one after the other. All that must last lies in the store."""

    store: Store
    settings: Settings
    version: str
    # Places that did not answer, and until when they are left alone; a restart tries them again.
    _resting: dict[str, datetime] = field(factory=dict, init=False)

    def apply(self, settings: Settings) -> None:
        """Take new settings in force; every place is tried again."""
        self.settings = settings
        self._resting.clear()

    def turn(self, now: datetime) -> float:
        """Send one entry that is due; return how long to rest before the next."""
        self._resting = {name: until for name, until in self._resting.items() if until > now}
        try:
            entry = delivery_rows.claim(self.store, now, LEASE_S, self._resting)
            if entry is None:
                return REST_S
            self._note(entry, self._answer(entry))
        except RetryableError as error:
            log.error(LogEvent.STORE_LOCKED, cause=type(error).__name__)
            return TROUBLE_PAUSE_S
        return 0.0

    def _answer(self, entry: Entry) -> Answer:
        """Ask the place. The edge: an entry that breaks its sender must not stop the others."""
        channel = channels(self.settings).get(entry.channel)
        if channel is None:
            words = "this place is not configured any more; configure it and retry, or drop it"
            return Answer(verdict=Verdict.REFUSED, words=words)
        try:
            return channel(self._package(entry))
        except (RetryableError, ConfigurationError):
            raise
        except Exception as error:  # noqa: BLE001  see above
            log.bug(error, kind=entry.channel.partition(":")[0])
            return Answer(verdict=Verdict.LATER, words=f"internal error {type(error).__name__}")

    def _package(self, entry: Entry) -> Package:
        said = entry.change_set
        key = said.series_key
        lying = instance_rows.instances_of(self.store, key, said.revision) if key else ()
        named = {change.sop_instance_uid for change in said.suggestion.changes}
        instances = tuple(each for each in lying if None in named or each.sop_instance_uid in named)
        archive = self.settings.orders.archive
        return Package(
            change_set=said,
            instances=instances,
            version=self.version,
            retrieve_ae_title=archive.ae_title if archive.host else "",
        )

    def _note(self, entry: Entry, answer: Answer) -> None:
        now = datetime.now(UTC)
        facts = {"kind": entry.channel.partition(":")[0], "attempt": entry.attempts}
        if answer.verdict is Verdict.SENT:
            if delivery_rows.sent(self.store, entry, answer.words, now):
                log.info(LogEvent.EXPORT_SENT, **facts)
            return
        is_last = entry.attempts >= self.settings.export.retry.attempts_max
        if answer.verdict is Verdict.REFUSED or is_last:
            tries = f" (given up after {entry.attempts} tries)" if is_last else ""
            if delivery_rows.refused(self.store, entry, answer.words + tries, now):
                log.error(LogEvent.EXPORT_REFUSED, **facts)
            return
        due_at = now + self._pause(entry, answer)
        self._resting[entry.channel] = due_at
        delivery_rows.later(self.store, entry, answer.words, due_at, now)
        log.warning(LogEvent.EXPORT_POSTPONED, **facts)

    def _pause(self, entry: Entry, answer: Answer) -> timedelta:
        retry = self.settings.export.retry
        # 2 ** 64 s is for ever; the exponent is bounded so that no float overflows.
        doubled = retry.first_s * 2 ** min(entry.attempts - 1, 64)
        spread = 1 + JITTER * (2 * random.random() - 1)  # noqa: S311  no secret
        pause = timedelta(seconds=min(doubled, retry.longest_s) * spread)
        return pause if answer.after is None else max(pause, answer.after)


def channels(settings: Settings) -> Mapping[str, Channel]:
    """Return the places of a configuration by their names in the outbox."""
    export, title = settings.export, settings.receiver.ae_title
    found: dict[str, Channel] = {}
    if export.folder.enabled:
        found["folder"] = partial(folder.write, settings.export_folder)
    for hook in export.webhooks:
        found[f"webhook:{hook.name}"] = partial(webhook.send, hook)
    for manager in export.ups:
        found[f"ups:{manager.name}"] = partial(ups.send, manager, title)
    for server in export.ups_rs:
        found[f"ups-rs:{server.name}"] = partial(ups_rs.send, server)
    for people in export.mail:
        found[f"mail:{people.name}"] = partial(mail.send, people)
    return found


@contextlib.contextmanager
def sending(store: Store, settings: Settings, version: str) -> Iterator[Sender]:
    """Send on a thread of its own, so that a slow place delays nobody; it ends with the block."""
    sender, ends = Sender(store, settings, version), threading.Event()

    def run() -> None:
        rest_s = 0.0
        while not ends.wait(rest_s):
            try:
                rest_s = sender.turn(datetime.now(UTC))
            except Exception as error:  # noqa: BLE001  the edge of the thread: it goes on
                log.bug(error)
                rest_s = TROUBLE_PAUSE_S

    thread = threading.Thread(target=run, name="sending", daemon=True)
    thread.start()
    try:
        yield sender
    finally:
        ends.set()
        thread.join(PATIENCE_S)
