"""Decimal strings (DS, PS3.5 6.2): read strictly, write within sixteen characters."""

import math
import re
from functools import lru_cache
from typing import Final

#: What VR DS allows a writer.
DS_CHARACTERS_MAX: Final = 16

# Python's shortest exact text of a double has up to 24 characters, and writers that forget the
# limit of 16 send just that; anything longer is no number that a device wrote.
DS_CHARACTERS_READ_MAX: Final = 32

# float() would also take nan, inf, 1_0 and other scripts' digits.
_DECIMAL: Final = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")

# Twelve digits hold 1e-9 mm at a metre, and hide the noise of binary fractions (0.1 + 0.2).
_DIGITS_WRITTEN: Final = 12


def decimal(text: str) -> float | None:
    """Return the number that `text` writes, None unless it is a finite decimal string."""
    trimmed = text.strip(" ")
    return None if len(trimmed) > DS_CHARACTERS_READ_MAX else _read(trimmed)


@lru_cache(maxsize=1 << 14)  # the texts of a series come again and again, in every rule
def _read(trimmed: str) -> float | None:
    if _DECIMAL.fullmatch(trimmed) is None:
        return None
    value = float(trimmed)
    return value if math.isfinite(value) else None


def decimals(texts: tuple[str, ...]) -> tuple[float, ...] | None:
    """Return the numbers that `texts` write, None if one of them is not a decimal string."""
    values = []
    for text in texts:
        value = decimal(text)
        if value is None:
            return None
        values.append(value)
    return tuple(values)


def decimal_text(value: float) -> str:
    """Return `value` as a decimal string of at most 16 characters; `value` must be finite."""
    assert math.isfinite(value)
    digits = _DIGITS_WRITTEN
    text = f"{value:.{digits}g}"
    while len(text) > DS_CHARACTERS_MAX:
        digits -= 1
        text = f"{value:.{digits}g}"
    return "0" if float(text) == 0 else text
