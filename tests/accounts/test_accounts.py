"""Users, and the ways they show who they are."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.accounts.conftest import Clock

from fireside.accounts.accounts import Accounts, NewUser
from fireside.domain.accounts import ALL_SCOPES, PrincipalKind, Role, Scope, User
from fireside.domain.errors import BadRequest, NotFound
from fireside.store.store import DuplicateUser


@pytest.fixture
async def ada(accounts: Accounts) -> User:
    return await accounts.create_user(NewUser(name="ada"))


async def test_a_key_says_whose_it_is(accounts: Accounts, ada: User) -> None:
    _, secret = await accounts.create_key(ada, "laptop")

    principal = await accounts.authenticate(secret)

    assert principal is not None
    assert (principal.user.name, principal.kind, principal.is_admin) == ("ada", PrincipalKind.KEY, False)


async def test_a_key_is_long_and_shown_by_its_first_letters_only(accounts: Accounts, ada: User) -> None:
    key, secret = await accounts.create_key(ada, "laptop")

    assert secret.startswith("fsk_")
    assert len(secret) == 4 + 43
    assert secret.startswith(key.prefix)
    assert len(key.prefix) == 10


async def test_no_secret_is_in_the_data_folder(accounts: Accounts, ada: User, tmp_path: Path) -> None:
    _, key = await accounts.create_key(ada)
    link = await accounts.login_link(ada)
    cookie = await accounts.use_login_link(link)
    assert cookie is not None

    for path in tmp_path.iterdir():
        assert not any(secret.encode() in path.read_bytes() for secret in (key, link, cookie))


@pytest.mark.parametrize("token", ["", "fsk_", "fsk_unknown", "fsk_" + "a" * 100_000, "fsk_\udcff\x00", "sk_1"])
async def test_a_key_nobody_made_is_nobody(accounts: Accounts, ada: User, token: str) -> None:
    assert await accounts.authenticate(token) is None


async def test_a_revoked_key_is_nobody_at_once(accounts: Accounts, ada: User) -> None:
    key, secret = await accounts.create_key(ada)

    assert await accounts.revoke_key(key.id)
    assert await accounts.authenticate(secret) is None
    assert not await accounts.revoke_key(key.id)
    assert [key.revoked_at is not None for key in await accounts.keys(ada)] == [True]


async def test_the_last_use_of_a_key_is_noted_by_the_minute(accounts: Accounts, ada: User, clock: Any) -> None:
    _, secret = await accounts.create_key(ada)
    await accounts.authenticate(secret)
    first = clock.now
    assert [key.last_used_at for key in await accounts.keys(ada)] == [first]

    clock.advance(seconds=59)
    await accounts.authenticate(secret)
    assert [key.last_used_at for key in await accounts.keys(ada)] == [first]

    clock.advance(seconds=1)
    await accounts.authenticate(secret)
    assert [key.last_used_at for key in await accounts.keys(ada)] == [clock.now]


async def test_a_login_link_signs_in_once(accounts: Accounts, ada: User) -> None:
    link = await accounts.login_link(ada)

    cookies = await asyncio.gather(*(accounts.use_login_link(link) for _ in range(5)))

    assert sum(cookie is not None for cookie in cookies) == 1
    principal = await accounts.session(next(cookie for cookie in cookies if cookie))
    assert principal is not None
    assert (principal.user, principal.kind) == (ada, PrincipalKind.SESSION)


async def test_a_login_link_is_worth_nothing_after_its_minutes(accounts: Accounts, ada: User, clock: Any) -> None:
    link = await accounts.login_link(ada)
    clock.advance(minutes=15, seconds=1)

    assert await accounts.use_login_link(link) is None


async def test_a_session_ends_after_its_days_however_much_it_is_used(accounts: Accounts, ada: User, clock: Any) -> None:
    cookie = await accounts.use_login_link(await accounts.login_link(ada)) or ""
    clock.advance(days=1, hours=23)
    assert await accounts.session(cookie) is not None

    clock.advance(hours=1, seconds=1)

    assert await accounts.session(cookie) is None


async def test_signing_out_ends_the_session_and_no_other(accounts: Accounts, ada: User) -> None:
    here = await accounts.use_login_link(await accounts.login_link(ada)) or ""
    there = await accounts.use_login_link(await accounts.login_link(ada)) or ""

    await accounts.end_session(here)

    assert await accounts.session(here) is None
    assert await accounts.session(there) is not None


async def test_one_credential_never_passes_for_another(accounts: Accounts, ada: User) -> None:
    _, key = await accounts.create_key(ada)
    link = await accounts.login_link(ada)

    assert await accounts.session(key) is None
    assert await accounts.session(link) is None
    assert await accounts.authenticate(link) is None
    assert await accounts.use_login_link(key) is None


async def test_the_first_start_gives_an_admin_a_key_and_a_link_and_the_second_nothing(accounts: Accounts) -> None:
    first = await accounts.first_start()

    assert first is not None
    assert (first.user.name, first.user.role) == ("admin", Role.ADMIN)
    assert first.api_key not in repr(first)
    assert await accounts.authenticate(first.api_key) is not None
    assert await accounts.use_login_link(first.login_token) is not None
    assert await accounts.first_start() is None


async def test_users_made_before_the_first_start_do_not_take_its_key_away(accounts: Accounts, ada: User) -> None:
    first = await accounts.first_start()

    assert first is not None
    assert first.user == await accounts.first_admin()


async def test_the_first_admin_is_the_oldest(accounts: Accounts) -> None:
    await accounts.create_user(NewUser(name="zoe", role=Role.ADMIN))
    await accounts.create_user(NewUser(name="abe", role=Role.ADMIN))

    assert (await accounts.first_admin()).name == "zoe"


async def test_a_name_is_taken_once(accounts: Accounts, ada: User) -> None:
    with pytest.raises(DuplicateUser):
        await accounts.create_user(NewUser(name="ada"))


@pytest.mark.parametrize("name", ["", " ada", "a b", "a/b", "../x", "a" * 65, "a\n", "a\x00", "-ada", "<b>"])
async def test_a_name_that_could_be_mistaken_is_refused(accounts: Accounts, name: str) -> None:
    with pytest.raises(BadRequest):
        await accounts.create_user(NewUser(name=name))


@pytest.mark.parametrize(
    "new",
    [
        NewUser(name="ada", weight=0),
        NewUser(name="ada", weight=float("nan")),
        NewUser(name="ada", weight=float("inf")),
        NewUser(name="ada", max_running=0),
        NewUser(name="ada", max_queued=-1),
    ],
)
async def test_a_share_that_is_none_is_refused(accounts: Accounts, new: NewUser) -> None:
    with pytest.raises(BadRequest):
        await accounts.create_user(new)


@pytest.mark.parametrize("label", ["a\nb", "\x1b[2J", "a" * 101])
async def test_a_label_that_commands_terminals_is_refused(accounts: Accounts, ada: User, label: str) -> None:
    with pytest.raises(BadRequest):
        await accounts.create_key(ada, label)


@pytest.mark.parametrize("name", ["bob", "", "a\x00"])
async def test_a_user_who_is_not_there_is_not_found(accounts: Accounts, name: str) -> None:
    with pytest.raises(NotFound):
        await accounts.user_named(name)


async def test_a_key_has_the_scopes_it_was_made_with(accounts: Accounts, ada: User) -> None:
    _, everything = await accounts.create_key(ada)
    _, only_reads = await accounts.create_key(ada, scopes=frozenset({Scope.READ}))

    found = [await accounts.authenticate(secret) for secret in (everything, only_reads)]

    assert [one.scopes for one in found if one] == [ALL_SCOPES, {Scope.READ}]


async def test_an_admins_key_without_that_scope_is_no_admins(accounts: Accounts) -> None:
    root = await accounts.first_admin()
    _, secret = await accounts.create_key(root, scopes=frozenset({Scope.READ, Scope.SUBMIT}))

    principal = await accounts.authenticate(secret)

    assert principal is not None
    assert not principal.is_admin


async def test_a_key_is_nobody_when_its_time_is_over(accounts: Accounts, ada: User, clock: Clock) -> None:
    key, secret = await accounts.create_key(ada, works_for=timedelta(days=7))
    assert key.expires_at == clock() + timedelta(days=7)

    clock.advance(days=7, seconds=-1)
    assert await accounts.authenticate(secret) is not None
    clock.advance(seconds=1)
    assert await accounts.authenticate(secret) is None


@pytest.mark.parametrize("span", [timedelta(), timedelta(days=-1), timedelta(days=40000)], ids=["none", "past", "ages"])
async def test_a_key_must_have_an_end_that_can_come(accounts: Accounts, ada: User, span: timedelta) -> None:
    with pytest.raises(BadRequest, match="a key works for"):
        await accounts.create_key(ada, works_for=span)


async def test_a_key_without_any_scope_is_not_made(accounts: Accounts, ada: User) -> None:
    with pytest.raises(BadRequest, match="one scope at least"):
        await accounts.create_key(ada, scopes=frozenset())
