"""Passwords, invitations, and guesses that are kept few."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher

from fireside.accounts.accounts import Accounts, NewUser
from fireside.accounts.guesses import COUNTED_FOR, MOST_FROM_ADDRESS, MOST_FROM_THERE
from fireside.accounts.passwords import Passwords
from fireside.accounts.sign_ins import SignIns
from fireside.config import Config
from fireside.domain.accounts import Role, User
from fireside.domain.errors import BadRequest, Forbidden, NotFound, TooMany, Unauthenticated
from fireside.store.store import DuplicateUser, Store

HERE = "192.0.2.1"
GOOD = "correct horse battery"
OTHER = "another long password"


@pytest.fixture
def sign_ins(accounts: Accounts, store: Store, clock: Any) -> SignIns:
    cheap = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    return SignIns(accounts, store, clock, Config(invitation_days=7), cheap)


@pytest.fixture
async def ada(accounts: Accounts, sign_ins: SignIns) -> User:
    user = await accounts.create_user(NewUser(name="ada"))
    await sign_ins.change_password(user, "", GOOD, HERE)
    return await accounts.user_named("ada")


async def _owner(accounts: Accounts, cookie: str) -> str | None:
    principal = await accounts.session(cookie)
    return None if principal is None else principal.user.name


async def test_a_password_signs_in(accounts: Accounts, sign_ins: SignIns, ada: User) -> None:
    assert ada.has_password
    assert await _owner(accounts, await sign_ins.with_password("ada", GOOD, HERE)) == "ada"


@pytest.mark.parametrize(("name", "password"), [("ada", OTHER), ("eve", GOOD), ("Ada", GOOD), ("ada", GOOD + " ")])
async def test_a_wrong_name_and_a_wrong_password_are_answered_the_same(
    sign_ins: SignIns, ada: User, name: str, password: str
) -> None:
    with pytest.raises(Unauthenticated, match=r"^The name or the password is not right\.$"):
        await sign_ins.with_password(name, password, HERE)


async def test_a_password_is_kept_as_rfc_9106_says() -> None:
    kept = await Passwords().kept(GOOD)

    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert await Passwords().matches(GOOD, kept)


async def test_who_has_no_password_cannot_sign_in_with_one(accounts: Accounts, sign_ins: SignIns) -> None:
    await accounts.create_user(NewUser(name="bob"))
    with pytest.raises(Unauthenticated):
        await sign_ins.with_password("bob", GOOD, HERE)


async def test_no_password_is_in_the_data_folder(sign_ins: SignIns, ada: User, tmp_path: Path) -> None:
    for path in tmp_path.iterdir():
        assert path.is_dir() or GOOD.encode() not in path.read_bytes()


async def test_a_password_is_the_same_however_the_keyboard_writes_it(sign_ins: SignIns, ada: User) -> None:
    await sign_ins.change_password(ada, GOOD, "sm\u00f8rrebr\u00f8d \u00e9clair", HERE)

    assert await sign_ins.with_password("ada", "sm\u00f8rrebr\u00f8d e\u0301clair", HERE)


@pytest.mark.parametrize("password", ["", "short", "a" * 257, "Password123", "1234567890", "aaaaaaaaaaaaaaa"])
async def test_a_password_that_is_guessed_first_is_refused(sign_ins: SignIns, ada: User, password: str) -> None:
    with pytest.raises(BadRequest, match="password"):
        await sign_ins.change_password(ada, GOOD, password, HERE)
    assert await sign_ins.with_password("ada", GOOD, HERE)


async def test_guesses_from_one_place_are_few_and_lock_nobody_else_out(
    sign_ins: SignIns, ada: User, clock: Any
) -> None:
    for _ in range(MOST_FROM_THERE):
        with pytest.raises(Unauthenticated):
            await sign_ins.with_password("ada", OTHER, HERE)

    with pytest.raises(TooMany) as refused:
        await sign_ins.with_password("ada", GOOD, HERE)
    assert 0 < refused.value.retry_after <= COUNTED_FOR.total_seconds()
    assert await sign_ins.with_password("ada", GOOD, "192.0.2.2")

    clock.advance(seconds=refused.value.retry_after)
    assert await sign_ins.with_password("ada", GOOD, HERE)


async def test_guesses_at_once_are_counted_one_by_one(sign_ins: SignIns, ada: User) -> None:
    tries = [sign_ins.with_password("ada", OTHER, HERE) for _ in range(2 * MOST_FROM_THERE)]
    refusals = await asyncio.gather(*tries, return_exceptions=True)

    assert sum(isinstance(one, Unauthenticated) for one in refusals) == MOST_FROM_THERE


async def test_one_address_does_not_try_all_names(sign_ins: SignIns, ada: User) -> None:
    networks = "2001:db8:0:1::{:x}"
    kinds = [
        type(await _refusal(sign_ins.with_password(f"user{n}", "x", networks.format(n))))
        for n in range(MOST_FROM_ADDRESS + 1)
    ]
    assert kinds == [Unauthenticated] * MOST_FROM_ADDRESS + [TooMany]


async def _refusal(trying: Any) -> BaseException | None:
    (refusal,) = await asyncio.gather(trying, return_exceptions=True)
    return refusal


async def test_the_right_password_begins_to_count_anew(sign_ins: SignIns, ada: User) -> None:
    for _ in range(3):
        for _ in range(MOST_FROM_THERE - 1):
            with pytest.raises(Unauthenticated):
                await sign_ins.with_password("ada", OTHER, HERE)
        assert await sign_ins.with_password("ada", GOOD, HERE)


async def test_a_new_password_needs_the_present_one_and_ends_other_sessions(
    accounts: Accounts, sign_ins: SignIns, ada: User
) -> None:
    elsewhere = await sign_ins.with_password("ada", GOOD, HERE)
    with pytest.raises(Forbidden):
        await sign_ins.change_password(ada, OTHER, OTHER, HERE)
    assert await _owner(accounts, elsewhere) == "ada"

    cookie = await sign_ins.change_password(ada, GOOD, OTHER, HERE)

    assert await _owner(accounts, elsewhere) is None
    assert await _owner(accounts, cookie) == "ada"
    with pytest.raises(Unauthenticated):
        await sign_ins.with_password("ada", GOOD, HERE)
    assert await sign_ins.with_password("ada", OTHER, HERE)


async def test_a_password_link_works_once_and_is_no_login_link(
    accounts: Accounts, sign_ins: SignIns, ada: User
) -> None:
    token, _ = await sign_ins.password_link(ada)
    assert await accounts.use_login_link(token) is None
    with pytest.raises(BadRequest):
        await sign_ins.use_password_link(token, "short")

    used = await asyncio.gather(*(sign_ins.use_password_link(token, OTHER) for _ in range(3)), return_exceptions=True)

    assert sorted(type(one).__name__ for one in used) == ["NotFound", "NotFound", "str"]
    assert await sign_ins.with_password("ada", OTHER, HERE)


async def test_a_new_password_makes_older_links_worthless(accounts: Accounts, sign_ins: SignIns, ada: User) -> None:
    link, (token, _) = await accounts.login_link(ada), await sign_ins.password_link(ada)

    await sign_ins.change_password(ada, GOOD, OTHER, HERE)

    assert await accounts.use_login_link(link) is None
    with pytest.raises(NotFound):
        await sign_ins.use_password_link(token, GOOD)


async def test_a_guest_chooses_name_and_password_once(accounts: Accounts, sign_ins: SignIns, ada: User) -> None:
    invitation, token = await sign_ins.invite(None, Role.ADMIN, 2.0)
    assert [one.id for one in await sign_ins.invitations()] == [invitation.id]
    with pytest.raises(DuplicateUser):
        await sign_ins.accept(token, "ada", GOOD)

    cookie = await sign_ins.accept(token, "grace", GOOD)

    assert await _owner(accounts, cookie) == "grace"
    grace = await accounts.user_named("grace")
    assert (grace.role, grace.weight, grace.has_password) == (Role.ADMIN, 2.0, True)
    assert await sign_ins.invitations() == []
    with pytest.raises(NotFound):
        await sign_ins.accept(token, "mallory", GOOD)


async def test_a_guest_who_is_named_takes_no_other_name(accounts: Accounts, sign_ins: SignIns) -> None:
    _, token = await sign_ins.invite("grace", Role.MEMBER, 1.0)

    assert await _owner(accounts, await sign_ins.accept(token, "root", GOOD)) == "grace"


async def test_an_invitation_ends_with_its_days_or_when_it_is_taken_back(sign_ins: SignIns, clock: Any) -> None:
    _, late = await sign_ins.invite(None, Role.MEMBER, 1.0)
    clock.advance(days=7)
    with pytest.raises(NotFound):
        await sign_ins.accept(late, "grace", GOOD)

    invitation, token = await sign_ins.invite(None, Role.MEMBER, 1.0)
    await sign_ins.take_back(invitation.id)
    with pytest.raises(NotFound):
        await sign_ins.accept(token, "grace", GOOD)
    with pytest.raises(NotFound):
        await sign_ins.take_back(invitation.id)


@pytest.mark.parametrize(("name", "weight"), [("a b", 1.0), ("", 1.0), ("ada", 1.0), (None, 0.0), (None, float("nan"))])
async def test_an_odd_invitation_is_refused(sign_ins: SignIns, ada: User, name: str | None, weight: float) -> None:
    with pytest.raises(BadRequest):
        await sign_ins.invite(name, Role.MEMBER, weight)


async def test_a_session_that_nobody_uses_ends(
    accounts: Accounts, store: Store, sign_ins: SignIns, ada: User, clock: Any
) -> None:
    accounts = Accounts(store, clock, Config(session_days=30, session_idle_days=3))
    used, unused = await accounts.begin_session(ada.id), await accounts.begin_session(ada.id)

    clock.advance(days=2)
    assert await _owner(accounts, used) == "ada"
    await accounts.flush_last_used()
    clock.advance(days=2)

    assert await _owner(accounts, used) == "ada"
    assert await _owner(accounts, unused) is None


async def test_a_session_goes_on_under_another_cookie_after_a_day(
    accounts: Accounts, sign_ins: SignIns, ada: User, clock: Any
) -> None:
    cookie = await accounts.begin_session(ada.id)
    assert await accounts.renewed_session(cookie) is None
    clock.advance(days=1)

    renewed = await accounts.renewed_session(cookie) or ""

    assert [await _owner(accounts, one) for one in (cookie, renewed)] == ["ada", "ada"]
    clock.advance(minutes=1)
    assert [await _owner(accounts, one) for one in (cookie, renewed)] == [None, "ada"]
    # It ends when the first one would have: the fixture's sessions last two days.
    clock.advance(days=1)
    assert await _owner(accounts, renewed) is None
