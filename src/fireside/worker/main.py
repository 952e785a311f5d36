"""The worker's process: reads its ticket, connects, and works until it is told to stop or its parent dies."""

import asyncio
import contextlib
import shutil
import signal
from pathlib import Path

import msgspec
import uvloop

from fireside.bus.authority import BusCredentials
from fireside.bus.client import Bus
from fireside.client.fleet import FleetClient
from fireside.domain.ids import WorkerId
from fireside.wire.tickets import WorkerTicket
from fireside.worker.agent import Agent
from fireside.worker.model_hashes import ModelHashes
from fireside.worker.runtimes import runtime_of
from fireside.worker.stage_cache import StageCache


def run_worker(ticket_path: Path) -> None:
    """Work for the server that the ticket names, until SIGTERM or SIGINT."""
    ticket = msgspec.json.decode(ticket_path.read_bytes(), type=WorkerTicket)
    uvloop.run(_work(ticket))


async def _work(ticket: WorkerTicket) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    scratch = Path(ticket.scratch)
    # A former life of this worker may have left half of a job here.
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True, mode=0o700)
    async with contextlib.AsyncExitStack() as stack:
        worker_id = WorkerId(ticket.worker_id)
        credentials = BusCredentials(jwt=ticket.bus_jwt, seed=ticket.bus_seed)
        inbox = f"_INBOX_{worker_id}"
        bus = await Bus.connect(ticket.bus_url.split(","), credentials, name=worker_id, inbox_prefix=inbox)
        stack.push_async_callback(bus.close)
        client = FleetClient(ticket.server_url, ticket.token)
        stack.push_async_callback(client.close)
        runtime = runtime_of(ticket)
        stack.push_async_callback(runtime.stop)
        agent = Agent(
            worker_id=worker_id,
            bus=bus,
            client=client,
            runtime=runtime,
            scratch=scratch / "jobs",
            cache=StageCache(Path(ticket.stage_cache), ticket.stage_cache_bytes),
            hashes=ModelHashes(scratch.with_name(f"{scratch.name}.models.json")),
            labels=ticket.labels,
        )
        await agent.work_until(stopped)
