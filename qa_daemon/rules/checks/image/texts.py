"""Text that went through the wrong character set, or lost letters, before it came here."""

import re
from typing import Final

from qa_daemon.rules.checks.registry import Options, of_series, words
from qa_daemon.rules.facts import PASSED, Answer, Hit, NotApplicable, SeriesFacts

#: UTF-8 read as ISO 8859-1: two letters where one accented one was meant.
_TWICE: Final = re.compile("[\u00c2\u00c3][\u0080-\u00bf]|\u00e2\u0080[\u0090-\u00bf]|\ufffd")
#: A question mark between letters stands for one that a program could not write.
_LOST: Final = re.compile(r"[^\W\d_]\?[^\W\d_]")


@of_series
def text_whole(facts: SeriesFacts, options: Options) -> Answer:
    """Check that names and descriptions hold no traces of a wrong conversion."""
    found = {k: text for k in words(options, "keywords") if (text := facts.text(k))}
    if not found:
        return NotApplicable()
    twice = sorted(keyword for keyword, text in found.items() if _TWICE.search(text))
    lost = sorted(keyword for keyword, text in found.items() if _LOST.search(text))
    hits = []
    if twice:
        hits.append(Hit(f"{' and '.join(twice)} was converted twice; accents are two letters."))
    if lost:
        hits.append(Hit(f"{' and '.join(lost)} has lost letters; question marks stand for them."))
    return tuple(hits) or PASSED
