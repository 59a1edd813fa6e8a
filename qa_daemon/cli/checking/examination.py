"""Paths in, everything that was found out: the pipeline of the service in one go."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

from attrs import define, evolve, field, frozen
from rich.progress import Progress

from qa_daemon.cli.checking import collect, media
from qa_daemon.cli.checking.collect import Item, Place
from qa_daemon.cli.checking.ledger import Ledger
from qa_daemon.cli.checking.media import Medium
from qa_daemon.dicom.elements import Vocabulary
from qa_daemon.dicom.header import read_instance
from qa_daemon.errors import InputError
from qa_daemon.limits import Limits
from qa_daemon.orders.visit import visits
from qa_daemon.pipeline.engine import Engine
from qa_daemon.predict.client import Request
from qa_daemon.records.finding import Finding, Outcomes, Rejection, Verdict, above_info
from qa_daemon.records.instance import Instance
from qa_daemon.records.series import Series
from qa_daemon.report.summary import SeriesReport, StudyReport, VisitReport
from qa_daemon.rules.facts import Context
from qa_daemon.series.assemble import assemble
from qa_daemon.suggest.visit.causes import with_causes

STATUS_CLEAN: Final = 0
STATUS_FINDINGS: Final = 1
STATUS_FAILED: Final = 2


@frozen
class Checked:
    """Everything that one run found out.

    Attributes
    ----------
    visits
        One per patient and day, and one per media directory with findings.
    fruitless
        Paths of the command line that are missing, or hold no readable object.
    """

    series: tuple[SeriesReport, ...] = ()
    studies: tuple[StudyReport, ...] = ()
    visits: tuple[VisitReport, ...] = ()
    rejected: tuple[Rejection, ...] = ()
    fruitless: tuple[str, ...] = ()

    @property
    def findings(self) -> Iterator[Finding]:
        """All findings of all levels."""
        reports: tuple[SeriesReport | StudyReport | VisitReport, ...]
        reports = (*self.series, *self.studies, *self.visits)
        for report in reports:
            yield from report.verdict.findings

    @property
    def status(self) -> int:
        """The exit status (contract, section 2)."""
        if self.fruitless:
            return STATUS_FAILED
        return STATUS_FINDINGS if above_info(self.findings) else STATUS_CLEAN


@define
class _Gathered:
    """What lies at the paths, before anybody has judged it."""

    instances: dict[tuple[str, str], list[Instance]] = field(factory=dict)
    files: dict[str, Path] = field(factory=dict)
    media: list[Medium] = field(factory=list)
    rejected: list[Rejection] = field(factory=list)
    studies_by_path: dict[str, set[str]] = field(factory=dict)

    def add(self, item: Item, limits: Limits, vocabulary: Vocabulary) -> None:
        """Put an item where it belongs."""
        outcome = _read(item, limits, vocabulary) if isinstance(item, collect.Found) else item
        match outcome:
            case Instance():
                assert isinstance(item, collect.Found)
                self._add_instance(outcome, item)
            case Medium():
                self.media.append(outcome)
            case Rejection():
                self.rejected.append(outcome)

    def _add_instance(self, instance: Instance, item: collect.Found) -> None:
        key = (instance.study_instance_uid, instance.series_instance_uid)
        self.instances.setdefault(key, []).append(instance)
        self.files[item.path] = item.file
        self.studies_by_path.setdefault(item.named, set()).add(instance.study_instance_uid)


@frozen
class Examination:
    """How a run judges what it finds."""

    engine: Engine
    request: Request
    limits: Limits
    ledger: Ledger

    def checked(self, paths: Sequence[str], place: Place, progress: Progress) -> Checked:
        """Examine everything that lies at the paths."""
        gathered = self._gathered(collect.found(paths, place), progress)
        series, studies = self._judged(gathered, progress)
        judged = tuple(self._visits(series))
        series = self._with_causes(series, judged)
        of_visits = (*self._media(gathered), *judged)
        fruitful = gathered.studies_by_path.keys() | {
            medium.named for medium in gathered.media if media.findings(medium, self.engine.pack)
        }
        return Checked(
            series=series,
            studies=studies,
            visits=of_visits,
            rejected=tuple(gathered.rejected),
            fruitless=tuple(dict.fromkeys(path for path in paths if path not in fruitful)),
        )

    def _gathered(self, items: Iterable[Item], progress: Progress) -> _Gathered:
        gathered = _Gathered()
        task = progress.add_task("reading", total=None)
        for item in items:
            gathered.add(item, self.limits, self.engine.vocabulary)
            progress.advance(task)
        return gathered

    def _judged(
        self, gathered: _Gathered, progress: Progress
    ) -> tuple[tuple[SeriesReport, ...], tuple[StudyReport, ...]]:
        """Assemble and judge every series, study by study."""
        studies: dict[str, list[Series]] = {}
        for (study, _), members in gathered.instances.items():
            studies.setdefault(study, []).append(assemble(members))
        task = progress.add_task("examining", total=len(gathered.instances))
        reports, of_studies = [], []
        for series in studies.values():
            for one in series:
                siblings = [other for other in series if other is not one]
                reports.append(self._one(one, siblings, gathered.files))
                progress.advance(task)
            of_studies.append(self.engine.examine_study(series))
        return tuple(reports), tuple(of_studies)

    def _one(
        self, series: Series, siblings: Sequence[Series], files: Mapping[str, Path]
    ) -> SeriesReport:
        known = self.ledger.recall(series, siblings)
        if known is not None:
            return known

        def read(source: str) -> bytes:
            return collect.content_of(files[source], self.limits)

        return self.ledger.keep(siblings, self.engine.examine(series, siblings, read, self.request))

    def _visits(self, reports: Sequence[SeriesReport]) -> Iterator[VisitReport]:
        by_series = {id(each.series): each for each in reports}
        for series in visits(each.series for each in reports):
            yield self.engine.examine_visit([by_series[id(each)] for each in series])

    def _with_causes(
        self, reports: Sequence[SeriesReport], of_visits: Iterable[VisitReport]
    ) -> tuple[SeriesReport, ...]:
        """Tell what a finding about a visit explains as an info, where images are to move."""
        moving = [each.verdict for each in of_visits if each.verdict.findings]

        def judged(report: SeriesReport, mended: Series) -> Verdict:
            siblings = [
                each.series
                for each in reports
                if each.series.study_instance_uid == mended.study_instance_uid
                and each is not report
            ]
            context = Context(datetime.now(UTC).astimezone())
            return self.engine.judge(mended, report.inference, siblings, context)

        found = []
        for report in reports:
            verdict = report.verdict
            for of_visit in moving:
                verdict = with_causes(verdict, of_visit, report.series, partial(judged, report))
            found.append(evolve(report, verdict=verdict))
        return tuple(found)

    def _media(self, gathered: _Gathered) -> Iterator[VisitReport]:
        for medium in gathered.media:
            found = media.findings(medium, self.engine.pack)
            if found:
                studies = tuple(sorted(gathered.studies_by_path.get(medium.named, ())))
                yield VisitReport(studies, Verdict(found, Outcomes()), "Media directory")


def _read(item: collect.Found, limits: Limits, vocabulary: Vocabulary) -> Instance | Rejection:
    try:
        content = collect.content_of(item.file, limits)
        return read_instance(content, limits, source=item.path, vocabulary=vocabulary)
    except InputError as error:
        reason = getattr(error, "reason", "limit")
        return Rejection(item.path, reason, str(error), getattr(error, "kind", ""))
    except FileNotFoundError:
        return Rejection(item.path, "vanished", "was there a moment ago; run the check again")
    except OSError as error:
        return Rejection(item.path, "unreadable", f"{error.strerror}; check its permissions")
    except Exception as error:  # noqa: BLE001  the edge: one odd file must not end the run
        name = type(error).__name__
        return Rejection(item.path, "unreadable", f"internal error {name}; please report the file")
