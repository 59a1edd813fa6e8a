"""What rules are explained over: what lies at paths, and what the service received."""

import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from attrs import frozen
from rich.text import Text

from qa_daemon.cli import tables
from qa_daemon.cli.checking import collect
from qa_daemon.cli.checking.check import progress_bar
from qa_daemon.cli.checking.examination import Checked, Examination
from qa_daemon.cli.checking.ledger import Conditions, Ledger
from qa_daemon.cli.opened import opened
from qa_daemon.cli.owning.subjects import names_received, rows_named, subject_of
from qa_daemon.cli.printable import printable
from qa_daemon.config.settings import Settings
from qa_daemon.errors import ConfigurationError
from qa_daemon.intake import archive
from qa_daemon.orders.visit import visits
from qa_daemon.pipeline.engine import Engine
from qa_daemon.pipeline.steps import Bench, VisitSeen
from qa_daemon.predict.client import Request
from qa_daemon.records.order import Order
from qa_daemon.records.series import Series
from qa_daemon.rules.facts import Context, SeriesFacts, StudyFacts
from qa_daemon.spool.spool import Spool
from qa_daemon.suggest.propose import visit_facts


@frozen
class Told:
    """A series, a study or a visit, with its heading."""

    heading: Text
    facts: SeriesFacts | StudyFacts


def gathered(whole: Engine, words: Sequence[str], settings: Settings) -> Iterator[Told]:
    """Yield every series at the paths or of the keys and UIDs, then their studies and visits.

    Raises
    ------
    ConfigurationError
        If one of the words names nothing that can be read.
    """
    received = [each for each in words if _is_received(each)]
    paths = [each for each in words if each not in received]
    if paths:
        yield from _of_paths(whole, paths, settings)
    if received:
        yield from _of_store(whole, received, settings)


def _is_received(word: str) -> bool:
    return names_received(word) and not Path(word).exists()


def _of_paths(whole: Engine, paths: Sequence[str], settings: Settings) -> Iterator[Told]:
    with tempfile.TemporaryDirectory(prefix="qa-daemon-") as unpacked:
        bounds = archive.Bounds.of(settings.folder, settings.limits)
        checked = _checked(whole, paths, collect.Place(Path(unpacked), bounds, settings.limits))
    if not checked.series:
        raise ConfigurationError(f"{', '.join(paths)}: no readable object is there")
    context = Context(datetime.now(UTC).astimezone())
    studies: dict[str, list[Series]] = {}
    for report in checked.series:
        studies.setdefault(report.series.study_instance_uid, []).append(report.series)
    for report in checked.series:
        others = studies[report.series.study_instance_uid]
        siblings = tuple(other for other in others if other is not report.series)
        facts = SeriesFacts(report.series, report.inference, siblings, context)
        yield Told(tables.heading(report.series), facts)
    for uid, series in studies.items():
        yield _of_study(uid, series, context)
    by_series = {id(each.series): each for each in checked.series}
    for group in visits(each.series for each in checked.series):
        yield _of_visit(VisitSeen(tuple(by_series[id(each)] for each in group), {}), ())


def _of_store(whole: Engine, names: Sequence[str], settings: Settings) -> Iterator[Told]:
    with opened(settings) as store, Spool(settings.spool_folder, settings.limits) as spool:
        bench = Bench(store, spool, whole)
        rows = {row.series_key: row for name in names for row in rows_named(store, name)}
        found = [each for row in rows.values() if (each := subject_of(bench, row)) is not None]
        if not found:
            raise ConfigurationError(f"{', '.join(names)}: no instance of it can be read")
        for each in found:
            facts = SeriesFacts(each.series, each.inference, each.siblings, each.context)
            yield Told(tables.heading(each.series), facts)
        for uid, each in {each.series.study_instance_uid: each for each in found}.items():
            yield _of_study(uid, (each.series, *each.siblings), each.context)
        seen = set[str]()
        for each in found:
            visit = None if each.series.series_instance_uid in seen else each.of_visit(bench)
            if visit is not None:
                seen.update(report.series.series_instance_uid for report in visit.reports)
                yield _of_visit(visit, each.known.orders)


def _of_study(uid: str, series: Sequence[Series], context: Context) -> Told:
    return Told(Text(f"Study {printable(uid)}", "bold"), StudyFacts(tuple(series), context))


def _of_visit(seen: VisitSeen, orders: Sequence[Order]) -> Told:
    facts = visit_facts(
        [each.series for each in seen.reports],
        {each.series.series_instance_uid: each.inference for each in seen.reports},
        orders,
        seen.usual,
    )
    count = tables.counted(len(facts.series), "series")
    known = tables.counted(len(facts.orders), "order")
    return Told(Text(f"Visit of {count} and {known}", "bold"), facts)


def _checked(whole: Engine, paths: Sequence[str], place: collect.Place) -> Checked:
    request = Request(targets=whole.targets, per_instance=False)
    conditions = Conditions(whole.rules_digest, whole.models_digest, request, 0)
    examination = Examination(whole, request, place.limits, Ledger(None, conditions))
    with progress_bar() as progress:
        return examination.checked(collect.named_paths(paths), place, progress)
