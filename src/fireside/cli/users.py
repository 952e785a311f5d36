"""`fireside users`: the people of a server."""

from typing import Annotated, Literal

from cyclopts import App, Parameter

from fireside.cli.connecting import Where, open_admin
from fireside.cli.printing import give, local_time, print_table
from fireside.wire.admin import NewUserBody

users = App(name="users", help="The people who may use the server.")


@users.command
async def create(
    name: str,
    /,
    *,
    role: Annotated[Literal["admin", "member"], Parameter(help="What the user may do.")] = "member",
    weight: Annotated[float, Parameter(help="Share of the fleet, in proportion to others'.")] = 1.0,
    max_running: Annotated[int | None, Parameter(help="Most jobs at once.")] = None,
    max_queued: Annotated[int | None, Parameter(help="Most jobs that wait.")] = None,
    max_run_seconds: Annotated[float | None, Parameter(help="Seconds that a job may run.")] = None,
    where: Where | None = None,
) -> None:
    """Create a user."""
    new = NewUserBody(
        name=name,
        role=role,
        weight=weight,
        max_running=max_running,
        max_queued=max_queued,
        max_run_seconds=max_run_seconds,
    )
    async with open_admin(where) as client:
        user = await client.admin.create_user(new)
    give(user.name)


@users.command(name="list")
async def list_users(*, where: Where | None = None) -> None:
    """List the users."""
    async with open_admin(where) as client:
        found = await client.admin.users()
    rows = [
        (
            user.name,
            user.role,
            f"{user.weight:g}",
            _limit(user.max_running),
            _limit(user.max_queued),
            _limit(user.max_run_seconds),
            local_time(user.created_at),
        )
        for user in found
    ]
    print_table(("NAME", "ROLE", "WEIGHT", "MAX RUNNING", "MAX QUEUED", "MAX SECONDS", "CREATED"), rows)


def _limit(limit: float | None) -> str:
    return "-" if limit is None else f"{limit:g}"
