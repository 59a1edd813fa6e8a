"""Real objects of the packages pydicom and pydicom-data."""

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

import pytest

#: Larger ones are films and ultrasound loops; tests/pixels decodes them.
BYTES_MAX = 1 << 20


@pytest.fixture(scope="session")
def published_contents() -> Mapping[str, bytes]:
    specs = [find_spec("pydicom.data"), find_spec("data_store")]
    folders = [Path(spec.origin).parent for spec in specs if spec is not None and spec.origin]
    return {
        path.name: path.read_bytes()
        for folder in folders
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.stat().st_size <= BYTES_MAX
    }
