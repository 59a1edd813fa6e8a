"""The command `qa-daemon`: arguments in, an exit status out.

Every command lives in a module of its own that is imported only when it is called, so that
`qa-daemon --help` answers at once and `check` never pays for the service.
"""

import argparse
import contextlib
import errno
import os
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from io import TextIOWrapper
from pathlib import Path

from qa_daemon import INTENDED_USE
from qa_daemon.cli.printable import printable_lines
from qa_daemon.cli.usage.accounts import add_accounts
from qa_daemon.cli.usage.models import add_models
from qa_daemon.cli.usage.review import add_decisions, add_issues, add_outbox
from qa_daemon.cli.usage.rules import add_rules
from qa_daemon.cli.usage.words import Commands as _Commands
from qa_daemon.cli.usage.words import Help as _Help
from qa_daemon.cli.usage.words import command as _command
from qa_daemon.cli.usage.words import count as _count
from qa_daemon.cli.usage.words import group as _group
from qa_daemon.cli.usage.words import port as _port
from qa_daemon.cli.usage.words import version as _version
from qa_daemon.cli.usage.words import with_configuration as _with_configuration
from qa_daemon.cli.usage.words import with_json as _with_json
from qa_daemon.cli.usage.words import with_limit as _with_limit
from qa_daemon.errors import QaDaemonError

STATUS_FAILED = 2
STATUS_INTERRUPTED = 130
STATUS_BROKEN_PIPE = 141
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal may lack a letter; never fail for it
    options = _parser().parse_args(arguments)
    try:
        command = getattr(import_module(f"qa_daemon.cli.{options.module}"), options.function)
        status = int(command(options))
        sys.stdout.flush()  # here, where its failure can still be told
    except QaDaemonError as error:
        return _failed(str(error))
    except KeyboardInterrupt:
        return STATUS_INTERRUPTED
    except BrokenPipeError:
        _say_no_more()  # the reader (head, less) has gone
        return STATUS_BROKEN_PIPE
    except Exception as error:
        if os.environ.get("QA_DAEMON_TRACEBACK"):
            raise
        if isinstance(error, OSError) and error.filename is None and error.errno in NO_ROOM:
            _say_no_more()
            return _failed(f"the output cannot be written: {error.strerror}; free space for it")
        return _failed(_place_of(error))
    return status


def _say_no_more() -> None:
    """Keep the interpreter from failing once more over what standard output has not taken."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _failed(message: str) -> int:
    # File names and what people typed may hold anything.
    with contextlib.suppress(OSError):
        print(f"qa-daemon: {printable_lines(message)}", file=sys.stderr)
    return STATUS_FAILED


def _place_of(error: Exception) -> str:
    """Name the kind and the place of a bug; its text may hold a patient's value and is left out."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    return (
        f"internal error {type(error).__name__} in {Path(place.filename).name}, "
        f"line {place.lineno}. Please report it; QA_DAEMON_TRACEBACK=1 shows all of it."
    )


class _Version(argparse.Action):
    """Looks the version up only when it is asked for: the library that does costs 25 ms."""

    def __call__(self, parser: argparse.ArgumentParser, *_unused: object) -> None:
        from importlib.metadata import version  # noqa: PLC0415  see above

        print(version("qa-daemon"))
        parser.exit()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="qa-daemon",
        usage="qa-daemon COMMAND ...",
        description="Finds wrong DICOM metadata by looking at the pixels, and proposes what would\n"
        "mend it.\n\nTo see it work:      qa-daemon demo\nTo look at files:    "
        "qa-daemon check PATH\nTo run the service:  qa-daemon serve",
        epilog=f"qa-daemon COMMAND --help tells more.\n{INTENDED_USE}",
        formatter_class=_Help,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and exit")
    commands = parser.add_subparsers(
        title="commands", metavar="COMMAND", required=True, prog="qa-daemon"
    )
    _add_check(commands)
    _add_demo(commands)
    _add_serve(commands)
    _add_queue(commands)
    add_outbox(commands)
    _add_series(commands)
    add_rules(commands)
    add_models(commands)
    add_accounts(commands)
    _add_lexicon(commands)
    _add_training(commands)
    _add_upkeep(commands)
    return parser


def _add_check(commands: _Commands) -> None:
    parser = _command(
        commands,
        "check",
        "check files, folders and archives, without a service",
        "checking.check:check",
        more="Status 0: no finding above info. 1: at least one. 2: could not run, or a named path\n"
        "is missing or holds no readable object. Nothing is written beside the files.\n\n"
        "  qa-daemon check /media/cd\n"
        "  qa-daemon check --json study.zip > findings.json\n"
        "  find /archive -name '*.dcm' -print0 | qa-daemon check --resume progress -",
    )
    parser.add_argument(
        "paths",
        nargs="*",
        metavar="PATH",
        help="file, folder, archive or DICOMDIR; - reads paths from standard input, "
        "one a line or each ended by NUL",
    )
    parser.add_argument(
        "--json", action="store_true", help="one JSON document on standard output, in any case"
    )
    parser.add_argument(
        "--predict", metavar="T,...", help="targets to predict, or all (default: what rules need)"
    )
    parser.add_argument(
        "--per-instance", action="store_true", help="tell the predictions of each slice too"
    )
    parser.add_argument(
        "--quick", action="store_true", help="only rules marked quick, one slice per series"
    )
    parser.add_argument(
        "--resume",
        type=Path,
        metavar="FILE",
        help="keep progress in FILE; after an interruption go on from there",
    )
    _with_configuration(parser)


def _add_demo(commands: _Commands) -> None:
    parser = _command(
        commands,
        "demo",
        "start a real service and send it good and bad images",
        "demo:demo",
        more="The service runs on this machine only, in a state folder of its own, until Ctrl-C.",
    )
    parser.add_argument(
        "--exit",
        action="store_true",
        help="end after the report; status 0 only if every planted error was found and no clean "
        "file raised one",
    )
    parser.add_argument("--state", type=Path, metavar="DIR", help="state folder (default: new)")
    parser.add_argument(
        "--port", type=_port, default=0, metavar="N", help="C-STORE port (default: a free one)"
    )


def _add_serve(commands: _Commands) -> None:
    parser = _command(
        commands,
        "serve",
        "run the service: receive, examine, report",
        "serve:serve",
        more="Without a role it starts the four as children and starts again what ends. SIGTERM\n"
        "ends it after the work in hand, SIGHUP reads rules and configuration again.",
    )
    parser.add_argument(
        "role",
        nargs="?",
        metavar="ROLE",
        choices=["receiver", "worker", "outbound", "web"],
        help="only this role: receiver, worker, outbound or web",
    )
    parser.add_argument("--port", type=_port, metavar="N", help="C-STORE port to listen on")
    _with_configuration(parser)


def _add_queue(commands: _Commands) -> None:
    actions = _group(commands, "queue", "findings that wait for a person")
    listing = _command(actions, "list", "list findings, the worst first", "queue:list_findings")
    listing.add_argument(
        "--severity",
        metavar="S",
        choices=["info", "minor", "major", "critical"],
        help="from this on: info, minor (default), major or critical",
    )
    listing.add_argument("--issue", metavar="KEY", help="only findings of this issue, muted or not")
    listing.add_argument(
        "--audit", action="store_true", help="series without a finding that are to be seen blind"
    )
    _with_limit(_with_json(_with_configuration(listing)))
    add_issues(actions)
    add_decisions(actions)
    show = _command(actions, "show", "show one finding with its suggestions", "queue:show_finding")
    show.add_argument("id", type=_count, metavar="ID", help="as `queue list` shows it")
    _with_json(_with_configuration(show))
    export = _with_configuration(
        _command(
            actions,
            "export",
            "write the suggestion files of findings",
            "queue:export",
            more="Per series a DICOM JSON file for machines and a text for people.",
        )
    )
    export.add_argument("folder", type=Path, metavar="FOLDER", help="made if it does not exist")
    export.add_argument(
        "--id", type=_count, action="append", metavar="ID", help="only this finding; may repeat"
    )


def _add_series(commands: _Commands) -> None:
    actions = _group(commands, "series", "what was received, and its state")
    listing = _command(actions, "list", "list series, the latest first", "series:list_series")
    listing.add_argument(
        "--in", dest="in_state", metavar="STATE", help="only in this state, such as quarantined"
    )
    _with_limit(_with_json(_with_configuration(listing)))
    for name, purpose, function in (
        ("show", "show one series with its verdict", "show_series"),
        ("requeue", "try a quarantined series again", "requeue"),
        ("delete", "delete a series, its objects, pictures and reports", "delete"),
    ):
        action = _with_configuration(_command(actions, name, purpose, f"series:{function}"))
        action.add_argument(
            "key", metavar="KEY", help="as `series list` shows it, or its beginning"
        )
        if name == "show":
            _with_json(action)
        if name == "delete":
            action.add_argument("--yes", action="store_true", help="do not ask")
    recheck = _with_configuration(
        _command(
            actions,
            "recheck",
            "judge series again with the rules and models in force",
            "series:recheck",
        )
    )
    recheck.add_argument("keys", nargs="*", metavar="KEY", help="as `series list` shows them")
    recheck.add_argument("--days", type=_count, metavar="N", help="all received in the last N days")
    recheck.add_argument(
        "--dry-run", action="store_true", help="only show what would differ; with --days"
    )
    _with_json(recheck)
    drawing = _with_configuration(
        _command(
            actions,
            "draw",
            "draw the pictures of the review page again",
            "series:draw",
        )
    )
    drawing.add_argument("keys", nargs="*", metavar="KEY", help="as `series list` shows them")
    drawing.add_argument("--all", action="store_true", help="of every series")


def _add_lexicon(commands: _Commands) -> None:
    parser = _command(
        commands,
        "lexicon",
        "tell which body regions and sides descriptions name",
        "ordering.lexicon:look_up",
        more="Study, procedure and series descriptions in seven languages, SNOMED CT codes.\n"
        "Weight 1 is a plain word; lighter regions are other readings; unknown text names none.",
    )
    parser.add_argument(
        "texts", nargs="+", metavar="TEXT", help="a description; - reads one a line"
    )
    _with_json(parser)


def _add_training(commands: _Commands) -> None:
    parser = _command(
        commands,
        "train",
        "train a model (needs the extra `train`)",
        "training.commands:train",
        more="Writes OUT/models/ID/VERSION/ and prints its path; the same command goes on\n"
        "after a stop. DIR is a data folder, or a folder of DICOM files with labels.csv: columns\n"
        "file, patient, labels (joined by |); if wanted frame, series, source, decision.\n\n"
        "  qa-daemon train body_region --data ../shared/data --out made\n"
        "  qa-daemon train view --data ../shared/data --extra our_images --final --out made",
    )
    _with_material(parser)
    parser.add_argument("--final", action="store_true", help="fit on everything; thresholds and "
                        "figures then come from three folds")  # fmt: skip
    parser.add_argument(
        "--package-version",
        type=_version,
        metavar="V",
        default="1.0.0",
        help="of the package (default: 1.0.0)",
    )
    parser = _command(
        commands,
        "evaluate",
        "measure a model beside plain baselines (needs the extra `train`)",
        "training.commands:evaluate",
        more="Holds patients and sources out in turn, fits the model and the baselines without\n"
        "them, and writes OUT/evaluation.json and OUT/report.html: up to 100 minutes. The\n"
        "same command goes on after a stop.",
    )
    _with_material(parser)
    parser.add_argument(
        "--model", type=Path, metavar="DIR", help="the package to measure (default: as shipped)"
    )
    parser.add_argument(
        "--quick", action="store_true", help="only show that it works, in OUT/quick; minutes"
    )


def _with_material(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("target", metavar="TARGET", help="what it answers, such as body_region")
    parser.add_argument(
        "--data", type=Path, metavar="DIR", required=True, help="data to learn from"
    )
    parser.add_argument("--out", type=Path, metavar="DIR", required=True, help="where to write")
    parser.add_argument(
        "--licences", choices=["all", "open"], default="all", metavar="SET",
        help="all (default), or open: only pictures whose stated licence allows every use",
    )  # fmt: skip
    parser.add_argument(
        "--extra", type=Path, action="append", default=[], metavar="DIR",
        help="more own pictures with labels.csv; may repeat",
    )  # fmt: skip
    parser.add_argument("--steps", type=_count, metavar="N", help="steps of a fit (default: as the "
                        "recipe says)")  # fmt: skip


def _add_upkeep(commands: _Commands) -> None:
    actions = _group(commands, "config", "the configuration")
    for name, purpose, function in (
        ("check", "print all faults of the configuration at once", "check_configuration"),
        ("show", "print the configuration in force, secrets hidden", "show_configuration"),
    ):
        _with_configuration(_command(actions, name, purpose, f"admin:{function}"))
    actions = _group(commands, "db", "the database")
    _with_configuration(
        _command(actions, "upgrade", "bring the schema to this release", "admin:upgrade_database")
    )
    _with_configuration(
        _command(
            commands,
            "rebuild",
            "make the database anew from the spool",
            "admin:rebuild",
            more="The service must not run. The old database is kept beside the new one.",
        )
    )
    install = _with_configuration(
        _command(
            commands, "install-service", "install the systemd service", "admin:install_service"
        )
    )
    install.add_argument("--print", action="store_true", help="only print what would be written")
