"""E-mail to people: that there is a change set, or all of it."""

import smtplib
import ssl
from contextlib import suppress
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Final

from qa_daemon import INTENDED_USE
from qa_daemon.config.export import MailSettings
from qa_daemon.export.package import Answer, Package, Verdict
from qa_daemon.export.written.as_text import change_set_as_text
from qa_daemon.records.change_set import ChangeKind

#: SMTP replies from here on are permanent (RFC 5321 4.2.1).
_PERMANENT: Final = 500


def send(settings: MailSettings, package: Package) -> Answer:
    """Send one message to all recipients; its Message-ID is that of the change set."""
    message = _message(settings, package)
    try:
        with _connected(settings) as server:
            if settings.user:
                server.login(settings.user, settings.password)
            refused = server.send_message(message)
    except smtplib.SMTPRecipientsRefused as error:
        return _of_recipients(error.recipients)
    except smtplib.SMTPNotSupportedError as error:
        return Answer(verdict=Verdict.REFUSED, words=f"{error}; see `security` and `user`")
    except smtplib.SMTPResponseException as error:
        return _of_reply(error.smtp_code, error.smtp_error)
    except (smtplib.SMTPException, OSError) as error:
        return Answer(verdict=Verdict.LATER, words=f"no answer ({type(error).__name__})")
    if refused:
        taken = len(settings.recipients) - len(refused)
        words = f"taken for {taken} of {len(settings.recipients)} recipients"
        return Answer(verdict=Verdict.SENT, words=words)
    return Answer(verdict=Verdict.SENT, words=f"taken for {len(settings.recipients)} recipients")


def _connected(settings: MailSettings) -> smtplib.SMTP:
    authorities = settings.authorities
    trust = ssl.create_default_context(cafile=None if authorities is None else str(authorities))
    where = (settings.host, settings.port)
    if settings.security == "tls":
        return smtplib.SMTP_SSL(*where, timeout=settings.deadline_s, context=trust)
    server = smtplib.SMTP(*where, timeout=settings.deadline_s)
    if settings.security == "starttls":
        try:
            server.starttls(context=trust)
        except BaseException:
            with suppress(Exception):
                server.close()
            raise
    return server


def _message(settings: MailSettings, package: Package) -> EmailMessage:
    said = package.change_set
    message = EmailMessage()
    kind = "Reverse change set" if said.kind is ChangeKind.REVERSE else "Change set"
    message["Subject"] = f"{kind} of rule {said.rule}"
    message["From"] = settings.sender
    message["To"] = ", ".join(settings.recipients)
    message["Date"] = format_datetime(said.decided_at)
    message["Message-ID"] = f"<{said.uid}@qa-daemon>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday replies
    whole = settings.content == "whole"
    message.set_content(change_set_as_text(package) if whole else _notice(package))
    return message


def _notice(package: Package) -> str:
    """Return a text that says nothing of a patient."""
    said = package.change_set
    lines = (
        f"A decision of {said.decided_at:%Y-%m-%d %H:%M} UTC asks for changes.",
        f"Rule {said.rule}, modality {said.modality or '(none)'}.",
        f"{len(said.suggestion.changes)} changes in {len(package.instances)} objects.",
        f"It is in the outbox and in the export folder as {said.uid}.",
        "",
        f"qa-daemon {package.version}. {INTENDED_USE}",
    )
    return "\n".join(lines) + "\n"


def _of_recipients(recipients: dict[str, tuple[int, bytes]]) -> Answer:
    code, text = max(recipients.values(), key=lambda reply: reply[0])
    return _of_reply(code, text)


def _of_reply(code: int, text: bytes | str) -> Answer:
    words = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    verdict = Verdict.REFUSED if code >= _PERMANENT else Verdict.LATER
    return Answer(verdict=verdict, words=f"SMTP {code} {words}")
