"""`fireside users`: the people of a server."""

from typing import Annotated, Literal, TypeVar

from cyclopts import App, Parameter
from msgspec import UNSET, UnsetType

from fireside.cli.connecting import Where, open_admin
from fireside.cli.errors import USAGE, CommandFailed
from fireside.cli.printing import give, local_time, print_table, say
from fireside.wire.admin import ChangedUserBody, NewUserBody
from fireside.wire.people import NewInvitationBody

Default = Literal["default"]
YesOrNo = Literal["yes", "no"]
Number = TypeVar("Number", int, float)

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
    keep_jobs: Annotated[int | None, Parameter(help="Ended jobs that are kept; 0: all.")] = None,
    keep_days: Annotated[int | None, Parameter(help="Days that ended jobs are kept; 0: for ever.")] = None,
    reuse: Annotated[YesOrNo | None, Parameter(help="Whether equal jobs are answered with what one has made.")] = None,
    quota_gpu_seconds: Annotated[float | None, Parameter(help="GPU-seconds a month; 0: no limit.")] = None,
    quota_jobs: Annotated[int | None, Parameter(help="Jobs a month; 0: no limit.")] = None,
    quota_bytes: Annotated[int | None, Parameter(help="Bytes of files; 0: no limit.")] = None,
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
        keep_jobs=keep_jobs,
        keep_days=keep_days,
        reuse=_yes_or_no(reuse),
        quota_gpu_seconds=quota_gpu_seconds,
        quota_jobs=quota_jobs,
        quota_bytes=quota_bytes,
    )
    async with open_admin(where) as client:
        user = await client.admin.create_user(new)
    give(user.name)


@users.command
async def change(
    name: str,
    /,
    *,
    role: Annotated[Literal["admin", "member"] | None, Parameter(help="What the user may do.")] = None,
    weight: Annotated[float | None, Parameter(help="Share of the fleet, in proportion to others'.")] = None,
    max_running: Annotated[int | Default | None, Parameter(help="Most jobs at once.")] = None,
    max_queued: Annotated[int | Default | None, Parameter(help="Most jobs that wait.")] = None,
    max_run_seconds: Annotated[float | Default | None, Parameter(help="Seconds that a job may run.")] = None,
    keep_jobs: Annotated[int | Default | None, Parameter(help="Ended jobs that are kept; 0: all.")] = None,
    keep_days: Annotated[int | Default | None, Parameter(help="Days that ended jobs are kept; 0: for ever.")] = None,
    reuse: Annotated[
        YesOrNo | Default | None, Parameter(help="Whether equal jobs are answered with what one has made.")
    ] = None,
    quota_gpu_seconds: Annotated[float | Default | None, Parameter(help="GPU-seconds a month; 0: no limit.")] = None,
    quota_jobs: Annotated[int | Default | None, Parameter(help="Jobs a month; 0: no limit.")] = None,
    quota_bytes: Annotated[int | Default | None, Parameter(help="Bytes of files; 0: no limit.")] = None,
    where: Where | None = None,
) -> None:
    """Change what a user is and may have; `default` makes a limit the server's setting again."""
    changed = ChangedUserBody(
        role=UNSET if role is None else role,
        weight=UNSET if weight is None else weight,
        max_running=_changed(max_running),
        max_queued=_changed(max_queued),
        max_run_seconds=_changed(max_run_seconds),
        keep_jobs=_changed(keep_jobs),
        keep_days=_changed(keep_days),
        reuse=UNSET if reuse is None else _yes_or_no(reuse),
        quota_gpu_seconds=_changed(quota_gpu_seconds),
        quota_jobs=_changed(quota_jobs),
        quota_bytes=_changed(quota_bytes),
    )
    async with open_admin(where) as client:
        user = await client.admin.change_user(name, changed)
    give(user.name)


@users.command
async def delete(
    name: str,
    /,
    *,
    yes: Annotated[bool, Parameter(help="Do it; there is no way back.", negative=())] = False,
    where: Where | None = None,
) -> None:
    """Delete a user with all that is theirs: jobs, files, keys, settings."""
    if not yes:
        raise CommandFailed(f"this removes {name} with all jobs and files of theirs, for good: add --yes", USAGE)
    async with open_admin(where) as client:
        await client.admin.delete_user(name)
    say(f"{name} is deleted; jobs and files are being removed")


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
            _limit(user.keep_jobs),
            _limit(user.keep_days),
            {True: "yes", False: "no", None: "-"}[user.reuse],
            local_time(user.created_at),
        )
        for user in found
    ]
    limits = ("MAX RUNNING", "MAX QUEUED", "MAX SECONDS", "KEEP JOBS", "KEEP DAYS", "REUSE")
    print_table(("NAME", "ROLE", "WEIGHT", *limits, "CREATED"), rows)


@users.command
async def invite(
    name: str | None = None,
    /,
    *,
    role: Annotated[Literal["admin", "member"], Parameter(help="What the user may do.")] = "member",
    weight: Annotated[float, Parameter(help="Share of the fleet, in proportion to others'.")] = 1.0,
    where: Where | None = None,
) -> None:
    """Print a link by which somebody becomes a user; without a name they choose one."""
    async with open_admin(where) as client:
        made = await client.admin.invite(NewInvitationBody(name=name, role=role, weight=weight))
    say(f"Invites {made.name or 'somebody'} as {made.role}, once, until {local_time(made.expires_at)}:")
    give(made.url)


@users.command
async def invitations(*, where: Where | None = None) -> None:
    """List the invitations that nobody has used yet."""
    async with open_admin(where) as client:
        found = await client.admin.invitations()
    rows = [(str(one.id), one.name or "-", one.role, f"{one.weight:g}", local_time(one.expires_at)) for one in found]
    print_table(("ID", "NAME", "ROLE", "WEIGHT", "UNTIL"), rows)


@users.command
async def uninvite(
    invitation_id: Annotated[int, Parameter(name="ID", help="Its number, as `fireside users invitations` shows it.")],
    /,
    *,
    where: Where | None = None,
) -> None:
    """Take an invitation back, by the id that `users invitations` shows."""
    async with open_admin(where) as client:
        await client.admin.take_back_invitation(invitation_id)
    say(f"invitation {invitation_id} is taken back")


@users.command
async def password_link(name: str, /, *, where: Where | None = None) -> None:
    """Print a link by which a user chooses a new password."""
    async with open_admin(where) as client:
        link = await client.admin.password_link(name)
    say(f"Lets {link.user} choose a password, once, until {local_time(link.expires_at)}:")
    give(link.url)


def _changed(value: Number | Default | None) -> Number | UnsetType | None:
    if value is None:
        return UNSET
    return None if value == "default" else value


def _yes_or_no(word: str | None) -> bool | None:
    return {"yes": True, "no": False}.get(word or "")


def _limit(limit: float | None) -> str:
    return "-" if limit is None else f"{limit:g}"
