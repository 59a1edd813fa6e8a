"""The units are sound, tight, and the product runs under what they forbid."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import qa_daemon
from qa_daemon.config.settings import (
    FolderSettings,
    ReceiverSettings,
    RuleSettings,
    Settings,
    Tls,
)
from qa_daemon.errors import ConfigurationError
from qa_daemon.ops.systemd import (
    CONFIGURATION,
    Installation,
    commands,
    install,
    printed,
    rendered_units,
    write_files,
)

EXPOSURE_MAX = "13"  # tenths
COMMAND = Path("/bin/true")
UNDER_FILTERS = Path(__file__).with_name("under_filters.py")
SERVICES = ("qa-daemon.service", "qa-daemon@.service")


def rendered(settings: Settings | None = None, **arguments: Path) -> dict[str, str]:
    installation = Installation(COMMAND, settings or Settings(), **arguments)
    return {path.name: text for path, text in rendered_units(installation).items()}


def output(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603


@pytest.fixture
def units(tmp_path: Path) -> Path:
    for name, text in rendered().items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


# --- the text ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SERVICES)
def test_systemd_counts_the_service_as_little_exposed(name: str, units: Path) -> None:
    judged = output(
        "systemd-analyze", "security", "--offline=true", f"--threshold={EXPOSURE_MAX}",
        "--no-pager", str(units / name),
    )  # fmt: skip
    assert judged.returncode == 0, judged.stdout + judged.stderr
    assert "Overall exposure level" in judged.stdout


def test_systemd_finds_nothing_to_mend_in_the_units(units: Path) -> None:
    role = units / "qa-daemon@receiver.service"
    shutil.copy(units / "qa-daemon@.service", role)
    names = [units / "qa-daemon.service", units / "qa-daemon.target", role]
    judged = output("systemd-analyze", "verify", "--recursive-errors=no", *map(str, names))
    assert (judged.returncode, judged.stderr) == (0, "")


def test_the_account_and_the_folders_can_be_made(tmp_path: Path) -> None:
    write_files(Installation(COMMAND, Settings()), tmp_path)
    for command in (("systemd-sysusers",), ("systemd-tmpfiles", "--create")):
        made = output(*command, f"--root={tmp_path}")
        # Only root gives folders away; everything else holds for everybody.
        assert [line for line in made.stderr.splitlines() if is_complaint(line)] == []
    assert "qa-daemon" in (tmp_path / "etc/passwd").read_text()
    assert (tmp_path / "var/lib/qa-daemon/incoming").is_dir() or os.geteuid() != 0


def is_complaint(line: str) -> bool:
    return not line.startswith("Creating ") and "not permitted" not in line


def test_the_service_tells_when_it_is_ready_and_that_it_lives() -> None:
    lines = rendered()["qa-daemon.service"].splitlines()
    for line in (
        "Type=notify",
        "WatchdogSec=60",
        f"ExecStart=/bin/true serve --config {CONFIGURATION}",
        "ExecReload=/bin/kill -HUP $MAINPID",
        "TimeoutStopSec=30",
        "Restart=on-failure",
        "OOMPolicy=continue",
        "MemoryDenyWriteExecute=yes",
        "StateDirectory=qa-daemon",
        "LogsDirectory=qa-daemon",
        "RuntimeDirectory=qa-daemon",
    ):
        assert line in lines


def test_the_stop_time_follows_the_configuration() -> None:
    assert "TimeoutStopSec=55.5" in rendered(Settings(stop_timeout_s=45.5))["qa-daemon.service"]


def test_the_target_starts_the_four_roles() -> None:
    files = rendered()
    assert "ExecStart=/bin/true serve %i --config" in files["qa-daemon@.service"]
    wants = next(
        line for line in files["qa-daemon.target"].splitlines() if line.startswith("Wants=")
    )
    assert wants == (
        "Wants=qa-daemon@receiver.service qa-daemon@worker.service"
        " qa-daemon@outbound.service qa-daemon@web.service"
    )


def test_only_a_low_port_brings_a_capability() -> None:
    low = rendered(Settings(receiver=ReceiverSettings(port=104)))["qa-daemon.service"]
    assert "AmbientCapabilities=CAP_NET_BIND_SERVICE\n" in low
    assert "PrivateUsers=no\n" in low
    for port in (0, 11112):
        other = rendered(Settings(receiver=ReceiverSettings(port=port)))["qa-daemon.service"]
        assert "AmbientCapabilities=\n" in other
        assert "PrivateUsers=yes\n" in other


def test_folders_outside_the_state_folder_are_opened_for_writing() -> None:
    settings = Settings(folder=FolderSettings(path=Path("/srv/scan ner/100%")))
    assert 'ReadWritePaths="/srv/scan ner/100%%"\n' in rendered(settings)["qa-daemon.service"]
    assert "ReadWritePaths" not in rendered()["qa-daemon.service"]


def test_another_state_folder_is_told_to_the_service_and_opened() -> None:
    text = rendered(Settings(state=Path("/srv/qa")))["qa-daemon.service"]
    assert f"serve --config {CONFIGURATION} --state /srv/qa\n" in text
    assert "ReadWritePaths=/srv/qa\n" in text


def test_what_systemd_would_expand_in_a_command_is_written_twice() -> None:
    text = rendered(configuration=Path('/etc/a $b %c "d"/s.yaml'))["qa-daemon.service"]
    assert 'ExecStart=/bin/true serve --config "/etc/a $$b %%c \\"d\\"/s.yaml"\n' in text


def test_what_the_sandbox_would_hide_is_refused_all_at_once() -> None:
    settings = Settings(
        receiver=ReceiverSettings(tls=Tls(certificate=Path("/root/a.pem"))),
        rules=RuleSettings(folders=(Path("/etc/r"), Path("/home/qa/rules"))),
    )
    with pytest.raises(ConfigurationError) as caught:
        rendered_units(Installation(Path("/home/qa/.venv/bin/qa-daemon"), settings))
    assert str(caught.value).startswith(
        "the service may not look into home folders: the command lies in /home/qa/.venv/bin/"
        "qa-daemon; receiver.tls.certificate lies in /root/a.pem; rules.folders[1] lies in"
        " /home/qa/rules."
    )


def test_a_path_that_would_end_its_line_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"unprintable characters in the path of state"):
        rendered_units(Installation(COMMAND, Settings(state=Path("/a\nExecStartPre=/bin/sh"))))


# --- installing -------------------------------------------------------------------------------


def test_what_is_printed_is_a_script_that_a_shell_accepts(tmp_path: Path) -> None:
    script = tmp_path / "install.sh"
    script.write_text(printed(Installation(COMMAND, Settings())), encoding="utf-8")
    assert output("sh", "-n", str(script)).returncode == 0
    text = script.read_text(encoding="utf-8")
    for path in rendered_units(Installation(COMMAND, Settings())):
        assert f"cat >{path} <<" in text
    assert text.rstrip().endswith("systemctl enable --now qa-daemon.service")


def test_a_configuration_of_the_site_is_never_replaced(tmp_path: Path) -> None:
    mine = tmp_path / "service.yaml"
    absent = commands(Installation(COMMAND, Settings(), mine))
    assert any(command[0] == "install" and command[-1] == str(mine) for command in absent)
    mine.write_text("")
    present = commands(Installation(COMMAND, Settings(), mine))
    assert not any(command[0] == "install" for command in present)


def test_files_are_written_whole_and_readable_by_systemd(tmp_path: Path) -> None:
    written = write_files(Installation(COMMAND, Settings()), tmp_path)
    assert len(written) == 5
    assert all(oct(path.stat().st_mode)[-3:] == "644" for path in written)
    assert not list(tmp_path.rglob(".*.new"))


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "etc").write_text("a file")
    with pytest.raises(ConfigurationError, match=r"qa-daemon\.service cannot be written: "):
        write_files(Installation(COMMAND, Settings()), tmp_path)


@pytest.fixture
def as_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the log of programs of these names, which write down what they are told."""
    folder, told = tmp_path / "bin", tmp_path / "told"
    folder.mkdir()
    for name in ("systemctl", "systemd-sysusers", "systemd-tmpfiles", "install"):
        (folder / name).write_text(f'#!/bin/sh\necho "{name} $*" >>{told}\n')
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    return told


def test_root_installs_files_and_then_lets_systemd_know(as_root: Path, tmp_path: Path) -> None:
    installation = Installation(COMMAND, Settings(), tmp_path / "service.yaml")
    done = install(installation, tmp_path / "root")
    told = as_root.read_text().splitlines()
    assert told == [" ".join(command) for command in commands(installation)]
    assert [line for line in done if not line.startswith("wrote ")] == told
    assert (tmp_path / "root/etc/systemd/system/qa-daemon.service").is_file()


def test_a_command_that_fails_is_named_with_its_reason(as_root: Path, tmp_path: Path) -> None:
    (tmp_path / "bin/systemd-tmpfiles").write_text("#!/bin/sh\necho no room >&2; exit 1\n")
    with pytest.raises(ConfigurationError, match=r"`systemd-tmpfiles --create .*` failed: no room"):
        install(Installation(COMMAND, Settings()), tmp_path / "root")
    (tmp_path / "bin/systemd-sysusers").unlink()
    with pytest.raises(ConfigurationError, match=r"`systemd-sysusers .*` failed: .*No such file"):
        install(Installation(COMMAND, Settings()), tmp_path / "root")
    assert "systemctl" not in as_root.read_text()


def test_only_root_installs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(ConfigurationError, match="only root installs a service"):
        install(Installation(COMMAND, Settings()))


def test_a_machine_without_systemd_is_told_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigurationError, match="systemd is not here"):
        install(Installation(COMMAND, Settings()))


# --- under the filters ------------------------------------------------------------------------


def under_filters(units: Path, program: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(Path(qa_daemon.__file__).parents[1])}
    return subprocess.run(  # noqa: S603  our own interpreter
        [sys.executable, str(UNDER_FILTERS), str(units / "qa-daemon.service"),
         sys.executable, "-c", program],
        capture_output=True, text=True, check=False, env=environment, timeout=120,
    )  # fmt: skip


def test_the_filters_bite(units: Path) -> None:
    ran = under_filters(
        units,
        "import mmap, os\n"
        "for deed in (lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_WRITE | mmap.PROT_EXEC),\n"
        "             lambda: os.nice(1), lambda: os.chroot('/')):\n"
        "    try: deed()\n"
        "    except PermissionError: print('refused')\n",
    )
    assert (ran.stdout, ran.stderr) == ("refused\n" * 3, "")


def test_models_run_where_no_memory_is_both_writable_and_executable(units: Path) -> None:
    ran = under_filters(
        units,
        "from pathlib import Path\n"
        "from qa_daemon.config.packs import shipped\n"
        "from qa_daemon.predict.catalog import load_catalog\n"
        "from qa_daemon.predict.interpreter import check_golden\n"
        "cards = list(load_catalog(shipped('models')).cards.values())\n"
        "for card in cards: check_golden(card)\n"
        "print(len(cards) > 0)\n",
    )
    assert ran.stdout == "True\n", ran.stderr


def test_every_library_of_the_service_loads_and_works_under_the_filters(units: Path) -> None:
    ran = under_filters(
        units,
        "import imagecodecs, numpy, pydicom, pynetdicom, resource, sqlalchemy, alembic.command\n"
        "from watchdog.observers import Observer\n"
        "import multiprocessing, socket, sqlite3, ssl, tempfile, threading\n"
        "picture = numpy.zeros((8, 8), numpy.uint8)\n"
        "assert (imagecodecs.jpeg_decode(imagecodecs.jpeg_encode(picture)) < 2).all()\n"
        "assert imagecodecs.jpeg2k_decode(imagecodecs.jpeg2k_encode(picture)).shape == (8, 8)\n"
        "folder = tempfile.mkdtemp()\n"
        "connection = sqlite3.connect(folder + '/a')\n"
        "connection.execute('pragma journal_mode=wal').fetchone()\n"
        "connection.execute('create table t(x)'); connection.commit()\n"
        "watch = Observer(); watch.schedule(print, folder)\n"
        "watch.start(); watch.stop(); watch.join()\n"
        "process = multiprocessing.get_context('spawn').Process(target=int)\n"
        "process.start(); process.join(); assert process.exitcode == 0\n"
        "resource.setrlimit(resource.RLIMIT_CORE, (0, 0))\n"
        "server = socket.create_server(('127.0.0.1', 0))\n"
        "ssl.create_default_context()\n"
        "print('done')\n",
    )
    assert ran.stdout == "done\n", ran.stderr
