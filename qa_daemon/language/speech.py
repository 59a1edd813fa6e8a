"""One person's language: sentences of findings, texts of pages, dates, ages and figures."""

import string
from collections.abc import Mapping
from datetime import datetime, timedelta, tzinfo
from functools import cache, lru_cache
from typing import Final

from attrs import frozen
from babel.dates import format_date, format_datetime, format_skeleton, format_time
from babel.numbers import format_decimal, format_percent

from qa_daemon.language.texts import LANGUAGES, Texts, texts_in
from qa_daemon.language.wording import Wording

#: Times below this are "now"; nobody works by the second.
_MINUTE_S: Final = 60
_HOUR_S: Final = 3600
_DAY_S: Final = 86400
#: Below this a probability is "under 0.1 %": more digits than the calibration holds.
PROBABILITY_SHOWN_MIN: Final = 0.001
#: English dates with the day first, as hospitals outside the United States write them.
_LOCALES: Final = {"en": "en_GB", "de": "de_DE"}
_FORMATTER: Final = string.Formatter()


@frozen
class Speech:
    """How one person is spoken to."""

    language: str
    texts: Texts

    def say(self, text: str, /, **parts: object) -> str:
        """Return a text of a page, English where the catalogue has none.

        Named parts stand as `{part}`, or as `%(part)s` where Jinja's `trans` has written it.
        """
        said = self.texts.text("", text) or text
        if not parts:
            return said
        return said % parts if "%(" in said else said.format(**parts)

    def count(self, one: str, many: str, count: int, /, **parts: object) -> str:
        """Return a text in the number of `count`, which it may name as `{count}`."""
        said = self.texts.text("", one, count) or (one if count == 1 else many)
        return said.format(count=self.number(count), **parts)

    def sentence(self, wording: Wording) -> str | None:
        """Return what is wrong in one line; None for rules that no catalogue knows.

        Of the sentences for the rule, the one that names the most of what is known is taken:
        those of the variant first, and none that names a part which is missing.
        """
        parts = {name: self._part(name, text) for name, text in wording.parts.items()}
        if wording.count:
            parts["count"] = self.number(wording.count)
        known = _sentences(self.language).get(wording.rule, ())
        words = frozenset(wording.variant.split())
        for variant, named, name in known:
            if variant <= words and named <= parts.keys():
                said = self.texts.text("finding", name, wording.count or 1)
                return None if said is None else said.format(**parts)
        return None

    def _part(self, name: str, text: str) -> str:
        if name.startswith("side"):
            return self.texts.text("side", text) or text
        if name == "shown" or name.endswith("part"):
            return self.listed([self.part(term) for term in text.split(",")])
        return text

    def part(self, term: str) -> str:
        """Return a body part in words; the term itself where nobody has translated it."""
        return self.texts.text("part", term) or term

    def listed(self, words: list[str]) -> str:
        """Return words as a list in a sentence."""
        if len(words) < 2:
            return "".join(words)
        return self.say("{all} and {last}", all=", ".join(words[:-1]), last=words[-1])

    def number(self, value: float) -> str:
        """Return a figure with the language's separators."""
        return _number(self.language, value)

    def percent(self, probability: float | None) -> str:
        """Return a sureness without decimals; a dash where there is none."""
        if probability is None:
            return "\N{EN DASH}"
        if probability < PROBABILITY_SHOWN_MIN:
            return self.say("under 0.1 %")
        # What is calibrated is never certain: .996 must not read as 100 %.
        shown = min(probability, 0.99) if probability < 1 else 1.0
        return _percent(self.language, round(shown, 2))

    def day(self, at: datetime, zone: tzinfo | None = None) -> str:
        """Return a date such as 20 Nov 2026."""
        return format_date(at.astimezone(zone).date(), "medium", locale=_LOCALES[self.language])

    def short_day(self, at: datetime, zone: tzinfo | None = None) -> str:
        """Return a date without its year, such as 20 Nov."""
        local = at.astimezone(zone)
        locale = _LOCALES[self.language]
        return format_skeleton("MMMd", local, tzinfo=local.tzinfo, locale=locale)

    def time(self, at: datetime, zone: tzinfo | None = None) -> str:
        """Return a time of day such as 10:42."""
        local = at.astimezone(zone)
        return format_time(local, "short", tzinfo=local.tzinfo, locale=_LOCALES[self.language])

    def moment(self, at: datetime, zone: tzinfo | None = None) -> str:
        """Return date and time."""
        local = at.astimezone(zone)
        locale = _LOCALES[self.language]
        return format_datetime(local, "medium", tzinfo=local.tzinfo, locale=locale)

    def age(self, span: timedelta) -> str:
        """Return how long ago something was, in the greatest unit that fits: 12 min, 5 h, 2 d."""
        seconds = max(int(span.total_seconds()), 0)
        if seconds >= _DAY_S:
            return self.say("{n} d", n=self.number(seconds // _DAY_S))
        if seconds >= _HOUR_S:
            return self.say("{n} h", n=seconds // _HOUR_S)
        if seconds >= _MINUTE_S:
            return self.say("{n} min", n=seconds // _MINUTE_S)
        return self.say("now")


@lru_cache(maxsize=4096)
def _number(language: str, value: float) -> str:
    """Return a figure; a page of the list writes three hundred, most of them alike."""
    return format_decimal(value, locale=language)


@lru_cache(maxsize=256)
def _percent(language: str, share: float) -> str:
    return format_percent(share, "#,##0\N{HAIR SPACE}%", locale=language)


@cache
def speech(language: str) -> Speech:
    """Return how to speak to somebody; in English where there is no such catalogue."""
    known = language if language in LANGUAGES else LANGUAGES[0]
    return Speech(known, texts_in(known))


#: Words of a variant, named parts, the id in the catalogue.
_Known = tuple[frozenset[str], frozenset[str], str]


@cache
def _sentences(language: str) -> Mapping[str, tuple[_Known, ...]]:
    """Return, by rule, its sentences: those that say the most first."""
    found: dict[str, list[_Known]] = {}
    for context, name in texts_in(language).forms:
        if context == "finding":
            rule, *words = name.split()
            said = texts_in(language).text(context, name) or ""
            named = frozenset(part for _, part, _, _ in _FORMATTER.parse(said) if part)
            variant = frozenset(words) - named
            found.setdefault(rule, []).append((variant, named, name))
    return {
        rule: tuple(sorted(known, key=lambda each: (-len(each[0]), -len(each[1]), each[2])))
        for rule, known in found.items()
    }
