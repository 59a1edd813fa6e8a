"""The names of facts: how rule files write them, and what they mean.

`tag.RequestAttributesSequence[*].AccessionNumber` is read once into steps; a name that nothing
stands for is told with what was probably meant.
"""

import difflib
import re
from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
from typing import Final

from attrs import frozen

from qa_daemon.dicom.elements import KEYWORDS
from qa_daemon.dicom.encoding.dictionary import keywords, name_of, tag_of, vr_of
from qa_daemon.records.prediction import TARGETS

# Real paths are three sequences deep; a longer one is a mistake, or made to hurt.
STEPS_MAX: Final = 8

_STEP: Final = re.compile(r"([A-Za-z][A-Za-z0-9]*|[0-9A-Fa-f]{8})(?:\[([1-9][0-9]{0,4}|\*)\])?")
_PRIVATE: Final = re.compile(r"(.{1,64})\.([0-9A-Fa-f]{4})xx([0-9A-Fa-f]{2})")

#: VRs of bytes, which no condition can look into.
BYTES_VRS: Final = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "UN"})


class Kind(StrEnum):
    """Where a fact comes from: the first word of its name."""

    TAG = "tag"
    ITEM = "item"
    FRAME = "frame"
    PRIVATE = "private"
    INSTANCE = "instance"
    SERIES = "series"
    STUDY = "study"
    PREDICTION = "prediction"
    ORDER = "order"
    TEXT = "text"
    SIDE = "side"
    RECEIVED = "received"


#: Facts that are one word each, with what they say; the operator reference is made of these.
INSTANCE_FACTS: Final[Mapping[str, str]] = {
    "transfer_syntax": "UID of the Transfer Syntax in which the object came",
    "frames": "number of frames; 0 for objects without pixels",
}
SERIES_FACTS: Final[Mapping[str, str]] = {
    "instances": "how many distinct SOP instances",
    "frames": "how many frames in all",
    "orientations": "how many groups of slices of one orientation",
    "planes": "planes that its slices lie in, by their tags: axial, sagittal, coronal, oblique",
    "gaps": "how many gaps along the stack",
    "colliding": "how many objects that repeat a SOP Instance UID with other bytes",
}
STUDY_FACTS: Final[Mapping[str, str]] = {
    "series": "how many series of the study are here",
    "instances": "how many instances in all of them",
    "modalities": "their Modalities, each once",
}
PREDICTION_FACTS: Final[Mapping[str, str]] = {
    "label": "the label; for targets of several labels those accepted, best first",
    "probability": "the calibrated probability of the label",
    "turn": "orientation only: quarter turns, 0 to 3",
    "mirror": "orientation only: true or false",
}
ORDER_FACTS: Final[Mapping[str, str]] = {
    "count": "how many orders the images may belong to",
    "accession": "Accession Numbers of the orders",
    "issuer": "who issued the numbers",
    "modality": "modalities that were scheduled",
    "station": "AE titles that were scheduled",
    "procedure": "texts of the requested procedures",
    "code": "codes of the requested procedures, CODE^SCHEME",
    "regions": "atomic terms of the body regions that were ordered",
    "side": "sides that were ordered: L, R, B",
    "scheduled": "start of the scheduled steps, date and time",
}
SIDE_FACTS: Final[Mapping[str, str]] = {
    "any": "all sides that the five places name, each once",
    "laterality": "Laterality (0020,0060)",
    "image": "Image Laterality (0020,0062)",
    "frame": "Frame Laterality (0020,9072) of the functional groups",
    "code": "modifier codes of region and structure",
    "text": "the descriptions, as the lexicon reads them",
}
TEXT_FACTS: Final[Mapping[str, str]] = {
    "regions": "body regions that the descriptions name, as the lexicon reads them",
    "side": "sides that the descriptions name, as the lexicon reads them",
}
_WORDS: Final[Mapping[Kind, Mapping[str, str]]] = {
    Kind.SERIES: SERIES_FACTS,
    Kind.STUDY: STUDY_FACTS,
    Kind.ORDER: ORDER_FACTS,
    Kind.SIDE: SIDE_FACTS,
    Kind.TEXT: TEXT_FACTS,
}


@frozen
class Step:
    """One keyword of a path.

    Attributes
    ----------
    number
        The item (or, at the end, the value), counted from 1; 0 means all of them.
    """

    keyword: str
    number: int = 0


@frozen
class FactName:
    """The name of a fact, read.

    Attributes
    ----------
    steps
        The path into the elements, for facts of elements.
    word
        What is asked, for all others: `instances`, `body_region`.
    part
        Of a prediction: `label`, `probability`, `turn`, `mirror`.
    """

    kind: Kind
    steps: tuple[Step, ...] = ()
    word: str = ""
    part: str = ""

    @property
    def keywords(self) -> frozenset[str]:
        """The elements that have to be read for it."""
        return frozenset(step.keyword for step in self.steps)


class UnknownFactError(ValueError):
    """Nothing stands for a name; the message says what was probably meant."""


@lru_cache(maxsize=4096)
def fact_name(text: str) -> FactName:
    """Return what the name of a fact means.

    Raises
    ------
    UnknownFactError
        If nothing stands for it.
    """
    first, _, rest = text.partition(".")
    if rest and first in _PATHS:
        return FactName(Kind(first), _steps(rest, text))
    if rest and first == Kind.PRIVATE:
        return _private(rest)
    if rest and first == Kind.PREDICTION:
        return _prediction(rest)
    return _word(text, first, rest)


_PATHS: Final = frozenset({Kind.TAG, Kind.ITEM, Kind.FRAME})


def _word(text: str, first: str, rest: str) -> FactName:
    if text == Kind.RECEIVED:
        return FactName(Kind.RECEIVED)
    if text == Kind.SIDE:
        return FactName(Kind.SIDE, word="any")
    if text in INSTANCE_FACTS:
        return FactName(Kind.INSTANCE, word=text)
    if first in _WORDS and rest in _WORDS[Kind(first)]:
        return FactName(Kind(first), word=rest)
    raise UnknownFactError(_unknown(text, first))


def _unknown(text: str, first: str) -> str:
    if tag_of(first.partition("[")[0]) is not None:
        return f"unknown fact '{text}'; of an element write tag.{text}"
    if first in set(Kind) and first in _WORDS:
        return f"unknown fact '{text}'; {first} has {', '.join(_WORDS[Kind(first)])}"
    listed = ["tag.KEYWORD", *INSTANCE_FACTS, *(f"{kind}..." for kind in Kind if kind != Kind.TAG)]
    return f"unknown fact '{text}'; use {', '.join(listed)}"


def _steps(path: str, text: str) -> tuple[Step, ...]:
    matches = [_STEP.fullmatch(step) for step in path.split(".")]
    if len(matches) > STEPS_MAX:
        raise UnknownFactError(f"'{text}' is longer than {STEPS_MAX} steps")
    steps = []
    for match in matches:
        if match is None:
            raise UnknownFactError(
                f"unknown fact '{text}'; a path is Keyword, Keyword[2] or Keyword[*], with dots; "
                "a tag without a keyword is eight digits, tag.00080050"
            )
        number = 0 if match[2] in (None, "*") else int(match[2])
        steps.append(Step(_keyword(match[1]), number))
    for step in steps[:-1]:
        if _vr(step.keyword) != "SQ":
            raise UnknownFactError(f"'{step.keyword}' is no sequence; nothing can stand in it")
    last = steps[-1].keyword
    if _vr(last) in BYTES_VRS:
        raise UnknownFactError(f"'{last}' holds bytes; no condition looks into them")
    return tuple(steps)


def _keyword(name: str) -> str:
    if len(name) == 8 and tag_of(name) is None and re.fullmatch(r"[0-9A-Fa-f]{8}", name):
        return name_of(int(name, 16))
    if tag_of(name) is None:
        raise UnknownFactError(f"'{name}' is not read{_nearest_keyword(name)}")
    return name


def _nearest_keyword(name: str) -> str:
    # The elements that are read anyway are meant more often than the other five thousand.
    near = difflib.get_close_matches(name, KEYWORDS, n=1) or difflib.get_close_matches(
        name, keywords(), n=1
    )
    return f"; the nearest known is '{near[0]}'" if near else "; PS3.6 has no such keyword"


def _vr(keyword: str) -> str:
    tag = tag_of(keyword)
    return vr_of(int(keyword, 16) if tag is None else tag)


def _private(rest: str) -> FactName:
    match = _PRIVATE.fullmatch(rest)
    if match is None or not int(match[2], 16) & 1:
        raise UnknownFactError(
            f"'private.{rest}' is none; write private.CREATOR.GGGGxxEE, the group odd, as in "
            "private.GEMS_IDEN_01.0009xx27"
        )
    return FactName(Kind.PRIVATE, (Step(private_name(match[1], int(match[2], 16), match[3])),))


def private_name(creator: str, group: int, element: str) -> str:
    """Return the name under which a private element is kept, whatever its block (PS3.5 7.8.1)."""
    return f"private.{creator}.{group:04X}xx{element.upper()}"


def _prediction(rest: str) -> FactName:
    target, _, part = rest.partition(".")
    if target not in TARGETS:
        near = difflib.get_close_matches(target, TARGETS, n=1)
        hint = f"; the nearest known is '{near[0]}'" if near else ""
        raise UnknownFactError(f"unknown prediction '{target}'{hint}")
    if part and part not in PREDICTION_FACTS:
        raise UnknownFactError(f"'{rest}': a prediction has {', '.join(PREDICTION_FACTS)}")
    return FactName(Kind.PREDICTION, word=target, part=part or "label")
