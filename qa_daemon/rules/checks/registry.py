"""The table of registered checks; the modules beside this one put themselves into it."""

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from qa_daemon.rules.facts import Answer, SeriesFacts, StudyFacts
from qa_daemon.rules.schema import Operand

Options: TypeAlias = Mapping[str, Operand]
SeriesCheck: TypeAlias = Callable[[SeriesFacts, Options], Answer]
StudyCheck: TypeAlias = Callable[[StudyFacts, Options], Answer]

SERIES_CHECKS: Final[dict[str, SeriesCheck]] = {}
STUDY_CHECKS: Final[dict[str, StudyCheck]] = {}


def of_series(check: SeriesCheck) -> SeriesCheck:
    """Register a check of one series under its own name."""
    assert check.__name__ not in SERIES_CHECKS
    SERIES_CHECKS[check.__name__] = check
    return check


def of_study(check: StudyCheck) -> StudyCheck:
    """Register a check of one study under its own name."""
    assert check.__name__ not in STUDY_CHECKS
    STUDY_CHECKS[check.__name__] = check
    return check


def number(options: Options, name: str, default: float) -> float:
    """Return a number among the options of a rule."""
    value = options.get(name, default)
    assert isinstance(value, int | float), f"{name} must be a number"
    return float(value)


def words(options: Options, name: str) -> tuple[str, ...]:
    """Return a list of words among the options of a rule."""
    listed = options.get(name, ())
    assert isinstance(listed, tuple), f"{name} must be a list"
    return tuple(map(str, listed))
