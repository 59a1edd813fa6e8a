"""What somebody wrote in service.yaml, with the place where it stands."""

import math
from collections.abc import Iterator, Mapping

import yaml
from attrs import field, frozen

from qa_daemon.errors import ConfigurationError

# Our own file has some 100 values. A file beyond this is something else, or was made to hurt.
TEXT_LENGTH_MAX = 1 << 20
NODES_MAX = 10_000

Scalar = str | int | float | bool | None
Value = object  # Scalar, tuple[Given, ...], Mapping[str, Given], or a Path of the command line


@frozen(order=True)
class Fault:
    """One thing to mend.

    Attributes
    ----------
    where
        `service.yaml:12`, `environment QA_DAEMON_STORE_URL`, `command line`.
    key
        `receiver.port`, or empty for the file as a whole.
    message
        What is wrong and what is accepted.
    """

    where: str
    key: str
    message: str
    line: int = field(default=0, kw_only=True)

    def __str__(self) -> str:
        return ": ".join(part for part in (self.where, self.key, self.message) if part)


class FaultyConfigurationError(ConfigurationError):
    """Everything that is wrong with a configuration, in the order of the file."""

    def __init__(self, faults: tuple[Fault, ...]):
        self.faults = faults
        super().__init__("\n".join(str(fault) for fault in faults))


@frozen
class Given:
    """One value as it was written."""

    where: str
    key: str
    value: Value
    line: int = 0

    def fault(self, message: str) -> Fault:
        """Return a fault at this place."""
        return Fault(self.where, self.key, message, line=self.line)

    def placed(self, given: "Given") -> "Given":
        """Return this mapping with `given` put where its key says, over what stood there."""
        below = given.key[len(self.key) + 1 :] if self.key else given.key
        name, _, rest = below.partition(".")
        entries = dict(self.value) if isinstance(self.value, Mapping) else {}
        if not rest:
            entries[name] = given
        else:
            key = f"{self.key}.{name}" if self.key else name
            section = entries.get(name, Given(given.where, key, {}))
            entries[name] = section.placed(given)
        return Given(self.where, self.key, entries, self.line)


def parse(text: str, source: str) -> tuple[Given, list[Fault]]:
    """Return the mapping that `text` holds, its values with their lines, and keys named twice.

    Raises
    ------
    FaultyConfigurationError
        If it is no YAML or no mapping.
    """
    if len(text) > TEXT_LENGTH_MAX:
        raise FaultyConfigurationError((Fault(source, "", "too long for a configuration"),))
    too_deep = Fault(source, "", "nested too deep for a configuration")
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except RecursionError as error:
        raise FaultyConfigurationError((too_deep,)) from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        message = f"no YAML: {error.problem or 'unreadable'}"
        raise FaultyConfigurationError(
            (Fault(f"{source}:{line}", "", message, line=line),)
        ) from error
    except yaml.YAMLError as error:
        raise FaultyConfigurationError(
            (Fault(source, "", "no YAML: a forbidden character"),)
        ) from error
    if node is None:
        return Given(source, "", {}), []
    reader = _Reader(source)
    try:
        given = reader.read(node, "")
    except RecursionError as error:  # an alias of something around it
        raise FaultyConfigurationError((too_deep,)) from error
    if not isinstance(given.value, Mapping):
        raise FaultyConfigurationError((given.fault("write `key: value` lines"),))
    return given, reader.faults


class _Reader:
    """Walks the nodes of one document and collects what is wrong with them."""

    def __init__(self, source: str):
        self.source = source
        self.faults: list[Fault] = []
        self._scalars = yaml.constructor.SafeConstructor()
        self._nodes = 0

    def read(self, node: yaml.Node, key: str) -> Given:
        """Return `node` as it was written."""
        line = node.start_mark.line + 1
        where = f"{self.source}:{line}"
        self._nodes += 1
        if self._nodes > NODES_MAX:
            # An alias that repeats aliases grows without end.
            raise FaultyConfigurationError((Fault(where, key, "too many values", line=line),))
        if isinstance(node, yaml.MappingNode):
            return Given(where, key, dict(self._entries(node, key)), line)
        if isinstance(node, yaml.SequenceNode):
            members = tuple(self.read(member, key) for member in node.value)
            return Given(where, key, members, line)
        return Given(where, key, self._scalar(node), line)

    def _scalar(self, node: yaml.Node) -> Scalar:
        """Return what YAML reads; for dates, infinities and the like the text as it stands."""
        text = str(node.value)
        try:
            value = self._scalars.construct_object(node)
        except (yaml.YAMLError, ValueError):
            return text
        if isinstance(value, float) and not math.isfinite(value):
            return text
        return value if isinstance(value, str | int | float | bool | None) else text

    def _entries(self, node: yaml.MappingNode, key: str) -> Iterator[tuple[str, Given]]:
        seen: dict[str, int] = {}
        for name, value in node.value:
            # The text as it was written: an AE title `NO` is no truth value.
            text = name.value if isinstance(name, yaml.ScalarNode) else "?"
            below = f"{key}.{text}" if key else text
            given = self.read(value, below)
            line = name.start_mark.line + 1
            if text in seen:
                fault = Fault(
                    f"{self.source}:{line}", below, f"also on line {seen[text]}", line=line
                )
                self.faults.append(fault)
            seen.setdefault(text, line)
            yield text, Given(f"{self.source}:{line}", below, given.value, line)
