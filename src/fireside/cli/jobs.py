"""`fireside jobs`, with what waits shown and moved, and `fireside cancel`."""

from typing import Annotated, Any, Literal, cast
from uuid import UUID

import msgspec
from cyclopts import App, Parameter, validators

from fireside.cli.connecting import Where, open_client
from fireside.cli.errors import USAGE, CommandFailed
from fireside.cli.printing import give, local_time, print_table, say, time_of_unix
from fireside.client.answers import JobsPage
from fireside.client.client import FiresideClient
from fireside.wire.queues import MoveJobBody

_PAGE = 1000

jobs = App(name="jobs", help="Your jobs: without a command they are listed, newest first.")


@jobs.default
async def list_jobs(
    *,
    status: Annotated[
        tuple[str, ...],
        Parameter(help="Only jobs of these: pending, in_progress, completed, failed, cancelled.", negative=()),
    ] = (),
    limit: Annotated[int, Parameter(help="How many at most.", validator=validators.Number(gte=1))] = 20,
    json: Annotated[bool, Parameter(help="Print JSON of the form that GET /api/jobs answers.", negative=())] = False,
    where: Where | None = None,
) -> None:
    """List your jobs, newest first."""
    async with open_client(where) as client:
        page = await _read(client, status, limit)
    if json:
        give(msgspec.json.format(msgspec.json.encode(page)).decode())
        return
    print_table(("ID", "STATUS", "CREATED", "TOOK", "OUTPUTS", "ERROR"), [_row(job) for job in page.jobs])
    if page.pagination.has_more:
        say(f"{len(page.jobs)} of {page.pagination.total} jobs; --limit shows more")


@jobs.command
async def show(
    job_id: Annotated[str, Parameter(name="ID", help="The job's id, as `fireside jobs` lists it.")],
    /,
    *,
    where: Where | None = None,
) -> None:
    """Say where a job stands and, while it waits, why and until when about."""
    async with open_client(where) as client:
        job = await client.job(job_id)
    give(f"{job.id}  {job.status}")
    waiting = job.fireside.waiting if job.fireside is not None else None
    if waiting is not None:
        give(f"place in your queue: {waiting.position}")
        give(f"{waiting.reason}: {waiting.message}")
        give(f"may begin: {local_time(waiting.starts_at) if waiting.starts_at else 'nobody can know'}")
    if job.execution_error is not None:
        give(str(job.execution_error))


@jobs.command
async def move(
    job_id: Annotated[str, Parameter(name="ID", help="The job's id, as `fireside jobs` lists it.")],
    to: Annotated[Literal["front", "back"] | None, Parameter(name="TO", help="An end of your queue.")] = None,
    /,
    *,
    before: Annotated[UUID | None, Parameter(help="The job that it is to run right before.")] = None,
    after: Annotated[UUID | None, Parameter(help="The job that it is to run right after.")] = None,
    where: Where | None = None,
) -> None:
    """Put a job that waits at another place of your queue."""
    if sum(one is not None for one in (to, before, after)) != 1:
        raise CommandFailed("say where it is to go: front, back, --before ID or --after ID", USAGE)
    async with open_client(where) as client:
        moved = await client.move(job_id, MoveJobBody(to=to, before=before, after=after))
    say(f"job {job_id} is number {moved.position} of your queue")


async def cancel(
    job_id: Annotated[str, Parameter(name="ID", help="The job's id, as `fireside jobs` lists it.")],
    /,
    *,
    where: Where | None = None,
) -> None:
    """Cancel a job that waits or runs."""
    async with open_client(where) as client:
        canceled = await client.cancel(job_id)
    say(f"job {job_id} is canceled" if canceled else f"job {job_id} was over or canceled already")


async def _read(client: FiresideClient, status: tuple[str, ...], limit: int) -> JobsPage:
    page = await client.jobs_page(status=status, limit=min(limit, _PAGE))
    found = page.jobs
    while page.pagination.next_cursor and len(found) < limit:
        wanted = min(limit - len(found), _PAGE)
        page = await client.jobs_page(status=status, limit=wanted, after=page.pagination.next_cursor)
        found = found + page.jobs
    return JobsPage(jobs=found, pagination=msgspec.structs.replace(page.pagination, limit=limit))


def _row(job: dict[str, Any]) -> tuple[str, ...]:
    error = cast("dict[str, Any]", job.get("execution_error") or {})
    outputs = job.get("outputs_count")
    return (
        str(job.get("id")),
        str(job.get("status")),
        local_time(time_of_unix(float(job.get("create_time") or 0))),
        _took(job),
        "-" if outputs is None else str(outputs),
        str(error.get("exception_message", "")),
    )


def _took(job: dict[str, Any]) -> str:
    start, end = job.get("execution_start_time"), job.get("execution_end_time")
    return f"{(end - start) / 1000:.1f} s" if start and end else "-"
