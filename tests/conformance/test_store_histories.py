"""Random histories: what the store lists and counts equals a brute-force count over all jobs."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import product
from uuid import UUID

from hypothesis import example, given, settings
from hypothesis import strategies as st

from fireside.domain.accounts import Role
from fireside.domain.ids import JobId, UserId, WorkerId
from fireside.domain.jobs import HELD_STATES, Job, JobState
from fireside.domain.lifecycle import Verb, advance
from fireside.domain.listing import JobFilter, JobPage, JobSort, Window
from fireside.domain.outputs import Media, OutputSummary
from fireside.store.database import Database
from fireside.store.records import Ending, JobBody, NewJob, QueueCounts
from fireside.store.store import Store

NOW = datetime(2026, 1, 2, tzinfo=UTC)
BODY = JobBody(graph=b"{}", extra_data=b"{}", outputs=())
OpenDatabase = Callable[[], AbstractAsyncContextManager[Database]]

# What happens to a job after its submit; the last verb leaves it where the listing finds it.
PATHS: Sequence[Sequence[Verb]] = [
    [],
    [Verb.CANCEL],
    [Verb.EXPIRE],
    [Verb.ASSIGN],
    [Verb.ASSIGN, Verb.START],
    [Verb.ASSIGN, Verb.START, Verb.CANCEL],
    [Verb.ASSIGN, Verb.START, Verb.CANCEL, Verb.RESCUE],
    [Verb.ASSIGN, Verb.START, Verb.RELEASE],
    [Verb.ASSIGN, Verb.START, Verb.FAIL],
    [Verb.ASSIGN, Verb.ABANDON],
    [Verb.ASSIGN, Verb.WITHDRAW, Verb.ASSIGN, Verb.START],
    [Verb.ASSIGN, Verb.RESCUE, Verb.ASSIGN, Verb.START, Verb.SUCCEED],
    *([[Verb.ASSIGN, Verb.START, Verb.SUCCEED]] * 6),
]
LEASED = {Verb.START, Verb.SUCCEED, Verb.FAIL, Verb.RELEASE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    user: int
    workflow_id: str | None
    path: Sequence[Verb]
    run_us: int
    media: Media
    is_deleted: bool


lives = st.builds(
    Life,
    user=st.sampled_from([0, 0, 0, 1]),
    workflow_id=st.sampled_from([None, "a", "b"]),
    path=st.sampled_from(PATHS),
    run_us=st.sampled_from([0, 1, 2, 2]),
    media=st.sampled_from([Media(mask) for mask in range(16)]),
    is_deleted=st.sampled_from([False, False, False, True]),
)
filters = st.builds(
    JobFilter,
    states=st.one_of(
        st.just(frozenset(JobState)),
        st.sampled_from(list(JobState)).map(lambda state: frozenset({state})),
        st.just(frozenset({JobState.FAILED, JobState.EXPIRED})),
        st.just(frozenset({JobState.QUEUED, JobState.ASSIGNED, JobState.RUNNING, JobState.CANCELING})),
        st.frozensets(st.sampled_from(list(JobState))),
    ),
    workflow_id=st.sampled_from([None, None, "a", "none"]),
    media=st.sampled_from([Media.NONE, Media.NONE, Media.IMAGE, Media.MODEL, Media.VIDEO | Media.AUDIO]),
)
# All cuts of a list: whole, and in the midst of jobs that ran equally long.
WINDOWS = [
    Window(sort=sort, descending=descending, offset=offset, limit=limit)
    for sort in JobSort
    for descending in (False, True)
    for offset, limit in [(0, 100), (0, 3), (2, 5), (7, 1)]
]

# A few of each class, where chance seldom leaves more than one.
ALIKE = [
    Life(user=0, workflow_id="a", path=path, run_us=2, media=Media.IMAGE, is_deleted=False)
    for path in ([Verb.CANCEL], [Verb.ASSIGN, Verb.START, Verb.FAIL], [Verb.ASSIGN, Verb.START, Verb.SUCCEED])
]


@settings(max_examples=40, deadline=None)
@example(histories=ALIKE * 4, questions=[JobFilter(states=frozenset({state})) for state in JobState])
@given(
    histories=st.one_of(st.lists(lives, max_size=4), st.lists(lives, min_size=20, max_size=30)),
    questions=st.lists(filters, min_size=6, max_size=6).map(lambda some: [JobFilter(), *some]),
)
def test_pages_totals_and_counters_equal_a_brute_force_count(
    open_database: OpenDatabase, histories: list[Life], questions: list[JobFilter]
) -> None:
    asyncio.run(_compare(open_database, histories, questions))


async def _compare(open_database: OpenDatabase, histories: list[Life], questions: list[JobFilter]) -> None:
    async with open_database() as database:
        store = Store(database)
        users = [(await store.add_user(name, Role.MEMBER, NOW)).id for name in ("ann", "bob")]
        jobs = await _live(store, users, histories)
        for user_id in users:
            mine = [(job, media) for job, media in jobs if job.user_id == user_id]
            for wanted, window in product(questions, WINDOWS):
                page = await store.list_jobs(user_id, wanted, window)
                assert replace(page, next_after=None) == page_of(mine, wanted, window)
            assert await store.miscounted(user_id) == 0
            assert await store.queue_counts(user_id) == counts_of(job for job, _ in mine)


async def _live(store: Store, users: list[UserId], histories: list[Life]) -> list[tuple[Job, Media]]:
    news = [
        NewJob(id=JobId(UUID(int=n)), user_id=users[life.user], body=BODY, workflow_id=life.workflow_id)
        for n, life in enumerate(histories)
    ]
    queued = [await store.add_job(new, NOW, max_queued=None) for new in news]
    # All at once, so that changes of many jobs meet in one transaction.
    jobs = await asyncio.gather(*(_follow(store, job, life) for job, life in zip(queued, histories, strict=True)))
    ended = [(job, life.media) for job, life in zip(jobs, histories, strict=True)]
    gone = {job.id for (job, _), life in zip(ended, histories, strict=True) if life.is_deleted}
    for user_id in users:
        deleted = await store.delete_jobs(user_id, gone)
        assert set(deleted) == {job.id for job in jobs if job.id in gone and job.is_terminal and job.user_id == user_id}
    return [(job, media) for job, media in ended if job.id not in gone or not job.is_terminal]


async def _follow(store: Store, job: Job, life: Life) -> Job:
    for verb in life.path:
        after = advance(
            job,
            verb,
            job.changed_at + timedelta(microseconds=life.run_us if verb in (Verb.SUCCEED, Verb.FAIL) else 0),
            lease=job.lease if verb in LEASED else None,
            worker_id=WorkerId("w") if verb is Verb.ASSIGN else None,
        )
        summary = OutputSummary(preview=None, outputs_count=1, previewable_count=1, media=life.media)
        ending = Ending(summary=summary) if after.state is JobState.SUCCEEDED else None
        stored = await store.change_job(job, after, ending=ending)
        assert stored == (replace(after, outputs_count=1, previewable_count=1) if ending else after)
        job = stored
    return job


def page_of(jobs: list[tuple[Job, Media]], wanted: JobFilter, window: Window) -> JobPage:
    matching = [
        (job.run_time if window.sort is JobSort.RUN_TIME else timedelta(0), order, job)
        for order, (job, media) in enumerate(jobs)
        if job.state in wanted.states
        and wanted.workflow_id in (None, job.workflow_id)
        and (wanted.media is Media.NONE or (job.state is JobState.SUCCEEDED and media & wanted.media))
    ]
    matching.sort(key=lambda one: one[:2], reverse=window.descending)
    shown = [job for *_, job in matching[window.offset : window.offset + window.limit]]
    return JobPage(jobs=shown, total=len(matching))


def counts_of(jobs: Iterable[Job]) -> QueueCounts:
    states = [job.state for job in jobs]
    return QueueCounts(queued=states.count(JobState.QUEUED), held=sum(state in HELD_STATES for state in states))
