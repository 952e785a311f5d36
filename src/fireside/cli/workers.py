"""`fireside workers`: the fleet, how each worker is, and who rests or goes."""

from typing import Annotated, Any

import msgspec
from cyclopts import App, Parameter

from fireside.cli.connecting import Where, open_admin
from fireside.cli.printing import give, local_time, print_table, say
from fireside.wire.admin import FleetWorkerBody
from fireside.wire.queues import FetchedModelBody

_HEADS = ("ID", "STATE", "RUNTIME", "DEVICES", "LABELS", "JOBS", "WARM", "UP", "FIRESIDE", "JOINED", "REASON")
_GIB = 1024**3
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_Name = Annotated[str, Parameter(name="NAME", help="The worker's id, as `fireside workers` shows it.")]

workers = App(name="workers", help="List the workers: which run, what they run on, and why one takes no jobs.")


@workers.default
async def list_workers(
    *,
    json: Annotated[bool, Parameter(help="Print all that is known, as JSON.", negative=())] = False,
    where: Where | None = None,
) -> None:
    """List the workers: which run, what they run on, and why one takes no jobs."""
    async with open_admin(where) as client:
        found = await client.admin.workers()
    if json:
        give(msgspec.json.format(msgspec.json.encode(found)).decode())
    else:
        print_table(_HEADS, [_row(worker) for worker in found])


@workers.command
async def drain(name: _Name, /, *, where: Where | None = None) -> None:
    """Let a worker finish what it has and take no more jobs, also over restarts, until it is resumed."""
    async with open_admin(where) as client:
        await client.admin.drain_worker(name)
    say(f"{name} takes no more jobs; `fireside workers resume {name}` lets it")


@workers.command
async def resume(name: _Name, /, *, where: Where | None = None) -> None:
    """Let a worker take jobs again."""
    async with open_admin(where) as client:
        await client.admin.resume_worker(name)
    say(f"{name} takes jobs")


@workers.command
async def remove(name: _Name, /, *, where: Where | None = None) -> None:
    """Send a worker away for good: its credentials end at once, and a job that it has goes to another."""
    async with open_admin(where) as client:
        await client.admin.remove_worker(name)
    say(f"{name} is removed")


def _row(worker: FleetWorkerBody) -> tuple[str, ...]:
    return (
        worker.id,
        worker.state,
        f"{worker.runtime} {worker.version}".strip() or "-",
        ", ".join(map(_device, worker.devices)) or "-",
        ", ".join(f"{key}={value}" for key, value in worker.labels.items()) or "-",
        ", ".join(f"{job} (ready)" if job in worker.ready else str(job) for job in worker.jobs) or "-",
        ", ".join(worker.warm or ()) or "-",
        _span(worker.up_seconds),
        worker.fireside or "-",
        local_time(worker.joined_at),
        "; ".join(filter(None, [worker.reason.strip(), *map(_fetched, worker.fetching)])) or "-",
    )


def _fetched(model: FetchedModelBody) -> str:
    share = f" {100 * model.done_bytes // model.size_bytes} %" if model.size_bytes else ""
    return f"fetches {model.model}{share}"


def _span(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    for unit, size in (("d", _DAY), ("h", _HOUR), ("m", _MINUTE)):
        if seconds >= size:
            return f"{seconds / size:.0f}{unit}"
    return f"{seconds:.0f}s"


def _device(device: dict[str, Any]) -> str:
    name, free, total = str(device.get("name", "?")), device.get("vram_free"), device.get("vram_total")
    if isinstance(free, int) and isinstance(total, int) and total:
        return f"{name} ({free / _GIB:.1f} of {total / _GIB:.1f} GiB free)"
    return name
