"""Tell systemd how the service fares: sd_notify(3) and sd_watchdog_enabled(3), as values."""

import os
import socket
from collections.abc import Mapping
from time import clock_gettime_ns
from typing import Final

READY: Final = "READY=1"
STOPPING: Final = "STOPPING=1"
ALIVE: Final = "WATCHDOG=1"
# A manager that reads nothing fills its queue; waiting for it for good would stop the service.
SEND_TIMEOUT_S: Final = 1.0


def notify(message: str, environment: Mapping[str, str] | None = None) -> bool:
    """Send `NAME=value` lines to the service manager; return whether one listens.

    A manager that cannot be reached is no reason to stop working: then False is returned too.
    """
    address = (os.environ if environment is None else environment).get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return False
    name = "\0" + address[1:] if address.startswith("@") else address  # Linux's abstract names
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
            sender.settimeout(SEND_TIMEOUT_S)
            sender.connect(name)
            sender.sendall(message.encode())
    except OSError:
        return False
    return True


def reloading() -> str:
    """Return what tells that the configuration is being read again; `READY` ends it."""
    return f"RELOADING=1\nMONOTONIC_USEC={clock_gettime_ns(1) // 1000}"  # 1 = CLOCK_MONOTONIC


def status(text: str) -> str:
    """Return what shows `text`, one line, in `systemctl status`."""
    return f"STATUS={' '.join(text.split())}"


def more_time(seconds: float) -> str:
    """Return what asks for this much more time to start or stop, from now on."""
    return f"EXTEND_TIMEOUT_USEC={round(seconds * 1e6)}"


def watchdog_s(environment: Mapping[str, str] | None = None) -> float | None:
    """Return how often `ALIVE` must be sent, half of what the manager allows; None = never."""
    variables = os.environ if environment is None else environment
    period = variables.get("WATCHDOG_USEC", "")
    is_ours = variables.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
    if not (is_ours and period.isascii() and period.isdigit() and int(period) > 0):
        return None
    return int(period) / 2e6
