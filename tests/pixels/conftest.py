"""Real objects of the packages pydicom and pydicom-data."""

from importlib.util import find_spec
from pathlib import Path

import pytest

from qa_daemon.limits import Limits


class Published:
    """The published objects by their file names."""

    def __init__(self) -> None:
        specs = [find_spec("pydicom.data"), find_spec("data_store")]
        folders = [Path(spec.origin).parent for spec in specs if spec is not None and spec.origin]
        self.paths = {
            path.name: path
            for folder in reversed(folders)
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }

    def content(self, name: str) -> bytes:
        return self.paths[name].read_bytes()


@pytest.fixture(scope="session")
def published() -> Published:
    return Published()


@pytest.fixture(scope="session")
def limits() -> Limits:
    return Limits()
