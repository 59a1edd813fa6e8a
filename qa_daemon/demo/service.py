"""The demo's service: started as a site would start it, sent to as a site would send."""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from secrets import token_urlsafe
from time import monotonic
from typing import Final

import yaml
from attrs import frozen
from pydicom import dcmread
from pynetdicom import AE
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]  # made at run time

from qa_daemon.config.load import load_settings
from qa_daemon.demo.plan import Sending
from qa_daemon.errors import ConfigurationError, RetryableError
from qa_daemon.queue.accounts import links
from qa_daemon.queue.accounts.people import add_local
from qa_daemon.queue.accounts.permissions import Role
from qa_daemon.store.accounts import user_rows
from qa_daemon.store.audit.entries import Operator
from qa_daemon.store.database import Store

START_TIMEOUT_S: Final = 60.0
STOP_TIMEOUT_S: Final = 30.0
# A series is quiet for this long before it is examined: short, as nobody else sends.
QUIET_S: Final = 2.0
FILE_QUIET_S: Final = 0.5
POLL_S: Final = 0.1
DEMO_AE_TITLE: Final = "DEMO-SENDER"
ACCOUNT: Final = "demo"
HEADING: Final = "# Written by qa-daemon demo.\n"


@frozen
class Service:
    """A running service."""

    process: "subprocess.Popen[bytes]"
    configuration: Path
    state: Path
    port: int

    @property
    def incoming(self) -> Path:
        """The watched folder."""
        return self.state / "incoming"

    def entrance(self) -> str:
        """Return a link that signs in to the demo's own account, once."""
        settings = load_settings(self.configuration)
        now = datetime.now(UTC)
        with Store(settings.store_url, settings.store.lock_timeout_s) as store:
            user = user_rows.by_name(store, ACCOUNT)
            if user is None:
                password = token_urlsafe()  # known to nobody: the link is the way in
                user = add_local(store, ACCOUNT, password, Role.ADMIN, Operator(ACCOUNT, now))
            secret = links.offer_entry(store, user, now)
        return f"http://{settings.web.host}:{settings.web.port}/enter/{secret}"

    @property
    def log(self) -> Path:
        """What the service said."""
        return self.state / "service.log"


@contextmanager
def running(state: Path, port: int) -> Iterator[Service]:
    """Run the real service in `state`, with an embedded database; end it with the block.

    Raises
    ------
    ConfigurationError
        If the folder is somebody else's, or the service does not answer in time; its own words
        are in the log that is named.
    """
    configuration = state / "service.yaml"
    _make_folder(state, configuration)
    port = _free_port(port)
    configuration.write_text(HEADING + yaml.safe_dump(_configuration(state, port)))
    with (state / "service.log").open("ab") as log:
        # The command is our own interpreter with our own module.
        process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", "qa_daemon", "serve", "--config", str(configuration)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    service = Service(process, configuration, state, port)
    try:
        _await_echo(service)
        yield service
    finally:
        _end(process)


def send_by_association(sendings: Sequence[Sending], port: int) -> Iterator[Sending]:
    """C-STORE each series over one association; yield it once all of it is acknowledged."""
    objects = [(each, dcmread(BytesIO(content))) for each in sendings for content in each.objects]
    entity = AE(ae_title=DEMO_AE_TITLE)
    for sop_class, syntax in sorted(
        {(str(ds.SOPClassUID), str(ds.file_meta.TransferSyntaxUID)) for _, ds in objects}
    ):
        entity.add_requested_context(sop_class, syntax)
    association = entity.associate("127.0.0.1", port)
    if not association.is_established:
        raise RetryableError("the service refused the association; its log says why")
    try:
        for sending in sendings:
            for data_set in (ds for each, ds in objects if each is sending):
                status = association.send_c_store(data_set).get("Status")
                if status != 0:
                    raise RetryableError(f"a C-STORE was answered {status}; the log says why")
            yield sending
    finally:
        association.release()


def drop_in_folder(sendings: Sequence[Sending], incoming: Path) -> Iterator[Sending]:
    """Write each series into the watched folder, under a hidden name until it is whole."""
    for number, sending in enumerate(sendings):
        for index, content in enumerate(sending.objects):
            hidden = incoming / f".demo-{number:02}-{index:03}"
            hidden.write_bytes(content)
            hidden.replace(incoming / f"demo-{number:02}-{index:03}.dcm")
        yield sending


def _make_folder(state: Path, configuration: Path) -> None:
    """Make the state folder, or take that of an earlier demo; no other may be written to."""
    try:
        state.mkdir(parents=True, exist_ok=True)
        is_used = any(state.iterdir())
        is_ours = configuration.is_file() and configuration.read_text().startswith(HEADING)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"--state {state}: cannot be used: {error}") from error
    if is_used and not is_ours:
        raise ConfigurationError(
            f"--state {state}: is not empty and no demo's; name an empty folder, or leave it out"
        )


def _configuration(state: Path, port: int) -> dict[str, object]:
    return {
        "state": str(state),
        "receiver": {"host": "127.0.0.1", "port": port},
        "folder": {"quiet_s": FILE_QUIET_S},
        "assembly": {"quiet_s": QUIET_S},
        "log": {"format": "json"},
        "web": {"port": _free_port()},  # another service may run here
    }


def _free_port(wanted: int = 0) -> int:
    """Return a port on which nobody listens: the wanted one, or any for 0."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError as error:
            raise ConfigurationError(
                f"--port {wanted}: {error.strerror}; name another, or leave it out"
            ) from error
        return int(probe.getsockname()[1])


def _await_echo(service: Service) -> None:
    entity = AE(ae_title=DEMO_AE_TITLE)
    entity.add_requested_context(Verification)
    pause = threading.Event()
    end = monotonic() + START_TIMEOUT_S
    while monotonic() < end and service.process.poll() is None:
        with socket.socket() as probe:
            probe.settimeout(POLL_S)
            answers = probe.connect_ex(("127.0.0.1", service.port)) == 0
        if answers:
            association = entity.associate("127.0.0.1", service.port)
            if association.is_established:
                echoed = association.send_c_echo().get("Status") == 0
                association.release()
                if echoed and service.incoming.is_dir():
                    return
        pause.wait(POLL_S)
    raise ConfigurationError(f"the service did not start; see {service.log}")


def _end(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_TIMEOUT_S)
        except (subprocess.TimeoutExpired, KeyboardInterrupt):
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
