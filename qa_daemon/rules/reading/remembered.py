"""What a case of a rule file says of the store, as the values that a judgement gets."""

from collections.abc import Iterator, Mapping, Sequence

from attrs import evolve

from qa_daemon.records.issue import UsualSet
from qa_daemon.records.series import Elsewhere, Stranger
from qa_daemon.rules.facts import Context
from qa_daemon.rules.schema import Operand

#: The word for one person under two numbers.
SAME = "same"


def with_store(context: Context, said: Mapping[str, Operand] | None) -> Context:
    """Return the context with what the case says of the store (`schema.CASE_STORE`)."""
    if said is None:
        return context
    strangers = _mapping(said, "strangers")
    usual = UsualSet(
        int(str(said.get("studies_before", 0))),
        {label: int(str(count)) for label, count in _mapping(said, "series_before").items()},
    )
    return evolve(
        context,
        elsewhere=Elsewhere(
            tuple(map(str, _list(said, "instances"))),
            tuple(map(str, _list(said, "studies"))),
            tuple(Stranger(study, who == SAME) for study, who in strangers.items()),
        ),
        delays=tuple(_delays(_list(said, "delays"))),
        usual=usual if usual.study_count else None,
    )


def _delays(said: Sequence[Operand]) -> Iterator[int]:
    for each in said:
        if isinstance(each, tuple):
            count, minutes = (int(str(number)) for number in each)
            yield from [minutes] * count
        else:
            yield int(str(each))


def _list(said: Mapping[str, Operand], name: str) -> Sequence[Operand]:
    found = said.get(name, ())
    assert isinstance(found, tuple), "the reader lets lists in only"
    return found


def _mapping(said: Mapping[str, Operand], name: str) -> Mapping[str, Operand]:
    found = said.get(name, {})
    assert isinstance(found, Mapping), "the reader lets mappings in only"
    return found
