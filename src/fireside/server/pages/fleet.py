"""The page of the fleet: each worker with what it runs and holds, how many there were, and how more come and go.

Admins only.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from fireside.config import MOST_DAYS
from fireside.domain.accounts import Principal
from fireside.domain.errors import BadRequest, Refused
from fireside.domain.ids import UserId, WorkerId
from fireside.domain.jobs import JobState
from fireside.domain.models import ModelOnItsWay
from fireside.domain.usage import bytes_in_words
from fireside.domain.workers import JoinToken, is_own_name
from fireside.server.admin_fleet import drain_worker, remove_worker, resume_worker, revoke_join_token
from fireside.server.callers import services_of
from fireside.server.fleet_list import read_fleet
from fireside.server.pages.charts import Scale, scale_of, silhouette
from fireside.server.pages.limits import read_number
from fireside.server.pages.rendering import form_of, redirect
from fireside.server.pages.rows import page_rows
from fireside.server.pages.shell import changed, framed, shown
from fireside.server.pages.words import span
from fireside.server.refusals import status_of
from fireside.server.services import Services
from fireside.server.waiting import coming_model
from fireside.store.records import HeldJob
from fireside.store.usage_verbs import FleetSample
from fireside.wire.admin import FleetWorkerBody

PLACE = "/dashboard/fleet"
TOKENS = "/dashboard/worker-tokens"
_MOST_HOURS = 24 * MOST_DAYS
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
    coming: Sequence[ModelOnItsWay]
    is_drained: bool
    can_go: bool
    """Whether it can be removed, as those that a server starts itself cannot while they are there."""


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
    """Show the workers, how many there were, and the tokens that more of them join with."""
    return await _fleet(request, principal)


async def _fleet(
    request: Request,
    principal: Principal,
    status: int = 200,
    *,
    form: Mapping[str, str] | None = None,
    problem: str = "",
    token: str = "",
) -> Response:
    services = services_of(request)
    chosen = request.query_params.get("span", "day")
    chosen = chosen if chosen in _SPANS else "day"
    workers = await read_fleet(services)
    counts = await services.store.count_jobs()
    return framed(
        principal,
        "fleet.html",
        PLACE,
        status,
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
        tokens=await _good_tokens(services),
        form={"label": "", "hours": f"{services.config.join_token_hours:g}", **(form or {})},
        problem=problem,
        token=token,
        url=services.public_url,
    )


async def create_token(request: Request, principal: Principal) -> Response:
    """Make a token that workers join with, and show it, this once."""
    form = await form_of(request)
    try:
        hours = form.get("hours", "").strip()
        _, secret = await services_of(request).enrollments.create_token(
            label=form.get("label", "").strip(),
            is_reusable="reusable" in form,
            works_for=_hours(hours) if hours else None,
        )
    except Refused as error:
        return await _fleet(request, principal, status_of(error), form=form, problem=error.message)
    return await _fleet(request, principal, token=secret)


async def revoke_token(request: Request, principal: Principal) -> Response:  # noqa: ARG001 - a page's shape
    """End a token; who has joined with it stays."""
    await revoke_join_token(services_of(request), str(request.path_params["token_id"]))
    return redirect(f"{PLACE}#tokens")


async def remove(request: Request, principal: Principal) -> Response:  # noqa: ARG001 - a page's shape
    """Send a worker away for good."""
    await remove_worker(services_of(request), str(request.path_params["name"]))
    return redirect(PLACE)


async def drain(request: Request, principal: Principal) -> Response:  # noqa: ARG001 - a page's shape
    """Let a worker finish what it has and take no more."""
    await drain_worker(services_of(request), str(request.path_params["name"]))
    return redirect(PLACE)


async def resume(request: Request, principal: Principal) -> Response:  # noqa: ARG001 - a page's shape
    """Let a worker take jobs again."""
    await resume_worker(services_of(request), str(request.path_params["name"]))
    return redirect(PLACE)


def _hours(text: str) -> timedelta:
    hours = read_number("hours", text)
    if not 0 < hours <= _MOST_HOURS:
        raise BadRequest(f"hours: write a number above 0, up to {_MOST_HOURS:,}, or nothing for a token without an end")
    return timedelta(hours=hours)


async def _good_tokens(services: Services) -> list[JoinToken]:
    """Give those that somebody can still join with, the newest first."""
    now = services.clock()
    return [
        one
        for one in reversed(await services.enrollments.tokens())
        if one.revoked_at is None
        and (one.expires_at is None or one.expires_at > now)
        and (one.is_reusable or not one.uses)
    ]


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
            coming=[coming_model(model) for model in one.fetching],
            is_drained=one.id in drained,
            can_go=one.state == "away" or not is_own_name(one.id),
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
    counted = f"{workers} worker{'' if workers == 1 else 's'}", f"{waiting} job{'' if waiting == 1 else 's'}"
    return f"At most {counted[0]}, {busy} of them busy at once, and {counted[1]} waiting.{share}"


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
        (
            "POST",
            f"{PLACE}/{{name}}/remove",
            changed(remove, for_admins=True),
            "removeWorkerFromPage",
            "Send a worker away for good",
        ),
        (
            "POST",
            TOKENS,
            changed(create_token, for_admins=True),
            "createTokenFromPage",
            "Make a token that workers join with",
        ),
        (
            "POST",
            f"{TOKENS}/{{token_id}}/revoke",
            changed(revoke_token, for_admins=True),
            "revokeTokenFromPage",
            "End a token that workers join with",
        ),
    )
)
"""Anybody may call the pages; each looks for itself who it is."""
