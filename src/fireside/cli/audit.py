"""`fireside audit`: what admins have done."""

from typing import Annotated

import msgspec
from cyclopts import Parameter

from fireside.cli.connecting import Where, open_admin
from fireside.cli.printing import give, local_time, print_table
from fireside.wire.audit import AuditEntryBody

_AT_ONCE = 1000


async def audit(
    *,
    user: Annotated[str, Parameter(help="Only what this admin has done.")] = "",
    limit: Annotated[int, Parameter(help="Most entries to list, the newest ones.")] = 50,
    json: Annotated[bool, Parameter(help="Print each entry as a line of JSON.", negative=())] = False,
    where: Where | None = None,
) -> None:
    """List what admins have done: who, when, from which address, what, and to whom."""
    found: list[AuditEntryBody] = []
    async with open_admin(where) as client:
        cursor = ""
        while len(found) < limit:
            page = await client.admin.audit(user=user, limit=min(limit - len(found), _AT_ONCE), cursor=cursor)
            found += page.entries
            cursor = page.next_cursor
            if not cursor:
                break
    if json:
        for entry in found:
            give(msgspec.json.encode(entry).decode())
        return
    rows = [
        (
            local_time(entry.at),
            entry.actor,
            f"{entry.address or 'this machine'} ({entry.way})",
            entry.action,
            entry.target,
            ", ".join(f"{name}={value}" for name, value in entry.details.items()),
        )
        for entry in found
    ]
    print_table(("WHEN", "WHO", "FROM", "WHAT", "ON", "MORE"), rows)
