"""`fireside usage`: what was used, by user and day."""

from typing import Annotated

from cyclopts import Parameter

from fireside.cli.connecting import Where, open_admin
from fireside.cli.printing import give, print_table
from fireside.domain.usage import bytes_in_words


async def usage(
    user: Annotated[str, Parameter(help="Name of a user; by default everybody.")] = "",
    /,
    *,
    first: Annotated[
        str, Parameter(name="--from", help="First day in UTC, as 2026-01-01; by default this month's.")
    ] = "",
    last: Annotated[str, Parameter(name="--to", help="Last day; by default today.")] = "",
    csv: Annotated[bool, Parameter(help="Print a line for each day and key, as CSV.", negative=())] = False,
    where: Where | None = None,
) -> None:
    """Say what users have used: jobs that ended, GPU-seconds, bytes that were made and bytes that are stored."""
    async with open_admin(where) as client:
        if csv:
            give((await client.admin.usage_table(user, first, last)).rstrip())
            return
        found = await client.admin.usage(user, first, last)
    rows: list[tuple[str, ...]] = []
    for name, stored in found.stored_bytes.items():
        days = [day for day in found.days if day.user == name]
        if user in ("", name):
            jobs, seconds = sum(day.jobs for day in days), sum(day.gpu_seconds for day in days)
            made = bytes_in_words(sum(day.made_bytes for day in days))
            rows.append((name, str(jobs), f"{seconds:,.0f}", made, bytes_in_words(stored)))
    print_table(("USER", "JOBS", "GPU SECONDS", "MADE", "STORED NOW"), rows)
