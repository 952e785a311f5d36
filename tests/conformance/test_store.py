"""The exam of `Store`: a database is supported when all of this holds on it."""

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from fireside.domain.accounts import Role, User
from fireside.domain.assets import Asset, FileName, Folder, OutputOrigin
from fireside.domain.errors import NotFound
from fireside.domain.ids import AssetId, BlobHash, JobId, UserId, WorkerId
from fireside.domain.jobs import Job, JobState
from fireside.domain.lifecycle import Verb, advance
from fireside.domain.listing import JobFilter, Window
from fireside.domain.outputs import Media, OutputSummary
from fireside.store.records import (
    Ending,
    JobBody,
    NewJob,
    NodeRecord,
    QueueCounts,
    Share,
    StagedInput,
    TimelineEntry,
)
from fireside.store.store import Changed, DuplicateJob, QueueFull, Store

NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
SECOND = timedelta(seconds=1)
BODY = JobBody(graph=b'{"1":{}}', extra_data=b"{}", outputs=("1",))
WORKER = WorkerId("worker-1")


def new_job(user: User, **fields: object) -> NewJob:
    return replace(NewJob(id=JobId(uuid4()), user_id=user.id, body=BODY), **fields)  # type: ignore[arg-type]


async def shares_of(store: Store) -> Sequence[Share]:
    shares, _ = await store.waiting(per_user=1)
    return shares


async def submit(store: Store, user: User, **fields: object) -> Job:
    return await store.add_job(new_job(user, **fields), NOW, max_queued=None)


async def assign(store: Store, job: Job, **more: object) -> Job:
    after = advance(job, Verb.ASSIGN, job.changed_at, worker_id=WORKER)
    return await store.change_job(job, after, **more)  # type: ignore[arg-type]


async def start(store: Store, job: Job) -> Job:
    return await store.change_job(job, advance(job, Verb.START, job.changed_at, lease=job.lease))


async def run(store: Store, job: Job) -> Job:
    return await start(store, await assign(store, job))


async def succeed(store: Store, job: Job, *, seconds: float = 1.0, ending: Ending | None = None) -> Job:
    at = job.changed_at + timedelta(seconds=seconds)
    return await store.change_job(job, advance(job, Verb.SUCCEED, at, lease=job.lease), ending=ending)


def output_of(job: Job, name: str, *, index: int = 0, node_id: str = "9", content: str = "a") -> Asset:
    return Asset(
        id=AssetId(uuid4()),
        user_id=job.user_id,
        file=FileName(folder=Folder.OUTPUT, subfolder="", name=name),
        hash=BlobHash(content * 64),
        size_bytes=1,
        content_type="image/png",
        created_at=NOW,
        origin=OutputOrigin(job_id=job.id, node_id=node_id, key="images", index=index),
    )


def record_of(*names: str, node_id: str = "9") -> NodeRecord:
    return NodeRecord(
        node_id=node_id,
        display_node_id=node_id,
        output={"images": [{"filename": name, "subfolder": "", "type": "output"} for name in names]},
    )


def shown_names(record: NodeRecord) -> list[str]:
    return [item["filename"] for item in record.output["images"]]


# Submits


async def test_a_submitted_job_is_read_back_as_it_was_answered(store: Store, ann: User) -> None:
    job = await submit(store, ann, workflow_id="w")

    assert (job.state, job.attempt, job.fence, job.workflow_id) == (JobState.QUEUED, 0, 0, "w")
    assert job.created_at == job.changed_at == NOW
    assert await store.job(job.id) == job
    assert await store.job(job.id, user_id=ann.id) == job


async def test_a_body_comes_back_with_its_inputs_in_order(store: Store, ann: User) -> None:
    inputs = tuple(StagedInput(value=f"{n}.png", hash=BlobHash(str(n) * 64), size_bytes=n) for n in range(3))
    body = JobBody(graph=b"{}", extra_data=b'{"a":1}', outputs=("9", "3"), inputs=inputs, sealed_secrets=b"\0x")

    job = await submit(store, ann, body=body)

    assert await store.job_body(job.id) == body
    assert await store.job_bodies([JobId(uuid4()), job.id]) == {job.id: body}


async def test_jobs_of_a_user_come_in_the_order_asked_for_and_without_foreign_ones(
    store: Store, ann: User, bob: User
) -> None:
    first, second, foreign = await submit(store, ann), await submit(store, ann), await submit(store, bob)

    assert await store.jobs([second.id, foreign.id, JobId(uuid4()), first.id], user_id=ann.id) == [second, first]
    assert await store.job(foreign.id, user_id=ann.id) is None


async def test_an_id_can_be_used_once_by_whatever_user(store: Store, ann: User, bob: User) -> None:
    job = await submit(store, ann)

    with pytest.raises(DuplicateJob):
        await submit(store, bob, id=job.id)

    assert await store.job(job.id) == job
    assert (await store.queue_counts(bob.id)).queued == 0


async def test_create_times_rise_strictly_within_a_user_though_the_clock_steps_back(store: Store, ann: User) -> None:
    times = [NOW, NOW, NOW - SECOND, NOW + SECOND]

    jobs = [await store.add_job(new_job(ann), time, max_queued=None) for time in times]

    created = [job.created_at for job in jobs]
    assert created == sorted(set(created))
    assert created[-1] == NOW + SECOND


async def test_numbers_count_up_and_the_front_of_the_queue_is_negative(store: Store, ann: User) -> None:
    first, front = await submit(store, ann), await submit(store, ann, front=True)
    given, after = await submit(store, ann, number=0.5), await submit(store, ann)

    assert [first.number, front.number, given.number, after.number] == [1.0, -2.0, 0.5, 3.0]
    assert [job.id for job in await store.active_jobs(ann.id)] == [front.id, given.id, first.id, after.id]
    assert type(first.number) is float


async def test_the_queue_limit_counts_only_what_waits(store: Store, ann: User) -> None:
    job = await store.add_job(new_job(ann), NOW, max_queued=1)
    with pytest.raises(QueueFull):
        await store.add_job(new_job(ann), NOW, max_queued=1)
    with pytest.raises(DuplicateJob):
        await store.add_job(new_job(ann, id=job.id), NOW, max_queued=1)

    await assign(store, job)

    await store.add_job(new_job(ann), NOW, max_queued=1)


async def test_a_job_of_nobody_is_refused(store: Store, ann: User) -> None:
    with pytest.raises(NotFound):
        await store.add_job(new_job(replace(ann, id=UserId(77))), NOW, max_queued=None)


# Changes


async def test_a_life_is_kept_with_its_attempt_counters_and_timeline(store: Store, ann: User) -> None:
    queued = await submit(store, ann)
    entry = TimelineEntry(kind="assigned", at=NOW, data={"worker": "w"})
    assigned = await assign(store, queued, timeline=[entry])
    assert await store.queue_counts(ann.id) == QueueCounts(queued=0, held=1)

    running = await start(store, assigned)
    ended = await succeed(store, running, seconds=2)

    assert await store.job(queued.id) == ended
    assert ended.run_time == 2 * SECOND
    assert await store.queue_counts(ann.id) == QueueCounts(queued=0, held=0)
    assert await store.job_timeline(queued.id) == [entry]


async def test_a_change_decided_on_an_old_reading_is_refused_and_leaves_nothing(store: Store, ann: User) -> None:
    queued = await submit(store, ann)
    canceled = await store.change_job(queued, advance(queued, Verb.CANCEL, NOW))

    with pytest.raises(Changed):
        await assign(store, queued, timeline=[TimelineEntry(kind="assigned", at=NOW)], charge_seconds=5.0)

    assert await store.job(queued.id) == canceled
    assert await store.job_timeline(queued.id) == []
    assert await shares_of(store) == []


async def test_of_many_who_take_a_job_one_succeeds_and_the_neighbours_of_the_losers_do_too(
    store: Store, ann: User
) -> None:
    contested = await submit(store, ann)
    changes: list[Awaitable[Job]] = []
    for _ in range(40):
        changes += [assign(store, contested), submit(store, ann)]
    changes.append(submit(store, ann, id=contested.id))

    answers = await asyncio.gather(*changes, return_exceptions=True)

    taken = [answer for answer in answers[0:80:2] if isinstance(answer, Job)]
    assert len(taken) == 1
    assert sum(isinstance(answer, Changed) for answer in answers) == 39
    assert isinstance(answers[-1], DuplicateJob)
    submitted = [answer for answer in answers[1:80:2] if isinstance(answer, Job)]
    assert len(submitted) == len({job.number for job in submitted}) == 40
    assert await store.queue_counts(ann.id) == QueueCounts(queued=40, held=1)


async def test_a_change_under_an_ended_term_is_refused(store: Store, ann: User) -> None:
    job = await submit(store, ann)
    old = await store.take_term("one", NOW)
    new = await store.take_term("two", NOW)
    assert new > old

    with pytest.raises(Changed):
        await assign(store, job, term=old)

    assert (await assign(store, job, term=new)).state is JobState.ASSIGNED


async def test_a_share_is_charged_by_weight_and_refunded(store: Store, bob: User) -> None:
    job = await submit(store, bob)

    assigned = await assign(store, job, charge_seconds=6.0)

    (share,) = await shares_of(store)
    assert (share.user_id, share.weight, share.virtual_time, share.queued, share.held) == (bob.id, 2.0, 3.0, 0, 1)
    (held,) = await store.held_jobs()
    assert (held.job, held.worker_id, held.charged_seconds) == (assigned, WORKER, 6.0)
    back = advance(assigned, Verb.RESCUE, NOW)
    await store.change_job(assigned, back, charge_seconds=-6.0)
    (share,) = await shares_of(store)
    assert (share.virtual_time, share.queued, share.held) == (0.0, 1, 0)
    assert await store.held_jobs() == []


async def test_who_comes_back_from_idling_starts_level_with_the_least_served_who_compete(
    store: Store, ann: User, bob: User
) -> None:
    cid = await store.add_user("cid", Role.MEMBER, NOW)
    await assign(store, await submit(store, ann), charge_seconds=100.0)
    await submit(store, ann)
    await succeed(store, await run(store, await submit(store, bob)))

    await submit(store, bob)
    await submit(store, cid)

    # What ann's first job will have cost is not known yet, so it does not hold the others back.
    assert {share.user_id: share.virtual_time for share in await shares_of(store)} == {
        ann.id: 100,
        bob.id: 0,
        cid.id: 0,
    }


async def test_where_nobody_competes_a_newcomer_starts_level_with_the_most_served(
    store: Store, ann: User, bob: User
) -> None:
    served = await start(store, await assign(store, await submit(store, ann), charge_seconds=100.0))
    await succeed(store, served)

    await submit(store, bob)
    await submit(store, ann)

    assert {share.user_id: share.virtual_time for share in await shares_of(store)} == {ann.id: 100, bob.id: 100}


async def test_a_job_that_goes_back_loses_its_outputs_and_keeps_its_secrets(store: Store, ann: User) -> None:
    body = replace(BODY, sealed_secrets=b"sealed")
    running = await run(store, await submit(store, ann, body=body))
    await store.add_output(running, record_of("a.png"), [output_of(running, "a.png")])

    queued = await store.change_job(running, advance(running, Verb.RELEASE, NOW, lease=running.lease))

    assert await store.job_outputs(queued.id) == []
    assert await store.job_assets(queued.id) == []
    assert await store.job_body(queued.id) == body
    second = await run(store, queued)
    assert (second.attempt, second.fence) == (2, 2)


async def test_a_job_that_is_withdrawn_is_as_if_it_had_never_been_handed_out(store: Store, ann: User) -> None:
    queued = await submit(store, ann)
    assigned = await assign(store, queued, charge_seconds=5.0)

    back = await store.change_job(assigned, advance(assigned, Verb.WITHDRAW, NOW), charge_seconds=-5.0)

    assert (back.state, back.attempt, back.charged_seconds) == (JobState.QUEUED, 0, 0.0)
    assert back.fence > assigned.fence
    assert await store.job_attempts(back.id) == []
    assert await store.queue_counts(ann.id) == QueueCounts(queued=1, held=0)
    assert [share.virtual_time for share in await shares_of(store)] == [0.0]
    assert (await run(store, back)).attempt == 1


async def test_a_job_that_has_begun_is_not_withdrawn(store: Store, ann: User) -> None:
    assigned = await assign(store, await submit(store, ann))
    running = await start(store, assigned)

    with pytest.raises(Changed):
        await store.change_job(assigned, advance(assigned, Verb.WITHDRAW, NOW))

    assert await store.job(running.id) == running
    assert len(await store.job_attempts(running.id)) == 1


@pytest.mark.parametrize("verb", [Verb.CANCEL, Verb.EXPIRE, Verb.REUSE])
async def test_an_ended_job_has_no_secrets(store: Store, ann: User, verb: Verb) -> None:
    job = await submit(store, ann, body=replace(BODY, sealed_secrets=b"sealed"))

    await store.change_job(job, advance(job, verb, NOW))

    assert await store.job_body(job.id) == BODY


async def test_the_ending_writes_summary_and_error(store: Store, ann: User) -> None:
    running = await run(store, await submit(store, ann))
    summary = OutputSummary(preview={"filename": "ä"}, outputs_count=3, previewable_count=2, media=Media.IMAGE)

    ended = await succeed(store, running, ending=Ending(summary=summary, error=b'{"x":1}'))

    assert (ended.preview, ended.outputs_count, ended.previewable_count) == ('{"filename":"ä"}'.encode(), 3, 2)
    assert ended.error == b'{"x":1}'
    assert (await store.list_jobs(ann.id, JobFilter(media=Media.IMAGE | Media.AUDIO), Window())).jobs == [ended]
    assert (await store.list_jobs(ann.id, JobFilter(media=Media.AUDIO), Window())).total == 0


async def test_run_estimates_move_with_each_success(store: Store, ann: User) -> None:
    for seconds in (10.0, 20.0):
        await succeed(store, await run(store, await submit(store, ann, fingerprint="f")), seconds=seconds)

    for fingerprint in ("f", "unknown"):
        await submit(store, ann, fingerprint=fingerprint)
    _, heads = await store.waiting(per_user=2)
    assert [head.estimate_seconds for head in heads] == [pytest.approx(13.0), None]


async def test_queue_heads_are_the_first_of_each_user_the_least_served_first(
    store: Store, ann: User, bob: User
) -> None:
    anns = [await submit(store, ann, fingerprint="f") for _ in range(3)]
    front = await submit(store, ann, front=True)
    bobs = await submit(store, bob)
    await assign(store, anns[0], charge_seconds=10.0)

    shares, heads = await store.waiting(per_user=2)

    assert [share.user_id for share in shares] == [ann.id, bob.id]
    assert [head.job for head in heads] == [bobs, front, anns[1]]
    assert (heads[2].fingerprint, heads[2].job.number) == ("f", 2.0)
    assert [head.job for head in (await store.waiting(per_user=1))[1]] == [bobs, front]


async def test_active_jobs_are_those_with_workers_then_the_queue(store: Store, ann: User, bob: User) -> None:
    queued, first = await submit(store, ann), await submit(store, ann)
    running = await run(store, first)
    await succeed(store, await run(store, await submit(store, ann)))
    await run(store, await submit(store, bob))

    assert await store.active_jobs(ann.id) == [running, queued]
    assert await store.held_jobs_of(ann.id) == [running]


# Outputs


async def test_outputs_come_in_the_order_they_arrived(store: Store, ann: User) -> None:
    running = await run(store, await submit(store, ann))
    entry = TimelineEntry(kind="output", at=NOW)

    for node_id in ("9", "10", "2"):
        await store.add_output(running, record_of(node_id=node_id), [], entry=entry)

    assert [record.node_id for record in await store.job_outputs(running.id)] == ["9", "10", "2"]
    assert await store.job_timeline(running.id) == [entry] * 3


async def test_counter_names_take_the_next_number_and_the_record_says_so(store: Store, ann: User) -> None:
    names: list[list[str]] = []
    for _ in range(2):
        running = await run(store, await submit(store, ann))
        files = [output_of(running, f"x_0000{n + 1}_.png", index=n) for n in range(2)]
        record, assets = await store.add_output(running, record_of("x_00001_.png", "x_00002_.png"), files)
        assert [asset.file.name for asset in assets] == shown_names(record)
        assert await store.job_outputs(running.id) == [record]
        assert await store.job_assets(running.id) == assets
        names.append(shown_names(record))

    assert names == [["x_00001_.png", "x_00002_.png"], ["x_00003_.png", "x_00004_.png"]]


async def test_other_names_get_a_number_in_parentheses(store: Store, ann: User) -> None:
    running = await run(store, await submit(store, ann))

    names = [
        shown_names((await store.add_output(running, record_of(name, node_id=node), [file]))[0])[0]
        for node, name in [("1", "a.b.png"), ("2", "a.b.png"), ("3", "a.b (1).png"), ("4", "plain"), ("5", "plain")]
        for file in [output_of(running, name, node_id=node)]
    ]

    assert names == ["a.b.png", "a.b (1).png", "a.b (1) (1).png", "plain", "plain (1)"]


async def test_a_repeated_output_answers_what_was_stored_the_first_time(store: Store, ann: User) -> None:
    running = await run(store, await submit(store, ann))
    first = await store.add_output(running, record_of("a.png"), [output_of(running, "a.png")])

    again = await store.add_output(running, record_of("a.png"), [output_of(running, "a.png", content="b")])

    assert again == first
    assert len(await store.job_assets(running.id)) == 1


async def test_an_output_under_a_lost_lease_is_refused(store: Store, ann: User) -> None:
    running = await run(store, await submit(store, ann))
    await store.change_job(running, advance(running, Verb.RESCUE, NOW, lost=True))

    with pytest.raises(Changed):
        await store.add_output(running, record_of("a.png"), [output_of(running, "a.png")])

    assert await store.job_assets(running.id) == []


async def test_the_input_of_a_job_is_in_use_until_the_job_ends(store: Store, ann: User) -> None:
    staged = StagedInput(value="a.png", hash=BlobHash("e" * 64), size_bytes=1)
    job = await submit(store, ann, body=replace(BODY, inputs=(staged,)))
    assert await store.is_blob_used(staged.hash)

    await store.change_job(job, advance(job, Verb.CANCEL, NOW))

    assert not await store.is_blob_used(staged.hash)


# History


async def test_a_page_tells_the_total_beyond_its_window(store: Store, ann: User, bob: User) -> None:
    jobs = [await submit(store, ann) for _ in range(5)]
    await submit(store, bob)

    page = await store.list_jobs(ann.id, JobFilter(), Window(offset=1, limit=2))

    assert (page.jobs, page.total) == ([jobs[3], jobs[2]], 5)
    assert (await store.list_jobs(ann.id, JobFilter(), Window(offset=9))).total == 5
    assert (await store.list_jobs(UserId(77), JobFilter(), Window())).total == 0


async def test_only_ended_jobs_of_the_user_are_deleted_with_all_that_hangs_on_them(
    store: Store, ann: User, bob: User
) -> None:
    running = await run(store, await submit(store, ann))
    await store.add_output(running, record_of("a.png"), [output_of(running, "a.png")])
    ended, active = await succeed(store, running), await submit(store, ann)
    foreign = await succeed(store, await run(store, await submit(store, bob)))

    assert await store.delete_jobs(ann.id, [ended.id, active.id, foreign.id]) == [ended.id]

    assert await store.job(ended.id) is None
    assert await store.job_body(ended.id) is None
    assert await store.job_outputs(ended.id) == []
    assert await store.job_assets(ended.id) == []
    assert await store.job_timeline(ended.id) == []
    assert await store.job(active.id) == active
    assert await store.delete_jobs(bob.id, None) == [foreign.id]


async def test_a_check_passes(store: Store) -> None:
    await store.check()


async def test_sixteen_callers_are_all_remembered(store: Store, ann: User) -> None:
    async def call() -> list[Job]:
        return [await submit(store, ann) for _ in range(20)]

    jobs = [job for mine in await asyncio.gather(*(call() for _ in range(16))) for job in mine]

    page = await store.list_jobs(ann.id, JobFilter(), Window(limit=1000, descending=False))
    assert page.jobs == sorted(jobs, key=lambda job: job.created_at)
    assert page.total == (await store.queue_counts(ann.id)).queued == 320


async def test_a_caller_that_is_cancelled_harms_nobody(store: Store, ann: User) -> None:
    tasks = [asyncio.create_task(submit(store, ann)) for _ in range(20)]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)

    for task in tasks[::2]:
        task.cancel()
    answers = await asyncio.gather(*tasks, return_exceptions=True)

    kept = [answer.id for answer in answers if isinstance(answer, Job)]
    assert len(await store.jobs(kept, user_id=ann.id)) == len(kept) >= 10
    await submit(store, ann)


async def test_a_change_needs_the_state_it_was_decided_on_though_the_fence_is_the_same(store: Store, ann: User) -> None:
    assigned = await assign(store, await submit(store, ann))
    running = await start(store, assigned)

    with pytest.raises(Changed):
        await start(store, assigned)

    assert await store.job(running.id) == running


async def test_a_change_needs_the_fence_it_was_decided_on_though_the_state_is_the_same(store: Store, ann: User) -> None:
    first = await run(store, await submit(store, ann))
    second = await run(store, await store.change_job(first, advance(first, Verb.RESCUE, NOW)))

    with pytest.raises(Changed):
        await succeed(store, first)
    with pytest.raises(Changed):
        await store.add_output(first, record_of("a.png"), [output_of(first, "a.png")])

    assert await store.job(second.id) == second
    assert await store.job_assets(second.id) == []


async def test_a_counter_goes_on_from_the_highest_number_it_has_seen(store: Store, ann: User) -> None:
    running = await run(store, await submit(store, ann))
    wished = ["x_00001_.png", "x_00007_.png", "x_00001_.png"]

    _, assets = await store.add_output(
        running, record_of(*wished), [output_of(running, name, index=n) for n, name in enumerate(wished)]
    )

    assert [asset.file.name for asset in assets] == ["x_00001_.png", "x_00007_.png", "x_00008_.png"]


async def test_what_a_job_is_charged_follows_its_life(store: Store, ann: User) -> None:
    queued = await submit(store, ann)

    assigned = await assign(store, queued, charge_seconds=4.0)
    back = await store.change_job(assigned, advance(assigned, Verb.RESCUE, NOW), charge_seconds=-4.0)
    running = await start(store, await assign(store, back, charge_seconds=3.0))
    ended = await succeed(store, running, ending=Ending(charged_seconds=1.5))

    other = await assign(store, await submit(store, ann), charge_seconds=2.0)
    canceled = await store.change_job(other, advance(other, Verb.CANCEL, NOW), charge_seconds=-2.0)

    assert (other.charged_seconds, canceled.charged_seconds) == (2.0, 0.0)
    charged = [job.charged_seconds for job in (queued, assigned, back, running, ended)]
    assert charged == [0.0, 4.0, 0.0, 3.0, 1.5]
    assert type(ended.charged_seconds) is float
