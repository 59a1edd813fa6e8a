"""A worklist that never answers and an archive that is gone cost neither intake nor verdicts."""

import socket
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from qa_daemon.store.visits import order_rows
from tests.faults.conftest import Daemon, StoreScu, drawn, eventually, free_port


def test_images_are_kept_and_judged_while_the_worklist_hangs(
    tmp_path: Path, daemon: Callable[..., Daemon]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:  # takes connections and says nothing
        made = daemon(
            orders={
                "worklist": {"host": "127.0.0.1", "port": deaf.getsockname()[1],
                             "ae_title": "DEAF", "deadline_s": 300},
                "archive": {"host": "127.0.0.1", "port": free_port(), "ae_title": "GONE"},
            }
        )  # fmt: skip
        made.start()
        sender = StoreScu(made.port, drawn(tmp_path, "1.2.3.1", 3), set())
        sender.start(list(sender.drawn.files))
        sender.wait()
        assert len(sender.acknowledged) == 3
        deaf.settimeout(90.0)
        asking, _ = deaf.accept()  # the service has begun to ask
        with asking:
            eventually(made.judged, "a verdict")
            now = datetime.now(UTC)
            with made.store() as store:  # nobody has answered yet
                assert len(order_rows.due(store, now - timedelta(days=1), now, 10)) == 1
            assert made.terminate() == 0


def test_a_peer_that_is_gone_is_asked_again_and_told_in_the_log(
    tmp_path: Path, daemon: Callable[..., Daemon]
) -> None:
    made = daemon(
        orders={"worklist": {"host": "127.0.0.1", "port": free_port(), "ae_title": "GONE"}}
    )
    made.start()
    sender = StoreScu(made.port, drawn(tmp_path, "1.2.3.1", 3), set())
    sender.start(list(sender.drawn.files))
    sender.wait()
    eventually(made.judged, "a verdict")
    eventually(lambda: made.says("orders.unknown", "worklist"), "a line in the log")
    now = datetime.now(UTC)
    with made.store() as store:
        assert order_rows.due(store, now - timedelta(days=1), now, 10) == ()
        (again,) = order_rows.due(store, now - timedelta(days=1), now + timedelta(hours=1), 10)
    assert again.attempts == 1
    assert made.terminate() == 0
