"""Who may join the fleet, under which name, and how they come back."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.databases import Databases

from fireside.accounts.enrollments import Enrollments, Newcomer, WrongProtocol
from fireside.accounts.wrong_tokens import WrongTokens
from fireside.config import Config
from fireside.domain.errors import BadRequest, Forbidden, NotFound, TooMany
from fireside.domain.workers import JoinToken
from fireside.store.store import DuplicateWorker, JoinTokenUsed, Store

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Office:
    """Enrollments over a store of its own, at a time that tests set."""

    def __init__(self, store: Store, *, keys_are_revoked: bool = True) -> None:
        self.store = store
        self.now = NOON
        self.enrollments = Enrollments(
            store, lambda: self.now, Config(), protocols=range(2, 4), keys_are_revoked=keys_are_revoked
        )

    async def token(self, *, is_reusable: bool = True, works_for: timedelta | None = HOUR) -> JoinToken:
        token, secret = await self.enrollments.create_token(label="x", is_reusable=is_reusable, works_for=works_for)
        assert await self.enrollments.token(secret) == token
        return token


@pytest.fixture
async def store(databases: Databases, tmp_path: Path) -> AsyncIterator[Store]:
    async with databases.opened(tmp_path) as database:
        yield Store(database)


@pytest.fixture
def office(store: Store) -> Office:
    return Office(store)


def newcomer(secret: str = "a", **more: Any) -> Newcomer:
    fields: dict[str, Any] = {"protocol": 2, "version": "0.1", "name": "", "hostname": "Box.example.org"} | more
    return Newcomer(secret="fsw_" + secret * 43, **fields)


async def test_workers_are_named_after_their_machines_with_numbers_behind(office: Office) -> None:
    token = await office.token()

    names = [(await office.enrollments.enroll(token, newcomer(secret))).worker_id for secret in "abc"]

    assert names == ["box", "box-2", "box-3"]


@pytest.mark.parametrize(
    ("hostname", "name"),
    [
        ("", "worker"), ("server", "worker"), ("Server", "worker"), ("local", "worker"), ("gpu 1/ä*", "gpu-1"),
        ("x" * 200, "x" * 56), ("...", "worker"), ("-_-", "worker"),
    ],
)  # fmt: skip
async def test_a_machines_name_that_cannot_be_a_workers_is_made_one(office: Office, hostname: str, name: str) -> None:
    enrollment = await office.enrollments.enroll(await office.token(), newcomer(hostname=hostname))

    assert enrollment.worker_id == name


@pytest.mark.parametrize("name", ["server", "SERVER", "local-1", "local-99", "a.b", "a b", "*", ">", "ä", "x" * 65])
async def test_a_name_that_would_be_taken_for_another_is_refused(office: Office, name: str) -> None:
    with pytest.raises(BadRequest):
        await office.enrollments.enroll(await office.token(), newcomer(name=name))

    assert await office.store.enrollments() == []


async def test_a_name_that_is_wished_and_taken_is_refused_with_what_to_do(office: Office) -> None:
    token = await office.token()
    await office.enrollments.enroll(token, newcomer("a", name="gpu"))

    with pytest.raises(DuplicateWorker, match="fireside workers remove gpu"):
        await office.enrollments.enroll(token, newcomer("b", name="gpu"))


async def test_who_asks_again_with_the_same_secret_is_the_same_worker_also_with_a_token_for_one(
    office: Office,
) -> None:
    token = await office.token(is_reusable=False)

    first = await office.enrollments.enroll(token, newcomer())
    office.now += 2 * HOUR
    again = await office.enrollments.enroll(token, newcomer(name="other"))

    assert first == again
    assert [one.uses for one in await office.store.join_tokens()] == [1]


@pytest.mark.parametrize("secret", ["", "fsw_short", "fsk_" + "a" * 43, "fsw_" + "a" * 42 + " ", "fsw_" + "a" * 500])
async def test_a_secret_that_could_be_guessed_is_refused(office: Office, secret: str) -> None:
    with pytest.raises(BadRequest, match="secret"):
        await office.enrollments.enroll(
            await office.token(), Newcomer(secret=secret, protocol=2, version="", name="", hostname="")
        )
    assert await office.enrollments.worker_of(secret) is None


async def test_a_token_is_refused_with_the_reason(office: Office) -> None:
    used, expired, revoked = [await office.token(is_reusable=False) for _ in range(3)]
    await office.enrollments.enroll(used, newcomer("a"))
    (used,) = [one for one in await office.enrollments.tokens() if one.id == used.id]
    await office.enrollments.revoke_token(revoked.id)
    (revoked,) = [one for one in await office.enrollments.tokens() if one.id == revoked.id]

    async def refusal(token: JoinToken) -> str:
        with pytest.raises(JoinTokenUsed) as caught:
            await office.enrollments.enroll(token, newcomer("b"))
        assert isinstance(caught.value, Forbidden)
        return caught.value.message

    assert "one has joined with it" in await refusal(used)
    assert "revoked" in await refusal(revoked)
    office.now += HOUR
    assert "expired" in await refusal(expired)


async def test_a_token_that_was_read_before_somebody_else_used_it_lets_nobody_in(office: Office) -> None:
    token = await office.token(is_reusable=False)
    await office.enrollments.enroll(token, newcomer("a"))

    with pytest.raises(JoinTokenUsed, match="one has joined with it"):
        await office.enrollments.enroll(token, newcomer("b"))


@pytest.mark.parametrize(("protocol", "words"), [(1, "older"), (4, "newer")])
async def test_a_worker_of_another_age_is_told_what_to_install(office: Office, protocol: int, words: str) -> None:
    token = await office.token(is_reusable=False)

    with pytest.raises(
        WrongProtocol, match=f"{words} than the server: it speaks protocol {protocol}, the server 2 to 3"
    ):
        await office.enrollments.enroll(token, newcomer(protocol=protocol))

    enrollment = await office.enrollments.enroll(token, newcomer())
    with pytest.raises(WrongProtocol):
        await office.enrollments.boot(enrollment, "boot", protocol=protocol, version="")


async def test_a_name_comes_again_only_where_its_former_key_is_worth_nothing(store: Store) -> None:
    careful = Office(store, keys_are_revoked=False)
    token = await careful.token()
    await careful.enrollments.enroll(token, newcomer("a", name="box"))
    await store.remove_worker((await store.enrollments())[0].worker_id, NOON)

    with pytest.raises(DuplicateWorker, match="was removed"):
        await careful.enrollments.enroll(token, newcomer("b", name="box"))
    assert (await careful.enrollments.enroll(token, newcomer("c"))).worker_id == "box-2"
    assert (await Office(store).enrollments.enroll(token, newcomer("d", name="box"))).worker_id == "box"


async def test_only_a_token_that_is_there_is_revoked(office: Office) -> None:
    for number in (0, -1, 99, 1 << 70):
        with pytest.raises(NotFound):
            await office.enrollments.revoke_token(number)


async def test_no_credential_is_kept(databases: Databases, store: Store, tmp_path: Path) -> None:
    office = Office(store)
    token, secret = await office.enrollments.create_token(label="x", is_reusable=False, works_for=None)
    await office.enrollments.enroll(token, newcomer("q"))

    kept = databases.bytes_kept(tmp_path)

    assert b"fsw_" + b"q" * 43 not in kept
    assert secret.encode() not in kept


@pytest.fixture
def guesses() -> tuple[WrongTokens, Callable[[float], None]]:
    now = [1000.0]

    def go(seconds: float) -> None:
        now[0] += seconds

    return WrongTokens(3, lambda: now[0]), go


def test_who_is_wrong_too_often_has_to_wait_and_others_do_not(
    guesses: tuple[WrongTokens, Callable[[float], None]],
) -> None:
    counted, go = guesses
    for _ in range(3):
        counted.check("10.0.0.1")
        counted.note("10.0.0.1")

    with pytest.raises(TooMany) as caught:
        counted.check("10.0.0.1")
    assert 0 < caught.value.retry_after <= 60
    counted.check("10.0.0.2")
    go(60)
    counted.check("10.0.0.1")


def test_addresses_that_one_person_has_count_as_one(guesses: tuple[WrongTokens, Callable[[float], None]]) -> None:
    counted, _ = guesses
    for number in range(3):
        counted.note(f"2001:db8::{number}")
    counted.note("::ffff:10.0.0.1")

    with pytest.raises(TooMany):
        counted.check("2001:db8::ffff")
    counted.check("2001:db8:0:1::1")
    counted.check("10.0.0.1")
