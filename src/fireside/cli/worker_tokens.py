"""`fireside worker-token`: the tokens that workers of other machines join with."""

from typing import Annotated

from cyclopts import App, Parameter
from msgspec import UNSET, UnsetType

from fireside.cli.connecting import Where, open_admin
from fireside.cli.printing import give, local_time, print_table, say
from fireside.cli.spans import seconds_of
from fireside.wire.admin import JoinTokenBody, NewJoinTokenBody

worker_token = App(name="worker-token", help="The tokens that workers of other machines join with.")


@worker_token.command
async def create(
    *,
    reusable: Annotated[bool, Parameter(help="Let any number of workers join with it.", negative=())] = False,
    expires: Annotated[
        str | None, Parameter(help="When it ends: 30m, 24h, 7d, or never; else the setting join_token_hours.")
    ] = None,
    label: Annotated[str, Parameter(help="What it is for.")] = "",
    where: Where | None = None,
) -> None:
    """Make a token and print it alone; it is not shown again."""
    new = NewJoinTokenBody(label=label, reusable=reusable, expires_seconds=_seconds(expires))
    async with open_admin(where) as client:
        created = await client.admin.create_join_token(new)
    until = f"until {local_time(created.expires_at)}" if created.expires_at else "for ever"
    say(f"Lets {'workers' if created.reusable else 'one worker'} join, {until}:")
    give(created.token)


@worker_token.command(name="list")
async def list_tokens(*, where: Where | None = None) -> None:
    """List the tokens, those that are over included."""
    async with open_admin(where) as client:
        found = await client.admin.join_tokens()
    print_table(("ID", "TOKEN", "LABEL", "FOR", "USES", "CREATED", "EXPIRES", "REVOKED"), [_row(one) for one in found])


@worker_token.command
async def revoke(
    token_id: Annotated[
        int, Parameter(name="ID", help="The token's number, as `fireside worker-token list` shows it.")
    ],
    /,
    *,
    where: Where | None = None,
) -> None:
    """End a token; workers that have joined with it stay."""
    async with open_admin(where) as client:
        revoked = await client.admin.revoke_join_token(token_id)
    say(f"join token {token_id} is revoked" if revoked else f"join token {token_id} was revoked before")


def _row(token: JoinTokenBody) -> tuple[str, ...]:
    return (
        str(token.id),
        f"{token.prefix}…",
        token.label,
        "many" if token.reusable else "one",
        str(token.uses),
        local_time(token.created_at),
        local_time(token.expires_at),
        local_time(token.revoked_at),
    )


def _seconds(expires: str | None) -> float | UnsetType | None:
    return UNSET if expires is None else seconds_of(expires)
