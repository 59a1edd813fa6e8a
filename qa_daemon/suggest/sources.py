"""Where the value comes from that a suggestion writes."""

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from qa_daemon.dicom.regions import body_part, is_defined_term
from qa_daemon.records.finding import Finding
from qa_daemon.records.prediction import Prediction
from qa_daemon.rules.checks.part.named import part_of_code
from qa_daemon.rules.facts import SeriesFacts, texts_of
from qa_daemon.rules.looks.columns import varies
from qa_daemon.rules.looks.look import Look
from qa_daemon.rules.operators.numbers import number
from qa_daemon.rules.schema import Operand, Suggest
from qa_daemon.suggest.region import body_part_for

#: Labels that may be written where not all may: of a lateral view left or right is not known.
_WRITABLE_LABELS: Final = {"ViewPosition": frozenset({"AP", "PA"})}

Values: TypeAlias = tuple[str, ...]
Source: TypeAlias = Callable[[Suggest, SeriesFacts, Finding], Values]


def _texts(value: Operand) -> Values:
    return tuple(map(str, value)) if isinstance(value, tuple) else (str(value),)


def from_prediction(suggest: Suggest, facts: SeriesFacts, _: Finding) -> Values:
    """Return the label, what the table writes for it, or the term that covers several labels."""
    prediction = facts.inference.of(str(suggest.argument))
    if not isinstance(prediction, Prediction) or prediction.abstained:
        return ()
    accepted = prediction.labels if prediction.labels is not None else (prediction.label or "",)
    if suggest.table:
        written = suggest.table.get(accepted[0]) if len(accepted) == 1 else None
        return () if written is None else _texts(written)
    if suggest.subject in _WRITABLE_LABELS:
        return accepted if set(accepted) <= _WRITABLE_LABELS[suggest.subject] else ()
    term = body_part_for(accepted)
    if term is None and suggest.argument == "body_part" and accepted:
        term = accepted[0]  # of a hand with its wrist the surer is named
    # Sinuses and teeth have no term (PS3.16 Annex L).
    return () if term is None or not is_defined_term(term) else (term,)


def given(suggest: Suggest, _: SeriesFacts, __: Finding) -> Values:
    """Return the value that the rule names."""
    return _texts(suggest.argument)


def _said_alike(suggest: Suggest, facts: SeriesFacts, fold: Callable[[str], str]) -> Values:
    """Return what all instances that have the element say; `()` if they mean different things."""
    found = {
        tuple(map(fold, texts_of(element)))
        for instance in facts.series.instances
        if (element := instance.elements.get(suggest.subject)) is not None
    }
    return found.pop() if len(found) == 1 else ()


def upper_case(suggest: Suggest, facts: SeriesFacts, _: Finding) -> Values:
    """Return what stands there, in upper case."""
    return _said_alike(suggest, facts, str.upper)


def known_term(suggest: Suggest, facts: SeriesFacts, _: Finding) -> Values:
    """Return the term of PS3.16 Annex L that a body part in other spelling means."""
    part = body_part(facts.text(suggest.subject))
    return () if part is None else (part.term,)


def term_of_code(_: Suggest, facts: SeriesFacts, __: Finding) -> Values:
    """Return the term for the code in Anatomic Region Sequence."""
    part = part_of_code(facts)
    return () if part is None else (part.term,)


def from_fact(suggest: Suggest, facts: SeriesFacts, _: Finding) -> Values:
    """Return the values of another fact, reckoned with; only where all instances agree in it."""
    wanted = suggest.argument
    name = str(wanted["fact"] if isinstance(wanted, Mapping) else wanted)
    if varies(facts, name):
        return ()
    said = Look(facts).values(name)
    if not isinstance(said, tuple) or not any(said):
        return ()
    if not isinstance(wanted, Mapping) or not {"plus", "times"} & set(wanted):
        return said
    return _reckoned(said, wanted)


def _reckoned(values: Values, wanted: Mapping[str, Operand]) -> Values:
    numbers = [read for value in values if (read := number(value)) is not None]
    times, plus = wanted.get("times", 1), wanted.get("plus", 0)
    assert isinstance(times, int | float)
    assert isinstance(plus, int | float)
    if len(numbers) < len(values):
        return ()
    return tuple(f"{each * times + plus:.10g}" for each in numbers)


def from_table(suggest: Suggest, facts: SeriesFacts, _: Finding) -> Values:
    """Return what the table writes for the one value that was received."""
    said = _said_alike(suggest, facts, str)
    assert isinstance(suggest.argument, Mapping)
    written = suggest.argument.get(said[0]) if len(said) == 1 else None
    return () if written is None else _texts(written)


def from_check(suggest: Suggest, _: SeriesFacts, finding: Finding) -> Values:
    """Return the value that the registered check handed over."""
    return finding.proposed.get(suggest.subject, ())


#: By the word of the rule file (`rules.reading.proposals.SOURCES`).
SOURCES: Final[Mapping[str, Source]] = {
    "from_prediction": from_prediction,
    "with": given,
    "upper_case": upper_case,
    "known_term": known_term,
    "term_of_code": term_of_code,
    "from_fact": from_fact,
    "from_table": from_table,
    "from_check": from_check,
}
