"""`fireside workers`: the fleet, and how each worker is."""

from typing import Annotated, Any

import msgspec
from cyclopts import Parameter

from fireside.cli.connecting import Where, open_admin
from fireside.cli.printing import give, local_time, print_table
from fireside.wire.admin import FleetWorkerBody

_HEADS = ("ID", "STATE", "RUNTIME", "DEVICES", "LABELS", "JOBS", "JOINED", "REASON")
_GIB = 1024**3


async def workers(
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


def _row(worker: FleetWorkerBody) -> tuple[str, ...]:
    return (
        worker.id,
        worker.state,
        f"{worker.runtime} {worker.version}".strip() or "-",
        ", ".join(map(_device, worker.devices)) or "-",
        ", ".join(f"{key}={value}" for key, value in worker.labels.items()) or "-",
        ", ".join(map(str, worker.jobs)) or "-",
        local_time(worker.joined_at),
        worker.reason.strip() or "-",
    )


def _device(device: dict[str, Any]) -> str:
    name, free, total = str(device.get("name", "?")), device.get("vram_free"), device.get("vram_total")
    if isinstance(free, int) and isinstance(total, int) and total:
        return f"{name} ({free / _GIB:.1f} of {total / _GIB:.1f} GiB free)"
    return name
