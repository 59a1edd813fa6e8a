"""Copies of refused objects, so that a person can see what it was: first MiB and the reason."""

import json
import secrets
import time
from pathlib import Path

import attrs

from qa_daemon.limits import Limits
from qa_daemon.records.receipt import Envelope
from qa_daemon.spool.write import unavailable


class Quarantine:
    """A folder with a bounded number of copies; the oldest go first."""

    def __init__(self, folder: Path, limits: Limits) -> None:
        self._folder = folder
        self._limits = limits

    def keep(self, content: bytes, envelope: Envelope, reason: str, message: str) -> str:
        """Write the copy and its reason file; return the key that names both.

        Not flushed: the sender was told that the object was refused.
        """
        key = f"{time.time_ns():016x}{secrets.token_hex(8)}"
        fields = attrs.asdict(envelope) | {
            "received_at": envelope.received_at.isoformat(),
            "reason": reason,
            "message": message,
            "length": len(content),
        }
        try:
            copy = self._folder / f"{key}.part"
            copy.write_bytes(content[: self._limits.quarantine_bytes_max])
            # The reason file comes second: where it stands, the copy is whole.
            copy.with_suffix(".json").write_text(json.dumps(fields, indent=1), encoding="ascii")
            self._make_room()
        except OSError as error:
            raise unavailable("a refused object cannot be set aside", error) from error
        return key

    def _make_room(self) -> None:
        copies = sorted(self._folder.glob("*.part"))
        for copy in copies[: max(0, len(copies) - self._limits.quarantine_objects_max)]:
            copy.unlink(missing_ok=True)
            copy.with_suffix(".json").unlink(missing_ok=True)
