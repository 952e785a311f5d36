"""The exam of `Store`, continued: what jobs ask of workers, and what these ran."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from tests.publishing import publish

from fireside.domain.accounts import Role, User
from fireside.domain.ids import JobId, UserId, WorkerId
from fireside.domain.jobs import Job
from fireside.domain.lifecycle import Verb, advance
from fireside.store.records import NOTHING_REQUIRED, JobBody, KeptRequirement, NewJob
from fireside.store.store import Store

NOW = datetime(2026, 1, 2, tzinfo=UTC)
BIG, SMALL = KeptRequirement(UUID(int=2), b"big"), KeptRequirement(UUID(int=1 << 127), b"small")


async def user(store: Store, name: str = "ann") -> User:
    return await store.add_user(name, Role.MEMBER, NOW)


async def submit(store: Store, user: User, requirement: KeptRequirement | None = None, **more: Any) -> Job:
    body = JobBody(graph=b"{}", extra_data=b"{}", outputs=())
    new = NewJob(id=JobId(uuid4()), user_id=user.id, body=body, requirement=requirement, **more)
    return await store.add_job(new, NOW, max_queued=None)


async def test_what_jobs_ask_for_is_kept_once_and_read_by_its_name(store: Store) -> None:
    ann = await user(store)
    for requirement in (BIG, BIG, SMALL, None):
        await submit(store, ann, requirement)

    kept = await store.requirements([BIG.id, SMALL.id, NOTHING_REQUIRED, uuid4()])

    assert kept == {BIG.id: BIG.body, SMALL.id: SMALL.body}
    _, heads = await store.waiting(per_user=9)
    assert [head.requirement_id for head in heads] == [BIG.id, BIG.id, SMALL.id, NOTHING_REQUIRED]


async def test_another_process_keeps_what_this_one_has_kept_already(store: Store) -> None:
    ann = await user(store)
    await submit(store, ann, BIG)
    store._kept_requirements.clear()

    await submit(store, ann, BIG)

    assert await store.requirements([BIG.id]) == {BIG.id: BIG.body}


async def test_what_waits_is_told_by_what_it_asks_for_each_once(store: Store) -> None:
    ann, bob, eve = [await user(store, name) for name in ("ann", "bob", "eve")]
    for requirement in (SMALL, BIG, None, BIG, SMALL):
        await submit(store, ann, requirement)
    await submit(store, bob, SMALL)
    await submit(store, eve, SMALL)

    waiting = await store.waiting_requirements([bob.id, ann.id, UserId(77)])

    assert waiting == [(ann.id, NOTHING_REQUIRED), (ann.id, BIG.id), (ann.id, SMALL.id), (bob.id, SMALL.id)]
    assert await store.waiting_requirements([]) == []


async def test_jobs_that_do_not_wait_ask_for_nothing(store: Store) -> None:
    ann = await user(store)
    job = await submit(store, ann, BIG)
    await store.change_job(job, advance(job, Verb.CANCEL, job.changed_at))

    assert await store.waiting_requirements([ann.id]) == []
    assert await store.heads_of_requirements([(ann.id, BIG.id)], per_pair=9) == []


async def test_the_first_of_those_that_ask_alike_are_found_in_queue_order(store: Store) -> None:
    ann, bob = await user(store, "ann"), await user(store, "bob")
    bigs = [await submit(store, ann, BIG) for _ in range(3)]
    smalls = [await submit(store, ann, SMALL), await submit(store, ann, SMALL, front=True)]
    bobs = await submit(store, bob, BIG)

    heads = await store.heads_of_requirements([(ann.id, SMALL.id), (ann.id, BIG.id), (bob.id, BIG.id)], per_pair=2)

    assert [head.job.id for head in heads] == [smalls[1].id, bigs[0].id, bigs[1].id, smalls[0].id, bobs.id]
    assert (heads[0].requirement_id, heads[0].job.number, heads[0].job.user_id) == (SMALL.id, smalls[1].number, ann.id)
    assert await store.heads_of_requirements([], per_pair=2) == []


async def test_what_a_worker_ran_is_remembered_with_each_attempt(store: Store) -> None:
    job = await submit(store, await user(store))
    for version, worker in (("1", "w"), ("2", "w")):
        await publish(store, worker=worker, snapshot={"comfyui": version})
        job = await store.change_job(job, advance(job, Verb.ASSIGN, job.changed_at, worker_id=WorkerId(worker)))
        job = await store.change_job(job, advance(job, Verb.RESCUE, job.changed_at))
    job = await store.change_job(job, advance(job, Verb.ASSIGN, job.changed_at, worker_id=WorkerId("unknown")))
    await publish(store, worker="w", snapshot={"comfyui": "3"})

    attempts = await store.job_attempts(job.id)

    assert [(one.attempt, one.worker_id, one.outcome) for one in attempts] == [
        (1, "w", "queued"), (2, "w", "queued"), (3, "unknown", None),
    ]  # fmt: skip
    assert [one.snapshot for one in attempts] == [b'{"comfyui":"1"}', b'{"comfyui":"2"}', None]
    assert await store.job_attempts(JobId(uuid4())) == []
