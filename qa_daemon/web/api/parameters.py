"""Parameters of operations: what each takes, read from a request, told in the document."""

import base64
import binascii
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from attrs import frozen

from qa_daemon.errors import InputError

#: Items of one answer, unless the request says less.
LIMIT: Final = 50
LIMIT_MAX: Final = 200
#: Numbers of rows fit 63 bits.
NUMBER_MAX: Final = (1 << 63) - 1
TEXT_LENGTH_MAX: Final = 128
_ASCII_DIGITS: Final = re.compile(r"[0-9]{1,19}")
_CURSOR: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


@frozen(kw_only=True)
class Parameter:
    """One parameter.

    Attributes
    ----------
    schema
        JSON Schema (2020-12): a string with `enum`, `pattern`, `format` or `maxLength`, or an
        integer with its bounds.
    place
        `query`, `path` or `header`.
    """

    name: str
    schema: Mapping[str, Any]
    description: str
    place: str = "query"
    required: bool = False
    default: Any = None

    def read(self, given: str | None) -> Any:
        """Return the value of what was given.

        Raises
        ------
        InputError
            If it is missing though required, or not what the schema says.
        """
        if given is None:
            if self.required:
                raise InputError(f"{self.name}: is missing")
            return self.default
        if self.schema["type"] == "integer":
            return self._number(given)
        if self.schema["type"] == "boolean":
            return self._choice(given, ("true", "false")) == "true"
        return self._text(given)

    def _number(self, given: str) -> int:
        low, high = self.schema["minimum"], self.schema["maximum"]
        if _ASCII_DIGITS.fullmatch(given) is None or not low <= int(given) <= high:
            raise InputError(f"{self.name}: a whole number of {low} to {high}")
        return int(given)

    def _choice(self, given: str, known: Iterable[str]) -> str:
        if given not in known:
            raise InputError(f"{self.name}: use one of {', '.join(known)}")
        return given

    def _text(self, given: str) -> Any:
        if "enum" in self.schema:
            return self._choice(given, self.schema["enum"])
        if self.schema.get("format") == "date-time":
            return self._time(given)
        length_max, pattern = self.schema["maxLength"], self.schema.get("pattern", "")
        if len(given) > length_max or "\0" in given:
            raise InputError(f"{self.name}: at most {length_max} characters, none of them NUL")
        if pattern and re.search(pattern, given) is None:
            raise InputError(f"{self.name}: has to match {pattern}")
        return given

    def _time(self, given: str) -> datetime:
        try:
            at = datetime.fromisoformat(given)
            return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, OverflowError) as error:
            raise InputError(f"{self.name}: a time such as 2026-11-20T08:30:00Z") from error


def text(pattern: str = "", length_max: int = TEXT_LENGTH_MAX) -> dict[str, Any]:
    """Return the schema of a text."""
    found: dict[str, Any] = {"type": "string", "maxLength": length_max}
    return found | ({"pattern": pattern} if pattern else {})


def choice(*values: str) -> dict[str, Any]:
    """Return the schema of one of some words."""
    return {"type": "string", "enum": list(values)}


def number(low: int, high: int) -> dict[str, Any]:
    """Return the schema of a whole number."""
    return {"type": "integer", "minimum": low, "maximum": high}


TIME: Final = {"type": "string", "format": "date-time"}

CURSOR: Final = Parameter(
    name="cursor",
    schema=text(r"^[A-Za-z0-9_-]+$", 64),
    description="`next` of the answer before; absent = from the beginning.",
)
COUNT: Final = Parameter(
    name="limit",
    schema=number(1, LIMIT_MAX),
    description=f"Items of this answer, {LIMIT} unless given.",
    default=LIMIT,
)


def cursor_of(*numbers: int) -> str:
    """Return where the next answer begins, as a word that says nothing by itself."""
    told = "-".join(map(str, numbers)).encode("ascii")
    return base64.urlsafe_b64encode(told).rstrip(b"=").decode("ascii")


def numbers_in(cursor: str, count: int) -> tuple[int, ...]:
    """Return what a cursor holds.

    Raises
    ------
    InputError
        If it is none of ours.
    """
    try:
        is_word = _CURSOR.fullmatch(cursor) is not None
        padded = cursor + "=" * (-len(cursor) % 4)
        told = base64.urlsafe_b64decode(padded).decode("ascii") if is_word else ""
    except (binascii.Error, UnicodeDecodeError):
        told = ""
    numbers = told.split("-")
    if len(numbers) != count or not all(_ASCII_DIGITS.fullmatch(each) for each in numbers):
        raise InputError("cursor: not one that an answer gave")
    found = tuple(map(int, numbers))
    if max(found) > NUMBER_MAX:
        raise InputError("cursor: not one that an answer gave")
    return found
