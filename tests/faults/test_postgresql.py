"""The whole service on PostgreSQL, which is stopped and started again meanwhile."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from attrs import frozen

from tests.faults.conftest import Daemon, check_judged_once, check_kept, drawn, eventually, send
from tests.store.conftest import Cluster, _programs


@frozen
class Server:
    """A private PostgreSQL that can be stopped."""

    folder: Path
    log: Path

    @property
    def cluster(self) -> Cluster:
        return Cluster(self.folder)

    def run(self, program: str, *arguments: str) -> None:
        as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        with self.log.open("ab") as log:
            subprocess.run(  # noqa: S603  programs of the distribution
                [*as_user, str(_programs() / program), "-D", str(self.folder / "data"), *arguments],
                check=True,
                cwd="/",
                stdout=log,
                stderr=log,
            )

    def start(self) -> None:
        options = f"-k {self.folder} -c listen_addresses= -c shared_buffers=16MB"
        self.run("pg_ctl", "-w", "-o", options, "start")

    def stop(self) -> None:
        self.run("pg_ctl", "-w", "-m", "immediate", "stop")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    folder = Path(tempfile.mkdtemp(prefix="qa-daemon-pg-"))
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        user = pwd.getpwnam("postgres")
        os.chown(folder, user.pw_uid, user.pw_gid)
    made = Server(folder, tmp_path / "postgresql.log")
    made.run("initdb", "-U", "postgres", "-A", "trust", "--no-sync")
    made.start()
    try:
        yield made
    finally:
        made.stop()
        shutil.rmtree(folder)


def test_postgresql_may_go_and_come_back_at_any_time(
    tmp_path: Path, daemon: Callable[..., Daemon], server: Server
) -> None:
    server.cluster.execute("CREATE DATABASE qa TEMPLATE template0")
    made = daemon(
        store={"url": server.cluster.url("qa"), "lock_timeout_s": 2},
        receiver={"index_lag_s": 60},
    )
    first, second = drawn(tmp_path, "1.2.3.1", 10), drawn(tmp_path, "1.2.4.1", 10)
    server.stop()
    made.spawn()
    eventually(lambda: made.says('"role.waiting"', "receiver"), "it waits for its store")
    server.start()
    made.await_ready()
    taken = send(made.port, first)
    assert taken.acknowledged == set(first.bodies)
    eventually(lambda: made.judged(1), "judged")

    server.stop()
    taken = send(made.port, second)
    assert taken.acknowledged == set(second.bodies)  # durable in the spool; the rows follow
    eventually(lambda: made.says("index.late") and made.says("store.locked"), "said in the log")
    server.start()
    eventually(lambda: made.judged(2), "both judged")
    reports = [made.state / "reports" / "1.2.3" / "1.2.3.1.txt"]
    reports.append(made.state / "reports" / "1.2.4" / "1.2.4.1.txt")
    eventually(lambda: all(report.is_file() for report in reports), "both reported")
    assert made.terminate() == 0
    assert not made.says('"bug"')
    bodies = {**first.bodies, **second.bodies}
    assert check_kept(made, set(bodies), bodies) == 20
    check_judged_once(made)
