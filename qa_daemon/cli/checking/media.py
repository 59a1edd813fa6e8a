"""The directory of a medium (DICOMDIR): the files that it names, and what is wrong with it."""

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Final, TypeAlias

from attrs import evolve, frozen

from qa_daemon.cli.printable import printable
from qa_daemon.dicom.dicomdir import MEDIA_DIRECTORY_CLASS, referenced_files
from qa_daemon.limits import Limits
from qa_daemon.records.finding import Finding, Level
from qa_daemon.records.instance import Irregularity
from qa_daemon.rules.operators import FREE_OF
from qa_daemon.rules.schema import FactTest, Rule, RulePack

MISSING_SHOWN_MAX: Final = 3

_Listing: TypeAlias = Callable[[Path], dict[str, Path]]


@frozen
class Medium:
    """A media directory.

    Attributes
    ----------
    path
        As shown to the user.
    named
        The path on the command line that led here.
    file_ids
        The files that it names, as path components.
    files
        Those of them that were looked for and are there.
    """

    path: str
    named: str
    file_ids: tuple[tuple[str, ...], ...]
    irregularities: tuple[Irregularity, ...]
    files: tuple[Path, ...] = ()


def is_directory(head: bytes) -> bool:
    """Return whether a file that begins like this says that it is a media directory."""
    return MEDIA_DIRECTORY_CLASS.encode() in head


def read_medium(shown: str, content: bytes, named: str, limits: Limits) -> Medium:
    """Read a directory without looking for the files that it names.

    Raises
    ------
    InputError
        If it is none, or cannot be read.
    """
    directory = referenced_files(content, limits)
    return Medium(shown, named, directory.files, directory.irregularities)


def looked_up(medium: Medium, folder: Path) -> Medium:
    """Look in the directory's own folder for the files that it names."""
    listing = cache(_listing)
    placed = {file: _placed(folder, file, listing) for file in medium.file_ids}
    missing = ["/".join(file) for file, path in placed.items() if path is None]
    return evolve(
        medium,
        files=tuple(path for path in placed.values() if path is not None),
        irregularities=(*medium.irregularities, *_missing(missing)),
    )


def findings(found: Medium, pack: RulePack) -> tuple[Finding, ...]:
    """Return what the rules in force say about a medium."""
    return tuple(
        Finding(
            rule=rule.id,
            topic=rule.topic,
            severity=rule.severity,
            level=Level.VISIT,
            message=f"{printable(found.path)}: {each.message}",
            evidence={"kind": each.kind, **({"path": each.path} if each.path else {})},
        )
        for rule, kinds in _rules(pack)
        for each in _first_of_a_kind(found.irregularities)
        if each.kind in kinds
    )


def _rules(pack: RulePack) -> Iterator[tuple[Rule, frozenset[str]]]:
    for rule in pack.enabled:
        check = rule.check
        if isinstance(check, FactTest) and check.operator == FREE_OF:
            assert isinstance(check.operand, tuple)
            yield rule, frozenset(map(str, check.operand))


def _first_of_a_kind(irregularities: Iterable[Irregularity]) -> Iterator[Irregularity]:
    return iter({each.kind: each for each in reversed(tuple(irregularities))}.values())


def _missing(names: list[str]) -> Iterator[Irregularity]:
    if names:
        shown = ", ".join(map(printable, names[:MISSING_SHOWN_MAX]))
        more = f" and {len(names) - MISSING_SHOWN_MAX} more" if names[MISSING_SHOWN_MAX:] else ""
        yield Irregularity(
            "dicomdir-file-missing", f"names files that are not there: {shown}{more}"
        )


def _placed(folder: Path, file: tuple[str, ...], listing: _Listing) -> Path | None:
    """Return where a file id lies. Some systems write the names of a medium in lower case."""
    path: Path | None = folder
    for component in file:
        path = None if path is None else listing(path).get(_folded(component))
    return path


def _listing(folder: Path) -> dict[str, Path]:
    try:
        return {_folded(path.name): path for path in sorted(folder.iterdir(), reverse=True)}
    except OSError:
        return {}


def _folded(name: str) -> str:
    """Return a name as media compare it: ISO 9660 adds a version, or a lone dot."""
    return name.partition(";")[0].rstrip(".").casefold()
