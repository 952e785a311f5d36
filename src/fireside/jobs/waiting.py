"""Why a job waits: what the store knows of the queues, held against the workers that are there."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from fireside.domain.errors import NotFound
from fireside.domain.ids import WorkerId
from fireside.domain.jobs import Job, JobState
from fireside.domain.models import ModelOnItsWay
from fireside.domain.waiting import Helper, Lack, WaitFacts, Waiting, explain
from fireside.domain.workers import WorkerProfile
from fireside.graphs.requirements import Requirement, decode_requirement, lack_of
from fireside.jobs.desk import Desk
from fireside.scheduler.costs import DEFAULT_RUN_SECONDS
from fireside.store.queue_verbs import QueueFacts
from fireside.store.records import HeldJob, Share
from fireside.wire.fleet import Fetching, LeaseBody, Presence

_WAITING = frozenset({JobState.QUEUED, JobState.ASSIGNED})
Present = Mapping[WorkerId, Presence]


async def why_waiting(desk: Desk, job: Job, present: Present) -> Waiting | None:
    """Say what the job waits for, given the workers that are there; None for one that does not wait.

    It costs the same however many jobs of others wait. When a worker takes the job meanwhile the answer is None.
    """
    if job.state not in _WAITING:
        return None
    facts = await desk.store.queue_facts(job, unknown_seconds=DEFAULT_RUN_SECONDS)
    user = await desk.store.user(job.user_id)
    if user is None:
        raise NotFound(f"there is no job {job.id}")
    if facts.place is None and job.state is JobState.QUEUED:
        return None
    wanted = decode_requirement(facts.requirement) if facts.requirement is not None else Requirement()
    now = desk.clock()
    return explain(
        WaitFacts(
            position=facts.place or 1,
            is_handed_out=job.state is JobState.ASSIGNED,
            behind_others_on=_behind_others_on(job, present),
            fetching=fetched_for(job, present),
            awaited=None if facts.awaited is None else str(facts.awaited),
            pauses=facts.pauses,
            held=sum(one.job.user_id == job.user_id for one in facts.held),
            max_running=user.max_running or desk.config.max_running or None,
            helpers=_helpers(desk, wanted, present),
            away=_away(desk, wanted, present),
            seconds_each=facts.seconds_each,
            seconds_until_free=_seconds_until_free(facts.held, now),
            share=_share(job, user.weight, facts),
        ),
        now,
    )


def fetched_for(job: Job, present: Present) -> ModelOnItsWay | None:
    """Say what the worker that has the job fetches for it, before it begins."""
    said = present.get(job.worker_id) if job.worker_id is not None else None
    if said is None or job.state is not JobState.ASSIGNED:
        return None
    lease = LeaseBody.of(job.lease)
    return next((model_on_its_way(job.worker_id or "", one) for one in said.fetching if one.lease == lease), None)


def model_on_its_way(worker: str, told: Fetching) -> ModelOnItsWay:
    """Take a worker's word for what it fetches."""
    return ModelOnItsWay(
        worker=worker,
        model=f"{told.folder}/{told.name}",
        done_bytes=told.done_bytes,
        size_bytes=told.size_bytes,
        bytes_per_second=told.bytes_per_second,
    )


def _behind_others_on(job: Job, present: Present) -> str | None:
    """Name the worker that holds the job ready while it computes another."""
    said = present.get(job.worker_id) if job.worker_id is not None else None
    is_busy = said is not None and any(one.job_id != job.id and one not in said.finishing for one in said.leases)
    return job.worker_id if is_busy else None


def _helpers(desk: Desk, wanted: Requirement, present: Present) -> list[Helper]:
    known = desk.definitions.known.profiles
    return [
        Helper(
            name=worker_id,
            lack=_lack(desk, wanted, known[worker_id]),
            is_free=not said.leases,
            takes_jobs=said.ready and not said.draining,
        )
        for worker_id, said in present.items()
        if worker_id in known
    ]


def _away(desk: Desk, wanted: Requirement, present: Present) -> Sequence[str]:
    known = desk.definitions.known.profiles
    return [name for name, one in known.items() if name not in present and not _lack(desk, wanted, one).count]


def _lack(desk: Desk, wanted: Requirement, profile: WorkerProfile) -> Lack:
    kind = desk.definitions.known.kinds.get(profile.kind)
    nodes, models = lack_of(wanted, kind.definitions) if kind is not None else (wanted.classes, ())
    wish = wanted.wish
    labels = {name: value for name, value in wish.labels.items() if profile.labels.get(name) != value}
    vram_bytes = wish.vram_bytes if profile.vram_bytes < wish.vram_bytes else 0
    return Lack(nodes=nodes, models=models, labels=labels, vram_bytes=vram_bytes)


def _seconds_until_free(held: Sequence[HeldJob], now: datetime) -> float:
    running = [one for one in held if one.job.state is not JobState.ASSIGNED] or held
    left = [one.charged_seconds - (now - one.job.changed_at).total_seconds() for one in running]
    return max(0.0, min(left, default=0.0))


def _share(job: Job, weight: float, facts: QueueFacts) -> float:
    """Give the owner's part of all the weight that there is work for."""
    others = sum(one.weight for one in facts.shares if one.user_id != job.user_id and _competes(one))
    return weight / (weight + others)


def _competes(share: Share) -> bool:
    return share.queued > 0 or share.held > 0
