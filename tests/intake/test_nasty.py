"""The hostile corpus of the data folder, through the watched folder and through C-STORE."""

import contextlib
import hashlib
import json
import os
import re
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from qa_daemon.config.settings import FolderSettings, ReceiverSettings
from qa_daemon.dicom.part10 import data_set_offset
from qa_daemon.dicom.scan import Refused
from tests.intake.conftest import CT_IMAGE, EXPLICIT_LITTLE, RawScu, Service, eventually

Serve = Callable[..., Service]
pytestmark = [
    pytest.mark.shared,
    # watchdog meets a folder twice when it is made while its parent is being listed; harmless.
    pytest.mark.filterwarnings("ignore:Callback with id"),
]
#: Archives are taken when they are safe; the corpus was written before the contract said so.
SAFE_ARCHIVES = {"arc_zip_good", "arc_zip_dup_names", "arc_gz_good"}


@pytest.fixture
def corpus(shared_data: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "nasty"
    script = shared_data / "nasty" / "make_nasty.py"
    subprocess.run(  # noqa: S603  our own arguments
        [sys.executable, script, folder, "--special"], check=True, capture_output=True, timeout=120
    )
    return folder


def cases(corpus: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((corpus / "manifest.json").read_text())["cases"]
    return found


def files_of(case: dict[str, Any]) -> list[str]:
    """Return the relative paths of a case; some are no UTF-8."""
    return case["file"] if isinstance(case["file"], list) else [case["file"]]


def test_every_case_of_the_corpus_ends_on_the_shelf_that_it_belongs_on(
    serve: Serve, corpus: Path
) -> None:
    service = serve(folder_settings=FolderSettings(quiet_s=0.2, rescan_s=1.0))
    taken = [case for case in cases(corpus) if case["folder"]["outcome"] != "n/a"]
    corpus.rename(service.incoming)
    folder = service.watch()
    paths = [folder / file for case in taken for file in files_of(case)]
    eventually(lambda: not any(map(os.path.lexists, paths)), "files are left", 120.0)
    wrong = []
    for case in taken:
        is_rejected = case["folder"]["outcome"] == "reject" and case["id"] not in SAFE_ARCHIVES
        shelf = folder / ("rejected" if is_rejected else "done")
        wrong += [(case["id"], shelf.name) for file in files_of(case) if not lies(shelf / file)]
    assert not wrong


def lies(path: Path) -> bool:
    return os.path.lexists(path)


def sent(file: Path) -> tuple[str, bytes, bytes, bytes]:
    """Return the syntax to propose, UIDs for the command, and the data set as it stands."""
    content = file.read_bytes()
    try:
        offset = data_set_offset(content)
    except Refused:
        offset = len(content)
    values = _uids(content[:offset], b"UI")
    found = _uids(content[offset:], b"")
    sop_class = found.get((8, 0x16)) or values.get((2, 2)) or CT_IMAGE.encode()
    instance = found.get((8, 0x18)) or values.get((2, 3)) or b"2.25.1"
    syntax = values.get((2, 0x10), b"").decode("latin-1")
    syntax = syntax if re.fullmatch(r"[0-9.]{1,64}", syntax) else EXPLICIT_LITTLE
    return syntax, sop_class, instance, content[offset:]


def _uids(content: bytes, vr: bytes) -> dict[tuple[int, int], bytes]:
    """Return the UIDs near the beginning, found by their tags in explicit or implicit VR."""
    found = {}
    for group, number in ((2, 2), (2, 3), (2, 0x10), (8, 0x16), (8, 0x18)):
        tag = struct.pack("<HH", group, number)
        at = content.find(tag + b"UI") if vr else content[:200_000].find(tag)
        if at < 0:
            continue
        is_explicit = content[at + 4 : at + 6] == b"UI"
        form, start = ("<H", at + 6) if is_explicit else ("<I", at + 4)
        if len(content) < start + 4:
            continue
        (length,) = struct.unpack_from(form, content, start)
        start += struct.calcsize(form)
        found[group, number] = content[start : start + min(length, 65_100)].rstrip(b"\0 ")
    return found


def answered(scu: RawScu, sop_class: bytes, instance: bytes, body: bytes) -> int:
    """Send a data set in fragments and return the status."""
    scu.command(sop_class, instance)
    for at in range(0, max(len(body), 1), 100_000):
        scu.fragment(2 if at + 100_000 >= len(body) else 0, body[at : at + 100_000])
    return scu.status()[0]


def test_every_data_set_of_the_corpus_is_answered_as_the_contract_says(
    serve: Serve, corpus: Path
) -> None:
    service = serve(receiver_settings=ReceiverSettings(port=0, private_sop_classes=True))
    port = service.listen()
    bodies = []
    wrong = []
    with contextlib.ExitStack() as stack:
        peers: dict[str, RawScu] = {}
        for case in cases(corpus):
            if case["cstore"].get("status") is None:
                continue
            for file in files_of(case):
                syntax, sop_class, instance, body = sent(corpus / file)
                if syntax not in peers:
                    peers[syntax] = stack.enter_context(RawScu(port))
                    assert peers[syntax].associate(syntax=syntax) == 2
                status = answered(peers[syntax], sop_class, instance, body)
                is_named = len(instance) <= 64 and len(sop_class) <= 64
                if status != (0 if body and is_named else 0xC000):
                    wrong.append((case["id"], hex(status)))
                if status == 0:
                    bodies.append(hashlib.sha256(body).hexdigest())
    assert not wrong
    eventually(lambda: service.index.lag_s() == 0.0, "the index is late", 120.0)
    kept = {service.spool.record(key).data_set_sha256 for key in list(service.spool.keys())}
    assert kept == set(bodies)
