"""The exam of `Store`, continued: walks by state and by labels, idempotency keys, and places in the queue."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from fireside.domain.accounts import Role, User
from fireside.domain.ids import JobId, WorkerId
from fireside.domain.jobs import Job, JobState
from fireside.domain.lifecycle import Verb, advance
from fireside.domain.listing import JobWalk
from fireside.store.records import Drain, IdempotencyKey, JobBody, NamedRun, NewJob
from fireside.store.store import KeyReused, QueueFull, Store

NOW = datetime(2026, 1, 2, tzinfo=UTC)
DAY = timedelta(hours=24)
RED, BIG, NEW = {"color": "red"}, {"size": "big"}, {"age": "new"}


def key(name: str = "k", *, route: str = "jobs", now: datetime = NOW) -> IdempotencyKey:
    return IdempotencyKey(route=route, key=name, expired_at=now - DAY)


async def user(store: Store, name: str = "ann") -> User:
    return await store.add_user(name, Role.MEMBER, NOW)


async def submit(store: Store, user: User, *, now: datetime = NOW, limits: Any = None, **more: Any) -> Job:
    body = JobBody(graph=b"{}", extra_data=b"{}", outputs=())
    new = NewJob(id=JobId(uuid4()), user_id=user.id, body=body, **more)
    return await store.add_job(new, now, **(limits or {"max_queued": None}))


async def change(store: Store, job: Job, verb: Verb) -> Job:
    worker = WorkerId("w") if verb is Verb.ASSIGN else None
    lease = None if verb in (Verb.ASSIGN, Verb.CANCEL) else job.lease
    return await store.change_job(job, advance(job, verb, NOW, lease=lease, worker_id=worker))


async def run(store: Store, job: Job, *verbs: Verb) -> Job:
    for verb in verbs:
        job = await change(store, job, verb)
    return job


async def walk(store: Store, user: User, **wanted: Any) -> list[JobId]:
    """Walk to the end and give the ids of all that was seen."""
    seen: list[JobId] = []
    after: int | None = None
    while True:
        page = await store.walk_jobs(user.id, JobWalk(after=after, **wanted))
        seen += [job.id for job in page.jobs]
        if page.next_after is None:
            return seen
        assert after is None or page.next_after < after
        after = page.next_after


def ids(jobs: Sequence[Job]) -> list[JobId]:
    return [job.id for job in jobs]


async def test_everybodys_jobs_are_read_page_by_page_the_newest_first(store: Store) -> None:
    ann, bob = await user(store), await user(store, "bob")
    jobs = [await submit(store, (ann, bob)[n % 2], now=NOW + (n // 3) * DAY) for n in range(7)]
    expected = sorted(jobs, key=lambda job: (job.created_at, job.user_id), reverse=True)

    first = await store.newest_jobs_of_all(None, limit=3)
    await submit(store, ann, now=NOW + 9 * DAY)
    second = await store.newest_jobs_of_all(first.next_after, limit=3)
    third = await store.newest_jobs_of_all(second.next_after, limit=3)

    assert [len(page.jobs) for page in (first, second, third)] == [3, 3, 1]
    assert third.next_after is None
    read = [*first.jobs, *second.jobs, *third.jobs]
    assert [(job.created_at, job.user_id) for job in read] == [(job.created_at, job.user_id) for job in expected]
    assert {job.id for job in read} == {job.id for job in jobs}


async def test_a_walk_sees_every_job_of_the_user_once_the_newest_first(store: Store) -> None:
    ann, bob = await user(store), await user(store, "bob")
    jobs = [await submit(store, ann) for _ in range(5)]
    await submit(store, bob)

    assert await walk(store, ann, limit=2) == ids(jobs)[::-1]
    assert await walk(store, ann, limit=5) == ids(jobs)[::-1]


async def test_the_last_page_of_a_walk_says_so(store: Store) -> None:
    ann = await user(store)
    jobs = [await submit(store, ann) for _ in range(4)]

    whole = await store.walk_jobs(ann.id, JobWalk(limit=4))
    first = await store.walk_jobs(ann.id, JobWalk(limit=3))

    assert whole.next_after is None
    assert first.next_after is not None
    assert ids((await store.walk_jobs(ann.id, JobWalk(limit=3, after=first.next_after))).jobs) == [jobs[0].id]


async def test_jobs_are_found_by_all_of_the_labels_asked_for(store: Store) -> None:
    ann, bob = await user(store), await user(store, "bob")
    given = (RED | BIG | NEW, RED | BIG, RED, BIG, {}, {"color": "redder"}, {"colour": "red"})
    all_three, two, one, *_ = [await submit(store, ann, labels=labels) for labels in given]
    await submit(store, bob, labels=RED | BIG | NEW)

    assert await walk(store, ann, labels=RED | BIG | NEW, limit=1) == [all_three.id]
    assert await walk(store, ann, labels=RED | BIG, limit=1) == [two.id, all_three.id]
    assert await walk(store, ann, labels=RED, limit=2) == [one.id, two.id, all_three.id]
    assert await walk(store, ann, labels={"color": "green"}) == []


async def test_a_job_tells_its_labels(store: Store) -> None:
    ann = await user(store)
    job = await submit(store, ann, labels=RED)
    plain = await submit(store, ann)

    read = await store.job(job.id)

    assert read is not None
    assert (read.metadata, plain.metadata) == (b'{"color":"red"}', None)


async def test_states_and_labels_hold_together_also_where_states_share_a_class(store: Store) -> None:
    ann = await user(store)
    queued, running, canceling, canceled = [await submit(store, ann, labels=RED) for _ in range(4)]
    unlabeled = await submit(store, ann)
    await run(store, running, Verb.ASSIGN, Verb.START)
    await run(store, canceling, Verb.ASSIGN, Verb.START, Verb.CANCEL)
    await run(store, canceled, Verb.CANCEL)

    for state, jobs in (
        (JobState.QUEUED, [unlabeled, queued]),
        (JobState.RUNNING, [running]),
        (JobState.CANCELING, [canceling]),
        (JobState.CANCELED, [canceled]),
        (JobState.EXPIRED, []),
    ):
        assert await walk(store, ann, states=frozenset({state}), limit=1) == ids(jobs)
        labeled = [job for job in jobs if job is not unlabeled]
        assert await walk(store, ann, states=frozenset({state}), labels=RED, limit=1) == ids(labeled)


async def test_rare_jobs_are_found_among_many_that_share_all_but_one_label(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The bounds are those of the code, made small, so that a few dozen jobs are a long history.
    for bound, small in (("_PROBED", 3), ("_CHUNK", 4), ("_MOST_LOOKED_AT", 8)):
        monkeypatch.setattr(f"fireside.store.walk_verbs.{bound}", small)
    ann = await user(store)
    rare: list[JobId] = []
    for n in range(60):
        labels = {"all": "x", "half": "ab"[n % 2], "third": "abc"[n % 3]}
        job = await submit(store, ann, labels=labels)
        if n in (7, 50):
            await run(store, job, Verb.CANCEL)
        if n % 6 == 2:
            rare.append(job.id)

    assert await walk(store, ann, labels={"all": "x", "half": "a", "third": "c"}, limit=3) == rare[::-1]
    canceled = await walk(store, ann, labels={"all": "x"}, states=frozenset({JobState.CANCELED}), limit=3)
    assert len(canceled) == 2
    assert await walk(store, ann, labels={"half": "a", "all": "y"}) == []


async def test_labels_go_with_their_job(store: Store) -> None:
    ann = await user(store)
    job = await run(store, await submit(store, ann, labels=RED), Verb.CANCEL)

    await store.delete_jobs(ann.id, [job.id])

    assert await walk(store, ann, labels=RED) == []


async def test_a_key_is_used_up_by_the_job_that_was_queued_under_it(store: Store) -> None:
    ann, bob = await user(store), await user(store, "bob")
    await submit(store, ann, key=key())

    with pytest.raises(KeyReused):
        await submit(store, ann, key=key())

    await submit(store, bob, key=key())
    await submit(store, ann, key=key("other"))
    assert (await store.queue_counts(ann.id)).queued == 2


async def test_a_submit_that_is_refused_does_not_use_up_its_key(store: Store) -> None:
    ann = await user(store)
    await submit(store, ann)

    with pytest.raises(QueueFull):
        await submit(store, ann, key=key(), limits={"max_queued": 1})

    await submit(store, ann, key=key())


async def test_of_many_submits_under_one_key_at_once_exactly_one_is_queued(store: Store) -> None:
    ann = await user(store)

    outcomes = await asyncio.gather(*(submit(store, ann, key=key()) for _ in range(8)), return_exceptions=True)

    assert sum(isinstance(outcome, KeyReused) for outcome in outcomes) == 7
    assert (await store.queue_counts(ann.id)).queued == 1


async def test_a_key_is_as_good_as_new_after_its_day(store: Store) -> None:
    ann = await user(store)
    await submit(store, ann, key=key())
    late = NOW + DAY

    with pytest.raises(KeyReused):
        await submit(store, ann, key=key(now=late - timedelta(microseconds=1)), now=late)
    await submit(store, ann, key=key(now=late), now=late)
    with pytest.raises(KeyReused):
        await submit(store, ann, key=key(now=late), now=late)


async def test_expired_keys_are_removed_and_others_are_not(store: Store) -> None:
    ann = await user(store)
    await submit(store, ann, key=key("old"), now=NOW)
    await submit(store, ann, key=key("new"), now=NOW + timedelta(hours=1))

    assert await store.remove_expired_keys(NOW) == 1
    assert await store.remove_expired_keys(NOW) == 0

    with pytest.raises(KeyReused):
        await submit(store, ann, key=key("new"))


async def test_the_queue_of_all_is_bounded_too_and_says_that_it_is_it(store: Store) -> None:
    ann, bob = await user(store), await user(store, "bob")
    both = {"max_queued": 2, "max_queued_in_all": 3}
    for one in (ann, ann, bob):
        await submit(store, one, limits=both)

    with pytest.raises(QueueFull) as of_ann:
        await submit(store, ann, limits=both)
    with pytest.raises(QueueFull) as of_all:
        await submit(store, bob, limits=both)

    assert (of_ann.value.is_of_all, of_all.value.is_of_all) == (False, True)


async def test_places_in_the_queue_follow_its_order_and_only_who_waits_has_one(store: Store) -> None:
    ann, bob = await user(store), await user(store, "bob")
    second, third, running = [await submit(store, ann) for _ in range(3)]
    first = await submit(store, ann, front=True)
    other = await submit(store, bob)
    await run(store, running, Verb.ASSIGN, Verb.START)

    everybody = [second.id, third.id, running.id, first.id, other.id]
    places = await store.queue_places(ann.id, everybody)

    assert places == {first.id: 1, second.id: 2, third.id: 3}
    assert await store.queue_places(ann.id, [third.id]) == {third.id: 3}


async def test_jobs_that_ran_and_ended_lately_are_counted_for_one_and_for_all(store: Store) -> None:
    ann, bob = await user(store), await user(store, "bob")
    for one in (ann, ann, bob):
        await run(store, await submit(store, one), Verb.ASSIGN, Verb.START, Verb.SUCCEED)
    await run(store, await submit(store, ann), Verb.CANCEL)
    before, after = NOW - timedelta(seconds=1), NOW + timedelta(seconds=1)

    ended = await store.drain_since(before, user_id=ann.id)
    assert (ended.ended, ended.stands_since) == (2, None)
    assert ended.begun_at is not None
    assert NOW <= ended.begun_at < after
    assert (await store.drain_since(before)).ended == 3
    assert await store.drain_since(after) == Drain(ended=0, begun_at=None, stands_since=None)


async def test_the_job_that_stands_for_the_longest_is_found_for_one_and_for_all(store: Store) -> None:
    ann, bob = await user(store), await user(store, "bob")
    waiting = await submit(store, ann)
    await submit(store, ann)
    assert (await store.drain_since(NOW)).stands_since is None
    assert (await store.drain_since(NOW, user_id=bob.id)).stands_since is None
    running = await run(store, await submit(store, bob), Verb.ASSIGN, Verb.START)

    assert (await store.drain_since(NOW, user_id=ann.id)).stands_since == waiting.created_at
    assert (await store.drain_since(NOW, user_id=bob.id)).stands_since == running.started_at
    assert (await store.drain_since(NOW)).stands_since == running.started_at


async def test_a_walk_finds_the_jobs_of_a_workflow(store: Store) -> None:
    ann, bob = await user(store), await user(store, "bob")
    jobs = [await submit(store, ann, workflow_id=name) for name in ("a", "b", "a", "aa")]
    await submit(store, ann)
    await submit(store, bob, workflow_id="a")
    await run(store, jobs[2], Verb.CANCEL)

    assert await walk(store, ann, workflow_id="a", limit=1) == [jobs[2].id, jobs[0].id]
    assert await walk(store, ann, workflow_id="a", states=frozenset({JobState.CANCELED})) == [jobs[2].id]
    assert await walk(store, ann, workflow_id="c") == []


async def test_a_walk_by_workflow_and_label_finds_what_has_both(store: Store) -> None:
    ann = await user(store)
    for _ in range(300):
        await submit(store, ann, workflow_id="a")
    wanted = await submit(store, ann, workflow_id="a", labels=RED)
    await submit(store, ann, workflow_id="b", labels=RED)
    for _ in range(300):
        await submit(store, ann, labels=RED)

    assert await walk(store, ann, workflow_id="a", labels=RED) == [wanted.id]
    assert await walk(store, ann, workflow_id="b", labels=BIG) == []


async def test_a_job_keeps_what_it_runs_by_name(store: Store) -> None:
    ann = await user(store)
    named = NamedRun(workflow="cat", inputs=b'{"seed":1}', outputs=b"{}")
    job, other = await submit(store, ann, named_run=named), await submit(store, ann)

    assert await store.named_runs([job.id, other.id, JobId(uuid4())]) == {job.id: named}

    await run(store, job, Verb.CANCEL)
    await store.delete_jobs(ann.id, [job.id])
    assert await store.named_runs([job.id]) == {}
