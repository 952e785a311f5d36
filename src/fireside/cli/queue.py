"""`fireside queue`: how full it is, and pausing and resuming it; for an admin anybody's, or all."""

from typing import Annotated

from cyclopts import App, Parameter

from fireside.cli.connecting import Where, open_admin, open_client
from fireside.cli.errors import USAGE, CommandFailed
from fireside.cli.printing import give, local_time, say
from fireside.wire.queues import PauseBody

queue = App(name="queue", help="Your queue: without a command it is shown.")
User = Annotated[str | None, Parameter(help="For an admin: the queue of this user.")]
All = Annotated[bool, Parameter(name="--all", help="For an admin: the queues of all users.", negative=())]


@queue.default
async def state(*, where: Where | None = None) -> None:
    """Say how many of your jobs wait and run, and whether anything pauses them."""
    async with open_client(where) as client:
        found = await client.queue_state()
    give(f"{found.waiting} waiting, {found.with_workers} with workers")
    for pause in found.pauses:
        give(_line(pause))


@queue.command
async def pause(
    *,
    reason: Annotated[str, Parameter(help="Why, for whoever waits.")] = "",
    user: User = None,
    everybody: All = False,
    where: Where | None = None,
) -> None:
    """Hand out no more jobs; those that run go on."""
    _refuse_both(user, everybody)
    if user is None and not everybody:
        async with open_client(where) as client:
            paused = await client.pause_queue(reason)
    else:
        async with open_admin(where) as client:
            paused = await client.admin.pause(user, reason)
    say(_line(paused))


@queue.command
async def resume(*, user: User = None, everybody: All = False, where: Where | None = None) -> None:
    """Hand out jobs again, as far as this pause stopped it; an admin's pause only an admin ends."""
    _refuse_both(user, everybody)
    if user is None and not everybody:
        async with open_client(where) as client:
            resumed = await client.resume_queue()
    else:
        async with open_admin(where) as client:
            resumed = await client.admin.resume(user)
    say("resumed" if resumed.resumed else "it was not paused")
    for left in resumed.pauses:
        say(f"still: {_line(left)}")


@queue.command
async def pauses(*, where: Where | None = None) -> None:
    """List all pauses, for an admin."""
    async with open_admin(where) as client:
        found = await client.admin.pauses()
    for one in found:
        give(_line(one))


def _line(pause: PauseBody) -> str:
    whose = "all queues are" if pause.user is None else f"the queue of {pause.user} is"
    by = "an admin" if pause.by == "admin" else "its owner"
    why = f": {pause.reason}" if pause.reason else ""
    return f"{whose} paused by {by} since {local_time(pause.paused_at)}{why}"


def _refuse_both(user: str | None, everybody: bool) -> None:
    if user is not None and everybody:
        raise CommandFailed("--user names one user, --all means everybody: give one of them", USAGE)
