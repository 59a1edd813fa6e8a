"""Regular expressions that cannot hang: RE2 takes time in proportion to text times pattern.

RE2 has no look-around and no back-references; that is what makes it safe on whatever a site writes
and a sender sends.
"""

from functools import lru_cache
from typing import Final, Protocol

import re2

# A pattern for one attribute has some 30 characters; a long one is a program in disguise.
PATTERN_LENGTH_MAX: Final = 500
# Of the automaton that RE2 builds while it searches; beyond it, it searches more slowly.
_MEMORY_BYTES_MAX: Final = 4 << 20


class Pattern(Protocol):
    """What is used of a compiled expression."""

    def fullmatch(self, text: str) -> object:
        """Return something if the whole text matches, else None."""


def _options() -> re2.Options:
    options = re2.Options()
    options.max_mem = _MEMORY_BYTES_MAX
    options.log_errors = False
    return options


@lru_cache(maxsize=1024)
def compiled(pattern: str) -> Pattern:
    """Return the expression, ready to be matched against whole values.

    Raises
    ------
    ValueError
        If it is none, or too long.
    """
    if len(pattern) > PATTERN_LENGTH_MAX:
        raise ValueError(f"is longer than {PATTERN_LENGTH_MAX} characters")
    try:
        expression: Pattern = re2.compile(pattern, _options())
    except re2.error as error:
        said = error.args[0]
        told = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
        raise ValueError(f"{told} (RE2 has no look-around and no back-references)") from None
    return expression


def is_match(pattern: str, text: str) -> bool:
    """Whether the whole text matches; unpaired surrogates match nothing."""
    try:
        return compiled(pattern).fullmatch(text) is not None
    except UnicodeEncodeError:
        return False
