"""The words of `words/*.yaml`, ready to be looked up.

A file is one language. Its keys: `regions`, `both`, `right`, `left` (term of PS3.16 Annex L: words;
the last three say the side, too), `levels` (adjectives of the spine), `spine` (its nouns), `sides`,
`letters` (signs that are a side only in this language), `not_sides`, `views`, `modality`, `joins`,
`other` (known words that name no region), `tails` (second halves of compounds).

A region key may name several terms with weights, `HEAD 0.7 FACE 0.5`, and the need of a context,
`@CT MR`: one of these modalities, languages, or `alone` (nothing else is named). A word may bear a
weight or a need of its own, `pe 0.6`, `face @CT`; `!pé` counts only with its accents.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Final, cast

import yaml
from attrs import evolve, frozen

from qa_daemon.dicom.regions import body_parts
from qa_daemon.orders.lexicon.tokens import tokens

LANGUAGES: Final = ("any", "en", "de", "fr", "es", "pt", "it", "nl")
#: What `any.yaml` says holds in each language.
ANY: Final = "any"
#: Words of a phrase in the vocabulary at most.
PHRASE_LENGTH_MAX: Final = 7
_WORD: Final = re.compile(r"(!?)(.+?)(?: (0\.\d+))?(?: @(.+))?")
_TERM: Final = re.compile(r"([A-Z0-9]*[A-Z][A-Z0-9]*)(?: (0\.\d+))?")
_UMLAUTS: Final = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})
_LEVELS: Final = {"C": "CSPINE", "T": "TSPINE", "L": "LSPINE", "S": "SSPINE", "LS": "LSSPINE",
                  "TL": "TLSPINE", "CT": "CTSPINE"}  # fmt: skip


class Kind(StrEnum):
    """What a word does in a description."""

    REGION = "region"
    LEVEL = "level"
    SPINE = "spine"
    SIDE = "side"
    LETTER = "letter"
    VIEW = "view"
    MODALITY = "modality"
    JOIN = "join"
    OTHER = "other"
    TAIL = "tail"


@frozen
class Entry:
    """One meaning of a word or phrase in one language.

    Attributes
    ----------
    regions
        Atomic terms with weights.
    value
        The modality, or the level of the spine.
    length
        Words of the phrase.
    needs
        Contexts of which one must hold; empty: always.
    accented
        The only spelling that counts, "" for any.
    """

    kind: Kind
    language: str
    length: int
    regions: tuple[tuple[str, float], ...] = ()
    side: str | None = None
    value: str = ""
    needs: frozenset[str] = frozenset()
    accented: str = ""


@cache
def canonical() -> Mapping[str, tuple[str, ...]]:
    """Return each term's atomic terms; of terms with one code the first of the table counts."""
    first: dict[str, str] = {}
    for part in body_parts().values():
        first.setdefault(part.code, part.term)
    return {
        part.term: ("WHOLEBODY",)
        if part.term == "WHOLEBODY"  # its `*` is no list of parts
        else tuple(_first(term, first) for term in part.covers)
        for part in body_parts().values()
    }


def _first(term: str, first: Mapping[str, str]) -> str:
    part = body_parts().get(term)
    return term if part is None else first[part.code]


@cache
def vocabulary() -> Mapping[str, tuple[Entry, ...]]:
    """Return all meanings by the letters of the phrase, without accents, blanks and signs."""
    found: dict[str, list[Entry]] = defaultdict(list)
    folder = files("qa_daemon.orders.lexicon").joinpath("words")
    for language in LANGUAGES:
        text = folder.joinpath(f"{language}.yaml").read_text("utf-8")
        document = cast("dict[str, object]", yaml.load(text, Loader=_Loader))  # noqa: S506  safe
        for key, entry in _entries(language, document):
            if entry not in found[key]:
                found[key].append(entry)
    for key, entry in _terms():
        if key not in found:
            found[key].append(entry)
    return {key: tuple(entries) for key, entries in found.items()}


# libyaml's loader is ten times as fast; both are safe loaders.
_Loader: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _entries(language: str, document: Mapping[str, object]) -> Iterator[tuple[str, Entry]]:
    for section, content in document.items():
        groups = content if isinstance(content, dict) else {"": content}
        for head, words in groups.items():
            for word in str(words).split(","):
                yield from _entry(language, section, str(head), word.strip())


_SIDED: Final = {"regions": None, "both": "B", "right": "R", "left": "L"}
_PLAIN: Final = {"views": Kind.VIEW, "not_sides": Kind.VIEW, "joins": Kind.JOIN,
                 "other": Kind.OTHER, "tails": Kind.TAIL, "spine": Kind.SPINE}  # fmt: skip
_VALUED: Final = {"modality": Kind.MODALITY, "levels": Kind.LEVEL}


def _entry(language: str, section: str, head: str, word: str) -> Iterator[tuple[str, Entry]]:
    match = _WORD.fullmatch(word)
    if match is None:
        return
    exact, name, weight, needs = match.groups()
    split = tokens(name)
    key = "".join(token.plain for token in split)
    wanted, _, head_needs = head.partition("@")
    entry = Entry(
        kind=Kind.REGION,
        language=language,
        length=len(split),
        needs=frozenset((needs or head_needs).split()),
        accented=name if exact else "",
    )
    for spelling in dict.fromkeys((key, _with_digraphs(name) if not exact else key)):
        yield spelling, _meaning(entry, section, wanted, float(weight or 1))


def _terms() -> Iterator[tuple[str, Entry]]:
    """Yield the terms of Annex L and their meanings, save those that tell a side."""
    for part in body_parts().values():
        regions = _weighed(part.term, 1)
        yield part.term.lower(), Entry(Kind.REGION, ANY, len(tokens(part.term)), regions)
        split = tokens(part.meaning)
        if not {"left", "right"}.intersection(token.plain for token in split):
            key = "".join(token.plain for token in split)
            yield key, Entry(Kind.REGION, "en", len(split), regions)


def _with_digraphs(name: str) -> str:
    return "".join(token.plain for token in tokens(name.casefold().translate(_UMLAUTS)))


def _meaning(entry: Entry, section: str, head: str, weight: float) -> Entry:
    if section in _SIDED:
        return evolve(entry, regions=_weighed(head, weight), side=_SIDED[section])
    if section in _PLAIN:
        return evolve(entry, kind=_PLAIN[section])
    if section in _VALUED:
        regions = _weighed(_LEVELS[head], weight) if section == "levels" else ()
        return evolve(entry, kind=_VALUED[section], value=head, regions=regions)
    return evolve(entry, kind=Kind.SIDE if section == "sides" else Kind.LETTER, side=head)


def _weighed(head: str, weight: float) -> tuple[tuple[str, float], ...]:
    """Read `HEAD 0.7 FACE 0.5`; a term without a number weighs as much as its word."""
    return tuple(
        (atomic, weight * float(own or 1))
        for term, own in _TERM.findall(head)
        for atomic in canonical()[term]
    )
