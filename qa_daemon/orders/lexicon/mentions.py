"""Which parts a text names: the meaning of each phrase in its language and modality."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from attrs import evolve, frozen

from qa_daemon.dicom.regions import body_parts
from qa_daemon.orders.lexicon.matching import Span, with_entries
from qa_daemon.orders.lexicon.vocabulary import ANY, LANGUAGES, Entry, Kind, canonical

#: What an adjective of the spine means where no noun says that the spine is meant.
_ALONE: Final[dict[str, dict[str, tuple[tuple[str, float], ...]]]] = {
    "C": {
        "": (("CSPINE", 0.7), ("NECK", 0.4)),
        "CT": (("CSPINE", 0.6), ("NECK", 0.5)),
        "US": (("NECK", 0.8),),
    },
    "T": {
        "": (("TSPINE", 0.6), ("CHEST", 0.5)),
        "XR": (("TSPINE", 0.7), ("CHEST", 0.45)),
        "MR": (("TSPINE", 0.7), ("CHEST", 0.45)),
        "CT": (("CHEST", 0.7), ("TSPINE", 0.5)),
        "US": (("CHEST", 0.8),),
    },
}
#: Letters of the spine before its noun, `C/T/L spine`, and the vertebrae: letter, first, last.
_LETTERS: Final = {"c": "C", "t": "T", "d": "T", "l": "L", "s": "S", "ls": "LS", "tl": "TL",
                   "dl": "TL", "ctl": "CTL", "th": "T"}  # fmt: skip
_VERTEBRAE: Final = {"c": ("CSPINE", 1, 7), "t": ("TSPINE", 1, 12), "th": ("TSPINE", 1, 12),
                     "d": ("TSPINE", 1, 12), "l": ("LSPINE", 1, 5), "s": ("SSPINE", 1, 5),
                     "hwk": ("CSPINE", 1, 7), "bwk": ("TSPINE", 1, 12), "lwk": ("LSPINE", 1, 5),
                     "hw": ("CSPINE", 1, 7)}  # fmt: skip
#: Alone, these are echo weightings or counters; beside another vertebra they count.
_DOUBTFUL: Final = {"t1", "t2", "c1", "c2", "d1", "d2", "d3", "d4", "d5", "s1", "s2", "s3", "s4",
                    "s5", "t3"}  # fmt: skip
_VERTEBRA_WEIGHT: Final = 0.85
#: A part, and what it lies in: `finger of the hand` is about the finger.
_WITHIN: Final = {"FINGER": "HAND", "THUMB": "HAND", "TOE": "FOOT", "CALCANEUS": "FOOT",
                  "PATELLA": "KNEE"}  # fmt: skip
_CONTAINER: Final = 0.5
_SURE: Final = 0.75
#: What a reading is worth that not every language of the text shares.
_DISPUTED: Final = 0.6
_HEAD: Final = {"HEAD", "SKULL", "BRAIN", "ORBIT", "JAW", "NOSE", "MANDIBLE", "NECK", "MAXILLA"}
_SPINES: Final = {"CSPINE", "TSPINE", "LSPINE", "SSPINE", "COCCYX"}
#: Spanish and Latin `without` and `left`, German `the` and Spanish `right`, French `of the`: where
#: both languages are possible, no side.
_OFTEN_ARTICLES: Final = {"sin", "der", "des", "dir"}
_ROMANCE: Final = {"fr", "es", "pt", "it"}
_BREAKS: Final = {",", "+", "&", "/", ";", "-"}


_TIE: Final = 0.01


@frozen
class Context:
    """What a text is written in and about.

    Attributes
    ----------
    languages
        Those that know most of its words; all of them for a text of shared words.
    """

    languages: frozenset[str]
    modalities: frozenset[str]

    def holds(self, need: str) -> bool:
        """Whether a need of an entry is met."""
        return need in self.modalities or need in self.languages


@frozen
class Mention:
    """A part that a text names.

    Attributes
    ----------
    place
        The first and last of its words, and one.
    side
        The side that its own word says, such as a plural.
    """

    region: str
    weight: float
    place: tuple[int, int]
    side: str | None = None

    @property
    def is_paired(self) -> bool:
        """Whether it can have a side (PS3.16 Table L-5)."""
        return body_parts()[self.region].paired is True


#: What a word says of the language: views, contrast and conjunctions travel, names of parts less.
_VOTES: Final = {Kind.SIDE: 0.6, Kind.MODALITY: 0.4, Kind.OTHER: 0.3, Kind.VIEW: 0.3,
                 Kind.JOIN: 0.2, Kind.LETTER: 0.2}  # fmt: skip


def context(found: Sequence[Span]) -> Context:
    """Return the languages and modalities of a text."""
    votes = dict.fromkeys(LANGUAGES, 0.0)
    for span in found:
        for language, vote in _votes(span).items():
            votes[language] += vote
    del votes[ANY]
    most = max(votes.values())
    modalities = {entry.value for s in found for entry in s.entries if entry.kind is Kind.MODALITY}
    return Context(
        frozenset(name for name, vote in votes.items() if vote >= most - _TIE),
        frozenset(modalities),
    )


def _votes(span: Span) -> dict[str, float]:
    # Only the Spanish `y` is a letter of one language alone.
    if span.text in _OFTEN_ARTICLES or (len(span.text) == 1 and span.text != "y"):
        return {}
    best: dict[str, float] = {}
    for entry in span.entries:
        if not entry.needs:
            vote = _VOTES.get(entry.kind, 1.0) * span.factor
            best[entry.language] = max(best.get(entry.language, 0.0), vote)
    return best


def settled(found: Sequence[Span], seen: Context) -> tuple[Span, ...]:
    """Leave of each span the meanings that its text allows."""
    kept = [_in_context(span, seen) for span in found]
    return tuple(_of_one_kind(kept, place) for place in range(len(kept)))


def _in_context(span: Span, seen: Context) -> Span:
    entries = [
        entry
        for entry in span.entries
        if not entry.needs or any(seen.holds(need) or need == "alone" for need in entry.needs)
    ]
    special = [entry for entry in entries if entry.needs and entry.kind is Kind.REGION
               and not entry.needs & {"alone"}]  # fmt: skip
    if special:  # a need that holds speaks louder than the rule
        entries = [entry for entry in entries if entry.kind is not Kind.REGION] + special
    own = [entry for entry in entries if entry.language in seen.languages or entry.language == ANY]
    if own and not all(entry.kind is Kind.OTHER and entry.language == ANY for entry in own):
        entries = own
    return with_entries(span, entries)


def _of_one_kind(found: Sequence[Span], place: int) -> Span:
    """Decide between a region, a side and an article that are spelt alike."""
    span = found[place]
    if span.has(Kind.SIDE) and span.has(Kind.OTHER, Kind.JOIN):
        if span.text in _OFTEN_ARTICLES:
            return with_entries(span, [e for e in span.entries if e.kind is not Kind.SIDE])
        following = found[place + 1] if place + 1 < len(found) else None
        is_after = place > 0 and found[place - 1].has(Kind.REGION, Kind.VIEW)
        is_side = is_after and (following is None or following.has(Kind.VIEW, Kind.SIDE))
        kinds = {Kind.SIDE} if is_side else {Kind.OTHER, Kind.JOIN}
        return with_entries(span, [entry for entry in span.entries if entry.kind in kinds])
    if span.has(Kind.REGION) and span.has(Kind.MODALITY):  # `echocardiogram` is both
        return span
    always = [e for e in span.entries if e.kind is Kind.REGION and not e.needs & {"alone"}]
    if always:
        return with_entries(span, always)
    return span


def mentions(found: Sequence[Span], seen: Context) -> tuple[Mention, ...]:
    """Return the parts that a text names, in the order of its words."""
    named = [*_named(found, only_alone=False)]
    named += _vertebrae(found)
    named += _spine(found, seen, named)
    if not named:
        named = [*_named(found, only_alone=True)]
    named = [mention for mention in named if not _is_view_of_face(mention, named)]
    named.sort(key=lambda mention: mention.place)
    return tuple(_lowered(mention, named, found) for mention in named)


def _named(found: Sequence[Span], *, only_alone: bool) -> Iterator[Mention]:
    for span in found:
        entries = [
            entry
            for entry in span.entries
            if entry.kind is Kind.REGION and ("alone" in entry.needs) is only_alone
        ]
        heaviest: dict[str, Mention] = {}
        for entry in entries:
            for region, weight in entry.regions:
                mention = Mention(region, weight * span.factor, (span.start, span.stop),
                                  entry.side)  # fmt: skip
                known = heaviest.get(region)
                if known is None or weight * span.factor > known.weight:
                    heaviest[region] = mention
        yield from _agreeing(list(heaviest.values()), entries)


def _agreeing(named: list[Mention], entries: Sequence[Entry]) -> list[Mention]:
    """Lower what languages do not agree on, `anche` Italian hips or `col` of any tongue."""
    meanings = {entry.regions for entry in entries}
    if len(meanings) < 2:
        return named
    shared = set.intersection(*({region for region, _ in each} for each in meanings))
    return [m if m.region in shared else evolve(m, weight=m.weight * _DISPUTED) for m in named]


def _vertebrae(found: Sequence[Span]) -> Iterator[Mention]:
    levels = []
    for span, after in pairwise(found):
        letter = _VERTEBRAE.get(span.text)
        if letter is None or after.gap or not after.text.isdigit() or len(after.text) > 2:
            continue
        region, first, last = letter
        if first <= int(after.text) <= last:
            name = span.text + after.text
            levels.append((name, Mention(region, _VERTEBRA_WEIGHT, (span.start, after.stop))))
    is_sure = any(name not in _DOUBTFUL for name, _ in levels) or len(levels) > 2
    is_pair = len(levels) > 1 and any(span.has(Kind.SPINE) for span in found)
    if not (is_sure or is_pair):
        return
    regions = {mention.region for _, mention in levels}
    for name, mention in levels:
        # L5/S1 is a lumbar request; S1 alone a counter
        if mention.region == "SSPINE" and regions != {"SSPINE"}:
            continue
        if name in _DOUBTFUL and {"c1", "c2"}.isdisjoint({name}) and not is_sure:
            continue
        yield mention


def _spine(found: Sequence[Span], seen: Context, named: Sequence[Mention]) -> list[Mention]:
    """Return what adjectives, nouns and letters say of the spine."""
    glued = [place for place, span in enumerate(found) if span.text.endswith("spine")
             and span.has(Kind.REGION)]  # fmt: skip
    nouns = [place for place, span in enumerate(found) if _is_only(span, Kind.SPINE)]
    levels = [(s.start, s.stop, e) for s in found for e in s.entries if e.kind is Kind.LEVEL
              and not s.has(Kind.REGION)]  # fmt: skip
    lettered = [each for place in glued for each in _run(found, range(place - 1, -1, -1))]
    if not nouns and glued:
        levels_said = [Mention(region, weight, (start, stop)) for start, stop, entry in levels
                       for region, weight in entry.regions]  # fmt: skip
        return [*lettered, *levels_said]
    if not nouns:
        return [each for start, stop, entry in levels for each in
                _adjective(entry, (start, stop), seen, named)]  # fmt: skip
    told = [Mention(region, weight, (start, stop)) for start, stop, entry in levels
            for region, weight in entry.regions]  # fmt: skip
    told += [each for place in nouns for each in _lettered(found, place, seen)]
    if told or any(mention.region in _SPINES or mention.region == "SPINE" for mention in named):
        return told
    span = found[nouns[0]]
    return [Mention("SPINE", 0.9, (span.start, span.stop))]


def _is_only(span: Span, kind: Kind) -> bool:
    return span.has(kind) and not span.has(Kind.REGION)


def _adjective(
    entry: Entry, place: tuple[int, int], seen: Context, named: Sequence[Mention]
) -> Iterator[Mention]:
    senses = _ALONE.get(entry.value, {"": entry.regions})
    meant = next((senses[m] for m in sorted(seen.modalities) if m in senses), senses[""])
    if not {region for region, _ in meant}.isdisjoint(mention.region for mention in named):
        return
    if named and entry.value in _ALONE:
        meant = tuple((region, weight * 0.5) for region, weight in meant)
    for region, weight in meant:
        yield Mention(region, weight, place)


def _lettered(found: Sequence[Span], noun: int, seen: Context) -> Iterator[Mention]:
    """Read `C/T/L spine` before the noun and, in Romance languages, `columna L-S` after it."""
    yield from _run(found, range(noun - 1, -1, -1))
    if seen.languages & _ROMANCE:
        yield from _run(found, range(noun + 1, len(found)))


def _run(found: Sequence[Span], places: range) -> Iterator[Mention]:
    for place in places:
        span = found[place]
        letters = _LETTERS.get(span.text)
        is_numbered = place + 1 < len(found) and not found[place + 1].gap
        if letters is not None and not (is_numbered and found[place + 1].text.isdigit()):
            for letter in letters if letters == "CTL" else (letters,):
                for region in _regions_of(letter):
                    yield Mention(region, 0.95, (span.start, span.stop))
        elif not span.has(Kind.JOIN, Kind.LEVEL):
            return


_TERMS: Final = {"C": "CSPINE", "T": "TSPINE", "L": "LSPINE", "S": "SSPINE", "LS": "LSSPINE",
                 "TL": "TLSPINE"}  # fmt: skip


def _regions_of(level: str) -> tuple[str, ...]:
    return canonical()[_TERMS[level]]


def _is_view_of_face(mention: Mention, named: Sequence[Mention]) -> bool:
    """Whether `face` is the French frontal view of something else."""
    return mention.region == "FACE" and mention.weight >= 0.9 and any(
        other.region not in {*_HEAD, "FACE"} and other.weight >= 0.6 for other in named
    )  # fmt: skip


def _lowered(mention: Mention, named: Sequence[Mention], found: Sequence[Span]) -> Mention:
    for part in named:
        if part.weight < _SURE or _WITHIN.get(part.region) != mention.region:
            continue
        if not _are_apart(part, mention, found):
            return evolve(mention, weight=mention.weight * _CONTAINER)
    if mention.region == "SPINE" and any(each.region in _SPINES for each in named):
        return evolve(mention, weight=mention.weight * _CONTAINER)
    return mention


def _are_apart(one: Mention, other: Mention, found: Sequence[Span]) -> bool:
    first, second = sorted((one, other), key=lambda mention: mention.place)
    between = [s for s in found if first.place[1] <= s.start < second.place[1]]
    return any(s.has(Kind.JOIN) or s.gap[:1] in _BREAKS for s in between)
