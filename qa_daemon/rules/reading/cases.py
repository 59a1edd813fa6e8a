"""The cases of a rule file, as they are written."""

from collections.abc import Mapping
from typing import Final

from qa_daemon.dicom.encoding.dictionary import keywords, tag_of, vr_of
from qa_daemon.rules.looks.names import ORDER_FACTS, UnknownFactError, fact_name
from qa_daemon.rules.operators.times import moment
from qa_daemon.rules.reading.source import At, Raw, Reader, frozen_values, nearest
from qa_daemon.rules.schema import CASE_ORDER, CASE_STORE, Case, CaseSeries, Outcome

SERIES_KEYS: Final = frozenset(
    {"tags", "instances", "irregularities", "transfer_syntax", "frames", "predictions"}
)
CASE_KEYS: Final = frozenset(
    {"name", "outcome", "series", "predictions", "table_side", "severity", "proposes"}
    | {"received", "order", "orders", "habits", "store", *SERIES_KEYS}
)


def read_case(reader: Reader, raw: Raw, at: At) -> Case | None:
    """Return a case of a rule file; None, with the fault noted, if it is none."""
    if not reader.keys(raw, at, CASE_KEYS):
        return None
    series = raw.get("series", [{key: raw[key] for key in SERIES_KEYS if key in raw}])
    predictions, proposes = raw.get("predictions", {}), raw.get("proposes", [])
    outcome = raw.get("outcome")
    said = {
        f"outcome is one of {', '.join(Outcome)}": isinstance(outcome, str)
        and outcome in set(Outcome),
        "series is a list of series": isinstance(series, list) and bool(series),
        "predictions are target: {label: probability}": _are_predictions(predictions),
        "proposes is a list": isinstance(proposes, list),
        "received is a DT in quotes": _is_moment(raw.get("received", "")),
        f"orders is a list of {', '.join(CASE_ORDER)}": _are_orders(raw.get("orders", [])),
        f"order is NAME: values, with {', '.join(ORDER_FACTS)}": _is_order(raw.get("order")),
        "habits are Keyword: {value: count}": _are_habits(raw.get("habits", {})),
        f"store is NAME: values, with {', '.join(CASE_STORE)}": _is_store(raw.get("store")),
    }
    for what in (what for what, is_right in said.items() if not is_right):
        reader.fault(at, what)
    if not all(said.values()):
        return None
    # Every series is looked at, so that all faults are told at once.
    if not all(tuple(_is_series(reader, each, at) for each in series)):
        return None
    return Case(
        name=str(raw.get("name", "")),
        outcome=Outcome(outcome),
        series=tuple(map(_case_series, series)),
        predictions=frozen_values(predictions),
        table_side=str(raw.get("table_side", "")),
        received=str(raw.get("received", "")),
        order=frozen_values(raw.get("order")),
        orders=tuple(
            {name: str(text) for name, text in each.items()} for each in raw.get("orders", [])
        ),
        habits=frozen_values(raw.get("habits", {})),
        store=frozen_values(raw.get("store")),
        severity=str(raw.get("severity", "")),
        proposes=tuple(map(str, proposes)) if "proposes" in raw else None,
    )


def _are_predictions(raw: Raw) -> bool:
    return isinstance(raw, dict) and all(
        isinstance(labels, dict)
        and all(isinstance(p, int | float) and 0 <= p <= 1 for p in labels.values())
        and (not str(target).endswith("_orientation") or set(labels) <= set("01234567"))
        for target, labels in raw.items()
    )


def _are_habits(raw: Raw) -> bool:
    return isinstance(raw, dict) and all(
        isinstance(counts, dict) and all(isinstance(count, int) for count in counts.values())
        for counts in raw.values()
    )


def _is_store(raw: Raw) -> bool:
    """Whether it is what `rules.reading.remembered` reads."""
    if raw is None:
        return True
    if not isinstance(raw, dict) or not set(raw) <= set(CASE_STORE):
        return False
    lists = (raw.get("instances", []), raw.get("studies", []), raw.get("delays", []))
    maps = (raw.get("strangers", {}), raw.get("series_before", {}))
    return (
        all(isinstance(each, list) for each in lists)
        and all(isinstance(each, dict) for each in maps)
        and all(_is_delay(each) for each in raw.get("delays", []))
        and all(isinstance(count, int) for count in raw.get("series_before", {}).values())
        and isinstance(raw.get("studies_before", 0), int)
    )


def _is_delay(raw: Raw) -> bool:
    if isinstance(raw, list):
        return len(raw) == 2 and all(isinstance(each, int) for each in raw)
    return isinstance(raw, int)


def _is_moment(raw: Raw) -> bool:
    return isinstance(raw, str) and (not raw or moment(raw) is not None)


def _is_order(raw: Raw) -> bool:
    return raw is None or (isinstance(raw, dict) and set(raw) <= set(ORDER_FACTS))


def _are_orders(raw: Raw) -> bool:
    return isinstance(raw, list) and all(
        isinstance(each, dict) and set(each) <= set(CASE_ORDER) for each in raw
    )


def _is_series(reader: Reader, raw: Raw, at: At) -> bool:
    if not reader.keys(raw, at, SERIES_KEYS):
        return False
    rows, kinds = raw.get("instances", []), raw.get("irregularities", [])
    if not isinstance(rows, list) or not isinstance(kinds, list):
        reader.fault(at, "instances and irregularities are lists")
        return False
    if not _are_predictions(raw.get("predictions", {})):
        reader.fault(at, "predictions are target: {label: probability}")
        return False
    if not _are_frames(raw.get("frames", 1)) or not isinstance(raw.get("transfer_syntax", ""), str):
        reader.fault(at, "frames is a whole number, transfer_syntax a UID")
        return False
    return all(tuple(_are_tags(reader, tags, at) for tags in (raw.get("tags", {}), *rows)))


def _are_frames(raw: Raw) -> bool:
    return isinstance(raw, int) and not isinstance(raw, bool) and raw >= 0


def _are_tags(reader: Reader, raw: Raw, at: At) -> bool:
    if not isinstance(raw, dict):
        reader.fault(at, "tags are a mapping of keywords to values")
        return False
    wrong = [what for keyword, value in raw.items() if (what := _wrong(reader, keyword, value, at))]
    for what in wrong:
        reader.fault(at, what)
    return not wrong


def _wrong(reader: Reader, keyword: Raw, value: Raw, at: At) -> str:
    """Return what is wrong with an element of a case, "" if nothing is."""
    if isinstance(keyword, str) and keyword.startswith("private."):
        try:
            fact_name(keyword)
        except UnknownFactError as error:
            return str(error)
    elif not isinstance(keyword, str) or tag_of(keyword) is None:
        return f"{keyword}: no such keyword{nearest(str(keyword), keywords())}"
    elif vr_of(tag_of(keyword) or 0) == "SQ":
        items = [] if value is None else value
        if not isinstance(items, list):
            return f"{keyword}: a sequence is a list of items, each a mapping"
        return (
            ""
            if all(tuple(_are_tags(reader, item, at) for item in items))
            else f"{keyword}: see above"
        )
    if _is_value(value):
        return ""
    return f"{keyword}: a value is a text (in quotes if it looks like something else) or a number"


def _is_value(raw: Raw) -> bool:
    values = raw if isinstance(raw, list) else [raw] if raw is not None else []
    return all(isinstance(v, str | int | float) and not isinstance(v, bool) for v in values)


def _case_series(raw: Mapping[str, Raw]) -> CaseSeries:
    return CaseSeries(
        tags=frozen_values(raw.get("tags", {})),
        instances=frozen_values(raw.get("instances", [])),
        irregularities=tuple(map(str, raw.get("irregularities", []))),
        transfer_syntax=str(raw.get("transfer_syntax", "")),
        frames=raw.get("frames"),
        predictions=frozen_values(raw.get("predictions", {})),
    )
