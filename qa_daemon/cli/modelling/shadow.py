"""What models in shadow would change: series judged again with what they said.

Only results of series that both have seen count, and the rules are those in force now, for both
sides; so what differs is the models' doing.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

from attrs import define, evolve, field, frozen
from rich.table import Table
from rich.text import Text

from qa_daemon.cli import tables
from qa_daemon.config.settings import Settings
from qa_daemon.grounds.rulebook import rules_in_force
from qa_daemon.records.finding import Severity, Verdict
from qa_daemon.records.inference import Inference
from qa_daemon.records.prediction import Prediction
from qa_daemon.records.series import Series
from qa_daemon.series.assemble import assemble
from qa_daemon.store import instance_rows, result_rows, series_rows
from qa_daemon.store.database import Store
from qa_daemon.store.series_rows import SeriesFilter, SeriesRow
from qa_daemon.suggest.propose import judge

#: Series looked at, the latest first; beyond it the difference is known well enough.
SERIES_MAX: Final = 10_000
#: Series named per rule; the rest are counted.
NAMED_MAX: Final = 5
_SIBLINGS_MAX: Final = 50


@define
class Answers:
    """How the answers of one model in shadow compare with those in force.

    Attributes
    ----------
    same, other
        Series that both decided, with the same label or another.
    gained, lost
        Decided by the shadow only; by the model in force only.
    """

    model: str
    instead_of: str
    target: str
    series: int = 0
    same: int = 0
    other: int = 0
    gained: int = 0
    lost: int = 0

    def add(self, now: Prediction | None, then: Prediction) -> None:
        """Count one series."""
        self.series += 1
        is_decided = now is not None and not now.abstained
        if is_decided and not then.abstained:
            assert now is not None
            is_same = (now.label, now.labels) == (then.label, then.labels)
            self.same += is_same
            self.other += not is_same
        else:
            self.gained += not then.abstained
            self.lost += is_decided


@frozen
class Alarm:
    """A rule that would find something otherwise, with the series concerned."""

    rule: str
    is_new: bool
    series: tuple[str, ...]


@define
class Comparison:
    """The difference over all series that a shadow has seen.

    Attributes
    ----------
    before, after
        Series with a finding above info now, and with the shadows in force.
    """

    series: int = 0
    before: int = 0
    after: int = 0
    models: list[Answers] = field(factory=list)
    changed: dict[tuple[str, bool], list[str]] = field(factory=dict)

    @property
    def alarms(self) -> Iterator[Alarm]:
        """Yield what would be found otherwise, by rule."""
        for (rule, is_new), keys in sorted(self.changed.items()):
            yield Alarm(rule, is_new, tuple(keys))


def compared(store: Store, settings: Settings, series_max: int = SERIES_MAX) -> Comparison:
    """Judge the latest series once more, without and with what the shadows said."""
    pack, found = rules_in_force(settings), Comparison()
    by_model: dict[tuple[str, str, str], Answers] = {}
    for row in series_rows.series_list(store, SeriesFilter(), series_max):
        inference = _inference(store, row)
        if inference is None or not inference.shadow:
            continue
        siblings = tuple(_siblings(store, row))
        series = _assembled(store, row)
        if series is None:
            continue
        for then in inference.shadow:
            now = inference.of(then.target)
            # The regions of a model tell the direction of a stack, too.
            names = (then.model, "" if now is None else now.model, then.target)
            by_model.setdefault(names, Answers(*names)).add(now, then)
        rules = [
            _alarms(judge(series, each, pack, siblings=siblings))
            for each in (inference, _swapped(inference))
        ]
        found.series += 1
        found.before += bool(rules[0])
        found.after += bool(rules[1])
        for rule, count in _difference(*rules).items():
            found.changed.setdefault((rule, count > 0), []).append(row.series_key)
    found.models = sorted(
        by_model.values(), key=lambda each: (each.model, each.instead_of, each.target)
    )
    return found


def _inference(store: Store, row: SeriesRow) -> Inference | None:
    result = result_rows.result_of(store, row.series_key, row.revision)
    return None if result is None else result.inference


def _assembled(store: Store, row: SeriesRow) -> Series | None:
    instances = instance_rows.instances_of(store, row.series_key, row.revision)
    return assemble(instances, row.revision) if instances else None


def _siblings(store: Store, row: SeriesRow) -> Iterator[Series]:
    for other in series_rows.siblings(store, row.series_key, _SIBLINGS_MAX):
        series = _assembled(store, other)
        if series is not None:
            yield series


def _swapped(inference: Inference) -> Inference:
    """Return what would be known if the shadows were in force."""
    instead = {each.target: each for each in inference.shadow}
    kept = [each for each in inference.predictions if each.target not in instead]
    return evolve(inference, predictions=(*kept, *inference.shadow))


def _alarms(verdict: Verdict) -> Counter[str]:
    return Counter(each.rule for each in verdict.findings if each.severity > Severity.INFO)


def _difference(before: Mapping[str, int], after: Mapping[str, int]) -> Mapping[str, int]:
    counts = {rule: after.get(rule, 0) - before.get(rule, 0) for rule in {*before, *after}}
    return {rule: count for rule, count in counts.items() if count}


def print_report(found: Comparison, *, as_json: bool) -> int:
    """Print the difference."""
    if as_json:
        print(json.dumps(_as_json(found)))
        return 0
    console = tables.screen()
    if not found.series:
        console.print("No series was seen by a model in shadow yet.")
        return 0
    for each in found.models:
        said = (
            f"{each.series} series: {each.same} decided alike, {each.other} otherwise, "
            f"{each.gained} only by the shadow, {each.lost} only by the model in force"
        )
        instead = each.instead_of or "no model"
        console.print(
            Text.assemble((each.model, "bold"), f" in shadow of {instead}: {each.target}\n  {said}")
        )
    console.print(
        f"\nSeries with a finding above info: {found.before} of {found.series} now, "
        f"{found.after} with the shadows in force"
    )
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("rule", "alarms", "series"):
        table.add_column(name, overflow="fold")
    for alarm in found.alarms:
        more = len(alarm.series) - NAMED_MAX
        named = ", ".join(key[:12] for key in alarm.series[:NAMED_MAX])
        count = f"{'+' if alarm.is_new else '-'}{len(alarm.series)}"
        table.add_row(alarm.rule, count, named + (f" and {more} more" if more > 0 else ""))
    if table.row_count:
        console.print(table)
    return 0


def _as_json(found: Comparison) -> Mapping[str, object]:
    return {
        "series": found.series,
        "alarms_in_force": found.before,
        "alarms_with_shadows": found.after,
        "models": [
            {
                "model": each.model,
                "instead_of": each.instead_of,
                "target": each.target,
                "series": each.series,
                "same": each.same,
                "other": each.other,
                "gained": each.gained,
                "lost": each.lost,
            }
            for each in found.models
        ],
        "changes": [
            {"rule": each.rule, "new": each.is_new, "series_keys": list(each.series)}
            for each in found.alarms
        ],
    }
