"""Roles, passwords, lock-out, sessions, tokens and links, on both engines."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from qa_daemon.cli.usage import accounts as usage
from qa_daemon.config.settings import ROLES, WebSettings
from qa_daemon.errors import InputError
from qa_daemon.queue.accounts import links, passwords, people, tokens
from qa_daemon.queue.accounts.permissions import LEAST_ROLE, Permission, Role, permissions_of
from qa_daemon.queue.accounts.sessions import Sessions, digest
from qa_daemon.queue.accounts.signing_in import (
    DELAY_MAX_S,
    FAILURES_FREE,
    Credentials,
    Refused,
    delay_s,
    identified,
)
from qa_daemon.queue.accounts.tokens import Scope, Wanted
from qa_daemon.store.accounts import token_rows, user_rows
from qa_daemon.store.accounts.user_rows import UserRow
from qa_daemon.store.audit.entries import Operator, audit_entries
from qa_daemon.store.database import Store
from qa_daemon.store.migrations.schema import prepare

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
PASSWORD = "correct horse battery"  # noqa: S105  of users that live as long as a test
SETTINGS = WebSettings(session_idle_s=600, session_s=3600)
BY = Operator("root", NOON)


@pytest.fixture
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    url = f"sqlite:///{tmp_path_factory.mktemp('accounts') / 'qa.sqlite'}"
    prepare(url)
    with Store(url, 5.0) as made:
        yield made


@pytest.fixture
def ana(store: Store) -> UserRow:
    return people.add_local(store, "Ana", PASSWORD, Role.TECHNICIAN, BY)


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def tried(store: Store, name: str, password: str, at: datetime) -> UserRow | Refused:
    return identified(store, Credentials(name=name, password=password, address="10.0.0.1"), at)


# --- roles ---------------------------------------------------------------------------------------


def test_the_matrix_of_roles_and_permissions() -> None:
    may = {role: {one.value for one in permissions_of(role, Role.TECHNICIAN)} for role in Role}
    assert may == {
        Role.VIEWER: {"see"},
        Role.TECHNICIAN: {"see", "see_patients", "decide"},
        Role.APPROVER: {"see", "see_patients", "decide", "approve"},
        Role.ADMIN: {"see", "see_patients", "decide", "approve", "administer"},
    }
    assert Permission.SEE_PATIENTS in permissions_of(Role.VIEWER, Role.VIEWER)
    assert Permission.SEE_PATIENTS not in permissions_of(Role.APPROVER, Role.ADMIN)
    assert set(LEAST_ROLE) | {Permission.SEE_PATIENTS} == set(Permission)


def test_the_words_of_settings_and_commands_are_those_of_the_roles() -> None:
    assert ROLES == usage.ROLES == tuple(role.value for role in Role)
    assert tuple(scope.value for scope in Scope) == usage.SCOPES


# --- names and passwords -------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["", " ", "x" * 65, "a\0b", "a\u202eb", "a\nb", "\ud800"])
def test_names_that_cannot_be_seen_or_typed_are_refused(name: str) -> None:
    with pytest.raises(InputError, match="user name"):
        people.checked_name(name)


@pytest.mark.parametrize("other", ["ANA", " ana ", "\uff21na"])
def test_two_names_that_look_alike_are_one(store: Store, ana: UserRow, other: str) -> None:
    assert people.named(store, other) == ana
    with pytest.raises(InputError, match="exists"):
        people.add_local(store, other, PASSWORD, Role.VIEWER, BY)


@pytest.mark.parametrize(
    ("password", "why"),
    [("short", "too short"), ("x" * 300, "too long"), ("ababababababab", "repeats"),
     ("administrator", "the name itself")],
)  # fmt: skip
def test_poor_passwords_are_refused(password: str, why: str) -> None:
    with pytest.raises(InputError, match=why):
        passwords.hashed(password, "Administrator")


def test_a_password_is_kept_as_argon2id_and_compared_however_it_is_typed() -> None:
    kept = passwords.hashed("gr\u00fcne Wiese hinterm Haus")
    assert kept.startswith("$argon2id$")
    assert passwords.is_right(kept, "gru\u0308ne Wiese hinterm Haus")
    assert not passwords.is_right(kept, "gr\u00fcne Wiese hinterm Haus ")
    assert not passwords.is_right("", "anything at all")
    assert not passwords.is_outdated(kept)


# --- signing in ----------------------------------------------------------------------------------


def test_after_some_slips_each_further_one_doubles_the_wait() -> None:
    waits = [delay_s(count) for count in range(1, 20)]
    assert waits[:FAILURES_FREE] == [0.0] * FAILURES_FREE
    assert waits[FAILURES_FREE : FAILURES_FREE + 3] == [2.0, 4.0, 8.0]
    assert max(waits) == waits[-1] == DELAY_MAX_S


def test_who_guesses_has_to_wait_even_with_the_right_password(store: Store, ana: UserRow) -> None:
    for _ in range(FAILURES_FREE + 1):
        assert isinstance(tried(store, "ana", "wrong password", NOON), Refused)
    assert tried(store, "ana", PASSWORD, after(1)) == Refused(1.0)
    found = tried(store, "ana", PASSWORD, after(2))
    assert isinstance(found, UserRow)
    assert found.id == ana.id
    Sessions(store, SETTINGS).open(found, "", "", after(2))
    again = user_rows.by_id(store, ana.id)
    assert again is not None
    assert (again.failures, again.locked_until) == (0, None)


def test_the_audit_has_failures_but_no_name_that_nobody_has(store: Store, ana: UserRow) -> None:
    tried(store, ana.name, "wrong password", NOON)
    tried(store, "my secret password", "x", NOON)
    unknown, known = audit_entries(store, 2)
    assert (known.who, known.action, known.outcome) == ("Ana", "login", 4)
    assert (unknown.who, unknown.outcome, unknown.address) == ("(unknown)", 4, "10.0.0.1")


def test_a_disabled_user_comes_in_no_way(store: Store, ana: UserRow) -> None:
    sessions = Sessions(store, SETTINGS)
    secret = sessions.open(ana, "", "", NOON)
    wanted = Wanted(label="ris", scopes=(Scope.READ,), days=None)
    token = tokens.issue(store, ana, wanted, BY)
    people.disable(store, ana, Operator("root", after(1)))
    assert sessions.visitor(secret, after(2), acts=True) is None
    assert tokens.visitor_of(store, token, Role.TECHNICIAN, after(2)) is None
    assert isinstance(tried(store, "ana", PASSWORD, after(2)), Refused)
    people.enable(store, ana, BY)
    assert isinstance(tried(store, "ana", PASSWORD, after(3)), UserRow)


# --- sessions ------------------------------------------------------------------------------------


def test_a_session_ends_when_nobody_uses_it(store: Store, ana: UserRow) -> None:
    sessions = Sessions(store, SETTINGS)
    secret = sessions.open(ana, "10.0.0.1", "a browser", NOON)
    assert sessions.visitor(secret, after(599), acts=False) is not None
    assert sessions.visitor(secret, after(600), acts=True) is None
    assert sessions.visitor(secret, after(1), acts=True) is None
    assert [each.action for each in audit_entries(store, 2)] == ["session timeout", "login"]


def test_who_works_is_signed_out_at_the_end_of_the_shift_only(store: Store, ana: UserRow) -> None:
    sessions = Sessions(store, SETTINGS)
    secret = sessions.open(ana, "", "", NOON)
    for seconds in range(300, 3600, 300):
        found = sessions.visitor(secret, after(seconds), acts=True)
        assert found is not None
        assert found.ends_at is not None
    assert sessions.visitor(secret, after(3600), acts=True) is None


def test_polling_keeps_no_session(store: Store, ana: UserRow) -> None:
    sessions = Sessions(store, SETTINGS)
    secret = sessions.open(ana, "", "", NOON)
    for seconds in range(60, 600, 60):
        assert sessions.visitor(secret, after(seconds), acts=False) is not None
    assert sessions.visitor(secret, after(601), acts=False) is None


def test_a_new_password_ends_sessions_with_the_old_one(store: Store, ana: UserRow) -> None:
    sessions = Sessions(store, SETTINGS)
    secret = sessions.open(ana, "", "", NOON)
    people.set_password(store, ana, "another good one", BY)
    assert sessions.visitor(secret, after(1), acts=True) is None


def test_another_role_counts_from_the_next_request_on(store: Store, ana: UserRow) -> None:
    sessions = Sessions(store, SETTINGS)
    secret = sessions.open(ana, "", "", NOON)
    people.set_role(store, ana, Role.VIEWER, BY)
    found = sessions.visitor(secret, after(1), acts=True)
    assert found is not None
    assert not found.may(Permission.DECIDE)


def test_the_last_administrator_stays(store: Store) -> None:
    only = people.add_local(store, "root", PASSWORD, Role.ADMIN, BY)
    changes: list[Callable[[], None]] = [
        lambda: people.disable(store, only, BY),
        lambda: people.set_role(store, only, Role.VIEWER, BY),
    ]
    for change in changes:
        with pytest.raises(InputError, match="last administrator"):
            change()
    people.add_local(store, "second", PASSWORD, Role.ADMIN, BY)
    changes[1]()
    assert people.named(store, "root").role == "viewer"


def test_what_is_kept_of_a_session_is_no_secret(store: Store, ana: UserRow) -> None:
    secret = Sessions(store, SETTINGS).open(ana, "", "", NOON)
    assert digest(secret) != secret
    assert Sessions(store, SETTINGS).visitor(digest(secret), after(1), acts=True) is None


# --- tokens --------------------------------------------------------------------------------------


def test_a_token_does_what_its_scopes_say_and_never_more_than_its_user(
    store: Store, ana: UserRow
) -> None:
    everything = Wanted(label="all", scopes=tuple(Scope), days=1)
    token = tokens.issue(store, ana, everything, BY)
    found = tokens.visitor_of(store, token, Role.TECHNICIAN, after(1))
    assert found is not None
    assert found.permissions == permissions_of(Role.TECHNICIAN, Role.TECHNICIAN)
    only = tokens.issue(store, ana, Wanted(label="r", scopes=(Scope.READ,), days=None), BY)
    reads = tokens.visitor_of(store, only, Role.TECHNICIAN, after(1))
    assert reads is not None
    assert (set(reads.permissions), reads.session_key) == ({Permission.SEE}, "")


def test_a_token_ends_by_time_or_at_once(store: Store, ana: UserRow) -> None:
    token = tokens.issue(store, ana, Wanted(label="r", scopes=(Scope.READ,), days=1), BY)
    assert tokens.visitor_of(store, token, Role.ADMIN, after(86_399)) is not None
    assert tokens.visitor_of(store, token, Role.ADMIN, after(86_400)) is None
    (row,) = token_rows.token_list(store)
    assert row.used_at == after(86_399)
    assert tokens.in_force(row, after(86_400)) == "expired"
    assert token_rows.revoke(store, row.id, BY)
    assert not token_rows.revoke(store, row.id, BY)
    assert tokens.visitor_of(store, token, Role.ADMIN, after(1)) is None


@pytest.mark.parametrize("label", ["", "x" * 65, "a\0b"])
def test_a_token_says_what_it_is_for(store: Store, ana: UserRow, label: str) -> None:
    with pytest.raises(InputError, match="say what it is for"):
        tokens.issue(store, ana, Wanted(label=label, scopes=(Scope.READ,), days=None), BY)
    with pytest.raises(InputError, match="at least one scope"):
        tokens.issue(store, ana, Wanted(label="r", scopes=(), days=None), BY)


# --- links ---------------------------------------------------------------------------------------


def test_the_first_link_makes_one_administrator_once(store: Store) -> None:
    older = links.offer_first(store, NOON)
    secret = links.offer_first(store, NOON)
    assert older is not None
    assert secret is not None
    assert not links.is_first_open(store, older, NOON)
    with pytest.raises(InputError, match="too short"):
        links.make_first(store, secret, ("Root", "short"), BY)
    assert links.make_first(store, secret, ("Root", PASSWORD), BY).role == "admin"
    with pytest.raises(InputError, match="has been used"):
        links.make_first(store, secret, ("Other", PASSWORD), BY)
    assert links.offer_first(store, NOON) is None


def test_the_first_link_expires(store: Store) -> None:
    secret = links.offer_first(store, NOON)
    assert secret is not None
    late = NOON + links.LASTS
    assert not links.is_first_open(store, secret, late)
    with pytest.raises(InputError, match="has expired"):
        links.make_first(store, secret, ("Root", PASSWORD), Operator("", late))
    assert user_rows.user_count(store) == 0


def test_a_link_signs_in_once(store: Store, ana: UserRow) -> None:
    secret = links.offer_entry(store, ana, NOON)
    assert links.enter(store, secret + "x", NOON) is None
    found = links.enter(store, secret, NOON)
    assert found is not None
    assert found.id == ana.id
    assert links.enter(store, secret, NOON) is None
