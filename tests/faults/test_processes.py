"""Single processes of the service end, hang or find their place taken; the others go on."""

import contextlib
import os
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.conftest import (
    Daemon,
    StoreScu,
    check_judged_once,
    check_kept,
    descendants,
    drawn,
    eventually,
    send,
)


def inference_child(daemon: Daemon) -> int | None:
    """Return the process that decodes and predicts, None while there is none."""
    worker = daemon.children().get("worker")
    found = descendants(worker) if worker else []
    return found[0] if found else None


def is_alive(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    return False


@pytest.mark.parametrize("roles", [(), ("receiver",)])
def test_sigterm_ends_the_service_within_its_time_while_a_sender_sends(
    tmp_path: Path, daemon: Callable[..., Daemon], roles: tuple[str, ...]
) -> None:
    made = daemon(*roles, stop_timeout_s=8)
    series = drawn(tmp_path, "1.2.3.1", 300)
    made.start()
    processes = [*made.children().values()]
    scu = StoreScu(made.port, series, set())
    scu.start(list(series.files))
    eventually(lambda: len(scu.acknowledged) > 10, "receiving")
    begun = time.monotonic()
    assert made.terminate() == 0
    assert time.monotonic() - begun < 8
    scu.wait()
    assert not any(is_alive(pid) for pid in processes)
    assert not made.says("bug")
    check_kept(made, scu.acknowledged, series.bodies)


@pytest.mark.parametrize("role", ["receiver", "worker", "outbound", "web"])
def test_a_role_that_dies_is_started_again(
    tmp_path: Path, daemon: Callable[..., Daemon], role: str
) -> None:
    made = daemon()
    series = drawn(tmp_path, "1.2.3.1", 5)
    made.start()
    before = made.children()
    os.kill(before[role], signal.SIGKILL)

    def is_back() -> bool:
        return made.log().count(f'"service.ready", "role": "{role}"') == 2

    eventually(is_back, "started again")
    after = made.children()
    assert after.pop(role) != before.pop(role)
    assert after == before
    scu = send(made.port, series)
    report = made.state / "reports" / "1.2.3" / "1.2.3.1.txt"
    eventually(report.is_file, "judged and reported")
    assert made.terminate() == 0
    check_kept(made, set(series.bodies), series.bodies)
    assert scu.acknowledged == set(series.bodies)
    check_judged_once(made)


def test_roles_end_when_their_parent_was_killed(daemon: Callable[..., Daemon]) -> None:
    made = daemon()
    made.start()
    processes = [*made.children().values()]
    assert len(processes) == 4
    made.signal(signal.SIGKILL)
    made.ended()
    eventually(lambda: not any(is_alive(pid) for pid in processes), "nobody left")
    made.start()  # neither port nor lock is held
    assert made.terminate() == 0


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_an_inference_child_that_dies_or_hangs_costs_no_verdict(
    tmp_path: Path, daemon: Callable[..., Daemon], number: signal.Signals
) -> None:
    made = daemon(worker={"decode_deadline_s": 1})
    first, second = drawn(tmp_path, "1.2.3.1", 5), drawn(tmp_path, "1.2.3.2", 5)
    made.start()
    send(made.port, first)
    eventually(lambda: made.judged(1), "judged")
    child = inference_child(made)
    assert child is not None
    os.kill(child, number)  # the next question finds it like this
    send(made.port, second)
    eventually(lambda: made.judged(2), "judged without it")
    eventually(lambda: inference_child(made) not in {None, child}, "another child")
    assert not made.says('"bug"')
    assert made.terminate() == 0
    check_kept(made, set(first.bodies), {**first.bodies, **second.bodies})
    check_judged_once(made)


def test_an_inference_child_that_hangs_over_every_question_costs_no_verdict(
    tmp_path: Path, daemon: Callable[..., Daemon]
) -> None:
    made = daemon(worker={"decode_deadline_s": 0.5, "slices_max": 3})
    series = drawn(tmp_path, "1.2.3.1", 3)
    made.start()
    stopped: set[int] = set()

    def is_judged() -> bool:
        child = inference_child(made)
        if child is not None and child not in stopped and has_started(child):
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGSTOP)
            stopped.add(child)
        return made.judged(1)

    send(made.port, series)
    eventually(is_judged, "judged")
    assert stopped
    assert made.terminate() == 0
    check_judged_once(made)


def has_started(child: int) -> bool:
    """Whether it has shut itself in, which it does last; to stop it earlier only delays it."""
    with contextlib.suppress(OSError):
        limits = Path(f"/proc/{child}/limits").read_text().splitlines()
        return any(
            line.startswith("Max address space") and "unlimited" not in line.split()[3]
            for line in limits
        )
    return False


def test_a_second_service_on_one_state_folder_is_refused(daemon: Callable[..., Daemon]) -> None:
    first = daemon(name="first")
    first.start()
    second = daemon(name="second", state=str(first.state))
    second.spawn()
    assert second.ended() == 2
    assert second.says("qa-daemon: spool: another process receives into")
    assert not second.says("Traceback")
    assert set(first.children()) == {"receiver", "worker", "outbound", "web"}
    assert first.terminate() == 0


@pytest.mark.parametrize(("section", "said"), [("receiver", "receiver"), ("web", "web")])
def test_a_port_that_is_taken_is_named(
    daemon: Callable[..., Daemon], section: str, said: str
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        made = daemon(**{section: {"port": port}})
        made.spawn()
        assert made.ended() == 2
    assert made.says(f"qa-daemon: {said}", str(port))
    assert not made.says("Traceback")
