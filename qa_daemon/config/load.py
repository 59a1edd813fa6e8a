"""Load service.yaml, the environment's secrets and the command line into one `Settings`.

Later ones win: defaults, file, environment, command line. Relative paths of the file are relative
to the folder in which it lies.
"""

import ipaddress
import os
import ssl
from collections.abc import Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Final

import attrs
import yaml

from qa_daemon.config.given import Fault, FaultyConfigurationError, Given, parse
from qa_daemon.config.settings import OidcSettings, Settings, Tls, WebSettings
from qa_daemon.config.structure import Structuring, settable

# Secrets may come from the environment instead, so that the file can be read by everybody.
# Nothing else of the product's configuration is taken from there.
SECRETS: Final[Mapping[str, str]] = {
    "QA_DAEMON_STORE_URL": "store.url",
    "QA_DAEMON_OIDC_SECRET": "web.oidc.client_secret",
}

SERVICE_STATE: Final = Path("/var/lib/qa-daemon")
HIDDEN: Final = "***"


def load_settings(
    path: Path | None,
    environment: Mapping[str, str] | None = None,
    overrides: Mapping[str, object] | None = None,
) -> Settings:
    """Return the configuration in force.

    Parameters
    ----------
    path
        A service.yaml; None = the defaults, which are those of the shipped one.
    environment
        `os.environ` unless a test says otherwise: the names in `SECRETS`, and where the state
        folder lies if nobody says so (`STATE_DIRECTORY` of systemd, `XDG_STATE_HOME`, `HOME`).
    overrides
        What the command line says, by key: `{"receiver.port": 0, "state": Path("s")}`. A None says
        nothing.

    Raises
    ------
    FaultyConfigurationError
        With every fault at once.
    """
    surroundings = os.environ if environment is None else environment
    given, faults = (Given("", "", {}), []) if path is None else parse(_text_of(path), str(path))
    for name, key in SECRETS.items():
        if surroundings.get(name):
            given = given.placed(Given(f"environment {name}", key, surroundings[name]))
    for key, value in (overrides or {}).items():
        if value is not None:
            given = given.placed(Given("command line", key, value))
    assert isinstance(given.value, Mapping)
    if "state" not in given.value:
        given = given.placed(Given("default", "state", default_state(surroundings)))
    folder = Path() if path is None else path.parent
    structuring = Structuring(folder, Path(surroundings.get("HOME", "/")))
    settings = structuring.record(Settings, given)
    faults += structuring.faults
    wrong = {fault.key for fault in faults}
    faults += [fault for fault in _contradictions(settings, given) if not wrong & _behind(fault)]
    if faults:
        raise FaultyConfigurationError(tuple(sorted(faults, key=lambda fault: fault.line)))
    places = dict(_places_of_rules(given))
    return attrs.evolve(settings, rules=attrs.evolve(settings.rules, places=places))


def _places_of_rules(given: Given) -> Iterator[tuple[str, str]]:
    """Yield where each rule is named; whether there is such a rule is found out later."""
    rules = given.value.get("rules") if isinstance(given.value, Mapping) else None
    written = rules.value if rules is not None and isinstance(rules.value, Mapping) else {}
    for key, section in written.items():
        members = section.value if isinstance(section.value, tuple) else ()
        if key == "disabled":
            yield from ((f"{key} {each.value}", each.where) for each in members)
        elif key == "exceptions":
            for member in members:
                named = member.value.get("rules") if isinstance(member.value, Mapping) else None
                listed = named.value if named is not None else ()
                yield from ((f"{key} {each.value}", each.where) for each in listed or ())
        elif key == "changes" and isinstance(section.value, Mapping):
            yield from ((f"{key} {name}", each.where) for name, each in section.value.items())


def default_state(environment: Mapping[str, str]) -> Path:
    """Return where state lies if nobody says so: systemd's place, the system's, or the user's."""
    if environment.get("STATE_DIRECTORY"):
        return Path(environment["STATE_DIRECTORY"].partition(":")[0])
    if os.geteuid() == 0:
        return SERVICE_STATE
    home = Path(environment.get("HOME", "/"))
    return Path(environment.get("XDG_STATE_HOME") or home / ".local" / "state") / "qa-daemon"


def show(settings: Settings) -> str:
    """Return the configuration in force as YAML that can be loaded again, but for its secrets."""
    return yaml.safe_dump(_plain(settings), sort_keys=False, allow_unicode=True, width=100)


def _plain(value: object) -> object:
    kind = type(value)
    if attrs.has(kind):
        return {
            attribute.name: HIDDEN
            if attribute.metadata.get("secret") and getattr(value, attribute.name)
            else _plain(getattr(value, attribute.name))
            for attribute in settable(kind)
        }
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, tuple):
        return [_plain(member) for member in value]
    if isinstance(value, dict):
        return {name: _plain(member) for name, member in value.items()}
    return str(value) if isinstance(value, Path) else value


def _text_of(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FaultyConfigurationError((Fault(str(path), "", "is not UTF-8"),)) from error
    except OSError as error:
        reason = f"cannot be read: {error.strerror}"
        raise FaultyConfigurationError((Fault(str(path), "", reason),)) from error


def _contradictions(settings: Settings, given: Given) -> Iterator[Fault]:
    """Yield what is wrong between values that are right one by one."""
    receiver = settings.receiver
    names_somebody = receiver.calling_ae_titles or receiver.calling_addresses
    if not (_is_loopback(receiver.host) or names_somebody or receiver.open_to_all):
        yield _at(given, "receiver.host").fault(
            "other machines could send: name them in calling_ae_titles or calling_addresses,"
            " or set open_to_all: true"
        )
    yield from _wrong_tls("receiver.tls", receiver.tls, given)
    hl7 = settings.orders.hl7
    if hl7.enabled and not (_is_loopback(hl7.host) or hl7.addresses):
        yield _at(given, "orders.hl7.host").fault(
            "other machines could send orders: name them in orders.hl7.addresses"
        )
    yield from _too_open(settings.web, given)
    yield from _half_named(settings.web.oidc, given)
    yield from _wrong_tls("web.tls", settings.web.tls, given)
    if settings.limits.nesting_usual_max > settings.limits.nesting_max:
        yield _at(given, "limits.nesting_usual_max").fault("is more than nesting_max")


def _too_open(web: WebSettings, given: Given) -> Iterator[Fault]:
    """Yield what lets others than this machine in without anybody having said so."""
    if _is_loopback(web.host):
        return
    place = _at(given, "web.host")
    if not (web.addresses or web.open_to_all):
        yield place.fault(
            "other machines could open the pages: name them in web.addresses,"
            " or set open_to_all: true"
        )
    if web.tls.certificate is None and not web.without_tls:
        yield place.fault(
            "passwords would cross the network in clear: give web.tls, or set without_tls: true"
        )
    if not web.public_url:
        yield place.fault("needs web.public_url: what people type to come here")


def _half_named(oidc: OidcSettings, given: Given) -> Iterator[Fault]:
    if oidc.issuer and not (oidc.client_id and oidc.client_secret):
        yield _at(given, "web.oidc.issuer").fault("needs client_id and client_secret, too")


def _behind(fault: Fault) -> set[str]:
    """Return the keys on which a contradiction rests: with one of them wrong it means nothing."""
    if fault.key != "receiver.host":
        return {fault.key}
    return {"receiver.calling_ae_titles", "receiver.calling_addresses", "receiver.open_to_all"}


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False  # a name: it may be any address


def _wrong_tls(key: str, tls: Tls, given: Given) -> Iterator[Fault]:
    place = _at(given, key)
    if (tls.certificate is None) != (tls.private_key is None):
        yield place.fault("certificate and private_key are needed both")
        return
    if tls.certificate is None and tls.client_authorities is not None:
        yield place.fault("client_authorities needs certificate and private_key")
        return
    unreadable = list(_unreadable(key, tls, given))
    yield from unreadable
    if tls.certificate is not None and not unreadable:
        yield from _unfit(key, tls, given)


def _unreadable(key: str, tls: Tls, given: Given) -> Iterator[Fault]:
    for name in ("certificate", "private_key", "client_authorities"):
        path: Path | None = getattr(tls, name)
        try:
            if path is not None:
                path.open("rb").close()
        except OSError as error:
            place = _at(given, f"{key}.{name}")
            yield place.fault(f"{path} cannot be read: {error.strerror}")


def _unfit(key: str, tls: Tls, given: Given) -> Iterator[Fault]:
    assert tls.certificate is not None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        # With a password at hand OpenSSL does not ask the terminal for the key's.
        context.load_cert_chain(tls.certificate, tls.private_key, password="")
    except OSError as error:
        place = _at(given, f"{key}.certificate")
        yield place.fault(f"certificate and private_key do not serve: {_reason(error)}")
    try:
        if tls.client_authorities is not None:
            context.load_verify_locations(tls.client_authorities)
    except OSError as error:
        place = _at(given, f"{key}.client_authorities")
        yield place.fault(f"holds no certificates: {_reason(error)}")


def _reason(error: OSError) -> str:
    return getattr(error, "reason", None) or "no PEM, or a key with a password"


def _at(given: Given, key: str) -> Given:
    """Return what stands at `key`, or the nearest section above it that was written."""
    here = given
    for name in key.split("."):
        if not isinstance(here.value, Mapping) or name not in here.value:
            return Given(here.where or "default", key, None, here.line)
        here = here.value[name]
    return here
