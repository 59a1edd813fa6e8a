"""What one value of the configuration may be: attrs validators with messages for the site.

A message says what is accepted; the loader puts file, line and key before it.
"""

import ipaddress
import re
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any, Final

from attrs import Attribute, validators

Validator = Callable[[object, "Attribute[Any]", Any], None]

SEVERITIES: Final = ("info", "minor", "major", "critical")
# A wait of a day is a mistyped one; nothing in the product waits longer.
DURATION_S_MAX: Final = 86_400.0
_ISSUER = re.compile(
    r"(?:https://[0-9A-Za-z.-]{1,253}|http://(?:localhost|127\.0\.0\.1))(?::[0-9]{1,5})?(?:/[\w./~-]*)?\Z"
)
_RULE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}\Z")
_MODEL_NAME = re.compile(r"[a-z][a-z0-9_]*@[0-9]+\.[0-9]+\.[0-9]+\Z")
_UID = re.compile(r"(?:0|[1-9][0-9]*)(?:\.(?:0|[1-9][0-9]*))+\Z")  # PS3.5 section 9.1
_UID_LENGTH_MAX: Final = 64
_WEB_ADDRESS = re.compile(r"https?://(?:[0-9A-Za-z.-]{1,253}|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?\Z")
# AE: default repertoire without backslash and control characters, 1 to 16, not only spaces
_AE_TITLE = re.compile(r"(?=.*[^ ])[ -\[\]-~]{1,16}\Z")  # PS3.5 table 6.2-1


def between(low: float, high: float) -> Validator:
    """Accept a number from `low` to `high`, both included."""

    def check(_: object, attribute: "Attribute[Any]", value: object) -> None:
        assert isinstance(value, int | float), attribute.name
        if not low <= value <= high:
            raise ValueError(f"{value} is out of range, use {low:g} to {high:g}")

    return check


def from_(low: float) -> Validator:
    """Accept a number of `low` or more."""

    def check(_: object, attribute: "Attribute[Any]", value: object) -> None:
        assert isinstance(value, int | float), attribute.name
        if not value >= low:
            raise ValueError(f"{value} is out of range, use {low:g} or more")

    return check


def one_of(words: Sequence[str]) -> Validator:
    """Accept one of `words`."""

    def check(_: object, attribute: "Attribute[Any]", value: object) -> None:
        if value not in words:
            raise ValueError(f"'{value}' is unknown to {attribute.name}, use {_listed(words)}")

    return check


def ae_title(_: object, _attribute: object, value: object) -> None:
    """Accept an AE title: 1 to 16 characters of ASCII, no backslash, not only spaces."""
    if not isinstance(value, str) or not _AE_TITLE.match(value):
        raise ValueError(f"{value!r} is no AE title: 1 to 16 ASCII characters, no backslash")


def uid(_: object, _attribute: object, value: object) -> None:
    """Accept a UID (PS3.5 section 9.1)."""
    if not isinstance(value, str) or len(value) > _UID_LENGTH_MAX or not _UID.match(value):
        raise ValueError(f"{value!r} is no UID: numbers with dots, 64 characters at most")


def rule_id(_: object, _attribute: object, value: object) -> None:
    """Accept what may name a rule: letters, digits and dashes, as in ORIENT-005."""
    if not isinstance(value, str) or not _RULE_ID.match(value):
        raise ValueError(f"{value!r} is no rule id; `qa-daemon rules list` shows them")


def rule_id_or_all(_: object, attribute: object, value: object) -> None:
    """Accept what may name a rule, or `*` for all rules."""
    if value != "*":
        rule_id(_, attribute, value)


def severity(_: object, _attribute: object, value: object) -> None:
    """Accept a severity of the contract; empty where none is meant."""
    if value not in {"", *SEVERITIES}:
        raise ValueError(f"'{value}' is no severity, use {_listed(SEVERITIES)}")


def day(_: object, _attribute: object, value: object) -> None:
    """Accept a day as 2026-12-31; empty where none is meant."""
    try:
        if value:
            date.fromisoformat(str(value))
    except ValueError as error:
        raise ValueError(f"{value!r} is no day, write it as 2026-12-31") from error


def model_name(_: object, _attribute: object, value: object) -> None:
    """Accept what may name a model: id and version, as in body_region@1.2.0."""
    if not isinstance(value, str) or not _MODEL_NAME.match(value):
        raise ValueError(f"{value!r} is no ID@VERSION; `qa-daemon models list` shows them")


def network(_: object, _attribute: object, value: object) -> None:
    """Accept an IP address or a network in CIDR form."""
    try:
        ipaddress.ip_network(str(value))
    except ValueError as error:
        raise ValueError(f"{value!r} is no address or network: {error}") from error


def host(_: object, _attribute: object, value: object) -> None:
    """Accept an IP address or a host name."""
    if not isinstance(value, str) or not re.fullmatch(r"[0-9A-Za-z._:%-]{1,253}", value):
        raise ValueError(f"{value!r} is no address or host name")


def place_name(_: object, _attribute: object, value: object) -> None:
    """Accept what names a place in the outbox: small letters, digits, dashes."""
    if value != "" and not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,39}", str(value)):
        raise ValueError(f"{value!r} is no name: small letters, digits and dashes, 40 at most")


def http_url(_: object, _attribute: object, value: object) -> None:
    """Accept an HTTP or HTTPS URL; the message never shows it."""
    if value != "" and not re.fullmatch(r"https?://[^\s/]+(/\S*)?", str(value)):
        raise ValueError("a URL begins with https:// or http:// and has no spaces")


def mail_address(_: object, _attribute: object, value: object) -> None:
    """Accept an e-mail address; nothing that could end a header line."""
    if value != "" and not re.fullmatch(r"[^\s@<>,;:\"]{1,64}@[A-Za-z0-9.-]{1,253}", str(value)):
        raise ValueError(f"{value!r} is no e-mail address")


def host_or_none(_: object, _attribute: object, value: object) -> None:
    """Accept an IP address or a host name, or "" for nobody."""
    if value != "":
        host(_, _attribute, value)


def web_address_or_none(_: object, _attribute: object, value: object) -> None:
    """Accept the beginning of a web address, without a path, or "" for none."""
    if value != "" and not (isinstance(value, str) and _WEB_ADDRESS.match(value)):
        raise ValueError(f"{value!r} is no web address, write it as https://qa.hospital.example")


def issuer_or_none(_: object, _attribute: object, value: object) -> None:
    """Accept the issuer of an identity provider, or "" for none; in clear on loopback only."""
    if value != "" and not (isinstance(value, str) and _ISSUER.match(value)):
        raise ValueError(f"{value!r} is no issuer, write it as https://idp.hospital.example/realm")


def text(_: object, _attribute: object, value: object) -> None:
    """Accept any text but an empty one."""
    if not isinstance(value, str) or not value:
        raise ValueError(f"{value!r} is no text")


def database_url(_: object, _attribute: object, value: object) -> None:
    """Accept the URL of a database that the product speaks to; the message never shows it."""
    if value and not str(value).startswith(("sqlite:///", "postgresql+psycopg://")):
        raise ValueError("a URL begins with sqlite:/// or postgresql+psycopg://")


def each(member: Validator) -> Validator:
    """Accept a tuple whose members `member` accepts."""
    return validators.deep_iterable(member_validator=member)


def each_value(key: Validator, value: Validator) -> Validator:
    """Accept a mapping whose keys and values are accepted."""
    return validators.deep_mapping(key_validator=key, value_validator=value)


def _listed(words: Sequence[str]) -> str:
    return ", ".join(words[:-1]) + f" or {words[-1]}"


positive: Final = validators.gt(0)
duration: Final = between(0.001, DURATION_S_MAX)
duration_or_none: Final = between(0, DURATION_S_MAX)
