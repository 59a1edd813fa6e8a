"""How `user`, `token` and `audit` are called."""

import argparse

from qa_daemon.cli.usage.words import Commands, command, count, group, with_configuration, with_json

#: Kept here, so that --help loads no accounts; a test holds them against the real ones.
ROLES = ("viewer", "technician", "approver", "admin")
SCOPES = ("read", "patients", "decide", "administer")


def add_accounts(commands: Commands) -> None:
    """Declare the three."""
    _add_users(commands)
    _add_tokens(commands)
    _add_audit(commands)


def _add_users(commands: Commands) -> None:
    actions = group(commands, "user", "who may sign in to the pages, and as what")
    add = _named(command(actions, "add", "make a user", "accounts.users:add"))
    add.add_argument("--role", required=True, choices=ROLES, metavar="ROLE", help=_ROLES_HELP)
    add.add_argument(
        "--full-name", default="", metavar="TEXT", help="as colleagues know the person"
    )
    _with_password(add)
    with_json(
        with_configuration(command(actions, "list", "list users", "accounts.users:list_users"))
    )
    _named(command(actions, "disable", "let a user in no more", "accounts.users:disable"))
    _named(command(actions, "enable", "let a user in again", "accounts.users:enable"))
    _with_password(
        _named(command(actions, "passwd", "give a user another password", "accounts.users:passwd"))
    )
    role = _named(command(actions, "role", "give a user another role", "accounts.users:role"))
    role.add_argument("role", choices=ROLES, metavar="ROLE", help=_ROLES_HELP)


def _add_tokens(commands: Commands) -> None:
    actions = group(commands, "token", "what programs show to the API instead of signing in")
    add = with_configuration(
        command(
            actions,
            "add",
            "make a token and print it, once",
            "accounts.tokens:add",
            more="A token may do what its scopes say, and never more than its user.",
        )
    )
    add.add_argument("user", metavar="USER", help="for whom it acts")
    add.add_argument("--label", required=True, metavar="TEXT", help="what it is for")
    add.add_argument(
        "--scope", required=True, action="append", choices=SCOPES, metavar="SCOPE",
        help=f"one of {', '.join(SCOPES)}; may repeat",
    )  # fmt: skip
    add.add_argument("--days", type=count, metavar="N", help="for so long (default: until revoked)")
    with_json(
        with_configuration(command(actions, "list", "list tokens", "accounts.tokens:list_tokens"))
    )
    revoke = with_configuration(
        command(actions, "revoke", "end a token at once", "accounts.tokens:revoke")
    )
    revoke.add_argument("id", type=count, metavar="ID", help="as `token list` shows it")


def _add_audit(commands: Commands) -> None:
    actions = group(commands, "audit", "what people did: check the record, or write it out")
    verify = with_configuration(
        command(
            actions,
            "verify",
            "tell whether the record is whole",
            "accounts.audit:verify",
            more="Status 0: every entry holds. 1: the first that does not is named.",
        )
    )
    verify.add_argument(
        "--head", metavar="DIGEST", help="a last digest noted earlier: entries cut off show, too"
    )
    export = with_configuration(
        command(
            actions,
            "export",
            "write it as DICOM audit messages (PS3.15 A.5), one a line",
            "accounts.audit:export",
        )
    )
    export.add_argument("file", metavar="FILE", help="to make; - for standard output")
    export.add_argument(
        "--after", type=count, default=0, metavar="ID", help="only entries behind this one"
    )


_ROLES_HELP = f"one of {', '.join(ROLES)}"


def _named(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.add_argument("name", metavar="NAME", help="to sign in with")
    return with_configuration(parser)


def _with_password(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--password-stdin", action="store_true", help="read it from standard input, do not ask"
    )
