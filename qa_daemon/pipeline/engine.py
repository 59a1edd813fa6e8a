"""Rules and models in force, and the one way in which a series is examined.

The worker, `check` and `series recheck` share it, so that they cannot disagree.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from hashlib import sha256
from types import MappingProxyType
from typing import Final

from attrs import evolve, field, frozen

from qa_daemon.config.packs import models_folder
from qa_daemon.config.settings import Settings
from qa_daemon.dicom.elements import BASIC, Vocabulary, vocabulary
from qa_daemon.errors import ConfigurationError
from qa_daemon.grounds.rulebook import rulebook, today
from qa_daemon.limits import Limits
from qa_daemon.orders.lexicon.read import regions_named
from qa_daemon.pipeline.standing import wanted_models
from qa_daemon.predict.catalog import Catalog, load_catalog
from qa_daemon.predict.client import Predictor, Request
from qa_daemon.records.finding import Verdict
from qa_daemon.records.inference import Inference
from qa_daemon.records.order import NamedRegion, Order
from qa_daemon.records.series import Series
from qa_daemon.report.summary import SeriesReport, StudyReport, VisitReport
from qa_daemon.rules.elements import elements_of
from qa_daemon.rules.facts import Context
from qa_daemon.rules.schema import RulePack
from qa_daemon.suggest.propose import judge, judge_study, judge_visit

#: What is always predicted, and all that `--quick` asks.
DEFAULT_TARGETS: Final = ("axial_orientation", "body_region")
#: Never predicted because a rule needs it: a site has to want it (`models.predict`).
ASKED_FOR_ONLY: Final = frozenset({"chest_opacity"})

Reader = Callable[[str], bytes]
NOTHING_ELSE = Context()


@frozen
class Engine:
    """One set of rules and models; a reload builds a new one whole.

    Attributes
    ----------
    targets
        What is predicted unless a person asks for something else.
    rules_digest, models_digest
        What verdicts and predictions are keyed by, so that a step can be repeated.
    vocabulary, limits
        Which elements have to be read for these rules, and within which bounds.
    until
        The last day on which these are the rules: then something of the site expires.
    codes
        `VALUE^SCHEME` of codes in orders -> what they mean here.
    """

    pack: RulePack
    catalog: Catalog
    predictor: Predictor
    rules_digest: str
    models_digest: str
    vocabulary: Vocabulary = BASIC
    limits: Limits = field(factory=Limits)
    until: date = date.max
    targets: tuple[str, ...] = DEFAULT_TARGETS
    codes: Mapping[str, str] = field(factory=dict)

    def infer(self, series: Series, read: Reader, request: Request) -> Inference:
        """Ask the models about one series; what cannot be asked says why."""
        return self.predictor.infer(series, read, request)

    def judge(
        self,
        series: Series,
        inference: Inference,
        siblings: Sequence[Series] = (),
        context: Context = NOTHING_ELSE,
    ) -> Verdict:
        """Evaluate the rules and propose what would mend the findings."""
        return judge(series, inference, self.pack, siblings=siblings, context=context)

    def examine(
        self, series: Series, siblings: Sequence[Series], read: Reader, request: Request
    ) -> SeriesReport:
        """Infer and judge one series, as if it came now."""
        inference = self.infer(series, read, request)
        verdict = self.judge(series, inference, siblings, Context(datetime.now(UTC).astimezone()))
        return SeriesReport(series, inference, verdict)

    def quick(self) -> "Engine":
        """Return an engine with only the rules that are marked `quick: true`."""
        rules = {name: rule for name, rule in self.pack.rules.items() if rule.quick}
        digest = _digest({"quick": self.rules_digest})
        return evolve(self, pack=RulePack(rules, digest), rules_digest=digest)

    def examine_visit(
        self,
        reports: Sequence[SeriesReport],
        orders: Sequence[Order] = (),
        usual: Mapping[str, tuple[NamedRegion, ...]] = MappingProxyType({}),
    ) -> VisitReport:
        """Evaluate the rules of level visit over the series of one visit and its orders.

        Parameters
        ----------
        usual
            By Series Instance UID: what its station usually images under its protocol.
        """
        inferences = {each.series.series_instance_uid: each.inference for each in reports}
        series = [each.series for each in reports]
        studies = sorted({each.study_instance_uid for each in series})
        return VisitReport(
            tuple(studies), judge_visit(series, inferences, orders, self.pack, usual)
        )

    def examine_study(
        self, series: Sequence[Series], context: Context = NOTHING_ELSE
    ) -> StudyReport:
        """Evaluate the rules of level study."""
        return StudyReport(series[0].study_instance_uid, judge_study(series, self.pack, context))


@contextmanager
def engine(settings: Settings) -> Iterator[Engine]:
    """Build the engine of a configuration; its child process ends with the block.

    Raises
    ------
    ConfigurationError
        If a rule file is wrong, or a code of orders means nothing. A missing or damaged model is
        no error: its target is `model_unavailable`, and rules that need it are not evaluated.
    """
    book = rulebook(settings, today())
    pack = book.pack
    catalog = load_catalog(models_folder(settings), wanted_models(settings))
    with Predictor(catalog, settings.worker, settings.limits) as predictor:
        needed = vocabulary(elements_of(pack))
        yield Engine(
            pack,
            catalog,
            predictor,
            pack.digest,
            models_digest(catalog),
            needed,
            settings.limits,
            book.until,
            _targets(pack, settings),
            _meanings(settings),
        )


def _targets(pack: RulePack, settings: Settings) -> tuple[str, ...]:
    """Return what rules in force need, and what the site wants besides."""
    needed = {need.prediction for rule in pack.enabled for need in rule.needs}
    wanted = needed - ASKED_FOR_ONLY | {*DEFAULT_TARGETS, *settings.models.predict}
    return tuple(sorted(wanted))


def _meanings(settings: Settings) -> Mapping[str, str]:
    """Return what the site says of codes; a text that says nothing would be silent for good."""
    codes = settings.orders.codes
    silent = [name for name, text in sorted(codes.items()) if not regions_named(text)]
    if silent:
        raise ConfigurationError(
            f"orders.codes: {', '.join(silent)}: the lexicon finds no part in these words; try "
            "them with: qa-daemon lexicon TEXT"
        )
    return codes


def models_digest(catalog: Catalog) -> str:
    """Return what stands for exactly these models."""
    return _digest({card.name: card.digest for card in catalog.cards.values()})


def _digest(parts: Mapping[str, str]) -> str:
    return sha256(repr(sorted(parts.items())).encode()).hexdigest()
