"""Queues in their owners' hands: paused, resumed, and put in another order; an admin pauses anybody's, or all.

What runs goes on. The leader hands out nothing of a paused queue from the commit on.
"""

from fireside.domain.errors import BadRequest, Conflict, IllegalTransition
from fireside.domain.ids import JobId, UserId
from fireside.domain.jobs import Job, JobState
from fireside.domain.moves import Move
from fireside.domain.pauses import Pause, PauseOrigin
from fireside.jobs.desk import Desk
from fireside.jobs.withdraw import tell_withdrawn, withdraw_job
from fireside.store.store import Changed

MOST_REASON_CHARACTERS = 200


async def pause_queue(desk: Desk, user_id: UserId | None, origin: PauseOrigin, reason: str = "") -> Pause:
    """Hand out nothing of the user's queue, or of nobody's, until it is resumed; again only changes the reason."""
    if len(reason) > MOST_REASON_CHARACTERS:
        raise BadRequest(f"a reason has at most {MOST_REASON_CHARACTERS} characters")
    pause = await desk.store.pause(user_id, origin, reason, desk.clock())
    await desk.wake_dispatch(user_id, is_heard=False)
    return pause


async def resume_queue(desk: Desk, user_id: UserId | None, origin: PauseOrigin) -> bool:
    """End a pause of this origin; whether there was one. Another's pause of the same queue stays."""
    resumed = await desk.store.resume(user_id, origin)
    await desk.wake_dispatch(user_id, is_heard=False)
    return resumed


async def move_job(desk: Desk, user_id: UserId, job_id: JobId, move: Move) -> Job:
    """Put a job that waits at another place of its owner's queue; nobody else's place changes.

    Raises `NotFound` for jobs that are not there or not theirs, `Conflict` for those that do not wait any more.
    """
    moved = [await desk.job_of(user_id, one) for one in (job_id, move.anchor) if one is not None]
    if move.anchor == job_id:
        raise BadRequest("a job cannot go before or after itself: name another one")
    try:
        for one in moved:
            await _have_wait(desk, one)
        return await desk.store.move_job(user_id, job_id, move)
    except Changed as change:
        raise Conflict(change.message) from change
    finally:
        # Not before: what has come back would be handed out again at once.
        await desk.wake_dispatch(user_id, is_heard=False)


async def _have_wait(desk: Desk, job: Job) -> None:
    """Take back a job that a worker holds and has not begun; `Conflict` for one that does not wait any more."""
    if job.state is JobState.QUEUED:
        return
    try:
        await withdraw_job(desk, job)
    except (Changed, IllegalTransition) as error:
        raise Conflict(f"job {job.id} does not wait any more") from error
    await tell_withdrawn(desk, job)
