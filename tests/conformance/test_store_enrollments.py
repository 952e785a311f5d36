"""The exam of `Store`, continued: tokens to join with, workers that have joined, that rest, that were sent away."""

import asyncio
import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.databases import Databases
from tests.publishing import publish

from fireside.domain.ids import WorkerId
from fireside.domain.workers import Enrollment, JoinToken, RemovedWorker
from fireside.store.store import DuplicateWorker, JoinTokenUsed, Store

NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
HOUR = timedelta(hours=1)
ONE, TWO = WorkerId("gpu-1"), WorkerId("gpu-2")


def digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


async def add_token(store: Store, *, is_reusable: bool = False, expires_at: datetime | None = None) -> JoinToken:
    return await store.add_join_token(
        digest("token"), "fsj_abc", "rack 4", NOW, is_reusable=is_reusable, expires_at=expires_at
    )


async def enroll(store: Store, token: JoinToken, name: WorkerId = ONE, now: datetime = NOW) -> Enrollment:
    return await store.enroll(name, digest(f"secret of {name}"), token, now, protocol=1, version="0.1")


async def test_a_token_is_found_by_its_digest_and_listed(store: Store) -> None:
    token = await add_token(store, expires_at=NOW + HOUR)

    assert (token.label, token.is_reusable, token.uses, token.expires_at) == ("rack 4", False, 0, NOW + HOUR)
    assert await store.join_token(digest("token")) == token
    assert await store.join_token(digest("other")) is None
    assert await store.join_tokens() == [token]


async def test_a_token_for_one_lets_one_in_also_when_several_come_at_once(store: Store) -> None:
    token = await add_token(store)

    answers = await asyncio.gather(
        *(enroll(store, token, WorkerId(f"gpu-{number}")) for number in range(5)), return_exceptions=True
    )

    assert sum(isinstance(answer, Enrollment) for answer in answers) == 1
    assert sum(isinstance(answer, JoinTokenUsed) for answer in answers) == 4
    assert len(await store.enrollments()) == 1
    (used,) = await store.join_tokens()
    assert (used.uses, used.used_at) == (1, NOW)


async def test_a_token_for_many_lets_many_in(store: Store) -> None:
    token = await add_token(store, is_reusable=True)

    first, second = await enroll(store, token, ONE), await enroll(store, token, TWO)

    assert await store.enrollments() == [first, second]
    assert await store.enrollment(digest("secret of gpu-2")) == second
    assert await store.enrollment_of(ONE) == first


async def test_a_token_that_is_over_lets_nobody_in(store: Store) -> None:
    token = await add_token(store, is_reusable=True, expires_at=NOW + HOUR)

    with pytest.raises(JoinTokenUsed):
        await enroll(store, token, now=NOW + HOUR)
    assert await store.revoke_join_token(token.id, NOW)
    assert not await store.revoke_join_token(token.id, NOW)
    with pytest.raises(JoinTokenUsed):
        await enroll(store, token)
    assert await store.enrollments() == []


async def test_a_name_is_one_workers_and_a_refused_one_costs_no_use(store: Store) -> None:
    token = await add_token(store, is_reusable=True)
    await enroll(store, token)

    with pytest.raises(DuplicateWorker):
        await store.enroll(ONE, digest("another"), token, NOW, protocol=1, version="0.1")

    assert [one.uses for one in await store.join_tokens()] == [1]


async def test_one_process_speaks_for_a_worker_and_two_that_come_at_once_do_not_both(store: Store) -> None:
    seen = await enroll(store, await add_token(store))

    answers = await asyncio.gather(
        *(store.boot_worker(seen, f"boot-{number}", NOW, protocol=2, version="0.2") for number in range(4))
    )

    (booted,) = [answer for answer in answers if answer is not None]
    assert (booted.protocol, booted.version, booted.booted_at) == (2, "0.2", NOW)
    assert await store.enrollment_of(ONE) == booted


async def test_who_is_sent_away_has_no_credential_and_its_number_is_never_given_again(store: Store) -> None:
    token = await add_token(store, is_reusable=True)
    first = await enroll(store, token)
    await store.drain_worker(ONE, NOW)

    assert await store.remove_worker(ONE, NOW)
    assert not await store.remove_worker(ONE, NOW)

    assert await store.enrollment(digest("secret of gpu-1")) is None
    assert await store.removed_workers() == [RemovedWorker(number=first.number, worker_id=ONE, key_ends_at=NOW)]
    assert await store.drained_workers() == frozenset()
    assert (await enroll(store, token)).number > first.number


async def test_what_a_worker_could_run_goes_with_it_unless_it_was_the_last(store: Store) -> None:
    await publish(store, b"{}", worker="gpu-1", now=NOW)
    await publish(store, b"{}", worker="gpu-2", now=NOW)

    assert await store.remove_worker(ONE, NOW)
    await store.remove_worker(TWO, NOW)

    assert [worker.id for worker in await store.workers()] == [TWO]


async def test_a_worker_rests_until_it_is_resumed(store: Store) -> None:
    for _ in range(2):
        await store.drain_worker(ONE, NOW)
    assert await store.drained_workers() == {ONE}

    for _ in range(2):
        await store.resume_worker(ONE)
    assert await store.drained_workers() == frozenset()


async def test_of_workers_that_left_what_they_could_run_is_remembered_once(store: Store) -> None:
    token = await add_token(store, is_reusable=True)
    for name, vram_gb in (("pod-1", 24), ("pod-2", 24), ("pod-3", 48), ("stays", 24), ("pod-4", 24)):
        await enroll(store, token, WorkerId(name))
        await publish(store, worker=name, vram_gb=vram_gb)

    for number in (1, 2, 3, 4):
        assert await store.let_worker_leave(WorkerId(f"pod-{number}"), NOW + HOUR)

    # pod-4 stands for 1 and 2, which were alike; 3 had more memory, and `stays` is there.
    assert [one.id for one in await store.workers()] == ["pod-3", "pod-4", "stays"]
    assert [one.worker_id for one in await store.enrollments()] == ["stays"]
    assert {one.worker_id for one in await store.removed_workers()} == {"pod-1", "pod-2", "pod-3", "pod-4"}
    assert not await store.let_worker_leave(WorkerId("pod-1"), NOW + HOUR)


async def boot(store: Store, seen: Enrollment, key_ends_at: datetime | None) -> Enrollment:
    booted = await store.boot_worker(seen, "boot", NOW, protocol=1, version="0.1", key_ends_at=key_ends_at)
    assert booted is not None
    return booted


async def test_a_key_lasts_as_long_as_the_longest_that_was_given(store: Store) -> None:
    one = await enroll(store, await add_token(store))
    assert one.key_ends_at is None

    first = await boot(store, one, NOW + 2 * HOUR)
    shorter = await boot(store, first, NOW + HOUR)
    longer = await boot(store, shorter, NOW + 3 * HOUR)
    for_ever = await boot(store, longer, None)
    for_ever_still = await boot(store, for_ever, NOW + HOUR)

    ends = [each.key_ends_at for each in (first, shorter, longer, for_ever, for_ever_still)]
    assert ends == [NOW + 2 * HOUR, NOW + 2 * HOUR, NOW + 3 * HOUR, None, None]


async def test_a_removed_worker_is_forgotten_when_its_key_has_ended(store: Store) -> None:
    token = await add_token(store, is_reusable=True)
    names = [WorkerId(name) for name in ("never-booted", "soon", "late", "never", "known", "again")]
    never_booted, *others = [await enroll(store, token, name) for name in names]
    for one, ends_at in zip(others, [HOUR, 3 * HOUR, None, HOUR, HOUR], strict=True):
        await boot(store, one, None if ends_at is None else NOW + ends_at)
    await publish(store, worker="known")
    for name in names:
        await store.remove_worker(name, NOW)
    await enroll(store, token, WorkerId("again"))
    await publish(store, worker="again")

    forgotten = await store.forget_removed_workers(NOW + 2 * HOUR)

    assert {one.worker_id for one in forgotten} == {"never-booted", "soon", "again"}
    assert never_booted.number in {one.number for one in forgotten}
    # What `known` could run is remembered, and it is not to be listed by that.
    assert {one.worker_id for one in await store.removed_workers()} == {"late", "never", "known"}


async def test_a_key_that_a_former_server_gave_meanwhile_has_no_end(databases: Databases, tmp_path: Path) -> None:
    async with databases.opened(tmp_path) as database:
        store = Store(database)
        first = await boot(store, await enroll(store, await add_token(store)), NOW + HOUR)
        with databases.raw(tmp_path) as execute:
            execute("UPDATE enrollment SET booted_at = booted_at + 1")

        read = await store.enrollment_of(ONE)
        assert (first.key_ends_at, read and read.key_ends_at) == (NOW + HOUR, None)
        assert (await boot(store, read or first, NOW + HOUR)).key_ends_at is None
        await store.remove_worker(ONE, NOW)

        assert await store.forget_removed_workers(NOW + 10 * HOUR) == []
