"""One function per step of a leased series: read, call the core once, commit once."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Final

from attrs import define, evolve, frozen

from qa_daemon.dicom.header import read_elements
from qa_daemon.errors import InputError, RetryableError
from qa_daemon.grounds.beside import Sources, surroundings
from qa_daemon.grounds.recalled import HABIT_SPAN, notes_on
from qa_daemon.grounds.visit import VisitOrders, orders_known
from qa_daemon.habits.fingerprint import fingerprint_of, practice_of
from qa_daemon.habits.usual import observed, usual_part
from qa_daemon.orders.evidence import parts_of
from qa_daemon.pipeline.engine import Engine
from qa_daemon.predict.client import Request
from qa_daemon.records.element import first_text
from qa_daemon.records.finding import Finding, Outcomes, Verdict, above_info
from qa_daemon.records.inference import Inference
from qa_daemon.records.instance import Instance
from qa_daemon.records.issue import Fingerprint, Habit, Practice
from qa_daemon.records.order import NamedRegion
from qa_daemon.records.series import Series
from qa_daemon.records.states import SeriesEvent, SeriesState
from qa_daemon.report.summary import SeriesReport
from qa_daemon.rules.facts import Context
from qa_daemon.series.assemble import assemble
from qa_daemon.spool.spool import Spool
from qa_daemon.store import instance_rows, leases, result_rows
from qa_daemon.store.database import Store
from qa_daemon.store.leases import Lease, Terms
from qa_daemon.store.listing.listed_rows import Person, Subject
from qa_daemon.store.review import habit_rows
from qa_daemon.store.visits import order_rows
from qa_daemon.suggest.visit.causes import with_causes
from qa_daemon.telemetry.events import LogEvent
from qa_daemon.telemetry.log import log

# Series of one visit, the first that came; a trauma patient may have a hundred in a day.
VISIT_MAX: Final = 300
NOTHING: Final = Verdict((), Outcomes())


class Interrupted(Exception):  # noqa: N818  it says what happened to the step
    """The process is to end: the step is left as it is, and taken again when its lease is over."""


def _goes_on() -> None:
    """Let every step go on."""


@frozen
class Bench:
    """What every step needs.

    Attributes
    ----------
    goes_on
        Called before each object of a step, which may take seconds: the place to tell a watchdog,
        or to raise `Interrupted`.
    """

    store: Store
    spool: Spool
    engine: Engine
    goes_on: Callable[[], None] = _goes_on

    @property
    def sources(self) -> Sources:
        """Where series, and what they are judged beside, are read from."""
        return Sources(self.store, partial(instances_read, self))

    def read(self, source: str) -> bytes:
        """Return the bytes of an object."""
        self.goes_on()
        return self.spool.content(source)


@define
class _Held:
    """A lease that is prolonged while its step goes from object to object.

    So a lease may be short, and what a dead worker held is soon taken again, though the pixels of
    a long series take longer than one lease.
    """

    bench: Bench
    lease: Lease
    terms: Terms

    def read(self, source: str) -> bytes:
        """Return the bytes of an object; stop if another worker has the series now."""
        now = datetime.now(UTC)
        if (self.lease.until - now).total_seconds() < self.terms.lease_s / 2:
            renewed = leases.renew(self.bench.store, self.lease, self.terms, now)
            if renewed is None:
                raise _LeaseLostError
            self.lease = renewed
        return self.bench.read(source)


class _LeaseLostError(Exception):
    """Another worker has the series; this one writes nothing."""


def take(bench: Bench, lease: Lease, terms: Terms) -> bool:
    """Take a leased series one step further; False if the lease was lost and nothing written.

    Raises
    ------
    RetryableError
        If time may mend the cause.
    InputError
        If the series will never pass this step.
    Interrupted
        If `bench.goes_on` raised it.
    """
    try:
        if lease.state is SeriesState.SETTLED:
            return _predict(bench, lease, terms)
        return _judge(bench, lease)
    except _LeaseLostError:
        log.info(LogEvent.LEASE_LOST, series_key=lease.series_key, revision=lease.revision)
        return False


def series_of(bench: Bench, lease: Lease) -> Series:
    """Return the leased series, assembled from the headers in the store."""
    instances = instances_read(bench, lease.series_key, lease.revision)
    if not instances:
        raise InputError("the series holds no instance that can be read")
    return assemble(instances, lease.revision)


def _predict(bench: Bench, lease: Lease, terms: Terms) -> bool:
    begun = datetime.now(UTC)
    series = series_of(bench, lease)
    request = Request(targets=bench.engine.targets, with_shadows=True)
    inference = bench.engine.infer(series, _Held(bench, lease, terms).read, request)
    now = datetime.now(UTC)
    saved = result_rows.save_inference(bench.store, lease, inference, now)
    log.info(
        LogEvent.SERIES_PREDICTED if saved else LogEvent.LEASE_LOST,
        series_key=lease.series_key,
        revision=lease.revision,
        duration_s=(now - begun).total_seconds(),
    )
    return saved


def _judge(bench: Bench, lease: Lease) -> bool:
    begun = datetime.now(UTC)
    series = series_of(bench, lease)
    result = result_rows.result_of(bench.store, lease.series_key, lease.revision)
    assert result is not None
    assert result.inference is not None
    practice = practice_of(series)
    known = orders_known(bench.store, series).meant_by(bench.engine.codes)
    siblings, context = surroundings(bench.sources, lease.series_key, series, known)
    verdict = bench.engine.judge(series, result.inference, siblings, context)
    of_study = bench.engine.examine_study((series, *siblings), context).verdict
    of_visit = _of_visit(bench, lease, SeriesReport(series, result.inference, verdict), known)
    if of_visit is not None:
        inference = result.inference

        def judged(mended: Series) -> Verdict:
            meant = evolve(context, order=known.facts_of(mended))
            return bench.engine.judge(mended, inference, siblings, meant)

        verdict = with_causes(verdict, of_visit, series, judged)
    now = datetime.now(UTC)
    judgement = result_rows.Judgement(
        event=_event(verdict),
        verdict=verdict,
        rule_pack=bench.engine.rules_digest,
        models={card.name: card.digest for card in bench.engine.catalog.cards.values()},
        study=of_study,
        visit=of_visit,
        fingerprint_of=_fingerprint(practice),
        practice=practice,
        observed=observed(series),
        notes=() if context.received is None else notes_on(series, context.received),
        subject=_subject(series, practice, context, result.inference),
    )
    saved = result_rows.save_judgement(bench.store, lease, judgement, now)
    for fault in verdict.outcomes.fault:
        log.error(LogEvent.RULE_FAULT, rule=fault.rule, series_key=lease.series_key)
    log.info(
        LogEvent.SERIES_JUDGED if saved else LogEvent.LEASE_LOST,
        series_key=lease.series_key,
        revision=lease.revision,
        findings=len(verdict.findings),
        duration_s=(now - begun).total_seconds(),
    )
    return saved


def _subject(series: Series, practice: Practice, context: Context, inference: Inference) -> Subject:
    """Return what lists say beside a finding, by the first instance."""
    elements = series.instances[0].elements if series.instances else {}
    person = Person(
        name=first_text(elements, "PatientName"),
        patient_id=first_text(elements, "PatientID"),
        accession=first_text(elements, "AccessionNumber"),
    )
    chest = inference.of("chest_opacity")
    return Subject(
        practice=practice,
        person=person,
        calling_ae=context.calling_ae,
        look_first=chest is not None and not chest.abstained and chest.label == "opacity",
    )


def _fingerprint(practice: Practice) -> Callable[[Finding], Fingerprint | None]:
    """Return what gives findings their issue; what needs nobody's decision is no issue."""

    def of(finding: Finding) -> Fingerprint | None:
        return fingerprint_of(finding, practice) if above_info((finding,)) else None

    return of


def _of_visit(bench: Bench, lease: Lease, own: SeriesReport, known: VisitOrders) -> Verdict | None:
    """Judge all series of the visit that lie there now.

    Also where there is nothing to compare: what was said before an order went must not stay. None
    for a series beyond the first `VISIT_MAX`: whichever of those is judged, the verdict is one.
    """
    seen = visit_seen(bench, lease.series_key, own, known)
    if seen is None:
        return None
    return bench.engine.examine_visit(seen.reports, known.orders, seen.usual).verdict


@frozen
class VisitSeen:
    """The series of a visit that lie there now, and what their stations usually image.

    Attributes
    ----------
    usual
        By Series Instance UID.
    """

    reports: tuple[SeriesReport, ...]
    usual: Mapping[str, tuple[NamedRegion, ...]]


def visit_seen(bench: Bench, key: str, own: SeriesReport, known: VisitOrders) -> VisitSeen | None:
    """Return what a visit is judged by, `own` first; None beyond the first `VISIT_MAX`."""
    rows = order_rows.members(bench.store, key, VISIT_MAX)
    others = [row for row in rows if row[0] != key]
    if len(rows) == len(others) > 0:
        return None
    found = (_companion(bench, *row) for row in others)
    reports = (own, *(each for each in found if each is not None))
    return VisitSeen(reports, _usual(bench, reports) if known.orders else {})


def _usual(bench: Bench, reports: Iterable[SeriesReport]) -> dict[str, tuple[NamedRegion, ...]]:
    """Return what the stations of a visit usually image, by Series Instance UID."""
    since = datetime.now(UTC) - HABIT_SPAN
    habits: dict[Practice, tuple[Habit, ...]] = {}
    found = {}
    for each in reports:
        practice = practice_of(each.series)
        if practice not in habits:
            habits[practice] = habit_rows.habits_of(bench.store, practice, since, besides="")
        usual = usual_part(habits[practice], each.series)
        found[each.series.series_instance_uid] = parts_of(usual)
    return found


def _companion(bench: Bench, key: str, revision: int) -> SeriesReport | None:
    """Return another series of the visit; None, and a line in the log, if it cannot be read."""
    try:
        instances = instances_read(bench, key, revision)
        if not instances:
            return None
        result = result_rows.result_of(bench.store, key, revision)
        inference = None if result is None else result.inference
        return SeriesReport(assemble(instances, revision), inference or Inference(), NOTHING)
    except (RetryableError, Interrupted):
        raise
    except Exception as error:  # noqa: BLE001  what is wrong with it is told of itself, not of this
        log.bug(error, series_key=key)
        return None


def instances_read(bench: Bench, key: str, revision: int) -> tuple[Instance, ...]:
    """Return the instances of a series with every element that the rules in force ask for.

    What came before such a rule was in force is read once more from the spool: an element that
    nobody looked for must not pass for one that is absent.
    """
    instances = instance_rows.instances_of(bench.store, key, revision)
    wanted = bench.engine.vocabulary
    return tuple(
        each if each.vocabulary == wanted.digest else _read_again(bench, each) for each in instances
    )


def _read_again(bench: Bench, instance: Instance) -> Instance:
    bench.goes_on()
    wanted, limits = bench.engine.vocabulary, bench.engine.limits
    elements = read_elements(bench.spool.open(instance.source), limits, wanted)
    return evolve(instance, elements=elements, vocabulary=wanted.digest)


def _event(verdict: Verdict) -> SeriesEvent:
    return SeriesEvent.FLAG if verdict.above_info else SeriesEvent.PASS
