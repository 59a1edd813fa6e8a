"""The words that all commands share: how one is declared, and the options that many take."""

import argparse
from pathlib import Path
from typing import TypeAlias

from qa_daemon import INTENDED_USE

PORT_MAX = 65535

# argparse has no public name for it.
Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001


class Help(argparse.RawDescriptionHelpFormatter):
    """Descriptions as they are written, and room for the longest name of a command."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=26)


def command(
    commands: Commands, name: str, purpose: str, target: str, *, more: str = ""
) -> argparse.ArgumentParser:
    """Declare a command; `target` is `module:function` within this room."""
    parser = commands.add_parser(
        name,
        help=purpose,
        description=_said(purpose, more),
        epilog=INTENDED_USE,
        formatter_class=Help,
    )
    module, _, function = target.partition(":")
    parser.set_defaults(module=module, function=function)
    return parser


def group(commands: Commands, name: str, purpose: str, *, more: str = "") -> Commands:
    """Declare a command that has actions, and return what they are added to."""
    parser = commands.add_parser(
        name,
        help=purpose,
        description=_said(purpose, more),
        epilog=f"qa-daemon {name} ACTION --help tells more.",
        formatter_class=Help,
    )
    return parser.add_subparsers(title="actions", metavar="ACTION", required=True)


def _said(purpose: str, more: str) -> str:
    first = f"{purpose[0].upper()}{purpose[1:]}."
    return f"{first}\n\n{more}" if more else first


def count(text: str) -> int:
    """Read a number of things, at least one."""
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1 on")
    return int(text)


def port(text: str) -> int:
    """Read a TCP port, 0 for any free one."""
    if not text.isascii() or not text.isdigit() or int(text) > PORT_MAX:
        raise argparse.ArgumentTypeError(f"{text!r} is no port from 0 to {PORT_MAX}")
    return int(text)


def version(text: str) -> str:
    """Read the version of a package, three numbers."""
    parts = text.split(".")
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() for part in parts):
        raise argparse.ArgumentTypeError(f"{text!r} is no version such as 1.0.0")
    return text


def with_configuration(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """Let a command be told where its configuration and its state lie."""
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help="service.yaml to use (default: the defaults)"
    )
    parser.add_argument(
        "--state", type=Path, metavar="DIR", help="state folder (default: as configured)"
    )
    return parser


def with_json(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """Let a command answer machines."""
    parser.add_argument("--json", action="store_true", help="JSON for machines, on one line")
    return parser


def with_limit(parser: argparse.ArgumentParser) -> None:
    """Let a command be told how much to list."""
    parser.add_argument(
        "--limit", type=count, default=100, metavar="N", help="at most so many (default: 100)"
    )
