"""What every test may ask for."""

import os
import signal
from pathlib import Path

import pytest
from hypothesis import settings

# A shell that starts a job in the background lets it ignore SIGINT, and children inherit that; the
# commands under test must hear Ctrl-C all the same.
signal.signal(signal.SIGINT, signal.default_int_handler)

BESIDE_THE_CHECKOUT = Path(__file__).resolve().parents[2] / "shared" / "data"

# How long an example takes says more about the machine's other work than about the code.
settings.register_profile("project", deadline=None)
settings.load_profile("project")


def data_folder() -> Path | None:
    """Return the folder of real data: QA_DAEMON_DATA, or ../shared/data, or None."""
    named = os.environ.get("QA_DAEMON_DATA")
    folder = Path(named) if named else BESIDE_THE_CHECKOUT
    return folder if folder.is_dir() else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what needs the data folder only where there is none; long runs unless asked for."""
    absent = pytest.mark.skip(reason="no data folder: neither ../shared/data nor QA_DAEMON_DATA")
    wants_long = "long" in config.getoption("-m", "")
    kept, left_out = [], []
    for item in items:
        if item.get_closest_marker("shared") and data_folder() is None:
            item.add_marker(absent)
        if item.get_closest_marker("long") and not wants_long:
            left_out.append(item)
        else:
            kept.append(item)
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = kept


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of real data. For tests marked `shared` only."""
    folder = data_folder()
    assert folder is not None, "mark the test `shared`"
    return folder
