"""Settings of the site's viewer, and of statistics."""

import re
from typing import Any, Final

from attrs import Attribute, field, frozen

from qa_daemon.config import accepted

#: What a link may begin with unless a site names others; a browser runs what follows `javascript:`.
SCHEMES: Final = ("http", "https", "weasis")
_FORBIDDEN: Final = frozenset(("javascript", "data", "vbscript", "file", "blob", "about"))
_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]*")
_PLACES: Final = frozenset(
    ("study_instance_uid", "series_instance_uid", "accession_number", "patient_id")
)


def _schemes(_settings: Any, _attribute: "Attribute[Any]", value: tuple[str, ...]) -> None:
    for scheme in value:
        if _SCHEME.fullmatch(scheme) is None or scheme in _FORBIDDEN:
            raise ValueError(f"{scheme!r} is no scheme that a link may have; such as https, weasis")


def scheme_of(link: str) -> str:
    """Return what a link begins with, "" where it names no scheme."""
    return link.partition(":")[0] if ":" in link else ""


def _link(_settings: Any, _attribute: "Attribute[Any]", value: str) -> None:
    if not value:
        return
    scheme = scheme_of(value)
    if _SCHEME.fullmatch(scheme) is None or scheme in _FORBIDDEN:
        raise ValueError("write a link such as https://viewer.example/{study_instance_uid}")
    unknown = set(re.findall(r"\{([^}]*)\}", value)) - _PLACES
    if unknown:
        known = ", ".join(f"{{{name}}}" for name in sorted(_PLACES))
        raise ValueError(f"{{{unknown.pop()}}} is unknown; known are {known}")


@frozen(kw_only=True)
class ViewerSettings:
    """The site's viewer; without a link there is none."""

    # such as https://ohif.example/viewer?StudyInstanceUIDs={study_instance_uid}
    schemes: tuple[str, ...] = field(default=SCHEMES, validator=_schemes)
    link: str = field(default="", validator=_link)


def _zone(_settings: Any, _attribute: "Attribute[Any]", value: str) -> None:
    if value and not re.fullmatch(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*", value):
        raise ValueError("write a zone of the IANA database, such as Europe/Berlin")


def _clock(_settings: Any, _attribute: "Attribute[Any]", value: dict[str, str]) -> None:
    for begins in value.values():
        if re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", begins) is None:
            raise ValueError('write when a shift begins as "06:00"')


@frozen(kw_only=True)
class TrendSettings:
    """Statistics."""

    # of the site; "" = that of the machine
    zone: str = field(default="", validator=_zone)
    # name -> when it begins
    shifts: dict[str, str] = field(
        factory=lambda: {"early": "06:00", "late": "14:00", "night": "22:00"}, validator=_clock
    )
    # figures on the page are at most so old
    refresh_s: float = field(default=60.0, validator=accepted.duration)
    # how old what lies open may get
    backlog_goal_s: float = field(default=57_600.0, validator=accepted.duration)
