"""Change sets to be sent, and places in processes of their own."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest
from attrs import frozen

from qa_daemon.export.package import Package
from qa_daemon.records.change_set import ChangeKind, ChangeSet
from qa_daemon.records.element import Element
from qa_daemon.records.finding import Action, Change, Scope, Suggestion
from qa_daemon.records.instance import Instance

PLACES: Final = Path(__file__).with_name("places.py")
AT: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)


@frozen
class Place:
    """A running place."""

    port: int
    folder: Path

    def answers(self, **said: Any) -> None:
        """Let it answer so from now on."""
        draft = self.folder / "draft-answer"
        draft.write_text(json.dumps(said))
        draft.rename(self.folder / "answer.json")

    def got(self) -> list[dict[str, Any]]:
        return [json.loads(path.read_text()) for path in sorted(self.folder.glob("got-*.json"))]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Callable[[str], Place]]:
    """Return a function that starts a place of a kind: http, smtp or ups."""
    with ExitStack() as stack:

        def start(kind: str) -> Place:
            folder = tmp_path / f"place-{kind}"
            folder.mkdir()
            process = stack.enter_context(
                subprocess.Popen(  # noqa: S603  our own program
                    [sys.executable, str(PLACES), kind, str(folder)],
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            stack.callback(process.kill)
            assert process.stdout is not None
            return Place(int(process.stdout.readline()), folder)

        yield start


def instance(number: int, **elements: str) -> Instance:
    kept = {
        "PatientName": Element("PN", ("Doe^=x",)),
        "PatientID": Element("LO", ("4711",)),
        "AccessionNumber": Element("SH", ("A1",)),
        **{keyword: Element("CS", (value,)) for keyword, value in elements.items()},
    }
    return Instance("1.2.3", "1.2.3.1", f"1.2.3.1.{number}", "1.2.840.10008.5.1.4.1.1.2", "", kept)


def change(
    attribute: str, tag: str, vr: str, values: tuple[str, ...], uid: str | None = None
) -> Change:
    scope = Scope.SERIES if uid is None else Scope.INSTANCE
    old = ("OLD",)
    return Change(scope, Action.REPLACE, attribute, tag, attribute, vr, old, values, uid)


def package(*changes: Change, **said: Any) -> Package:
    """Return a package of three instances."""
    changed = changes or (change("BodyPartExamined", "00180015", "CS", ("CHEST",)),)
    given: dict[str, Any] = {
        "uid": "2.25.42",
        "kind": ChangeKind.CHANGE,
        "finding_id": 12,
        "rule": "REGION-001",
        "topic": "body_part",
        "message": "Tagged HAND, but the pictures show the chest",
        "series_key": "k",
        "study_instance_uid": "1.2.3",
        "series_instance_uid": "1.2.3.1",
        "modality": "CT",
        "revision": 1,
        "decided_by": "ana",
        "decided_at": AT,
        "suggestion": Suggestion(changed),
        **said,
    }
    return Package(
        change_set=ChangeSet(**given),
        instances=tuple(instance(number) for number in (1, 2, 3)),
        version="9.9",
        retrieve_ae_title="PACS",
    )
