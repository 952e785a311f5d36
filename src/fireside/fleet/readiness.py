"""Waiting for the workers a server starts with: what the person at the terminal sees until they are there.

A real ComfyUI takes from ten seconds to a minute. One worker that cannot start does not keep the others from working;
a server none of whose workers can start says why and gives up.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence

import structlog

from fireside.domain.errors import FiresideError
from fireside.domain.ids import WorkerId
from fireside.fleet.plan import PlannedWorker
from fireside.wire.fleet import Presence

_LOOK_SECONDS = 0.02
_SILENT_SECONDS = 2.0
_SAY_EVERY_SECONDS = 5.0
_log = structlog.get_logger(__name__)

Presences = Mapping[WorkerId, Presence]


class NotReady(FiresideError):
    """The workers did not become ready in time."""

    code = "not_ready"


async def until_ready(
    plan: Sequence[PlannedWorker], presences: Callable[[], Presences], *, seconds: float, stopped: asyncio.Event
) -> None:
    """Wait until each worker is ready or has said why it is not; raises `NotReady` when none of them is."""
    clock = asyncio.get_running_loop().time
    began = clock()
    said_at = began + _SILENT_SECONDS - _SAY_EVERY_SECONDS
    while not stopped.is_set():
        present = presences()
        waiting = [worker.id for worker in plan if not _is_settled(present.get(worker.id))]
        if not waiting or clock() - began > seconds:
            _conclude(plan, present, seconds)
            return
        if clock() - said_at > _SAY_EVERY_SECONDS:
            said_at = clock()
            ready = sum(_is_ready(present.get(worker.id)) for worker in plan)
            _log.info("workers are starting", ready=ready, of=len(plan), seconds=round(clock() - began))
        await asyncio.sleep(_LOOK_SECONDS)


def _conclude(plan: Sequence[PlannedWorker], present: Presences, seconds: float) -> None:
    missing = [worker.id for worker in plan if not _is_ready(present.get(worker.id))]
    reasons = {worker_id: _reason(present.get(worker_id), seconds) for worker_id in missing}
    if plan and len(missing) == len(plan):
        told = "\n".join(f"{worker_id}: {reason}" for worker_id, reason in reasons.items())
        raise NotReady(f"no worker became ready; their logs are in run/workers of the data folder\n{told}")
    for worker_id, reason in reasons.items():
        _log.warning("a worker is not ready", worker_id=worker_id, reason=reason)


def _is_ready(said: Presence | None) -> bool:
    return said is not None and said.ready


def _is_settled(said: Presence | None) -> bool:
    return said is not None and (said.ready or said.draining)


def _reason(said: Presence | None, seconds: float) -> str:
    if said is None:
        return f"it has not come up within {seconds:g} s"
    return said.reason or f"its runtime was not ready within {seconds:g} s"
