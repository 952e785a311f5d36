"""The exam of what was used: counted with the end of each job, kept when the job goes, and held against quotas."""

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest

from fireside.domain.accounts import Role, User
from fireside.domain.assets import Asset, FileName, Folder, OutputOrigin
from fireside.domain.errors import OverQuota
from fireside.domain.ids import AssetId, BlobHash, JobId, WorkerId
from fireside.domain.jobs import Job
from fireside.domain.lifecycle import Verb, advance
from fireside.domain.usage import Quota, Usage
from fireside.store.records import Ending, JobBody, NewJob, NodeRecord
from fireside.store.store import Store

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
DAY = timedelta(days=1)
BODY = JobBody(graph=b"{}", extra_data=b"{}", outputs=())
SPAN = date(2026, 1, 1), date(2026, 12, 31)


async def _submit(store: Store, user: User, at: datetime = NOON, **fields: object) -> Job:
    new = NewJob(id=JobId(uuid4()), user_id=user.id, body=BODY)
    return await store.add_job(replace(new, **fields), at, max_queued=None)  # type: ignore[arg-type]


async def _run(store: Store, job: Job, seconds: float, *, files: int = 0) -> Job:
    job = await store.change_job(job, advance(job, Verb.ASSIGN, job.changed_at, worker_id=WorkerId("w")))
    job = await store.change_job(job, advance(job, Verb.START, job.changed_at, lease=job.lease))
    made = [_file(job, number) for number in range(files)]
    await store.add_output(job, NodeRecord(node_id="9", display_node_id="9", output={"images": []}), made)
    after = advance(job, Verb.SUCCEED, job.changed_at + timedelta(seconds=seconds), lease=job.lease)
    return await store.change_job(job, after, ending=Ending(charged_seconds=seconds))


def _file(job: Job, number: int) -> Asset:
    return Asset(
        id=AssetId(uuid4()),
        user_id=job.user_id,
        file=FileName(folder=Folder.OUTPUT, subfolder="", name=f"{job.id}-{number}.png"),
        hash=BlobHash("0" * 64),
        size_bytes=100,
        content_type="image/png",
        created_at=job.created_at,
        origin=OutputOrigin(job_id=job.id, node_id="9", key="images", index=number),
    )


async def test_an_ended_job_counts_for_its_day_its_key_and_its_workflow(store: Store, ann: User) -> None:
    key = await store.add_key(ann.id, b"d" * 32, "fsk_", "render", NOON)
    await _run(store, await _submit(store, ann, api_key_id=key.id, workflow_id="w"), 1.5, files=2)
    await _run(store, await _submit(store, ann, api_key_id=key.id), 2.25)
    await _run(store, await _submit(store, ann, NOON + DAY, workflow_id="w"), 4)

    found = [(use.day, use.key_id, use.usage) for use in await store.usage_by_day(ann.id, *SPAN)]

    assert found == [
        (date(2026, 1, 31), key.id, Usage(jobs=2, gpu_us=3_750_000, made_bytes=200)),
        (date(2026, 2, 1), None, Usage(jobs=1, gpu_us=4_000_000)),
    ]
    by_workflow = [(use.workflow, use.month, use.usage.jobs) for use in await store.usage_by_workflow(ann.id, *SPAN)]
    assert by_workflow == [("w", date(2026, 2, 1), 1), ("w", date(2026, 1, 1), 1)]
    assert await store.usage_by_day(None, *SPAN) == await store.usage_by_day(ann.id, *SPAN)
    assert await store.usage_by_day(ann.id, date(2026, 2, 2), date(2026, 3, 1)) == []


async def test_what_was_used_stays_when_the_job_goes_and_what_is_stored_does_not(store: Store, ann: User) -> None:
    await _run(store, await _submit(store, ann), 3, files=2)
    kept = await _run(store, await _submit(store, ann), 3, files=1)
    assert (await store.stored_bytes())[ann.id] == 300

    await store.delete_jobs(ann.id, [kept.id])
    use = await store.month_use(ann.id, NOON)
    assert (use.used, use.stored_bytes) == (Usage(jobs=2, gpu_us=6_000_000, made_bytes=300), 200)
    assert await store.miscounted_assets(ann.id) == 0
    await store.delete_jobs(ann.id, None)

    use = await store.month_use(ann.id, NOON)
    assert (use.used.jobs, use.stored_bytes) == (2, 0)
    assert await store.miscounted_assets(ann.id) == 0


async def test_a_job_that_never_ran_counts_and_costs_nothing(store: Store, ann: User) -> None:
    job = await _submit(store, ann)
    await store.change_job(job, advance(job, Verb.CANCEL, NOON))

    assert (await store.month_use(ann.id, NOON)).used == Usage(jobs=1)


async def test_many_ends_at_once_are_all_counted(store: Store, ann: User) -> None:
    jobs = [await _submit(store, ann, workflow_id="w") for _ in range(20)]
    await asyncio.gather(*(_run(store, job, 0.5) for job in jobs))

    assert (await store.month_use(ann.id, NOON)).used == Usage(jobs=20, gpu_us=10_000_000)


async def test_a_quota_of_jobs_counts_what_has_not_ended_too_and_begins_anew_with_the_month(
    store: Store, ann: User
) -> None:
    quota = Quota(jobs=2)
    await _run(store, await _submit(store, ann, quota=quota), 1)
    await _submit(store, ann, quota=quota)

    with pytest.raises(OverQuota, match=r"1 have ended and 1 have not, of 2\)\. It begins anew on 1 February 2026"):
        await _submit(store, ann, quota=quota)

    assert (await store.month_use(ann.id, NOON)).active == 1
    await _submit(store, ann, NOON + DAY, quota=quota)
    await _submit(store, ann)


async def test_a_quota_of_seconds_is_met_when_they_are_used_up(store: Store, ann: User) -> None:
    quota = Quota(gpu_seconds=3)
    for _ in range(2):
        await _run(store, await _submit(store, ann, quota=quota), 2)

    with pytest.raises(OverQuota, match=r"GPU-seconds of this month are used up \(4 of 3\)"):
        await _submit(store, ann, quota=quota)

    await _submit(store, ann, quota=Quota(gpu_seconds=5))


async def test_a_quota_of_bytes_is_kept_by_deleting_files(store: Store, ann: User) -> None:
    quota = Quota(stored_bytes=100)
    job = await _run(store, await _submit(store, ann, quota=quota), 2, files=1)

    with pytest.raises(OverQuota, match="Your files take 100 bytes of the 100 bytes"):
        await _submit(store, ann, quota=quota)

    await store.delete_jobs(ann.id, [job.id])
    await _submit(store, ann, quota=quota)


async def test_a_quota_is_one_users_own(store: Store, ann: User) -> None:
    bob = await store.add_user("bob", Role.MEMBER, NOON, quota_jobs=1, quota_gpu_seconds=1.5, quota_bytes=7)
    await _submit(store, ann)

    await _submit(store, bob, quota=Quota(jobs=1))

    assert (bob.quota_jobs, bob.quota_gpu_seconds, bob.quota_bytes) == (1, 1.5, 7)
    changed = replace(bob, quota_jobs=None, quota_gpu_seconds=0.0)
    assert await store.change_user(changed) == changed


async def test_jobs_of_all_users_are_counted_by_where_they_stand(store: Store, ann: User) -> None:
    bob = await store.add_user("bob", Role.MEMBER, NOON)
    await _run(store, await _submit(store, ann, workflow_id="w"), 1)
    await _run(store, await _submit(store, bob, workflow_id="w"), 1)
    canceled = await _submit(store, ann)
    await store.change_job(canceled, advance(canceled, Verb.CANCEL, NOON + DAY))
    await _submit(store, ann)
    held = await _submit(store, bob)
    await store.change_job(held, advance(held, Verb.ASSIGN, held.changed_at, worker_id=WorkerId("w")))

    counts = await store.count_jobs()

    assert counts == {"queued": 1, "assigned": 1, "running": 0, "succeeded": 2, "failed": 0, "canceled": 1}


async def test_how_the_fleet_was_is_kept_by_its_most_within_minutes(store: Store, ann: User) -> None:
    await store.sample_fleet(NOON, workers=2, busy=1, forget_before=NOON - DAY)
    await _submit(store, ann)
    await store.sample_fleet(NOON + timedelta(seconds=60), workers=1, busy=0, forget_before=NOON - DAY)
    await store.sample_fleet(NOON + timedelta(minutes=5), workers=3, busy=3, forget_before=NOON - DAY)

    found = [(one.at, one.workers, one.busy, one.waiting) for one in await store.fleet_samples(NOON - DAY)]

    assert found == [(NOON, 2, 1, 1), (NOON + timedelta(minutes=5), 3, 3, 1)]
    await store.sample_fleet(NOON + 2 * DAY, workers=1, busy=0, forget_before=NOON + DAY)
    assert [one.workers for one in await store.fleet_samples(NOON - DAY)] == [1]
