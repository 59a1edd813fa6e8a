"""What a rule proposes, as it is written: which elements get which values, and where from."""

from collections.abc import Mapping
from typing import Final

from attrs import evolve

from qa_daemon.dicom.encoding.dictionary import keywords, tag_of
from qa_daemon.records.finding import Level, Scope
from qa_daemon.rules.operators.table import is_fact
from qa_daemon.rules.reading.grammar import Place, check_fact, check_target
from qa_daemon.rules.reading.source import At, Raw, Reader, frozen_values, nearest
from qa_daemon.rules.schema import REGISTERED_SUGGESTIONS, Operand, Suggest

WAYS: Final = ("replace", "remove", "make_same", "registered")
#: Where a value comes from, and what that says.
SOURCES: Final[Mapping[str, str]] = {
    "from_prediction": "the label of this target; with `table`, what that writes for the label",
    "with": "this value",
    "upper_case": "what stands there, in upper case",
    "term_of_code": "the term for the code in Anatomic Region Sequence",
    "known_term": "the term of PS3.16 Annex L that is meant, whatever its spelling",
    "from_fact": "the value of another fact: tag.X, or {fact: NAME, plus: n, times: n}",
    "from_table": "what the table writes for the value received: {MALE: M, W: F}",
    "from_check": "the value that the registered check hands over",
}


def read_suggest(reader: Reader, raw: Raw, at: At) -> Suggest | None:
    """Return a suggestion; of a list, the first change with the others behind it."""
    if not isinstance(raw, list):
        return _change(reader, raw, at)
    if not raw:
        reader.fault(at, "a suggestion has at least one change")
        return None
    changes = [_change(reader, each, (*at, index)) for index, each in enumerate(raw)]
    if any(each is not None and each.way == "registered" for each in changes):
        reader.fault(at, "a registered suggestion stands alone")
    first, *more = changes
    if first is None or None in more:
        return None
    return evolve(first, more=tuple(each for each in more if each is not None))


def _change(reader: Reader, raw: Raw, at: At) -> Suggest | None:
    if not reader.keys(raw, at, {*WAYS, *SOURCES, "scope", "table"}):
        return None
    ways = [way for way in WAYS if way in raw]
    sources = [source for source in SOURCES if source in raw]
    if len(ways) != 1 or len(sources) != (ways[0] == "replace"):
        reader.fault(at, f"one of {', '.join(WAYS)}; replace with one source")
        return None
    subject = str(raw[ways[0]])
    _check_subject(reader, subject, ways[0], at)
    scope = str(raw.get("scope", Scope.SERIES))
    if scope not in set(Scope):
        reader.fault((*at, "scope"), f"unknown scope '{scope}'{nearest(scope, list(Scope))}")
    source = sources[0] if sources else ""
    argument = frozen_values(raw.get(source))
    table = frozen_values(raw.get("table", {}))
    _check_source(reader, source, argument, at)
    if not isinstance(table, Mapping) or (table and source != "from_prediction"):
        reader.fault((*at, "table"), "a table belongs to from_prediction: {LABEL: value}")
        table = {}
    return Suggest(ways[0], subject, scope, source, argument, table)


def _check_subject(reader: Reader, subject: str, way: str, at: At) -> None:
    if way == "registered":
        if subject not in REGISTERED_SUGGESTIONS:
            hint = nearest(subject, REGISTERED_SUGGESTIONS)
            reader.fault((*at, way), f"'{subject}' is not known{hint}")
    elif way == "replace" and "." in subject:
        _check_path(reader, subject, (*at, way))
    elif tag_of(subject) is None:
        reader.fault((*at, way), f"'{subject}' is not known{nearest(subject, keywords())}")


def _check_path(reader: Reader, subject: str, at: At) -> None:
    """Refuse a path that does not lead to one element of one item."""
    name = check_fact(reader, f"tag.{subject}", at, Place(Level.SERIES))
    if name is None:
        return
    *above, last = name.steps
    if last.number or not all(step.number for step in above):
        reader.fault(at, f"'{subject}': number each item, as in Sequence[1].Keyword, and no value")


def _check_source(reader: Reader, source: str, argument: Operand, at: At) -> None:
    match source:
        case "from_prediction":
            check_target(reader, argument, (*at, source))
        case "from_fact":
            fact = argument.get("fact") if isinstance(argument, Mapping) else argument
            if isinstance(argument, Mapping) and not is_fact(argument, "plus", "times"):
                reader.fault((*at, source), "write tag.X or {fact: NAME, plus: n, times: n}")
            elif not isinstance(fact, str):
                reader.fault((*at, source), "from_fact names a fact")
            else:
                check_fact(reader, fact, (*at, source), Place(Level.SERIES))
        case "from_table":
            if not isinstance(argument, Mapping) or not argument:
                reader.fault((*at, source), "from_table is {received: written, ...}")
        case "from_check" if argument is not True:
            reader.fault((*at, source), "write from_check: true")
