"""`fireside jobs` and `fireside cancel`."""

from typing import Annotated, Any, cast

import msgspec
from cyclopts import Parameter, validators

from fireside.cli.connecting import Where, open_client
from fireside.cli.printing import give, local_time, print_table, say, time_of_unix
from fireside.client.answers import JobsPage
from fireside.client.client import FiresideClient

_PAGE = 1000


async def jobs(
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
