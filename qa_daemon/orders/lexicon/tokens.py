"""A text as words and numbers, with what stood between them."""

import re
import unicodedata
from typing import Final

from attrs import frozen

#: Longer descriptions are cut: LO holds 64 signs, LT 10,240 (PS3.5 6.2); a title says it early.
TEXT_LENGTH_MAX: Final = 2_000
# U+FFFD stays in its word: one lost letter is one misspelt letter.
_WORD: Final = re.compile("[^\\W\\d_]+(?:\ufffd[^\\W\\d_]*)*|\ufffd[^\\W\\d_]+|\\d+")
# `ThoraxRoutine`, `CTHead`: a new word begins without a blank.
_HUMP: Final = re.compile("(?<=[a-zß-öø-ÿ]{2})(?=[A-ZÀ-ÖØ-Þ])|(?<=[A-Z])(?=[A-Z][a-zß-ÿ]{2})")
# `a.p.`, `p.a.` and `d.p.` are views; `a&p` and `a/p` may be abdomen and pelvis.
_DOTTED_VIEW: Final = re.compile(r"\b(a\.p|p\.a|d\.p)\b")
_LIGATURES: Final = str.maketrans({"œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "\u2019": "'"})


@frozen
class Token:
    """One word or number.

    Attributes
    ----------
    plain
        Lower case, without accents.
    written
        Lower case, as it stood.
    gap
        What stood between it and the token before, without blanks at the ends; " " for blanks
        alone, "" where nothing stood.
    """

    plain: str
    written: str
    gap: str


def plain(text: str) -> str:
    """Return text in lower case without accents: `Hüfte` is `hufte`, `cœur` is `coeur`."""
    apart = unicodedata.normalize("NFKD", text.casefold().translate(_LIGATURES))
    return "".join(sign for sign in apart if not unicodedata.combining(sign))


def tokens(text: str) -> tuple[Token, ...]:
    """Return the words and numbers of a text, in order."""
    whole = unicodedata.normalize("NFC", text[:TEXT_LENGTH_MAX])
    whole = _HUMP.sub(" ", whole).casefold().translate(_LIGATURES)
    whole = _DOTTED_VIEW.sub(lambda view: view[0].replace(".", ""), whole)
    found: list[Token] = []
    end = 0
    for match in _WORD.finditer(whole):
        between = whole[end : match.start()]
        gap = between.strip() or between[:1]
        found.append(Token(plain(match[0]), match[0], gap))
        end = match.end()
    return tuple(found)
