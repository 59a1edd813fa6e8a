"""Series that a service has received and judged."""

from functools import partial
from pathlib import Path

from qa_daemon.config.load import load_settings
from qa_daemon.intake.index import Index
from qa_daemon.limits import Limits
from qa_daemon.spool.spool import Spool
from qa_daemon.store.database import Store
from qa_daemon.store.migrations import schema
from tests.cli.conftest import drawn
from tests.cli.test_admin import _read, judged, spooled


def received(state: Path, **tags: str) -> None:
    """Let a service receive and judge a drawn abdomen with some tags changed."""
    settings = load_settings(None, overrides={"state": state})
    schema.prepare(settings.store_url)
    with Spool(settings.spool_folder, Limits()) as spool, Store(settings.store_url, 5.0) as store:
        spool.recover()
        for file in drawn(state.parent / "files", "clean", 3, **tags):
            spooled(spool, file.read_bytes())
        Index(spool, store, partial(_read, Limits()), 30.0).adopt()
    judged(state)
