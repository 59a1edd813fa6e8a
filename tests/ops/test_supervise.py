"""The supervisor keeps its children running, tells the manager, and leaves none behind."""

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from attrs import define, field

from qa_daemon.ops import notify
from qa_daemon.ops.supervise import STATUS_CONFIGURATION, Role, Supervisor
from qa_daemon.telemetry.events import LogEvent
from tests.ops.conftest import Manager, Site, eventually


@define
class Run:
    """A supervisor of two light roles, and what it said."""

    site: Site
    events: list[tuple[LogEvent, dict[str, object]]] = field(factory=list)
    supervisor: Supervisor = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.supervisor = Supervisor(
            command=self.command,
            stop_timeout_s=20,
            notify=self.tell,
            log=lambda event, **facts: self.events.append((event, facts)),
        )

    def tell(self, message: str) -> None:
        notify.notify(message)

    def command(self, role: Role) -> list[str]:
        return ["serve", role.value, "--config", str(self.site.configuration)]

    def pid(self, role: Role) -> int:
        for child in self.supervisor._children:
            if child.role is role and child.process is not None:
                return child.process.pid
        return 0

    def ended(self) -> list[tuple[object, object]]:
        return [(facts["role"], facts["status"]) for _, facts in self.events]


@pytest.fixture
def supervised(site: Site) -> Run:
    return Run(site)


def during(script: Callable[[], None]) -> threading.Thread:
    """Run a script beside the supervisor, then end it."""

    def play() -> None:
        try:
            script()
        finally:
            os.kill(os.getpid(), signal.SIGTERM)

    thread = threading.Thread(target=play, daemon=True)
    thread.start()
    return thread


ROLES = (Role.OUTBOUND, Role.WEB)


def test_it_is_ready_when_all_are_and_alive_while_all_are(
    supervised: Run, manager: Manager
) -> None:
    def script() -> None:
        eventually(lambda: manager.hears("READY=1"), "ready")
        eventually(lambda: manager.hears("WATCHDOG=1"), "alive")

    thread = during(script)
    assert supervised.supervisor.run(ROLES) == 0
    thread.join()
    assert manager.hears("STOPPING=1")
    assert supervised.ended() == []
    assert manager.heard.count("READY=1") == 1


def test_a_child_that_dies_is_started_again_ever_later(supervised: Run, manager: Manager) -> None:
    def script() -> None:
        eventually(lambda: manager.hears("READY=1"), "ready")
        for _ in range(2):
            before = supervised.pid(Role.WEB)
            os.kill(before, signal.SIGKILL)
            eventually(lambda b=before: supervised.pid(Role.WEB) not in {0, b}, "again")  # type: ignore[misc]  # bound now

    thread = during(script)
    assert supervised.supervisor.run(ROLES) == 0
    thread.join()
    assert supervised.ended() == [("web", -signal.SIGKILL)] * 2
    assert [facts["restart_s"] for _, facts in supervised.events] == [0.5, 1.0]


def test_a_child_that_the_site_has_to_mend_ends_it_with_its_status(
    supervised: Run, manager: Manager
) -> None:
    supervised.site.configure({"web": {"port": "none"}})
    assert supervised.supervisor.run(ROLES) == STATUS_CONFIGURATION
    assert not manager.hears("READY=1")


def test_a_role_that_was_ready_once_does_not_take_the_others_along(
    supervised: Run, manager: Manager
) -> None:
    def script() -> None:
        eventually(lambda: manager.hears("READY=1"), "ready")
        right = supervised.site.configuration.read_text()
        supervised.site.configure({"web": {"port": "none"}})
        os.kill(supervised.pid(Role.WEB), signal.SIGKILL)
        eventually(lambda: ("web", STATUS_CONFIGURATION) in supervised.ended(), "it is refused")
        supervised.site.configuration.write_text(right)
        eventually(lambda: supervised.pid(Role.WEB) > 0, "it is started again")

    thread = during(script)
    assert supervised.supervisor.run(ROLES) == 0
    thread.join()
    assert {role for role, _ in supervised.ended()} == {"web"}


def test_a_reload_reaches_every_child_also_one_that_is_starting(
    supervised: Run, manager: Manager, capfd: pytest.CaptureFixture[str]
) -> None:
    said: list[str] = []

    def reloads() -> int:
        said.append(capfd.readouterr().err)
        return "".join(said).count("configuration.reloaded")

    def script() -> None:
        eventually(lambda: supervised.pid(Role.WEB) > 0, "started")
        os.kill(os.getpid(), signal.SIGHUP)
        eventually(lambda: reloads() >= 2, "both reloaded")
        os.kill(os.getpid(), signal.SIGHUP)
        eventually(lambda: reloads() >= 4, "both reloaded again")

    thread = during(script)
    assert supervised.supervisor.run(ROLES) == 0
    thread.join()
    assert supervised.ended() == []
    assert manager.hears("READY=1")


def test_a_child_that_does_not_end_is_killed_in_time(supervised: Run, manager: Manager) -> None:
    supervised.supervisor.stop_timeout_s = 0.5

    def script() -> None:
        eventually(lambda: manager.hears("READY=1"), "ready")
        os.kill(supervised.pid(Role.WEB), signal.SIGSTOP)

    thread = during(script)
    assert supervised.supervisor.run(ROLES) == 0
    thread.join()


def test_a_program_that_cannot_be_started_is_tried_again(
    supervised: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("sys.executable", str(tmp_path / "none"))
    thread = during(lambda: eventually(lambda: len(supervised.events) >= 3, "tried again"))
    assert supervised.supervisor.run((Role.WEB,)) == 0
    thread.join()
    assert [facts["restart_s"] for _, facts in supervised.events[:3]] == [0.5, 1.0, 2.0]
