"""E-mail against a real SMTP server in a process of its own."""

from collections.abc import Callable
from typing import Any

from qa_daemon import INTENDED_USE
from qa_daemon.config.export import MailSettings
from qa_daemon.export.channels import mail
from qa_daemon.export.package import Verdict
from tests.export.conftest import Place, package
from tests.faults.conftest import free_port


def to(port: int, **more: Any) -> MailSettings:
    given: dict[str, Any] = {
        "security": "none",
        "sender": "qa@site.example",
        "recipients": ("pacs@site.example", "second@site.example"),
        **more,
    }
    return MailSettings(name="team", host="127.0.0.1", port=port, **given)


def test_a_notice_says_nothing_of_the_patient_and_has_a_stable_name(
    place: Callable[[str], Place],
) -> None:
    server = place("smtp")
    answer = mail.send(to(server.port), package())
    assert (answer.verdict, answer.words) == (Verdict.SENT, "taken for 2 recipients")
    assert mail.send(to(server.port, content="whole"), package()).verdict is Verdict.SENT
    notice, whole = server.got()
    assert (
        notice["headers"]["Message-ID"] == whole["headers"]["Message-ID"] == "<2.25.42@qa-daemon>"
    )
    assert notice["to"] == ["pacs@site.example", "second@site.example"]
    assert notice["headers"]["Subject"] == "Change set of rule REGION-001"
    assert INTENDED_USE in notice["body"]
    assert "1.2.3.1" not in notice["body"]
    assert "BodyPartExamined" in whole["body"]


def test_what_the_server_says_decides_whether_it_is_tried_again(
    place: Callable[[str], Place],
) -> None:
    server = place("smtp")
    server.answers(data="451 try later")
    later = mail.send(to(server.port), package())
    assert (later.verdict, later.words) == (Verdict.LATER, "SMTP 451 try later")
    server.answers(data="554 no such thing here")
    assert mail.send(to(server.port), package()).verdict is Verdict.REFUSED
    server.answers(rcpt={"second@site.example": "550 unknown"})
    some = mail.send(to(server.port), package())
    assert (some.verdict, some.words) == (Verdict.SENT, "taken for 1 of 2 recipients")
    every = {f"{name}@site.example": "550 unknown" for name in ("pacs", "second")}
    server.answers(rcpt=every)
    assert mail.send(to(server.port), package()).words == "SMTP 550 unknown"
    # It offers no TLS; nothing of the message may go in clear where the site wants it hidden.
    secret = mail.send(to(server.port, security="starttls"), package())
    assert secret.verdict is Verdict.REFUSED
    assert "security" in secret.words
    assert mail.send(to(free_port()), package()).verdict is Verdict.LATER
