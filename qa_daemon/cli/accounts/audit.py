"""`qa-daemon audit`: what people did, whether the record of it is whole, and as DICOM messages."""

import argparse
import contextlib
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, Final

from qa_daemon.cli.opened import opened, operator, settings_of
from qa_daemon.errors import InputError
from qa_daemon.queue.audit.message import Source, message
from qa_daemon.store.audit import entries
from qa_daemon.store.audit.chain import Sealed, verdict
from qa_daemon.store.audit.entries import Deed

STATUS_BROKEN: Final = 1
STANDARD_OUTPUT: Final = "-"


def verify(options: argparse.Namespace) -> int:
    """Say whether the chain holds; status 1 and the first broken entry if it does not."""
    with opened(settings_of(options)) as store:
        found = verdict(entries.entries_after(store), options.head or "")
    older = f"; {found.older} older than the chain" if found.older else ""
    if found.broken is None:
        print(f"{found.sealed} entries hold{older}. Last digest: {found.head}")
        return 0
    print(
        f"Entry {found.broken} does not hold: {found.reason}. "
        f"{found.sealed} before it do{older}; their last digest: {found.head}"
    )
    return STATUS_BROKEN


def export(options: argparse.Namespace) -> int:
    """Write the audit as DICOM audit messages, one XML element a line."""
    settings = settings_of(options)
    source = Source(settings.receiver.ae_title, settings.audit.site)
    with opened(settings) as store, _opened_file(options.file) as file:
        count = _written(file, entries.entries_after(store, options.after), source)
        deed = Deed(action="audit read", subject="audit", detail=f"{count} entries")
        entries.note(store, operator(), deed)
    print(f"{count} messages written.", file=sys.stderr)
    return 0


@contextlib.contextmanager
def _opened_file(name: str) -> Iterator[BinaryIO]:
    if name == STANDARD_OUTPUT:
        yield sys.stdout.buffer
        return
    with contextlib.ExitStack() as stack:
        try:
            file = stack.enter_context(Path(name).open("xb"))
        except OSError as error:
            raise InputError(f"{name}: cannot be written: {error.strerror}") from error
        yield file


def _written(file: BinaryIO, sealed: Iterable[Sealed], source: Source) -> int:
    count = 0
    for each in sealed:
        file.write(message(each.entry, source) + b"\n")
        count += 1
    return count
