"""Which server a command talks to, and as whom.

Client commands: `--url` and `--key`, else FIRESIDE_URL and FIRESIDE_API_KEY, else the server that runs on the local
data folder, as its admin. Admin commands: the server of the data folder through its admin socket, or its store itself
when no server runs; never as a second writer.
"""

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from fireside.app import open_admin_app
from fireside.cli.errors import CommandFailed
from fireside.cli.local import admin_address, running_server
from fireside.cli.settings import config_in
from fireside.client.client import FiresideClient
from fireside.client.connection import Address
from fireside.store.database import StoreLocked


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """The options by which a command finds its server."""

    url: Annotated[str | None, Parameter(help="The server's URL; else FIRESIDE_URL, else the local server.")] = None
    key: Annotated[str | None, Parameter(help="An API key; else FIRESIDE_API_KEY, else the local admin.")] = None
    data_dir: Annotated[str | None, Parameter(help="Data folder of a server on this machine.")] = None


def client_address(where: Where) -> Address:
    """Choose the server of a client command; raises `CommandFailed` when there is none to choose."""
    key = where.key or os.environ.get("FIRESIDE_API_KEY") or None
    # A data folder that is named wins over a server that the environment happens to name.
    url = where.url or (None if where.data_dir else os.environ.get("FIRESIDE_URL"))
    if url:
        if "://" not in url:
            raise CommandFailed(f"{url!r} is not a URL; it begins with http:// or https://")
        return Address(url=url, key=key)
    data_dir = Path(config_in(where.data_dir).data_dir)
    server = running_server(data_dir)
    if server is None:
        raise CommandFailed(f"no server runs on {data_dir}; start one with `fireside up`, or give --url and --key")
    if key and not where.data_dir:
        return Address(url=server.url, key=key)
    return admin_address(data_dir)


@asynccontextmanager
async def open_client(where: Where | None) -> AsyncGenerator[FiresideClient]:
    """Connect a client command."""
    async with FiresideClient(client_address(where or Where())) as client:
        yield client


@asynccontextmanager
async def open_admin(where: Where | None) -> AsyncGenerator[FiresideClient]:
    """Connect an admin command, to the running server or, while there is none, to the store."""
    where = where or Where()
    if where.url or where.key:
        async with open_client(where) as client:
            yield client
        return
    config = config_in(where.data_dir)
    data_dir = Path(config.data_dir)
    if running_server(data_dir) is not None:
        async with FiresideClient(admin_address(data_dir)) as client:
            yield client
        return
    try:
        async with open_admin_app(config) as app, FiresideClient(Address(app=app)) as client:
            yield client
    except StoreLocked as error:
        raise CommandFailed(
            f"a server holds {data_dir} and does not answer yet; try again when it is up, or stop it"
        ) from error
