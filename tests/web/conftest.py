"""A real web service on a state that the real pipeline has filled, and a browser that looks at it.

`site` is one `qa-daemon serve web` per module, with a user of each role; `page` a browser page that
nobody has signed in to; `sign_in` signs one in. Findings lie in it as the demo makes them.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Any, Final

import httpx
import pytest
import yaml
from attrs import define, field
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from qa_daemon.config.load import load_settings
from qa_daemon.config.settings import Settings
from qa_daemon.demo.plan import sendings
from qa_daemon.ops.receiving import receiving
from qa_daemon.ops.working import working
from qa_daemon.queue.accounts.people import add_local
from qa_daemon.queue.accounts.permissions import Role
from qa_daemon.store import series_rows
from qa_daemon.store.audit.entries import Operator
from qa_daemon.store.database import Store
from qa_daemon.store.migrations.schema import prepare
from qa_daemon.store.previews import preview_rows
from qa_daemon.telemetry import log as telemetry

DEADLINE_S: Final = 60.0
PASSWORD: Final = "correct horse battery"  # noqa: S105  of users that live as long as a test
BY: Final = Operator("tests", datetime(2026, 3, 1, tzinfo=UTC))
#: One user of each role, named as it.
USERS: Final = tuple(role.value for role in Role)
CHROMIUM: Final = "/usr/bin/chromium"
#: Chromium runs as root in no sandbox of its own, and finds little shared memory in a container.
CHROMIUM_ARGUMENTS: Final = ("--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu")
SETTLED: Final = {"clean", "waiting", "quarantined"}


@define
class Site:
    """A running web service.

    Attributes
    ----------
    url
        Without a slash at its end.
    """

    state: Path
    configuration: Path
    log: Path
    process: "subprocess.Popen[bytes]"
    url: str = ""
    _stores: list[Store] = field(factory=list, init=False)
    _clients: list[httpx.Client] = field(factory=list, init=False)

    @property
    def settings(self) -> Settings:
        return load_settings(self.configuration, {})

    @property
    def store(self) -> Store:
        """The service's own store, to look at or to put something into."""
        if not self._stores:
            self._stores.append(Store(self.settings.store_url, 5.0))
        return self._stores[0]

    def client(self) -> httpx.Client:
        """Return a client that follows no redirects and keeps cookies; closed with the site."""
        self._clients.append(httpx.Client(base_url=self.url, timeout=DEADLINE_S))
        return self._clients[-1]

    def signed_in(self, name: str = "technician", password: str = PASSWORD) -> "Session":
        """Return a client of somebody who has signed in by the form."""
        client = self.client()
        asked = client.get("/sign-in")
        given = {"name": name, "password": password, "csrf": csrf_in(asked.text)}
        answer = client.post("/sign-in", data=given)
        assert answer.status_code == 303, answer.text
        return Session(client, csrf_in(client.get("/account").text))

    def end(self) -> None:
        for client in self._clients:
            client.close()
        for store in self._stores:
            store.close()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(DEADLINE_S)
        assert "Traceback" not in self.log.read_text()


@define
class Session:
    """A signed-in client, with the token that its requests need."""

    client: httpx.Client
    csrf: str

    def get(self, path: str, **more: Any) -> httpx.Response:
        return self.client.get(path, **more)

    def post(self, path: str, fields: dict[str, Any] | None = None, **more: Any) -> httpx.Response:
        return self.client.post(path, data={"csrf": self.csrf, **(fields or {})}, **more)


def csrf_in(page: str) -> str:
    """Return the token that a page carries."""
    return page.partition('name="csrf" content="')[2].partition('"')[0]


def started(state: Path, changes: dict[str, Any] | None = None) -> Site:
    """Start `qa-daemon serve web` on a state folder, on a free port of loopback."""
    configuration, log = state / "service.yaml", state / "web.log"
    web = {"port": 0, **(changes or {})}
    given = {"state": str(state), "web": web, "log": {"format": "json"}}
    configuration.write_text(yaml.safe_dump(given))
    with log.open("ab") as said:
        process = subprocess.Popen(  # noqa: S603  our own command
            [sys.executable, "-m", "qa_daemon", "serve", "web", "--config", str(configuration)],
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
        )
    site = Site(state, configuration, log, process)
    scheme = "https" if "tls" in web else "http"
    site.url = f"{scheme}://{awaited(site, 'web.listening')['listening']}"
    return site


def awaited(site: Site, event: str) -> dict[str, Any]:
    """Wait for a line of the service's log."""
    until = monotonic() + DEADLINE_S
    while True:
        for line in site.log.read_text().splitlines():
            if f'"event": "{event}"' in line:
                found: dict[str, Any] = json.loads(line)
                return found
        assert site.process.poll() is None, site.log.read_text()
        assert monotonic() < until, event
        threading.Event().wait(0.02)


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Fill a state folder with the demo's series, by the real receiver and the real worker."""
    state = tmp_path_factory.mktemp("filled") / "state"
    configuration = state.with_name("fill.yaml")
    fast = {
        "receiver": {"port": 0},
        "folder": {"quiet_s": 0, "rescan_s": 0.5},
        "assembly": {"quiet_s": 0, "gap_wait_max_s": 0},
    }
    configuration.write_text(yaml.safe_dump({"state": str(state), **fast}))
    settings = load_settings(configuration, {})
    planned = sendings()
    wanted = sum(len(each.objects) for each in planned)
    prepare(settings.store_url)
    with Store(settings.store_url, 5.0) as store:
        with receiving(settings) as reception:
            settings.incoming_folder.mkdir(exist_ok=True)
            for number, content in enumerate(o for each in planned for o in each.objects):
                whole = state / f"{number}.dcm"  # written beside the watched folder, moved in whole
                whole.write_bytes(content)
                whole.rename(settings.incoming_folder / whole.name)
            eventually(lambda: series_rows.counts(store).instances >= wanted, "all came")
            assert reception.turn() > 0
        with working(settings, lambda: None) as shift:
            eventually(lambda: _is_judged(store, shift.turn), "all are judged")
        for name in USERS:
            add_local(store, name, PASSWORD, Role(name), Operator("tests", datetime.now(UTC)))
    telemetry.stop()
    return state


def _is_judged(store: Store, turn: Callable[[], float]) -> bool:
    turn()
    settled = {state.value for state in series_rows.counts(store).series} <= SETTLED
    return settled and preview_rows.next_due(store) is None


def eventually(holds: Callable[[], bool], what: str) -> None:
    """Wait for something that another thread or process brings about."""
    until = monotonic() + DEADLINE_S * 2
    while not holds():
        assert monotonic() < until, what
        threading.Event().wait(0.01)


@pytest.fixture
def copy_of(filled: Path, tmp_path: Path) -> Path:
    """Return a filled state folder of the test's own."""
    return Path(shutil.copytree(filled, tmp_path / "state"))


@pytest.fixture(scope="module")
def site(filled: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Run one web service for the tests of a module."""
    state = tmp_path_factory.mktemp("site") / "state"
    shutil.copytree(filled, state)
    made = started(state)
    yield made
    made.end()


@pytest.fixture
def free_port() -> int:
    """Return a port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Run Debian's Chromium for the whole test run."""
    os.environ.setdefault("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1")
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=CHROMIUM, args=[*CHROMIUM_ARGUMENTS])
        yield made
        made.close()


@pytest.fixture
def context(browser: Browser, site: Site) -> Iterator[BrowserContext]:
    """Give a browser profile of its own; paths are the site's."""
    made = browser.new_context(base_url=site.url, viewport={"width": 1280, "height": 800})
    made.set_default_timeout(DEADLINE_S * 1000 / 2)
    yield made
    made.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """Give a page, and fail if a script of it did, or if it was refused something by the CSP."""
    made = context.new_page()
    wrong: list[str] = []
    made.on("pageerror", lambda error: wrong.append(str(error)))
    made.on(
        "console",
        lambda said: wrong.append(said.text) if "Content Security Policy" in said.text else None,
    )
    yield made
    assert wrong == []


def sign_in(page: Page, name: str = "technician", password: str = PASSWORD) -> None:
    """Sign a page in, as a person would."""
    page.goto("/sign-in")
    page.fill("#name", name)
    page.fill("#password", password)
    page.press("#password", "Enter")
    page.wait_for_url(lambda url: "/sign-in" not in url)
