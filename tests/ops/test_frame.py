"""A role takes signals at any moment, keeps its settings unless better ones come, and waits."""

import json
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from qa_daemon.config.settings import Settings
from qa_daemon.errors import ConfigurationError, RetryableError
from qa_daemon.ops.frame import Frame, framed, make_folder
from qa_daemon.ops.supervise import PARENT, Role
from tests.ops.conftest import Manager, Site


def ask(number: signal.Signals) -> None:
    os.kill(os.getpid(), number)


def events(captured: str) -> list[str]:
    return [json.loads(line)["event"] for line in captured.splitlines()]


def refuse(_settings: Settings) -> None:
    raise ConfigurationError("the new rules are wrong")


def test_a_role_takes_turns_until_it_is_told_to_end(site: Site, manager: Manager) -> None:
    turns: list[int] = []

    def turn() -> float:
        turns.append(len(turns))
        if len(turns) == 3:
            ask(signal.SIGTERM)
        return 0.0

    with framed(Role.WEB, site.load) as frame:
        frame.ready()
        frame.loop(turn, refuse)
    assert len(turns) == 3
    assert manager.hears("STOPPING=1")
    assert {"READY=1", "X_ROLE=web", "WATCHDOG=1"} <= set(manager.heard)


def test_a_signal_ends_a_rest_at_once(site: Site) -> None:
    with framed(Role.WEB, site.load) as frame:
        threading.Timer(0.05, ask, [signal.SIGINT]).start()
        frame.loop(lambda: 3600.0, refuse)
        assert frame.is_ending


def test_signals_come_at_any_moment_and_none_is_lost(site: Site) -> None:
    begun, stop = threading.Event(), threading.Event()
    applied: list[Settings] = []

    def hammer() -> None:
        begun.wait()
        while not stop.wait(0.0001):
            ask(signal.SIGHUP)

    sender = threading.Thread(target=hammer, daemon=True)
    sender.start()
    with framed(Role.WEB, site.load) as frame:

        def turn() -> float:
            begun.set()
            if len(applied) == 5:
                ask(signal.SIGTERM)
            return 0.001

        frame.loop(turn, applied.append)
        stop.set()
        sender.join()
    assert len(applied) >= 5


def test_settings_are_exchanged_whole_or_not_at_all(
    site: Site, manager: Manager, capfd: pytest.CaptureFixture[str]
) -> None:
    taken: list[Settings] = []
    with framed(Role.WORKER, site.load) as frame:
        before = frame.settings
        site.configure({"assembly": {"quiet_s": 7}})
        frame.reread(refuse)
        assert frame.settings is before
        frame.reread(taken.append)
        assert frame.settings.assembly.quiet_s == 7
        assert taken == [frame.settings]
        site.configure({"assembly": {"quiet_s": "soon"}})
        frame.reread(taken.append)
        assert frame.settings is taken[0]
    said = events(capfd.readouterr().err)
    assert said.count("configuration.rejected") == 2
    assert said.count("configuration.reloaded") == 1
    assert manager.hears("RELOADING=1")
    assert manager.heard.count("READY=1") == 3  # each reload ends with it


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"store": {"lock_timeout_s": 7}}, "store:"),
        ({"receiver": {"port": 11113, "ae_title": "ELSE"}}, "receiver.ae_title, receiver.port:"),
        ({"spool": {"path": "elsewhere"}}, "spool.path:"),
        (
            {"orders": {"hl7": {"enabled": True, "port": 2600}}},
            "orders.hl7.enabled, orders.hl7.port:",
        ),
    ],
)
def test_what_only_a_new_start_can_change_is_refused_by_every_role(
    site: Site, capfd: pytest.CaptureFixture[str], change: dict[str, object], named: str
) -> None:
    with framed(Role.WORKER, site.load) as frame:
        before = frame.settings
        site.configure(change)
        frame.reread(refuse)
        assert frame.settings is before
    assert f'"message": "{named} can only change with a new start' in capfd.readouterr().err


def test_a_level_of_the_log_changes_with_a_reload(
    site: Site, capfd: pytest.CaptureFixture[str]
) -> None:
    with framed(Role.WEB, site.load) as frame:
        site.configure({"log": {"format": "json", "level": "error"}})
        frame.reread(lambda _settings: None)
    assert events(capfd.readouterr().err) == ["role.started"]


def failing(times: int, frame: Frame) -> Callable[[], None]:
    left = [RetryableError("the store is away")] * times

    def work() -> None:
        if left:
            raise left.pop()
        frame.loop(lambda: 0.0, refuse)

    return work


def test_a_role_waits_for_what_time_mends(
    site: Site,
    manager: Manager,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("qa_daemon.ops.frame.RETRY_S", 0.01)
    with framed(Role.RECEIVER, site.load) as frame:
        threading.Timer(1.0, ask, [signal.SIGTERM]).start()
        frame.persist(failing(3, frame))
    said = capfd.readouterr().err
    assert events(said).count("role.waiting") == 3
    assert "the store is away" in said
    assert manager.hears("EXTEND_TIMEOUT_USEC=")
    assert manager.hears("WATCHDOG=1")


def test_a_role_that_waits_ends_when_it_is_told_to(site: Site) -> None:
    with framed(Role.RECEIVER, site.load) as frame:
        threading.Timer(0.2, ask, [signal.SIGTERM]).start()
        frame.persist(failing(1000, frame))
        assert frame.is_ending


def test_what_the_site_has_to_mend_ends_the_role(site: Site) -> None:
    with framed(Role.WEB, site.load) as frame, pytest.raises(ConfigurationError):
        frame.persist(lambda: refuse(frame.settings))


def test_a_role_ends_when_its_parent_is_gone(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    with framed(Role.WEB, site.load) as frame:
        monkeypatch.setenv(PARENT, str(os.getppid()))
        assert not frame.is_ending
        monkeypatch.setenv(PARENT, "1234567")
        assert frame.is_ending


def test_handlers_of_before_are_back_after_a_role(site: Site) -> None:
    before = signal.getsignal(signal.SIGTERM)
    with framed(Role.WEB, site.load):
        assert signal.getsignal(signal.SIGTERM) is not before
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_state_folder_is_made_for_the_services_user_only(site: Site) -> None:
    settings = site.load()
    make_folder(settings)
    assert settings.state.stat().st_mode & 0o777 == 0o750
    make_folder(settings)


def test_a_state_folder_that_cannot_be_made_is_named(site: Site, tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file in its place")
    with pytest.raises(ConfigurationError, match=r"state .*: cannot be made"):
        make_folder(site.load())
