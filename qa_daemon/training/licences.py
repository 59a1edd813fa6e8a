"""Which stated licences are open: what may be in a model that anybody may use for anything.

In: the licence as the source states it, in its own words. Out: yes or no. Silence is a no.
"""

import re
from typing import Final

#: Words that say that the licence of the pictures is not known, or holds for something else.
UNKNOWN: Final = re.compile(
    r"not stated|nothing stated|states? (nothing|none)|unknown|not confirmed|not verified|not read|"
    r"not reachable|no licence|not separately licensed|for the code|for its code|"
    r"for the project|copyright original|original terms|terms at\b",
    re.IGNORECASE,
)
#: What a statement may say of a copy once it has named the licence of the set itself.
SILENT_MIRROR: Final = re.compile(r"; the mirror states none", re.IGNORECASE)
#: Words that bind the use.
RESTRICTED: Final = re.compile(
    r"\bNC\b|-NC\b|non.?commercial|research|personal use|teaching|private|internal use|"
    r"\bND\b|-ND\b|no.?derivatives|use agreement|competition|authorized",
    re.IGNORECASE,
)
#: Licences that allow every use; share-alike and copyleft bind copies of the pictures themselves.
OPEN: Final = re.compile(
    r"\bCC0\b|public domain|\bCC BY(-SA)?\b|\bMIT(-0)?\b|\bBSD\b|\bApache\b|\bMPL\b|\bMS-PL\b|"
    r"\bGPL\b|\bPDDL\b|\bODC-By\b|\bODbL\b|\bEU ODP\b|\bown\b",
    re.IGNORECASE,
)


def is_open(stated: str) -> bool:
    """Whether a licence as stated allows every use of a model that saw the picture.

    An unknown, silent, non-commercial or research-only statement is a no, and so is an open
    licence of a repository's code that says nothing of the pictures in it. "Not stated" is a no
    even where the words go on to say what the origin is believed to allow.
    """
    words = SILENT_MIRROR.sub("", stated).strip()
    if not words or UNKNOWN.search(words) or RESTRICTED.search(words):
        return False
    return bool(OPEN.search(words))
