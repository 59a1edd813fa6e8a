"""What is said of a subject: by rules at hand, when it came, or by what is in force now."""

from collections.abc import Callable
from typing import Final

from attrs import evolve, frozen

from qa_daemon.cli.owning.subjects import Subject
from qa_daemon.pipeline.steps import Bench, VisitSeen
from qa_daemon.predict.client import Request
from qa_daemon.records.finding import Verdict
from qa_daemon.records.inference import Inference
from qa_daemon.records.series import Series
from qa_daemon.rules.schema import RulePack
from qa_daemon.store import result_rows
from qa_daemon.store.database import Store
from qa_daemon.store.wholes import verdict_rows
from qa_daemon.suggest.propose import judge, judge_study, judge_visit

#: Series of one visit lie near each other in the list of arrivals; these are predicted once.
REMEMBERED_MAX: Final = 500


@frozen
class Opinion:
    """What is said of a series, of its study, and of its visit; None where nothing was."""

    of_series: Callable[[Subject], Verdict]
    of_study: Callable[[Subject], Verdict | None]
    of_visit: Callable[[Subject, VisitSeen], Verdict | None]


def said_by(pack: RulePack) -> Opinion:
    """Judge by rules, with what was predicted then."""

    def of_series(subject: Subject) -> Verdict:
        return judge(
            subject.series,
            subject.inference,
            pack,
            siblings=subject.siblings,
            context=subject.context,
        )

    def of_study(subject: Subject) -> Verdict:
        return judge_study((subject.series, *subject.siblings), pack, subject.context)

    def of_visit(subject: Subject, seen: VisitSeen) -> Verdict:
        inferences = {each.series.series_instance_uid: each.inference for each in seen.reports}
        series = [each.series for each in seen.reports]
        return judge_visit(series, inferences, subject.known.orders, pack, seen.usual)

    return Opinion(of_series, of_study, of_visit)


def said_then(store: Store) -> Opinion:
    """Return what was said when the series came, and last of its study and visit."""

    def of_series(subject: Subject) -> Verdict:
        row = subject.row
        verdict = result_rows.verdict_of(store, row.series_key, row.revision)
        assert verdict is not None, "only judged series are compared"
        return verdict

    def of_study(subject: Subject) -> Verdict | None:
        return verdict_rows.verdict_of_study(store, subject.row.study_instance_uid)

    def of_visit(subject: Subject, _: VisitSeen) -> Verdict | None:
        return verdict_rows.verdict_of_visit(store, subject.row.series_key)

    return Opinion(of_series, of_study, of_visit)


def said_anew(bench: Bench) -> Opinion:
    """Predict and judge with the models and rules in force."""
    request = Request(targets=bench.engine.targets)
    lately: dict[str, Inference] = {}

    def infer(series: Series) -> Inference:
        uid = series.series_instance_uid
        if uid not in lately:
            if len(lately) >= REMEMBERED_MAX:
                lately.clear()
            lately[uid] = bench.engine.infer(series, bench.read, request)
        return lately[uid]

    def renewed(subject: Subject) -> Subject:
        return evolve(subject, inference=infer(subject.series))

    said = said_by(bench.engine.pack)

    def of_visit(subject: Subject, seen: VisitSeen) -> Verdict | None:
        anew = tuple(evolve(each, inference=infer(each.series)) for each in seen.reports)
        return said.of_visit(subject, evolve(seen, reports=anew))

    return Opinion(lambda subject: said.of_series(renewed(subject)), said.of_study, of_visit)
