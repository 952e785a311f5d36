"""Equal jobs in flight: of a user's jobs that make the same one goes, and the others end with what it has made.

They wait in the queue meanwhile and ask for no worker. When the one that goes has ended otherwise, the next of them
goes; and where nobody vouches for what it has made, each of them goes.
"""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Any

import msgspec

from fireside.domain.ids import JobId
from fireside.domain.jobs import Job, JobState
from fireside.domain.lifecycle import Verb, advance
from fireside.domain.reuse import MadeWork
from fireside.jobs.desk import Desk
from fireside.jobs.reuse import snapshots_like_now, tell_reused
from fireside.store.equal_verbs import EndedEqual
from fireside.store.refusals import Changed
from fireside.store.reuse_verbs import Reused

_AT_ONCE = 32


async def see_to_equal_jobs(desk: Desk) -> None:
    """See to all jobs that wait for equal ones that have ended."""
    while ended := await desk.store.ended_equal_jobs():
        for one in ended:
            await _see_to(desk, one)


async def _see_to(desk: Desk, ended: EndedEqual) -> None:
    first = None if ended.job_id is None else await desk.store.job(ended.job_id)
    is_made = first is not None and first.state is JobState.SUCCEEDED
    may_be_had = is_made and first is not None and await _end_others(desk, first, ended)
    if is_made and not may_be_had:
        await desk.store.let_all_equal_jobs_go(ended)
    else:
        await desk.store.let_next_equal_job_go(ended)
    await desk.wake_dispatch(ended.user_id, is_heard=False)


async def _end_others(desk: Desk, first: Job, ended: EndedEqual) -> bool:
    """End those that wait with what this job has made; whether that may be done."""
    made, nodes, classes = await _made(desk, first.id)
    if made is None or made.snapshot_hash not in snapshots_like_now(desk, classes):
        return False
    user_id = None if desk.config.reuse_across_users else ended.user_id
    while jobs := await desk.store.queued_equal_jobs(ended.work, user_id=user_id, limit=_AT_ONCE):
        done = await asyncio.gather(*(_end(desk, job, made, nodes) for job in jobs))
        if not all(done):
            return False
    return True


async def _end(desk: Desk, job: Job, made: MadeWork, nodes: Sequence[str]) -> bool:
    """End a job with what another one has made; False when that is not all there any more."""
    try:
        reused: Reused | None = await desk.store.reuse_for_queued_job(
            job.id, made, desk.clock(), nodes=nodes, end=partial(_ended, desk)
        )
    except Changed:
        return True  # it has ended otherwise, or a worker has it
    if reused is not None:
        await tell_reused(desk, reused)
    return reused is not None


async def _made(desk: Desk, job_id: JobId) -> tuple[MadeWork | None, list[str], set[str]]:
    made, body = await desk.store.made_work(job_id), await desk.store.job_body(job_id)
    graph: dict[str, Any] = msgspec.json.decode(body.graph) if body is not None else {}
    return made, list(graph), {str(node["class_type"]) for node in graph.values()}


def _ended(desk: Desk, queued: Job) -> Job:
    return advance(queued, Verb.REUSE, desk.clock())
