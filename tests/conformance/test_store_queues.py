"""The exam of `Store`, continued: pauses, and other places in a queue."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from fireside.domain.accounts import Role, User
from fireside.domain.ids import JobId, WorkerId
from fireside.domain.jobs import Job
from fireside.domain.lifecycle import Verb, advance
from fireside.domain.moves import Move
from fireside.domain.pauses import Pause, PauseOrigin
from fireside.store.records import JobBody, NewJob
from fireside.store.store import Changed, Store

NOW = datetime(2026, 1, 2, tzinfo=UTC)


async def user(store: Store, name: str = "ann", **limits: Any) -> User:
    return await store.add_user(name, Role.MEMBER, NOW, **limits)


async def submit(store: Store, user: User, **more: Any) -> Job:
    body = JobBody(graph=b"{}", extra_data=b"{}", outputs=())
    return await store.add_job(NewJob(id=JobId(uuid4()), user_id=user.id, body=body, **more), NOW, max_queued=None)


async def assign(store: Store, job: Job, charge: float = 0.0) -> Job:
    after = advance(job, Verb.ASSIGN, NOW, worker_id=WorkerId("worker-1"))
    return await store.change_job(job, after, charge_seconds=charge)


async def queue_of(store: Store, user: User) -> list[JobId]:
    return [job.id for job in await store.active_jobs(user.id)]


async def heads(store: Store) -> list[JobId]:
    return [head.job.id for head in (await store.waiting(per_user=9))[1]]


async def shares(store: Store) -> dict[int, float]:
    return {share.user_id: share.virtual_time for share in (await store.waiting(per_user=1))[0]}


async def test_a_paused_user_is_no_candidate_and_the_others_are(store: Store) -> None:
    ann, bob = await user(store), await user(store, "bob")
    mine, other = await submit(store, ann), await submit(store, bob)

    paused = await store.pause(ann.id, PauseOrigin.OWNER, "lunch", NOW)

    assert paused == Pause(user_id=ann.id, origin=PauseOrigin.OWNER, paused_at=NOW, reason="lunch")
    assert await heads(store) == [other.id]
    assert (await store.pauses(ann.id), await store.pauses(bob.id)) == ([paused], [])
    assert await store.resume(ann.id, PauseOrigin.OWNER)
    assert await heads(store) == [mine.id, other.id]


async def test_everybody_is_paused_at_once(store: Store) -> None:
    ann = await user(store)
    await submit(store, ann)

    paused = await store.pause(None, PauseOrigin.ADMIN, "", NOW)

    assert (await heads(store), await store.pauses(ann.id), await store.pauses()) == ([], [paused], [paused])
    assert await store.resume(None, PauseOrigin.ADMIN)
    assert len(await heads(store)) == 1


async def test_a_pause_ends_only_by_who_made_it(store: Store) -> None:
    ann = await user(store)
    await submit(store, ann)
    for origin in PauseOrigin:
        await store.pause(ann.id, origin, "", NOW)

    assert await store.resume(ann.id, PauseOrigin.OWNER)
    assert not await store.resume(ann.id, PauseOrigin.OWNER)
    assert await heads(store) == []
    assert await store.resume(ann.id, PauseOrigin.ADMIN)
    assert len(await heads(store)) == 1


async def test_a_leader_that_has_not_heard_of_a_pause_assigns_nothing(store: Store) -> None:
    ann = await user(store)
    job = await submit(store, ann)
    await store.pause(ann.id, PauseOrigin.OWNER, "", NOW)

    with pytest.raises(Changed, match="paused"):
        await assign(store, job)

    await store.resume(ann.id, PauseOrigin.OWNER)
    await store.pause(None, PauseOrigin.ADMIN, "", NOW)
    with pytest.raises(Changed, match="paused"):
        await assign(store, job)


async def test_a_pause_earns_no_credit(store: Store) -> None:
    ann, bob, eve = [await user(store, name) for name in ("ann", "bob", "eve")]
    for one in (ann, bob):
        await submit(store, one)
        await submit(store, one)
    await store.pause(ann.id, PauseOrigin.OWNER, "", NOW)
    done = await assign(store, await submit(store, bob), 100.0)
    await store.change_job(done, advance(done, Verb.CANCEL, NOW), charge_seconds=0.0)

    await submit(store, eve)
    assert (await shares(store))[eve.id] == (await shares(store))[bob.id] == 100.0
    await store.resume(ann.id, PauseOrigin.OWNER)

    assert (await shares(store))[ann.id] == 100.0


async def test_a_job_goes_where_it_is_moved(store: Store) -> None:
    ann = await user(store)
    a, b, c, d = [(await submit(store, ann)).id for _ in range(4)]

    await store.move_job(ann.id, d, Move(to="front"))
    assert await queue_of(store, ann) == [d, a, b, c]
    await store.move_job(ann.id, d, Move(to="back"))
    assert await queue_of(store, ann) == [a, b, c, d]
    await store.move_job(ann.id, d, Move(to="before", anchor=b))
    assert await queue_of(store, ann) == [a, d, b, c]
    await store.move_job(ann.id, a, Move(to="after", anchor=b))
    assert await queue_of(store, ann) == [d, b, a, c]
    moved = await store.move_job(ann.id, a, Move(to="before", anchor=c))
    assert (await queue_of(store, ann), moved.id) == ([d, b, a, c], a)
    assert await queue_of(store, ann) == await heads(store)


async def test_later_jobs_go_behind_and_before_those_that_were_moved_to_the_ends(store: Store) -> None:
    ann = await user(store)
    a, b = [(await submit(store, ann)).id for _ in range(2)]
    await store.move_job(ann.id, b, Move(to="front"))
    await store.move_job(ann.id, a, Move(to="front"))
    await store.move_job(ann.id, b, Move(to="back"))

    last, first = (await submit(store, ann)).id, (await submit(store, ann, front=True)).id

    assert await queue_of(store, ann) == [first, a, b, last]


async def test_jobs_with_equal_numbers_make_room(store: Store) -> None:
    ann, bob = await user(store), await user(store, "bob")
    a, b, c = [(await submit(store, ann, number=7.0)).id for _ in range(3)]
    other = await submit(store, bob, number=7.0)

    await store.move_job(ann.id, c, Move(to="before", anchor=b))

    assert await queue_of(store, ann) == [a, c, b]
    assert await store.job(other.id) == other


async def test_a_place_is_found_however_often_one_moves_into_the_same_gap(store: Store) -> None:
    ann = await user(store)
    a, b, c = [(await submit(store, ann)).id for _ in range(3)]

    for _ in range(60):
        await store.move_job(ann.id, c, Move(to="before", anchor=b))
        await store.move_job(ann.id, b, Move(to="before", anchor=c))

    assert await queue_of(store, ann) == [a, b, c]


async def test_what_does_not_wait_or_is_a_strangers_is_not_moved(store: Store) -> None:
    ann, bob = await user(store), await user(store, "bob")
    mine, held, other = (
        await submit(store, ann),
        await assign(store, await submit(store, ann)),
        await submit(store, bob),
    )

    for move in (Move(to="before", anchor=held.id), Move(to="after", anchor=other.id)):
        with pytest.raises(Changed):
            await store.move_job(ann.id, mine.id, move)
    for job in (held, other):
        with pytest.raises(Changed):
            await store.move_job(ann.id, job.id, Move(to="front"))


async def test_what_decides_when_a_turn_comes_is_read_at_once(store: Store) -> None:
    ann = await user(store)
    first, second = await submit(store, ann), await submit(store, ann)
    held = await assign(store, await submit(store, ann), 4.0)
    paused = await store.pause(ann.id, PauseOrigin.OWNER, "", NOW)

    facts = await store.queue_facts(second, unknown_seconds=5.0)

    assert (facts.place, facts.pauses, facts.seconds_each, facts.requirement) == (2, [paused], 5.0, None)
    assert [(one.job.id, one.charged_seconds) for one in facts.held] == [(held.id, 4.0)]
    assert [(one.user_id, one.queued, one.held) for one in facts.shares] == [(ann.id, 2, 1)]
    assert (await store.queue_facts(first, unknown_seconds=5.0)).place == 1
    assert (await store.queue_facts(held, unknown_seconds=5.0)).place is None
