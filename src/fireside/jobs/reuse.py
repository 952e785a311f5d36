"""Reuse: a submit whose work is done already ends at once with the outputs that are there.

It has to be the same work, done by a worker as those that are there now: the same versions of nodes, and the same bytes
in the model files. Whatever is not known is no reason to reuse: then the job runs.
"""

from collections.abc import Collection, Sequence
from datetime import timedelta
from functools import partial

import msgspec
import structlog

from fireside.bus.errors import BusError, NobodyListens
from fireside.bus.subjects import work as work_subject
from fireside.domain.accounts import User
from fireside.domain.jobs import Job
from fireside.domain.lifecycle import Verb, advance
from fireside.domain.reuse import MadeWork
from fireside.domain.workers import WorkerProfile, WorkerWish
from fireside.events.facts import ended_fact
from fireside.graphs.reuse import Work, are_core
from fireside.jobs.desk import Desk
from fireside.store.records import NewJob
from fireside.store.reuse_verbs import Reused
from fireside.wire.fleet import IdentifyModels, IdentifyReply

# Workers are noted as seen every ten minutes; who was seen that long before the last one is no part of the fleet.
_AWAY_AFTER = timedelta(minutes=20)
_MOST_ASKED = 3
_ASK_SECONDS = 1.0
_log = structlog.get_logger(__name__)


def may_reuse(desk: Desk, user: User, *, wished: bool) -> bool:
    """Whether jobs of the user may be answered with what was made before, as this submit wishes."""
    return wished and (desk.config.reuse if user.reuse is None else user.reuse)


def can_vouch(desk: Desk, work: Work, wish: WorkerWish) -> bool:
    """Whether a worker that is here could say that what it has made of this may be had by equal jobs."""
    return bool(_workers_like_now(desk, work.classes, wish))


def snapshots_like_now(desk: Desk, classes: Collection[str]) -> Collection[str]:
    """Give what is run by workers on which these classes are what they are believed to be."""
    return _workers_like_now(desk, classes, WorkerWish()).keys()


async def reuse_job(desk: Desk, new: NewJob, work: Work, wish: WorkerWish, *, nodes: Sequence[str]) -> Reused | None:
    """Submit the job and end it with what was made before; None, and nothing is submitted, where there is nothing.

    Raises what a submit raises.
    """
    made = await desk.store.jobs_of_work(work.name, user_id=new.user_id)
    if desk.config.reuse_across_users:
        made = [*made, *await desk.store.jobs_of_work(work.name, user_id=None)]
    workers = _workers_like_now(desk, work.classes, wish) if made else {}
    for one in made:
        if one.snapshot_hash in workers and await _are_same_models(desk, work, one, workers[one.snapshot_hash]):
            end = partial(_ended, desk)
            reused = await desk.store.add_reused_job(new, one, desk.clock(), nodes=nodes, end=end)
            if reused is not None:
                return reused
    return None


async def tell_reused(desk: Desk, reused: Reused) -> None:
    """Tell listeners that the job is over; who listens to it is told of its outputs too, as of a run's."""
    fact = ended_fact(reused.job, cached=tuple(reused.cached))
    await desk.announcer.tell(reused.job.user_id, fact)


def _ended(desk: Desk, queued: Job) -> Job:
    return advance(queued, Verb.REUSE, desk.clock())


def _workers_like_now(desk: Desk, classes: Collection[str], wish: WorkerWish) -> dict[str, list[WorkerProfile]]:
    """Give the workers that could do the work, by what they run."""
    fleet = desk.definitions.known
    last = max((one.seen_at for one in fleet.profiles.values()), default=desk.clock())
    found: dict[str, list[WorkerProfile]] = {}
    for one in fleet.profiles.values():
        kind = fleet.kinds.get(one.kind)
        if not one.snapshot_hash or kind is None or last - one.seen_at > _AWAY_AFTER:
            continue
        is_core = are_core(classes, kind.nodes, more_classes=desk.config.reuse_classes)
        if is_core and wish.is_met_by(one):
            found.setdefault(one.snapshot_hash, []).append(one)
    return found


async def _are_same_models(desk: Desk, work: Work, made: MadeWork, workers: Sequence[WorkerProfile]) -> bool:
    """Whether a worker that would do the work has the very files that it was done with: one of them is asked."""
    if not made.models:
        return not work.reads_models
    names = tuple(sorted({key.partition("/")[2] for key in made.models}))
    request = msgspec.json.encode(IdentifyModels(names=names))
    for worker in sorted(workers, key=lambda one: one.seen_at, reverse=True)[:_MOST_ASKED]:
        try:
            answer = await desk.bus.request(work_subject(worker.id), request, timeout=_ASK_SECONDS)
            found = msgspec.json.decode(answer, type=IdentifyReply).models
        except NobodyListens:
            continue
        except (BusError, msgspec.MsgspecError) as error:
            _log.info("models not identified", worker_id=worker.id, reason=str(error))
            continue
        if found == made.models:
            return True
    return False
