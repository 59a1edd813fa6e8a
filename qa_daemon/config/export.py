"""Decisions, and where what they want to be written goes."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from attrs import Attribute, field, frozen

from qa_daemon.config import accepted
from qa_daemon.records.finding import Topic

#: Marks what `config show` hides and no message quotes (as in `settings`).
SECRET = {"secret": True}
REQUIRED = {"required": True}

#: Longer, and a wrong tag would lie in the archive for a shift.
UNDO_WINDOW_S_MAX = 43_200.0


@frozen(kw_only=True)
class DecisionSettings:
    """How people decide."""

    # nothing leaves before, and everything can be undone until then
    undo_window_s: float = field(default=60.0, validator=accepted.between(0, UNDO_WINDOW_S_MAX))
    # topics of which a second person, an approver, must answer, too
    four_eyes: tuple[str, ...] = field(
        default=(), validator=accepted.each(accepted.one_of([each.value for each in Topic]))
    )
    # findings decided at one blow
    batch_max: int = field(default=500, validator=accepted.between(1, 5000))


@frozen(kw_only=True)
class ExportFolderSettings:
    """Change sets as files."""

    enabled: bool = True
    path: Path | None = None  # default: STATE/exports


@frozen(kw_only=True)
class WebhookSettings:
    """A program that is told by HTTP."""

    name: str = field(default="", validator=accepted.place_name, metadata=REQUIRED)
    url: str = field(default="", validator=accepted.http_url, metadata=REQUIRED | SECRET)
    # signs what is sent (HMAC-SHA256); "" = unsigned
    secret: str = field(default="", metadata=SECRET)
    deadline_s: float = field(default=10.0, validator=accepted.between(0.1, 120))
    authorities: Path | None = None  # PEM; None = those of the system


@frozen(kw_only=True)
class UpsSettings:
    """A worklist manager that takes Unified Procedure Steps by N-CREATE."""

    name: str = field(default="", validator=accepted.place_name, metadata=REQUIRED)
    host: str = field(default="", validator=accepted.host_or_none, metadata=REQUIRED)
    port: int = field(default=104, validator=accepted.between(1, 65535))
    ae_title: str = field(default="ANY-SCP", validator=accepted.ae_title)
    deadline_s: float = field(default=15.0, validator=accepted.between(0.1, 120))


@frozen(kw_only=True)
class UpsRsSettings:
    """A worklist manager that takes Unified Procedure Steps over HTTP (UPS-RS)."""

    name: str = field(default="", validator=accepted.place_name, metadata=REQUIRED)
    # of the service; `/workitems` is added
    url: str = field(default="", validator=accepted.http_url, metadata=REQUIRED | SECRET)
    # sent as bearer token; "" = none
    token: str = field(default="", metadata=SECRET)
    deadline_s: float = field(default=15.0, validator=accepted.between(0.1, 120))
    authorities: Path | None = None  # PEM; None = those of the system


@frozen(kw_only=True)
class MailSettings:
    """People who are told by e-mail."""

    name: str = field(default="", validator=accepted.place_name, metadata=REQUIRED)
    host: str = field(default="", validator=accepted.host_or_none, metadata=REQUIRED)
    port: int = field(default=25, validator=accepted.between(1, 65535))
    # none, starttls, tls
    security: str = field(
        default="starttls", validator=accepted.one_of(("none", "starttls", "tls"))
    )
    user: str = ""
    password: str = field(default="", metadata=SECRET)
    sender: str = field(default="", validator=accepted.mail_address, metadata=REQUIRED)
    recipients: tuple[str, ...] = field(
        default=(), validator=accepted.each(accepted.mail_address), metadata=REQUIRED
    )
    # notice = that there is one; whole = the text of the change set, with UIDs and values
    content: str = field(default="notice", validator=accepted.one_of(("notice", "whole")))
    deadline_s: float = field(default=15.0, validator=accepted.between(0.1, 120))
    authorities: Path | None = None  # PEM; None = those of the system


@frozen(kw_only=True)
class RetrySettings:
    """When a place is tried again that did not answer."""

    # doubled with each try, up to `longest_s`
    first_s: float = field(default=5.0, validator=accepted.duration)
    longest_s: float = field(default=900.0, validator=accepted.duration)
    # then it is parked, with an alarm: some 24 hours
    attempts_max: int = field(default=100, validator=accepted.between(1, 10_000))


def _apart(_: object, _attribute: "Attribute[Any]", value: Sequence[Any]) -> None:
    names = [each.name for each in value]
    if len(set(names)) != len(names):
        raise ValueError("two places have one name; give each its own")


@frozen(kw_only=True)
class ExportSettings:
    """Where change sets go."""

    folder: ExportFolderSettings = field(factory=ExportFolderSettings)
    webhooks: tuple[WebhookSettings, ...] = field(default=(), validator=_apart)
    ups: tuple[UpsSettings, ...] = field(default=(), validator=_apart)
    ups_rs: tuple[UpsRsSettings, ...] = field(default=(), validator=_apart)
    mail: tuple[MailSettings, ...] = field(default=(), validator=_apart)
    retry: RetrySettings = field(factory=RetrySettings)

    @property
    def channels(self) -> tuple[str, ...]:
        """Return the names of the places, as the outbox keeps them."""
        return tuple(self._channels())

    def _channels(self) -> Iterator[str]:
        if self.folder.enabled:
            yield "folder"
        yield from (f"webhook:{each.name}" for each in self.webhooks)
        yield from (f"ups:{each.name}" for each in self.ups)
        yield from (f"ups-rs:{each.name}" for each in self.ups_rs)
        yield from (f"mail:{each.name}" for each in self.mail)
