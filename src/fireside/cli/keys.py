"""`fireside keys` and `fireside login-link`: how people show who they are."""

from typing import Annotated

from cyclopts import App, Parameter

from fireside.cli.connecting import Where, open_admin
from fireside.cli.printing import give, local_time, print_table, say
from fireside.cli.spans import seconds_of
from fireside.wire.admin import KeyScope

keys = App(name="keys", help="The API keys of users.")


@keys.command
async def create(
    *,
    user: Annotated[str, Parameter(help="Whose key it is.")],
    label: Annotated[str, Parameter(help="What it is for.")] = "",
    scope: Annotated[
        list[KeyScope] | None,
        Parameter(help="What it opens: submit, read, admin; may be given several times. Else all of them."),
    ] = None,
    expires: Annotated[str, Parameter(help="When it ends: 24h, 90d, or never.")] = "never",
    where: Where | None = None,
) -> None:
    """Make a key and print it alone; it is not shown again."""
    seconds = seconds_of(expires)
    async with open_admin(where) as client:
        give((await client.admin.create_key(user, label, scopes=scope, expires_seconds=seconds)).key)


@keys.command(name="list")
async def list_keys(
    *,
    user: Annotated[str | None, Parameter(help="Whose keys; else everybody's.")] = None,
    where: Where | None = None,
) -> None:
    """List keys."""
    async with open_admin(where) as client:
        found = await client.admin.keys(user)
    rows = [
        (
            str(key.id),
            key.user,
            f"{key.prefix}…",
            key.label,
            ", ".join(key.scopes),
            local_time(key.created_at),
            local_time(key.last_used_at),
            local_time(key.expires_at),
            local_time(key.revoked_at),
        )
        for key in found
    ]
    print_table(("ID", "USER", "KEY", "LABEL", "SCOPES", "CREATED", "LAST USED", "EXPIRES", "REVOKED"), rows)


@keys.command
async def revoke(
    key_id: Annotated[int, Parameter(name="ID", help="The key's number, as `fireside keys list` shows it.")],
    /,
    *,
    where: Where | None = None,
) -> None:
    """End a key, by the id that `keys list` shows."""
    async with open_admin(where) as client:
        revoked = await client.admin.revoke_key(key_id)
    say(f"key {key_id} is revoked" if revoked else f"key {key_id} was revoked before")


async def login_link(
    *,
    user: Annotated[str | None, Parameter(help="Whom it signs in; else the first admin.")] = None,
    where: Where | None = None,
) -> None:
    """Print a link that signs a browser in, once."""
    async with open_admin(where) as client:
        link = await client.admin.login_link(user)
    say(f"Signs {link.user} in once, within {link.minutes} minutes:")
    give(link.url)
