"""Members of JSON bodies: the few that an operation knows, each of one type."""

from typing import Any, Final

from attrs import frozen

from qa_daemon.errors import InputError

_NAMES: Final = {str: "a text", int: "a whole number", list: "an array", dict: "an object"}
#: Longer texts are no words of a person.
TEXT_LENGTH_MAX: Final = 4096


@frozen
class Member:
    """One member of an object."""

    name: str
    kind: type
    required: bool = False


def members(given: Any, *known: Member) -> dict[str, Any]:
    """Return the members of an object by name, None for those that are absent or null.

    Raises
    ------
    InputError
        If it is no object, has others, lacks one, or one is of another type.
    """
    if not isinstance(given, dict):
        raise InputError("request: the body has to be an object")
    names = [member.name for member in known]
    for name in given:
        if name not in names:
            raise InputError(f"{name[:64]}: unknown; known are {', '.join(names)}")
    return {member.name: _value(given.get(member.name), member) for member in known}


def _value(given: Any, member: Member) -> Any:
    if given is None:
        if member.required:
            raise InputError(f"{member.name}: is missing")
        return None
    # True is an int to Python, and to nobody else.
    if not isinstance(given, member.kind) or isinstance(given, bool):
        raise InputError(f"{member.name}: has to be {_NAMES[member.kind]}")
    if isinstance(given, str) and len(given) > TEXT_LENGTH_MAX:
        raise InputError(f"{member.name}: longer than {TEXT_LENGTH_MAX} characters")
    return given
