"""The words of a text against the vocabulary: phrases, inflections, compounds, misspellings."""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Final

from attrs import evolve, frozen

from qa_daemon.orders.lexicon.tokens import Token
from qa_daemon.orders.lexicon.vocabulary import ANY, PHRASE_LENGTH_MAX, Entry, Kind, vocabulary

#: What a word is worth that was found by changing it.
INFLECTED: Final = 0.97
COMPOUND: Final = 0.95
HALF_KNOWN: Final = 0.7
CUT: Final = 0.9
MISSPELT: Final = 0.85
#: Shorter words have neighbours that mean something else: hand and band, chest and cheese.
MISSPELT_LENGTH_MIN: Final = 6
TWICE_MISSPELT_LENGTH_MIN: Final = 9
_STEM_LENGTH_MIN: Final = 4
#: A vowel for another makes other words of short ones: `selon` is no `sela`.
_VOWEL_STEM_LENGTH_MIN: Final = 5
#: Shorter beginnings are those of many words.
_CUT_LENGTH_MIN: Final = 5
_ENDINGS: Final = ("s", "es", "e", "en", "n", "er", "em", "es", "x", "a", "os", "as")
_VOWELS: Final = "aeoi"
#: A phrase matches across other breaks (`csp ine`, `l-spine` for `lspine`) when it is this long.
_JOINED_LENGTH_MIN: Final = 6
_PIECE_LENGTH_MIN: Final = 3
_PIECES_MAX: Final = 4
_LINKS: Final = ("", "s", "n", "en", "e")
_NAMING: Final = (Kind.REGION, Kind.LEVEL, Kind.SPINE)
_WORD_CACHE: Final = 20_000


@frozen
class Span:
    """A stretch of tokens and what it may mean, `entries` empty for an unknown word.

    Attributes
    ----------
    gap
        What stood before it.
    factor
        What its regions are worth, 1 for words found as they stand.
    """

    start: int
    stop: int
    gap: str
    text: str
    entries: tuple[Entry, ...]
    factor: float = 1.0

    def has(self, *kinds: Kind) -> bool:
        """Whether it may be one of the kinds."""
        return any(entry.kind in kinds for entry in self.entries)


def spans(words: Sequence[Token]) -> tuple[Span, ...]:
    """Return the longest known phrases of a text, in order, with the unknown words between."""
    words = tuple(_unglued(words))
    found: list[Span] = []
    start = 0
    while start < len(words):
        span = _longest(words, start) or _single(words, start)
        found.append(span)
        start = span.stop
    return tuple(found)


def _unglued(words: Iterable[Token]) -> Iterator[Token]:
    for word in words:
        pieces = _pieces(word.plain)
        if len(pieces) < 2:
            yield word
            continue
        yield Token(pieces[0], pieces[0], word.gap)
        yield from (Token(piece, piece, "~") for piece in pieces[1:])


def _longest(words: Sequence[Token], start: int) -> Span | None:
    known = vocabulary()
    for length in range(min(PHRASE_LENGTH_MAX, len(words) - start), 0, -1):
        part = words[start : start + length]
        key = "".join(word.plain for word in part)
        written = "".join(word.written for word in part)
        entries = tuple(
            entry
            for entry in known.get(key, ())
            if entry.accented in {"", written} and _may_break(entry, key, part)
        )
        if entries:
            return Span(start, start + length, part[0].gap, key, entries)
    return None


def _may_break(entry: Entry, key: str, part: Sequence[Token]) -> bool:
    if entry.length == len(part):
        return len(part) == 1 or not any(word.gap[:1] in {";", "|"} for word in part[1:])
    if len(part) == 1:
        return len(key) >= _JOINED_LENGTH_MIN
    # `CT spine` is no cervico-thoracic spine
    is_own_word = entry.language != ANY and all(len(word.plain) > 1 for word in part)
    return len(key) >= _JOINED_LENGTH_MIN and is_own_word


def _single(words: Sequence[Token], start: int) -> Span:
    word = words[start]
    entries, factor = _changed(word.plain)
    return Span(start, start + 1, word.gap, word.plain, entries, factor)


@lru_cache(maxsize=_WORD_CACHE)
def _changed(word: str) -> tuple[tuple[Entry, ...], float]:
    """Return what an unknown word may be a form of."""
    if word.isdigit():
        return (), 1.0
    for find, factor in _WAYS:
        if entries := find(word):
            return entries, factor
    return (), 1.0


def _inflected(word: str) -> tuple[Entry, ...]:
    known = vocabulary()
    stems = [word.removesuffix(ending) for ending in _ENDINGS if word.endswith(ending)]
    stems += [stem[:-1] + vowel for stem in (word, *stems)
              if stem[-1:] in _VOWELS and len(stem) >= _VOWEL_STEM_LENGTH_MIN
              for vowel in _VOWELS]  # fmt: skip
    for stem in stems:
        entries = tuple(entry for entry in known.get(stem, ()) if entry.length == 1)
        if len(stem) >= _STEM_LENGTH_MIN and entries:
            return entries
    return ()


@lru_cache(maxsize=_WORD_CACHE)
def _pieces(word: str) -> tuple[str, ...]:
    """Return the known words that a compound is made of, at least one a region; else `()`."""
    if len(word) < 2 * _PIECE_LENGTH_MIN or word in vocabulary() or _inflected(word):
        return ()
    pieces = _split(word, _PIECES_MAX)
    return pieces if pieces and any(_names(piece) for piece in pieces) else ()


def _names(piece: str) -> bool:
    return len(piece) >= _STEM_LENGTH_MIN and any(
        entry.kind in _NAMING for entry in vocabulary()[piece]
    )


def _split(word: str, pieces_max: int) -> tuple[str, ...]:
    if not word:
        return ()
    if pieces_max == 0:
        return ("",)
    for length in range(len(word), _PIECE_LENGTH_MIN - 1, -1):
        if not _is_piece(word[:length]):
            continue
        for link in _LINKS:
            rest = word[length:]
            if not rest.startswith(link) or (link and rest == link):
                continue
            others = _split(rest.removeprefix(link), pieces_max - 1)
            if "" not in others:
                return (word[:length], *others)
    return ("",)


def _is_piece(text: str) -> bool:
    return any(
        entry.length == 1 and not entry.needs and (len(text) > _PIECE_LENGTH_MIN or _stands(entry))
        for entry in vocabulary().get(text, ())
    )


def _stands(entry: Entry) -> bool:
    return entry.kind in {Kind.REGION, Kind.MODALITY, Kind.TAIL}


def _half_known(word: str) -> tuple[Entry, ...]:
    """Return the region at the head or tail of a German or Dutch compound, the longest first."""
    for length in range(len(word) - _PIECE_LENGTH_MIN, _STEM_LENGTH_MIN, -1):
        for half in (word[:length], word[-length:]):
            entries = tuple(
                entry
                for entry in vocabulary().get(half, ())
                if entry.kind in _NAMING and entry.language in {"de", "nl"} and entry.length == 1
            )
            if entries:
                return entries
    return ()


def _cut(word: str) -> tuple[Entry, ...]:
    """Return the words that begin like this, if they agree in what they mean: exports cut texts."""
    if len(word) < _CUT_LENGTH_MIN:
        return ()
    longer = [
        entry
        for key, entries in sorted(_long_words(), key=lambda each: len(each[0]))
        if key.startswith(word) and len(key) > len(word) + 1
        for entry in entries
    ]
    # Of a word and its plural the word: that many were meant is in the part that was cut off.
    if len({entry.regions for entry in longer}) != 1 or longer[0].kind not in _NAMING:
        return ()
    return tuple(longer[:1])


def _near(word: str) -> tuple[Entry, ...]:
    """Return the words of the least number of wrong letters, if they agree in what they mean."""
    if len(word) < MISSPELT_LENGTH_MIN:
        return ()
    allowed = 2 if len(word) >= TWICE_MISSPELT_LENGTH_MIN else 1
    found: dict[int, list[Entry]] = {}
    for known, entries in _long_words():
        if abs(len(known) - len(word)) <= allowed:
            distance = wrong_letters(word, known, allowed)
            if distance <= allowed:
                found.setdefault(distance, []).extend(entries)
    best = found[min(found)] if found else []
    return tuple(best) if len({_meant(entry) for entry in best}) == 1 else ()


def _meant(entry: Entry) -> tuple[str, ...]:
    return (entry.value, str(entry.side), *(region for region, _ in entry.regions))


@lru_cache(maxsize=1)
def _long_words() -> tuple[tuple[str, tuple[Entry, ...]], ...]:
    kept = {
        key: tuple(entry for entry in entries if entry.length == 1 and not entry.needs)
        for key, entries in vocabulary().items()
        if len(key) >= MISSPELT_LENGTH_MIN - 1
    }
    return tuple((key, entries) for key, entries in kept.items() if entries)


def wrong_letters(one: str, other: str, most: int) -> int:
    """Return how many letters must be changed, added, dropped or swapped; `most` + 1 if more."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        before, last, row = row, before, [i]
        for j, wanted in enumerate(other, 1):
            cost = min(before[j] + 1, row[-1] + 1, before[j - 1] + (letter != wanted))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == wanted:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
    return row[-1]


_WAYS: Final = (
    (_inflected, INFLECTED), (_half_known, HALF_KNOWN), (_cut, CUT), (_near, MISSPELT),
)  # fmt: skip


def with_entries(span: Span, entries: Iterable[Entry]) -> Span:
    """Return a span of which only some meanings are left."""
    return evolve(span, entries=tuple(entries))
