"""`fireside maintenance`: a time in which the servers only read."""

from typing import Annotated, Literal

from cyclopts import Parameter

from fireside.cli.connecting import Where, open_admin
from fireside.cli.printing import give, local_time


async def maintenance(
    wanted: Annotated[Literal["on", "off"] | None, Parameter(help="Whether to be in it; else how it is.")] = None,
    /,
    *,
    reason: Annotated[str, Parameter(help="What is told to who is refused.")] = "",
    where: Where | None = None,
) -> None:
    """Refuse submits and other changes on all servers, or take them again; jobs that were accepted go on."""
    async with open_admin(where) as client:
        found = await client.admin.maintenance(on=None if wanted is None else wanted == "on", reason=reason)
    if found.on:
        why = f": {found.reason}" if found.reason else ""
        give(f"in maintenance since {local_time(found.began_at)}{why}; `fireside maintenance off` ends it")
    else:
        give("not in maintenance; changes are taken")
