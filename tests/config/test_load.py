"""service.yaml, the environment and the command line become one value, or all faults at once."""

import os
import subprocess
from pathlib import Path

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa_daemon.config.given import FaultyConfigurationError
from qa_daemon.config.load import HIDDEN, default_state, load_settings, show
from qa_daemon.config.packs import shipped
from qa_daemon.config.settings import (
    Acknowledge,
    AfterIntake,
    AssemblySettings,
    FolderSettings,
    LogSettings,
    ReceiverSettings,
    RuleSettings,
    Settings,
    SpoolSettings,
    WorkerSettings,
)
from qa_daemon.config.structure import keys
from qa_daemon.limits import GIB, MIB, Limits

HERE = {"STATE_DIRECTORY": "/var/lib/qa-daemon"}
# Sixty lines that stand for 2 ** 60 values.
DOUBLING = "a0: &a0 [1]\n" + "\n".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 61))
URL = "postgresql+psycopg://qa:hunter2@db/qa"


def load(text: str, folder: Path, **overrides: object) -> Settings:
    path = folder / "service.yaml"
    path.write_text(text, encoding="utf-8")
    return load_settings(path, HERE, overrides)


def faults(text: str, folder: Path) -> list[str]:
    """Return the faults of `text` without the path: `3: receiver.port: ...`."""
    with pytest.raises(FaultyConfigurationError) as caught:
        load(text, folder)
    return [str(fault).replace(f"{folder}/service.yaml:", "") for fault in caught.value.faults]


# --- the shipped file -------------------------------------------------------------------------


def test_the_shipped_file_says_the_defaults() -> None:
    assert load_settings(shipped("service.yaml"), HERE) == Settings()


def test_every_key_stands_in_the_shipped_file_with_a_comment_before_or_above_its_group() -> None:
    text = shipped("service.yaml").read_text(encoding="utf-8")
    written: list[str] = []
    above: list[str] = []
    for line in text.splitlines():
        bare = line.replace("# state:", "state:")
        name, colon, _ = bare.strip().partition(":")
        if not colon or bare.lstrip().startswith("#") or " " in name:
            continue
        depth = (len(bare) - len(bare.lstrip())) // 2
        above = [*above[:depth], name]
        written.append(".".join(above))
    assert sorted(written) == sorted(keys(Settings))


def test_without_a_file_the_defaults_hold() -> None:
    assert load_settings(None, HERE) == Settings()


def test_an_empty_file_and_an_emptied_section_mean_the_defaults(tmp_path: Path) -> None:
    assert load("", tmp_path) == Settings()
    assert load("receiver:\n  # port: 104\n", tmp_path) == Settings()


# --- values -----------------------------------------------------------------------------------


def test_what_the_file_says_goes_before_the_defaults(tmp_path: Path) -> None:
    settings = load(
        """
        receiver:
          port: 104
          acknowledge: database
          calling_ae_titles: [CT_1, "NO"]
          calling_addresses: [10.0.0.0/8, "::1"]
        folder: {after: delete, quiet_s: 500 ms, archive_bytes_max: 1.5 GiB}
        assembly: {quiet_s_by_ae: {MR_1: 2 min, NO: 7}}
        spool: {free_bytes_min: 10 MB, path: /spool}
        worker: {attempts_max: 5.0}
        """,
        tmp_path,
    )
    assert settings == Settings(
        receiver=ReceiverSettings(
            port=104,
            acknowledge=Acknowledge.DATABASE,
            calling_ae_titles=("CT_1", "NO"),
            calling_addresses=("10.0.0.0/8", "::1"),
        ),
        folder=FolderSettings(
            after=AfterIntake.DELETE, quiet_s=0.5, archive_bytes_max=GIB + 512 * MIB
        ),
        assembly=AssemblySettings(quiet_s_by_ae={"MR_1": 120.0, "NO": 7.0}),
        spool=SpoolSettings(free_bytes_min=10_000_000, path=Path("/spool")),
        worker=WorkerSettings(attempts_max=5),
    )


def test_paths_are_relative_to_the_folder_of_the_file_and_to_home(tmp_path: Path) -> None:
    path = tmp_path / "service.yaml"
    path.write_text("spool: {path: s}\nreports: {folder: ~/r}\nmodels: {folder: ../m}\n")
    settings = load_settings(path, {**HERE, "HOME": "/home/qa"})
    assert settings.spool_folder == tmp_path / "s"
    assert settings.report_folder == Path("/home/qa/r")
    assert settings.models.folder == tmp_path / "../m"


def test_places_follow_from_the_state_folder(tmp_path: Path) -> None:
    settings = load(f"state: {tmp_path}", tmp_path)
    assert settings.spool_folder == tmp_path / "spool"
    assert settings.incoming_folder == tmp_path / "incoming"
    assert settings.report_folder == tmp_path / "reports"
    assert settings.store_url == f"sqlite:///{tmp_path}/qa-daemon.sqlite"


def test_the_environment_goes_before_the_file_for_secrets_only(tmp_path: Path) -> None:
    path = tmp_path / "service.yaml"
    path.write_text("store: {url: 'sqlite:////tmp/a'}\n")
    environment = {**HERE, "QA_DAEMON_STORE_URL": URL, "QA_DAEMON_RECEIVER_PORT": "5"}
    settings = load_settings(path, environment)
    assert settings.store_url == URL
    assert settings.receiver.port == 11112


def test_the_command_line_goes_before_all_and_is_relative_to_where_it_was_typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "etc").mkdir()
    path = tmp_path / "etc" / "service.yaml"
    path.write_text("receiver: {port: 104}\nstate: /nowhere\n")
    settings = load_settings(
        path,
        HERE,
        {"receiver.port": 0, "state": Path("s"), "log.level": None, "rules.disabled": ["A-1"]},
    )
    assert (settings.receiver.port, settings.state) == (0, tmp_path / "s")
    assert settings.log.level == "info"
    assert settings.rules.disabled == ("A-1",)


def test_a_fault_of_the_command_line_says_so() -> None:
    with pytest.raises(FaultyConfigurationError) as caught:
        load_settings(None, HERE, {"receiver.port": 70000})
    assert str(caught.value) == (
        "command line: receiver.port: 70000 is out of range, use 0 to 65535"
    )


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"STATE_DIRECTORY": "/var/lib/a:/var/lib/b"}, "/var/lib/a"),
        ({"HOME": "/home/qa"}, "/home/qa/.local/state/qa-daemon"),
        ({"HOME": "/home/qa", "XDG_STATE_HOME": "/x"}, "/x/qa-daemon"),
    ],
)
def test_state_lies_where_the_surroundings_say(
    environment: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert default_state(environment) == Path(expected)


def test_the_state_of_root_is_the_services(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert default_state({"HOME": "/root"}) == Path("/var/lib/qa-daemon")


# --- faults -----------------------------------------------------------------------------------


def test_all_faults_are_named_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    assert faults(
        """
receiver:
  prot: 104
  port: 99999
  calling_ae_titles: CT_1
  open_to_all: "yes"
  acknowledge: soon
stor: {}
quiet_s: 3
assembly: {quiet_s_by_ae: {ABCDEFGHIJKLMNOPQ: 1}}
store: {lock_timeout_s: 5 fortnights}
limits: {nesting_max: 3.5}
folder: 3
worker: {poll_s: .inf, slices_max: }
log: {level: loud}
log: {format: json}
""",
        tmp_path,
    ) == [
        "3: receiver.prot: unknown key; the nearest known one is `port`",
        "4: receiver.port: 99999 is out of range, use 0 to 65535",
        "5: receiver.calling_ae_titles: write a list: [first, second]",
        "6: receiver.open_to_all: write true or false, not 'yes'",
        "7: receiver.acknowledge: use spool or database, not 'soon'",
        "8: stor: unknown key; the nearest known one is `store`",
        "9: quiet_s: unknown key here; there is `assembly.quiet_s`",
        (
            "10: assembly.quiet_s_by_ae: 'ABCDEFGHIJKLMNOPQ' is no AE title:"
            " 1 to 16 ASCII characters, no backslash"
        ),
        "11: store.lock_timeout_s: unknown unit; use ms, s, min, h, not 'fortnights'",
        "12: limits.nesting_max: write a whole number, not '3.5'",
        "13: folder: write `key: value` lines below it",
        "14: worker.poll_s: write a number of seconds, or such as `5 min`, not '.inf'",
        "14: worker.slices_max: has no value; leave the line out to keep the default",
        "16: log: also on line 15",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("receiver: {calling_ae_titles: [12]}", "write text, in quotes"),
        ("receiver: {calling_ae_titles: ['A\\B']}", "is no AE title"),
        ("receiver: {calling_addresses: [10.0.0.300]}", "is no address or network"),
        ("receiver: {denied_sop_classes: [1.02]}", "write text"),
        ("receiver: {denied_sop_classes: ['1.02.3']}", "is no UID"),
        ("receiver: {host: 'a b'}", "is no address or host name"),
        ("receiver: {port: yes}", "write a whole number"),
        ("worker: {poll_s: often}", "write a number of seconds, or such as `5 min`, not 'often'"),
        ("spool: {quota_bytes: -1}", "out of range, use 0 or more"),
        ("spool: {path: 3}", "write a path, not '3'"),
        ("spool: {path: ''}", "write a path"),
        ("assembly: {quiet_s_by_ae: [1]}", "write `name: value` lines"),
        ("log: {level: loud}", "use debug, info, warning or error"),
        ("limits: {items_max: 0}", "must be > 0"),
        ("zzz: 1", "unknown key; the nearest known one is `"),
        ("receiver: {when: 2026-13-45}", "unknown key"),
        ("log: {level: 2026-13-45}", "'2026-13-45' is unknown"),
        ("log: {level: 2026-10-05}", "'2026-10-05' is unknown"),
        ("? [a]\n: 1", "unknown key"),
    ],
)
def test_a_wrong_value_says_what_is_accepted(text: str, message: str, tmp_path: Path) -> None:
    (fault,) = faults(text, tmp_path)
    assert message in fault


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("receiver: [", "no YAML"),
        ("- 1", "write `key: value` lines"),
        ("a: \x00", "no YAML"),
        ("a: !!python/object:os.system x", "unknown key"),
        ("x" * (2 << 20), "too long"),
        (DOUBLING, "too many values"),
        ("receiver: " + "[" * 5000 + "]" * 5000, "nested too deep"),
        ("receiver: &r {tls: *r}", "nested too deep"),
    ],
)
def test_what_is_no_configuration_is_refused(text: str, message: str, tmp_path: Path) -> None:
    assert any(message in fault for fault in faults(text, tmp_path))


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(FaultyConfigurationError, match=r"absent\.yaml: cannot be read: No such"):
        load_settings(tmp_path / "absent.yaml", HERE)
    latin = tmp_path / "latin.yaml"
    latin.write_bytes(b"log: {level: \xe4}")
    with pytest.raises(FaultyConfigurationError, match="is not UTF-8"):
        load_settings(latin, HERE)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.1.2.3", "pacs.example"])  # noqa: S104  it is the point
def test_other_machines_are_let_in_only_by_name_or_outright(host: str, tmp_path: Path) -> None:
    (fault,) = faults(f"receiver: {{host: '{host}'}}", tmp_path)
    assert fault.startswith("1: receiver.host: other machines could send: name them in")
    for allowed in (
        "open_to_all: true",
        "calling_ae_titles: [CT]",
        "calling_addresses: [10.1.2.4]",
    ):
        assert load(f"receiver: {{host: '{host}', {allowed}}}", tmp_path).receiver.host == host


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_this_machine_is_always_let_in(host: str, tmp_path: Path) -> None:
    assert load(f"receiver: {{host: '{host}'}}", tmp_path).receiver.host == host


def test_a_faulty_allow_list_is_not_called_an_absent_one(tmp_path: Path) -> None:
    (fault,) = faults("receiver: {host: 0.0.0.0, calling_ae_titles: CT}", tmp_path)
    assert "write a list" in fault


def test_pages_for_other_machines_are_said_outright(tmp_path: Path) -> None:
    open_to_whom, in_clear, by_what_name = faults("web: {host: 0.0.0.0}", tmp_path)
    assert "web.host: other machines could open the pages" in open_to_whom
    assert "web.host: passwords would cross the network in clear" in in_clear
    assert "web.host: needs web.public_url" in by_what_name
    said = "{host: 0.0.0.0, open_to_all: true, without_tls: true, public_url: 'http://qa:11180'}"
    assert load(f"web: {said}", tmp_path).web.open_to_all


def test_a_bound_that_contradicts_another_is_named(tmp_path: Path) -> None:
    (fault,) = faults("limits: {nesting_max: 10}", tmp_path)
    assert "nesting_usual_max: is more than nesting_max" in fault


# --- secrets ----------------------------------------------------------------------------------


def test_a_secret_is_neither_shown_nor_quoted(tmp_path: Path) -> None:
    shown = show(load_settings(None, {**HERE, "QA_DAEMON_STORE_URL": URL}))
    assert f"url: '{HIDDEN}'" in shown
    assert "hunter2" not in shown
    for text in ("store: {url: 'mysql://qa:hunter2@db'}", "store: {url: [hunter2]}"):
        assert "hunter2" not in str(faults(text, tmp_path))


def test_what_is_shown_can_be_loaded_again(tmp_path: Path) -> None:
    settings = load("assembly: {quiet_s_by_ae: {NO: 7}}\nrules: {folders: [r]}", tmp_path)
    assert load(show(settings), tmp_path) == settings


_TITLES = st.text(st.sampled_from("ABCxyz_ -019[]~"), min_size=1, max_size=16).filter(str.strip)
_DURATIONS = st.floats(0.001, 86_400, allow_nan=False)


@given(
    settings=st.builds(
        Settings,
        receiver=st.builds(
            ReceiverSettings,
            ae_title=_TITLES,
            port=st.integers(0, 65535),
            calling_ae_titles=st.lists(_TITLES, max_size=3).map(tuple),
            strict=st.booleans(),
            acknowledge=st.sampled_from(Acknowledge),
            pdu_timeout_s=_DURATIONS,
        ),
        assembly=st.builds(
            AssemblySettings, quiet_s_by_ae=st.dictionaries(_TITLES, _DURATIONS, max_size=3)
        ),
        rules=st.builds(
            RuleSettings,
            disabled=st.lists(
                st.from_regex(r"[A-Z]{1,6}-[0-9]{3}", fullmatch=True), max_size=2
            ).map(tuple),
            folders=st.lists(st.sampled_from([Path("/a b"), Path("/ö:#")])).map(tuple),
        ),
        log=st.builds(LogSettings, level=st.sampled_from(["debug", "error"])),
        limits=st.builds(Limits, object_bytes_max=st.integers(1, 1 << 50)),
    )
)
def test_any_configuration_survives_being_shown(
    settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.getbasetemp()
    assert load(show(settings), folder) == settings


# --- TLS --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with two pairs of certificate and key, one key with a password."""
    folder = tmp_path_factory.mktemp("pem")
    for name in ("a", "b"):
        subprocess.run(  # noqa: S603  fixed arguments
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}",  # noqa: S607
             "-keyout", str(folder / f"{name}.key"), "-out", str(folder / f"{name}.pem")],
            check=True, capture_output=True,
        )  # fmt: skip
    subprocess.run(  # noqa: S603
        ["openssl", "rsa", "-aes128", "-passout", "pass:xyz1", "-in", str(folder / "a.key"),  # noqa: S607
         "-out", str(folder / "locked.key")],
        check=True, capture_output=True,
    )  # fmt: skip
    return folder


def tls(folder: Path, pem: Path, **names: str) -> list[str]:
    lines = [f"    {key}: {pem / name}" for key, name in names.items()]
    return faults("receiver:\n  tls:\n" + "\n".join(lines), folder)


def test_a_pair_that_fits_is_taken(pem: Path, tmp_path: Path) -> None:
    text = f"certificate: {pem}/a.pem, private_key: {pem}/a.key, client_authorities: {pem}/b.pem"
    assert (
        load(f"receiver: {{tls: {{{text}}}}}", tmp_path).receiver.tls.certificate == pem / "a.pem"
    )


def test_half_of_tls_is_refused(pem: Path, tmp_path: Path) -> None:
    for one in ("certificate", "private_key"):
        (fault,) = tls(tmp_path, pem, **{one: "a.pem"})
        assert "certificate and private_key are needed both" in fault
    (fault,) = tls(tmp_path, pem, client_authorities="a.pem")
    assert "client_authorities needs certificate and private_key" in fault


def test_absent_files_of_tls_are_each_named(pem: Path, tmp_path: Path) -> None:
    first, second = tls(tmp_path, pem, certificate="x.pem", private_key="x.key")
    assert first.startswith("3: receiver.tls.certificate: ")
    assert first.endswith("x.pem cannot be read: No such file or directory")
    assert second.startswith("4: receiver.tls.private_key: ")


@pytest.mark.parametrize(
    ("certificate", "key"), [("a.pem", "b.key"), ("a.pem", "locked.key"), ("a.key", "a.key")]
)
def test_files_of_tls_that_do_not_serve_are_refused(
    certificate: str, key: str, pem: Path, tmp_path: Path
) -> None:
    (fault,) = tls(tmp_path, pem, certificate=certificate, private_key=key)
    assert "certificate and private_key do not serve: " in fault


def test_authorities_without_a_certificate_are_refused(pem: Path, tmp_path: Path) -> None:
    (fault,) = tls(
        tmp_path, pem, certificate="a.pem", private_key="a.key", client_authorities="a.key"
    )
    assert "holds no certificates" in fault


def test_every_number_has_a_bound() -> None:
    def unbounded(kind: type) -> list[str]:
        found = []
        for attribute in attrs.fields(kind):
            if isinstance(attribute.type, type) and attrs.has(attribute.type):
                found += unbounded(attribute.type)
            elif attribute.type in (int, float) and attribute.validator is None:
                found.append(f"{kind.__name__}.{attribute.name}")
        return found

    assert unbounded(Settings) == []
