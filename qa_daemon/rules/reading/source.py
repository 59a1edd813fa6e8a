"""One rule file as text: YAML with the line of every key, and the faults found in it."""

import difflib
import re
from collections.abc import Collection, Iterator, Mapping
from enum import StrEnum
from typing import Any, Final, TypeVar

import yaml
from attrs import define, field

# Longer lists help nobody on one line.
_LISTED_MAX: Final = 24

# Real rules nest ten deep; libyaml composes by recursion and dies of its stack, Python included.
NESTING_MAX: Final = 64

Word = TypeVar("Word", bound=StrEnum)
#: Parsed YAML: the only place where its shape is not yet known.
Raw = Any
#: Keys and indices that lead to a place in a file.
At = tuple[str | int, ...]

# libyaml where the wheel brings it: ten times faster, and start-up has 1.5 s in all.
_Loader: Final[type[yaml.SafeLoader]] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@define
class Reader:
    """A file being read: what is wrong with it is noted, and reading goes on."""

    path: str
    lines: Mapping[At, int] = field(factory=dict)
    rule: str = "?"
    faults: list[str] = field(factory=list)

    def fault(self, at: At, what: str) -> None:
        """Note a fault at the nearest place whose line is known."""
        while at and at not in self.lines:
            at = at[:-1]
        self.faults.append(f"{self.path}:{self.lines.get(at, 1)}: rule {self.rule}: {what}")

    def keys(self, raw: Raw, at: At, known: Collection[str]) -> bool:
        """Whether `raw` is a mapping with known keys only."""
        if not isinstance(raw, dict):
            self.fault(at, f"a mapping with the keys {', '.join(sorted(known))} is wanted here")
            return False
        for key in raw:
            if key not in known:
                self.fault((*at, key), f"unknown word '{key}'{nearest(str(key), known)}")
        return all(key in known for key in raw)

    def word(self, raw: Mapping[str, Raw], key: str, words: type[Word], default: Word) -> Word:
        """Return a member of an enumeration."""
        value = raw.get(key)
        try:
            return words(str(value))
        except ValueError:
            self.fault((key,), f"unknown {key} '{value}'{nearest(str(value), list(words))}")
            return default

    def text(self, raw: Mapping[str, Raw], key: str) -> str:
        """Return a text that is not empty where the key is there at all."""
        value = raw.get(key, "")
        if not isinstance(value, str) or (key in raw and not value.strip()):
            self.fault((key,), f"{key} must be a text")
            return ""
        return " ".join(value.split())


def nearest(word: str, known: Collection[str]) -> str:
    """Return the end of a message: the known word that was probably meant, or all of them."""
    near = difflib.get_close_matches(word, sorted(known), n=1)
    if near:
        return f"; the nearest known is '{near[0]}'"
    return f"; use one of {', '.join(sorted(known))}" if len(known) <= _LISTED_MAX else ""


#: What libyaml says, and what the writer of a rule did mostly.
_IN_WORDS: Final[Mapping[str, str]] = {
    "did not find expected key": "keys of one level begin in the same column; look at the "
    "indentation here and in the line before, and for a quote that is not closed",
    "did not find expected ',' or '}'": "a brace is not closed, or a value with { } [ ] or a comma "
    "stands without quotes, as in matches: '[A-Z]{2}'",
    "did not find expected ',' or ']'": "a bracket is not closed, or a value with { } [ ] or a "
    "comma stands without quotes",
    "mapping values are not allowed in this context": "a colon and a blank stand within a text; "
    "put the text into quotes",
    "but found another document": "a file holds one rule; put what follows --- into its own",
}
_ID: Final = re.compile(r"^id:\s*([\w-]+)", re.MULTILINE)


def unreadable(reader: Reader, text: str, error: yaml.YAMLError) -> None:
    """Note why a text is no YAML, where, and what to do."""
    mark = getattr(error, "problem_mark", None)
    line = mark.line + 1 if mark else 1
    reader.lines = {(): line}
    named = _ID.search(text)
    reader.rule = named[1] if named else "?"
    problem = str(getattr(error, "problem", None) or error)
    lines = text.splitlines()
    if problem in _IN_WORDS:
        problem = f"{_IN_WORDS[problem]} ({problem})"
    elif "\t" in "".join(lines[line - 1 : line]):
        problem = "a tab stands here; YAML is indented with blanks"
    reader.fault((), f"this is not YAML: {problem}")


def parse(reader: Reader, text: str) -> Raw:
    """Return the values of a YAML document, and leave the line of each in the reader.

    Raises
    ------
    yaml.YAMLError
        If it is no YAML, is empty, has a key twice, uses anchors, nests too deep, or has a value
        that looks like a day or a number and is none.
    """
    _check_events(text)
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            raise yaml.YAMLError("the file is empty")
        reader.lines = dict(_lines(node, ()))
        return _values(loader, node)
    finally:
        loader.dispose()


def _values(loader: yaml.SafeLoader, node: yaml.Node) -> Raw:
    try:
        return loader.construct_document(node)
    except (ValueError, OverflowError) as error:  # 2027-02-30, a number of 5,000 digits
        raise yaml.YAMLError(
            "a value looks like a day or a number and is none; put it in quotes"
        ) from error


def _check_events(text: str) -> None:
    """Look at the stream of events, which needs no recursion, before anything is composed."""
    depth = 0
    for event in yaml.parse(text, _Loader):
        if isinstance(event, yaml.AliasEvent):
            raise yaml.YAMLError("anchors and aliases are not used in rule files")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > NESTING_MAX:
            raise yaml.YAMLError(f"it nests more than {NESTING_MAX} deep")


def _lines(node: yaml.Node, at: At) -> Iterator[tuple[At, int]]:
    yield at, node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        seen = set[str]()
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.MarkedYAMLError(problem="a key is a word", problem_mark=key.start_mark)
            if key.value in seen:
                raise yaml.MarkedYAMLError(
                    problem=f"the key '{key.value}' stands twice", problem_mark=key.start_mark
                )
            seen.add(key.value)
            yield from _lines(value, (*at, key.value))
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield from _lines(value, (*at, index))


def frozen_values(raw: Raw) -> Raw:
    """Return parsed YAML with lists as tuples."""
    match raw:
        case list():
            return tuple(map(frozen_values, raw))
        case dict():
            return {str(key): frozen_values(value) for key, value in raw.items()}
        case _:
            return raw
