"""The page of the fleet: each worker with what it runs and holds, and how many there were. Admins only."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from fireside.domain.accounts import Principal
from fireside.domain.ids import UserId, WorkerId
from fireside.domain.jobs import JobState
from fireside.domain.usage import bytes_in_words
from fireside.server.admin_fleet import drain_worker, resume_worker
from fireside.server.callers import services_of
from fireside.server.fleet_list import read_fleet
from fireside.server.pages.charts import Scale, scale_of, silhouette
from fireside.server.pages.rendering import redirect
from fireside.server.pages.rows import page_rows
from fireside.server.pages.shell import changed, framed, shown
from fireside.server.pages.words import span
from fireside.server.services import Services
from fireside.store.records import HeldJob
from fireside.store.usage_verbs import FleetSample
from fireside.wire.admin import FleetWorkerBody

PLACE = "/dashboard/fleet"
_TONES = {"ready": "good", "busy": "warm", "starting": "calm", "draining": "calm", "drained": "", "away": "bad"}
_WORDS = {
    "ready": "Ready",
    "busy": "Busy",
    "starting": "Starting",
    "draining": "Finishing",
    "drained": "Resting",
    "away": "Away",
}
_SPANS = {
    "day": ("24 hours", timedelta(days=1), timedelta(minutes=5)),
    "week": ("7 days", timedelta(days=7), timedelta(minutes=30)),
    "month": ("30 days", timedelta(days=30), timedelta(hours=2)),
}
_THERE = ("ready", "busy", "starting", "draining", "drained")


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """A device of a worker, and how full its memory is; `used` is in percent."""

    name: str
    used_bytes: int
    total_bytes: int

    @property
    def used(self) -> float:
        """How full it is."""
        return round(100 * self.used_bytes / self.total_bytes, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A job that a worker has."""

    job_id: str
    user: str
    state: str
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerCard:
    """A worker as its card shows it."""

    worker: FleetWorkerBody
    word: str
    tone: str
    devices: Sequence[Memory]
    runs: Sequence[Run]
    is_drained: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """How the fleet was: areas of workers and of those that were busy, and of jobs that waited."""

    workers: str
    busy: str
    scale: Scale
    waiting: str
    waiting_scale: Scale
    summary: str
    since: datetime


async def show_fleet(request: Request, principal: Principal) -> Response:
    """Show the workers, and how many there were."""
    services = services_of(request)
    chosen = request.query_params.get("span", "day")
    chosen = chosen if chosen in _SPANS else "day"
    workers = await read_fleet(services)
    counts = await services.store.count_jobs()
    return framed(
        principal,
        "fleet.html",
        PLACE,
        cards=await _cards(services, workers),
        there=sum(one.state in _THERE for one in workers),
        busy=sum(one.state == "busy" for one in workers),
        waiting=counts["queued"],
        running=counts["assigned"] + counts["running"],
        history=await _history(services, *_SPANS[chosen][1:]),
        spans=[(name, words) for name, (words, *_) in _SPANS.items()],
        chosen=chosen,
        words=_SPANS[chosen][0],
        size=bytes_in_words,
        time_span=_time_span,
    )


async def drain(request: Request, principal: Principal) -> Response:  # noqa: ARG001 - a page's shape
    """Let a worker finish what it has and take no more."""
    await drain_worker(services_of(request), str(request.path_params["name"]))
    return redirect(PLACE)


async def resume(request: Request, principal: Principal) -> Response:  # noqa: ARG001 - a page's shape
    """Let a worker take jobs again."""
    await resume_worker(services_of(request), str(request.path_params["name"]))
    return redirect(PLACE)


def _time_span(seconds: float) -> str:
    return span(timedelta(seconds=seconds))


async def _cards(services: Services, workers: Sequence[FleetWorkerBody]) -> list[WorkerCard]:
    names = {user.id: user.name for user in await services.accounts.users()}
    drained = await services.store.drained_workers()
    ready = {str(job_id) for one in workers for job_id in one.ready}
    runs: dict[WorkerId, list[Run]] = {}
    for held in await services.store.held_jobs():
        runs.setdefault(held.worker_id, []).append(_run(held, names, ready))
    return [
        WorkerCard(
            worker=one,
            word=_WORDS[one.state],
            tone=_TONES[one.state],
            devices=memory_of(one.devices),
            runs=runs.get(WorkerId(one.id), []),
            is_drained=one.id in drained,
        )
        for one in workers
    ]


def _run(held: HeldJob, names: Mapping[UserId, str], ready: Collection[str]) -> Run:
    job = held.job
    since = job.started_at or job.changed_at
    is_ready = job.state is JobState.ASSIGNED and str(job.id) in ready
    state = "ready" if is_ready else job.state.value
    return Run(job_id=str(job.id), user=names.get(job.user_id, ""), state=state, since=since)


def memory_of(devices: Sequence[Mapping[str, Any]]) -> list[Memory]:
    """Read what devices say of their memory; they are a worker's own words, and may be anything."""
    found: list[Memory] = []
    for device in devices:
        total, free = device.get("vram_total"), device.get("vram_free")
        if isinstance(total, int) and isinstance(free, int) and 0 <= free <= total and total:
            name = str(device.get("name", "") or device.get("type", ""))
            found.append(Memory(name=name, used_bytes=total - free, total_bytes=total))
    return found


async def _history(services: Services, span: timedelta, step: timedelta) -> History:
    now = services.clock()
    bins = span // step
    begin = now - span
    return history_of(await services.store.fleet_samples(begin), begin, step, bins)


def history_of(samples: Sequence[FleetSample], begin: datetime, step: timedelta, bins: int) -> History:
    """Put samples into equal parts of time, each with the most that was in it."""
    parts: list[list[FleetSample]] = [[] for _ in range(bins)]
    for sample in samples:
        parts[min(bins - 1, max(0, (sample.at - begin) // step))].append(sample)
    workers = [max((one.workers for one in part), default=None) for part in parts]
    busy = [max((one.busy for one in part), default=None) for part in parts]
    waiting = [max((one.waiting for one in part), default=None) for part in parts]
    scale = scale_of([one for one in workers if one is not None], at_least=2)
    waiting_scale = scale_of([one for one in waiting if one is not None], at_least=2)
    return History(
        workers=silhouette(workers, scale),
        busy=silhouette(busy, scale),
        scale=scale,
        waiting=silhouette(waiting, waiting_scale),
        waiting_scale=waiting_scale,
        summary=_summary(samples),
        since=begin,
    )


def _summary(samples: Sequence[FleetSample]) -> str:
    if not samples:
        return "Nothing is known of this time."
    workers, busy = max(one.workers for one in samples), max(one.busy for one in samples)
    waiting = max(one.waiting for one in samples)
    there, used = sum(one.workers for one in samples), sum(one.busy for one in samples)
    share = f" Of their time {round(100 * used / there)} % was used." if there else ""
    return f"At most {workers} workers, {busy} of them busy at once, and {waiting} jobs waiting.{share}"


ROUTES = page_rows(
    (
        ("GET", PLACE, shown(show_fleet, for_admins=True), "showFleet", "The workers as a page"),
        (
            "POST",
            f"{PLACE}/{{name}}/drain",
            changed(drain, for_admins=True),
            "drainFromPage",
            "Let a worker take no more jobs",
        ),
        (
            "POST",
            f"{PLACE}/{{name}}/resume",
            changed(resume, for_admins=True),
            "resumeFromPage",
            "Let a worker take jobs again",
        ),
    )
)
"""Anybody may call the pages; each looks for itself who it is."""
