"""The JSON document by POST, signed so that the program knows who sent it and when."""

import hashlib
import hmac
from datetime import UTC, datetime

from qa_daemon.config.export import WebhookSettings
from qa_daemon.export.channels.http import Place, post
from qa_daemon.export.package import Answer, Package
from qa_daemon.export.written.as_json import change_set_as_json


def send(settings: WebhookSettings, package: Package) -> Answer:
    """Send a change set; `Idempotency-Key` is its UID, however often it is sent."""
    body = change_set_as_json(package).encode("utf-8")
    stamp = str(int(datetime.now(UTC).timestamp()))
    headers = {
        "Content-Type": "application/json",
        "User-Agent": f"qa-daemon/{package.version}",
        "Idempotency-Key": package.change_set.uid,
        "X-QA-Timestamp": stamp,
    }
    if settings.secret:
        headers["X-QA-Signature"] = signature(settings.secret, stamp, body)
    place = Place(
        url=settings.url, deadline_s=settings.deadline_s, authorities=settings.authorities
    )
    return post(place, body, headers)


def signature(secret: str, stamp: str, body: bytes) -> str:
    """Return `sha256=` and the HMAC-SHA256 of the time stamp, a dot, and the body, in hex."""
    signed = stamp.encode("ascii") + b"." + body
    return "sha256=" + hmac.new(secret.encode("utf-8"), signed, hashlib.sha256).hexdigest()
