"""What stands for a patient before people who may not see who it is."""

import hashlib
import hmac
from typing import Final

#: Hex digits: enough to tell the patients of one day apart, too few to search for one.
LENGTH: Final = 4


def pseudonym(key: bytes, patient_id: str, name: str = "") -> str:
    """Return four hex digits that are the same for the same patient here, and nowhere else.

    Parameters
    ----------
    key
        Of this service, kept in its state folder.
    """
    if not patient_id and not name:
        return ""
    told = f"patient\0{patient_id or name}".encode("utf-8", "surrogatepass")
    return hmac.new(key, told, hashlib.sha256).hexdigest()[:LENGTH].upper()
