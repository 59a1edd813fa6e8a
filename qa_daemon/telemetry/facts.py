"""Which facts may stand in the log, and in what form: the filter that patient values meet.

A key that is not listed here is dropped and counted. A value that has not the form of its key is
replaced by `WITHHELD`. Free text passes only where the code has marked it as the site's own words.
"""

import hashlib
import ipaddress
import os
import re
from collections.abc import Callable, Mapping
from enum import Enum
from pathlib import Path
from types import MappingProxyType
from typing import Final

from attrs import field, frozen

from qa_daemon.config.kept import KEY_BYTES, kept_key

WITHHELD: Final = "(withheld)"
SITE_TEXT_LENGTH_MAX: Final = 4000  # all faults of a configuration fit; a runaway text does not
AE_TITLE_LENGTH_MAX: Final = 16  # PS3.5 table 6.2-1
HASH_BYTES: Final = 8  # 16 hex digits: a chance clash among 10 million series is one in 370,000

_CODE_WORD = re.compile(r"[a-z][a-z0-9]*(?:[._-][a-z0-9]+)*\Z")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*\Z")
_RULE = re.compile(r"[A-Z][A-Z0-9]*(?:-[A-Z0-9]+)*-[0-9]+\Z")
_MODEL = re.compile(r"[a-z][a-z0-9_-]*(?:@[0-9A-Za-z][0-9A-Za-z.+-]*)?\Z")
_VERSION = re.compile(r"[0-9]+(?:\.[0-9A-Za-z]+)*(?:[+-][0-9A-Za-z.-]+)?\Z")
_UID_OF_STANDARD = re.compile(r"1\.2\.840\.10008(?:\.[0-9]+)+\Z")
_WORD_LENGTH_MAX: Final = 80


class SiteText(str):
    """Text of the site's own files (paths, faults of the configuration), safe to log as it is."""

    __slots__ = ()


class Pseudonym(str):
    """A keyed hash that stands for a UID, a file name or a spool key."""

    __slots__ = ()


@frozen
class Pseudonyms:
    """Turns identifiers into keyed hashes, so that lines about one series can be found together.

    Without the key, which never leaves the state folder, nobody can test a UID against the log.
    """

    key: bytes = field(factory=lambda: os.urandom(KEY_BYTES), repr=False)

    def of(self, identifier: str | bytes) -> Pseudonym:
        """Return 16 hex digits for `identifier`."""
        raw = (
            identifier.encode("utf-8", "surrogatepass")
            if isinstance(identifier, str)
            else identifier
        )
        return Pseudonym(hashlib.blake2b(raw, digest_size=HASH_BYTES, key=self.key).hexdigest())

    @classmethod
    def kept_in(cls, state: Path) -> "Pseudonyms":
        """Read the key of the state folder, or make it once; errors as `kept_key`."""
        return cls(kept_key(state / "log.key"))


_Form = Callable[[object, Pseudonyms], object]


def _number(value: object, _: Pseudonyms) -> object:
    if isinstance(value, float):
        return round(value, 6)
    return value if isinstance(value, bool | int) else WITHHELD


def _matching(pattern: re.Pattern[str]) -> _Form:
    def form(value: object, _: Pseudonyms) -> object:
        text = str(value.value) if isinstance(value, Enum) else value
        if isinstance(text, str) and len(text) <= _WORD_LENGTH_MAX and pattern.match(text):
            return str(text)
        return WITHHELD

    return form


def _pseudonym(value: object, pseudonyms: Pseudonyms) -> object:
    if isinstance(value, Pseudonym):
        return str(value)
    if isinstance(value, int):
        return value  # a row's number
    return str(pseudonyms.of(value if isinstance(value, bytes) else str(value)))


def _address(value: object, _: Pseudonyms) -> object:
    try:
        return str(ipaddress.ip_address(str(value).partition("%")[0]))
    except ValueError:
        return WITHHELD


def _ae_title(value: object, _: Pseudonyms) -> object:
    """Return the title with everything but letters, digits, `_` and `-` made visible as `?`."""
    if not isinstance(value, str) or len(value) > AE_TITLE_LENGTH_MAX:
        return WITHHELD
    return re.sub(r"[^A-Za-z0-9_. -]", "?", value.strip())


def _site_text(value: object, _: Pseudonyms) -> object:
    return str(value)[:SITE_TEXT_LENGTH_MAX] if isinstance(value, SiteText) else WITHHELD


def _sop_class(value: object, pseudonyms: Pseudonyms) -> object:
    """Return a UID of the standard in clear, any other as a hash: peers choose those freely."""
    text = str(value)
    return (
        text if _UID_OF_STANDARD.match(text) and len(text) <= 64 else _pseudonym(text, pseudonyms)
    )


_FORMS: Final[Mapping[_Form, str]] = MappingProxyType(
    {
        _number: """acknowledged associations attempt attempts bytes connections count delay_s
            duration_ms duration_s exit_status failures files findings free_bytes instances lag_s
            lease_fence line members models pid port queued rejected repeated restart_s revision
            rows rules series signal skipped status studies suggestions wait_s""",
        _matching(_CODE_WORD): """acknowledge from_state kind level library phase reason role
            severity state step target to_state topic transport event_kind""",
        _matching(_NAME): "error cause logger",
        _matching(_RULE): "rule",
        _matching(_MODEL): "model",
        _matching(_VERSION): "version",
        _pseudonym: """file_key instance_key series_key spool_key study_key""",
        _address: "address",
        _ae_title: "ae_title called_ae_title calling_ae_title",
        _sop_class: "sop_class transfer_syntax",
        _site_text: "faults folder listening message store where",
    }
)
FORMS: Final[Mapping[str, _Form]] = MappingProxyType(
    {key: form for form, keys in _FORMS.items() for key in keys.split()}
)


def allowed(facts: Mapping[str, object], pseudonyms: Pseudonyms) -> dict[str, object]:
    """Return the facts that may be logged, each in the form of its key, and how many may not."""
    kept: dict[str, object] = {}
    dropped = 0
    for key, value in facts.items():
        form = FORMS.get(key)
        if form is None:
            dropped += 1
        elif value is not None:
            kept[key] = form(value, pseudonyms)
    if dropped:
        kept["dropped"] = dropped
    return kept
