"""How a text is written: patterns, words, beginnings, lengths."""

import re
from collections.abc import Callable
from typing import Final

from qa_daemon.rules.operators.patterns import compiled, is_match
from qa_daemon.rules.operators.table import COUNT, TEXTS, Answered, Asked, Takes, within, word
from qa_daemon.rules.schema import Operand

_WORD: Final = re.compile(r"[^\W_]+")


def _is_pattern(operand: Operand) -> bool:
    if not isinstance(operand, str) or not operand:
        return False
    try:
        compiled(operand)
    except (ValueError, UnicodeEncodeError):
        return False
    return True


PATTERN: Final = Takes(
    "a regular expression that RE2 reads: no look-around, no back-references",
    _is_pattern,
    {"type": "string", "minLength": 1},
)


@word(
    "matches",
    PATTERN,
    "whether every value, from its first to its last character, fits the pattern",
    "matches: '[A-Z]{2}[0-9]{6}'",
)
def matches(asked: Asked) -> Answered:
    """Whether all values fit the pattern; no where there is none."""
    pattern = str(asked.test.operand)
    return bool(asked.filled) and all(is_match(pattern, value) for value in asked.filled)


def _texts(operand: Operand) -> tuple[str, ...]:
    return tuple(map(str, operand)) if isinstance(operand, tuple) else (str(operand),)


def _every(asked: Asked, holds: Callable[[str, str], bool]) -> bool:
    """Whether for every value one of the texts does; upper and lower case are one."""
    wanted = [text.casefold() for text in _texts(asked.test.operand)]
    return bool(asked.filled) and all(
        any(holds(value.casefold(), text) for text in wanted) for value in asked.filled
    )


@word("starts_with", TEXTS, "whether every value begins with one of these", "starts_with: [CT, MR]")
def starts_with(asked: Asked) -> Answered:
    """Whether all values begin so, whatever their case."""
    return _every(asked, str.startswith)


@word("ends_with", TEXTS, "whether every value ends with one of these", "ends_with: _RPT")
def ends_with(asked: Asked) -> Answered:
    """Whether all values end so, whatever their case."""
    return _every(asked, str.endswith)


@word("has_text", TEXTS, "whether one of the values has one of these in it", "has_text: PHANTOM")
def has_text(asked: Asked) -> Answered:
    """Whether some value has the text somewhere, whatever the case."""
    wanted = [text.casefold() for text in _texts(asked.test.operand)]
    return any(text in value.casefold() for value in asked.filled for text in wanted)


@word(
    "has_word",
    TEXTS,
    "whether one of these is a word of one of the values; case does not count",
    "has_word: [knee, knie]",
)
def has_word(asked: Asked) -> Answered:
    """Whether a word stands in some value, between blanks, signs or underscores."""
    wanted = {text.casefold() for text in _texts(asked.test.operand)}
    words = {found.casefold() for value in asked.filled for found in _WORD.findall(value)}
    return bool(wanted & words)


@word("length", COUNT, "whether every value has so many characters", "length: {at_most: 16}")
def length(asked: Asked) -> Answered:
    """Whether all values are so long; no where there is none."""
    return bool(asked.filled) and all(
        within(len(value), asked.test.operand) for value in asked.filled
    )
