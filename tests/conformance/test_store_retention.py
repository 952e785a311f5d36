"""The exam of retention: which ended jobs go, in which order, and that every counter stays exact."""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fireside.domain.accounts import Role, User
from fireside.domain.assets import Asset, FileName, Folder, OutputOrigin
from fireside.domain.ids import AssetId, BlobHash, JobId, UserId, WorkerId
from fireside.domain.jobs import Job, JobState
from fireside.domain.lifecycle import Verb, advance
from fireside.domain.listing import JobFilter, Window
from fireside.domain.outputs import Media, OutputSummary
from fireside.domain.retention import Retention
from fireside.store.database import Database
from fireside.store.postgres import PostgresDatabase
from fireside.store.postgres_link import connect
from fireside.store.records import EndedHistory, Ending, JobBody, NewJob, NodeRecord, StagedInput, UnsyncedBytes
from fireside.store.sqlite import SqliteDatabase
from fireside.store.store import Store

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
DAY = timedelta(days=1)
BODY = JobBody(graph=b"{}", extra_data=b"{}", outputs=())
EVERYTHING = 10_000
OpenDatabase = Callable[[], AbstractAsyncContextManager[Database]]


async def submit(store: Store, user: UserId, at: datetime, **fields: object) -> Job:
    new = NewJob(id=JobId(uuid4()), user_id=user, body=BODY)
    return await store.add_job(replace(new, **fields), at, max_queued=None)  # type: ignore[arg-type]


async def cancel(store: Store, job: Job, at: datetime) -> Job:
    return await store.change_job(job, advance(job, Verb.CANCEL, at))


async def ended_job(store: Store, user: UserId, at: datetime, **fields: object) -> Job:
    return await cancel(store, await submit(store, user, at, **fields), at)


async def start(store: Store, job: Job) -> Job:
    job = await store.change_job(job, advance(job, Verb.ASSIGN, job.changed_at, worker_id=WorkerId("w")))
    return await store.change_job(job, advance(job, Verb.START, job.changed_at, lease=job.lease))


async def succeed(store: Store, job: Job, *, run_us: int = 1, outputs: int = 1) -> Job:
    at = job.changed_at + timedelta(microseconds=run_us)
    summary = OutputSummary(preview=None, outputs_count=outputs, previewable_count=outputs, media=Media.IMAGE)
    after = advance(job, Verb.SUCCEED, at, lease=job.lease)
    return await store.change_job(job, after, ending=Ending(summary=summary))


async def left(store: Store, user: UserId) -> list[JobId]:
    """The user's jobs, oldest first; the counters are right."""
    assert await store.miscounted(user) == 0
    page = await store.list_jobs(user, JobFilter(), Window(descending=False, limit=1000))
    assert page.total == len(page.jobs)
    return [job.id for job in page.jobs]


async def test_the_newest_jobs_are_kept_by_when_they_ended(store: Store, ann: User) -> None:
    queued = [await submit(store, ann.id, NOON + n * DAY) for n in range(4)]
    ends = {2: 1, 0: 2, 3: 3, 1: 4}
    jobs = {n: await cancel(store, queued[n], NOON + (10 + day) * DAY) for n, day in ends.items()}

    pruned = await store.prune_history(ann.id, Retention(jobs=2), NOON, weight=EVERYTHING)

    assert pruned == 2
    assert await left(store, ann.id) == [jobs[1].id, jobs[3].id]


async def test_jobs_that_ended_too_long_ago_go_however_old_the_others_are(store: Store, ann: User) -> None:
    waited_long = await submit(store, ann.id, NOON - 30 * DAY)
    await ended_job(store, ann.id, NOON - 8 * DAY)
    await ended_job(store, ann.id, NOON - 7 * DAY)
    young = await ended_job(store, ann.id, NOON - 7 * DAY + timedelta(seconds=1))
    await cancel(store, waited_long, NOON - DAY)

    pruned = await store.prune_history(ann.id, Retention(span=7 * DAY), NOON, weight=EVERYTHING)

    assert pruned == 2
    assert await left(store, ann.id) == [waited_long.id, young.id]


async def test_jobs_that_have_not_ended_stay_and_count_for_nothing(store: Store, ann: User) -> None:
    queued = await submit(store, ann.id, NOON - 900 * DAY)
    running = await start(store, await submit(store, ann.id, NOON - 900 * DAY))
    kept = await ended_job(store, ann.id, NOON)

    assert await store.prune_history(ann.id, Retention(jobs=1, span=DAY), NOON, weight=EVERYTHING) == 0

    assert await left(store, ann.id) == [queued.id, running.id, kept.id]


async def test_without_limits_everything_stays(store: Store, ann: User) -> None:
    old = await ended_job(store, ann.id, NOON - 9000 * DAY)

    assert await store.prune_history(ann.id, Retention.of(0, 0), NOON, weight=EVERYTHING) == 0

    assert await left(store, ann.id) == [old.id]


async def test_another_users_jobs_are_not_touched(store: Store, ann: User, bob: User) -> None:
    await ended_job(store, ann.id, NOON)
    his = await ended_job(store, bob.id, NOON - 900 * DAY)

    await store.prune_history(ann.id, Retention(span=DAY), NOON + 2 * DAY, weight=EVERYTHING)

    assert await left(store, ann.id) == []
    assert await left(store, bob.id) == [his.id]


async def test_one_change_takes_no_more_jobs_and_outputs_than_its_weight(store: Store, ann: User) -> None:
    light = [await ended_job(store, ann.id, NOON + n * DAY) for n in range(3)]
    heavy = await succeed(store, await start(store, await submit(store, ann.id, NOON + 10 * DAY)), outputs=500)
    last = await ended_job(store, ann.id, NOON + 20 * DAY)

    async def prune() -> int:
        return await store.prune_history(ann.id, Retention(span=DAY), NOON + 99 * DAY, weight=2)

    assert await prune() == 2
    assert await left(store, ann.id) == [light[2].id, heavy.id, last.id]
    assert [await prune(), await prune(), await prune(), await prune()] == [1, 1, 1, 0]


async def test_a_history_that_is_gone_leaves_no_counters_behind(database: Database, ann: User) -> None:
    store = Store(database)
    for n in range(6):
        await succeed(store, await start(store, await submit(store, ann.id, NOON, workflow_id=f"w{n}")), run_us=n)
    assert await store.promote_large_histories(at_least=1) == 7
    assert _count(database, "job_block WHERE class <> -1") > 0

    await store.prune_history(ann.id, Retention(span=DAY), NOON + 2 * DAY, weight=EVERYTHING)

    assert await left(store, ann.id) == []
    assert _count(database, "job_block WHERE class <> -1") == 0
    assert _count(database, "job_total WHERE workflow <> '' AND class NOT IN (0, 1)") == 0


def _count(database: Database, what: str) -> int:
    query = f"SELECT count(*) FROM {what}"
    if isinstance(database, PostgresDatabase):
        with connect(database._parameters) as raw:
            return int(raw.execute(query.encode()).fetchall()[0][0])
    assert isinstance(database, SqliteDatabase)
    with closing(sqlite3.connect(database._path)) as raw:
        return int(raw.execute(query).fetchone()[0])


async def test_all_that_hangs_on_a_job_goes_with_it_and_uploads_stay(store: Store, ann: User) -> None:
    staged = StagedInput(value="in.png", hash=BlobHash("c" * 64), size_bytes=1)
    job = await start(store, await submit(store, ann.id, NOON, body=replace(BODY, inputs=(staged,))))
    origin = OutputOrigin(job_id=job.id, node_id="9", key="images", index=0)
    shown = NodeRecord(node_id="9", display_node_id="9", output={"images": [{"filename": "x.png"}]})
    await store.add_output(job, shown, [asset_of(ann, "x.png", "a", origin)])
    await store.add_asset(asset_of(ann, "upload.png", "b", None))
    await succeed(store, job)
    hashes = [BlobHash(letter * 64) for letter in "abc"]
    assert await store.unused_blobs(hashes) == {hashes[2]}

    await store.prune_history(ann.id, Retention(span=DAY), NOON + 2 * DAY, weight=EVERYTHING)

    assert await store.job(job.id) is None
    assert await store.job_assets(job.id) == []
    assert await store.job_outputs(job.id) == []
    assert await store.unused_blobs(hashes) == {hashes[0], hashes[2]}
    assert await store.asset_names(ann.id, Folder.INPUT, limit=9) == ["upload.png"]


async def test_a_blob_is_used_while_a_job_that_reads_it_has_not_ended(store: Store, ann: User) -> None:
    wanted = BlobHash("c" * 64)
    staged = StagedInput(value="in.png", hash=wanted, size_bytes=1)
    job = await submit(store, ann.id, NOON, body=replace(BODY, inputs=(staged,)))
    assert await store.unused_blobs([wanted]) == set()

    await cancel(store, job, NOON)

    assert await store.unused_blobs([wanted]) == {wanted}
    assert await store.unused_blobs([]) == set()


def asset_of(user: User, name: str, content: str, origin: OutputOrigin | None) -> Asset:
    folder = Folder.OUTPUT if origin else Folder.INPUT
    return Asset(
        id=AssetId(uuid4()), user_id=user.id, file=FileName(folder=folder, subfolder="", name=name),
        hash=BlobHash(content * 64), size_bytes=1, content_type="image/png", created_at=NOON, origin=origin,
    )  # fmt: skip


async def test_histories_are_looked_at_user_by_user(store: Store, ann: User, bob: User) -> None:
    cyd = await store.add_user("cyd", Role.MEMBER, NOON, keep_jobs=5, keep_days=0)
    await submit(store, ann.id, NOON)
    oldest = await ended_job(store, cyd.id, NOON - 2 * DAY)
    await ended_job(store, cyd.id, NOON - DAY, workflow_id="a")

    first = await store.ended_histories(UserId(0), limit=2)
    rest = await store.ended_histories(first[-1].user_id, limit=2)

    nothing = EndedHistory(user_id=ann.id, ended=0, first_ended_at=None, keep_jobs=None, keep_days=None)
    assert first == [nothing, replace(nothing, user_id=bob.id)]
    some = EndedHistory(user_id=cyd.id, ended=2, first_ended_at=oldest.ended_at, keep_jobs=5, keep_days=0)
    assert rest == [some]
    assert await store.ended_histories(cyd.id, limit=2) == []


async def test_a_users_limits_can_be_changed(store: Store, ann: User) -> None:
    wanted = replace(ann, weight=2.5, max_running=1, max_queued=2, max_run_seconds=3.5, keep_jobs=4, keep_days=5)

    assert await store.change_user(wanted) == wanted
    assert await store.user(ann.id) == wanted
    assert await store.change_user(replace(ann, id=UserId(77))) is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    user: int
    workflow_id: str | None
    end: str
    day: int


lives_of_jobs = st.builds(
    Life,
    user=st.integers(0, 1),
    workflow_id=st.sampled_from([None, "a", "b"]),
    end=st.sampled_from(["queued", "running", "canceled", "succeeded", "succeeded"]),
    day=st.integers(0, 20),
)
prunings = st.tuples(
    st.integers(0, 1),
    st.builds(
        Retention,
        jobs=st.sampled_from([None, 1, 2, 5]),
        span=st.one_of(st.none(), st.integers(1, 20).map(lambda days: days * DAY)),
    ),
    st.sampled_from([1, 3, EVERYTHING]),
)


@settings(max_examples=25, deadline=None)
@given(lives=st.lists(lives_of_jobs, min_size=1, max_size=14), cuts=st.lists(prunings, min_size=1, max_size=4))
def test_random_prunings_keep_what_a_brute_force_choice_keeps(
    open_database: OpenDatabase,
    lives: Sequence[Life],
    cuts: Sequence[tuple[int, Retention, int]],
) -> None:
    asyncio.run(_compare(open_database, lives, cuts))


async def _compare(
    open_database: OpenDatabase,
    lives: Sequence[Life],
    cuts: Sequence[tuple[int, Retention, int]],
) -> None:
    now = NOON + 20 * DAY
    async with open_database() as database:
        store = Store(database)
        users = [(await store.add_user(name, Role.MEMBER, NOON)).id for name in ("ann", "bob")]
        jobs = [await _live(store, users[life.user], UUID(int=n), life) for n, life in enumerate(lives)]
        await store.promote_large_histories(at_least=3)
        for user, retention, weight in cuts:
            gone = _superfluous([job for job in jobs if job.user_id == users[user]], retention, now)
            pruned = 0
            while count := await store.prune_history(users[user], retention, now, weight=weight):
                pruned += count
            assert pruned == len(gone)
            jobs = [job for job in jobs if job.id not in gone]
            for user_id in users:
                assert await left(store, user_id) == [job.id for job in jobs if job.user_id == user_id]


async def _live(store: Store, user: UserId, id_: UUID, life: Life) -> Job:
    job = await submit(store, user, NOON, id=JobId(id_), workflow_id=life.workflow_id)
    if life.end == "canceled":
        return await cancel(store, job, NOON + life.day * DAY)
    if life.end == "queued":
        return job
    job = await start(store, job)
    return job if life.end == "running" else await succeed(store, job, run_us=life.day * 86_400_000_000)


def _superfluous(jobs: list[Job], retention: Retention, now: datetime) -> set[JobId]:
    ended = sorted(
        (job for job in jobs if job.state in (JobState.CANCELED, JobState.SUCCEEDED)),
        key=lambda job: (job.ended_at, job.id.int),
    )
    by_count = ended[: max(0, len(ended) - retention.jobs)] if retention.jobs is not None else []
    by_age = [
        job for job in ended if job.ended_at and retention.span is not None and now - job.ended_at >= retention.span
    ]
    return {job.id for job in (*by_count, *by_age)}


@pytest.mark.parametrize("microseconds", [-1, 0, 1])
def test_a_job_goes_when_its_days_are_over(microseconds: int) -> None:
    retention = Retention.of(jobs=0, days=3)

    is_over = retention.is_exceeded(1, NOON, NOON + 3 * DAY + timedelta(microseconds=microseconds))

    assert is_over is (microseconds >= 0)


def test_a_history_is_too_long_with_one_job_more_than_is_kept() -> None:
    retention = Retention.of(jobs=3, days=0)

    assert not retention.is_exceeded(3, NOON, NOON)
    assert retention.is_exceeded(4, NOON, NOON)


async def test_bytes_of_a_change_are_kept_until_they_are_forgotten(store: Store, ann: User) -> None:
    first, second = BlobHash("a" * 64), BlobHash("b" * 64)
    for minute, contents in enumerate([{first: b"1", second: b"2"}, {first: b"1"}]):
        job = await start(store, await submit(store, ann.id, NOON + timedelta(minutes=minute)))
        await finish_with(store, job, UnsyncedBytes(contents=contents, put=lambda: None))
    later = NOON + timedelta(seconds=30)

    # What the second change keeps anew is kept for longer.
    assert await store.unsynced_bytes("", limit=1) == {first: b"1"}
    assert await store.unsynced_bytes(first, limit=9) == {second: b"2"}
    assert await store.unsynced_blobs(later, limit=9) == [second]
    await store.forget_unsynced_blobs([first, second], later)
    assert await store.unsynced_bytes("", limit=9) == {first: b"1"}
    assert await store.unsynced_blobs(NOON + DAY, limit=9) == [first]


async def test_a_change_whose_bytes_cannot_be_put_into_place_is_undone(store: Store, ann: User) -> None:
    job = await start(store, await submit(store, ann.id, NOON))

    def fail() -> None:
        raise OSError("no disk")

    with pytest.raises(OSError, match="no disk"):
        await finish_with(store, job, UnsyncedBytes(contents={BlobHash("a" * 64): b"1"}, put=fail))

    assert await store.job(job.id) == job
    assert await store.unsynced_bytes("", limit=9) == {}


async def finish_with(store: Store, job: Job, unsynced: UnsyncedBytes) -> None:
    summary = OutputSummary(preview=None, outputs_count=0, previewable_count=0, media=Media.NONE)
    after = advance(job, Verb.SUCCEED, job.changed_at, lease=job.lease)
    await store.finish_job(job, after, (), lambda records: Ending(summary=summary), unsynced=unsynced)
