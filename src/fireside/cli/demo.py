"""`fireside demo`: one workflow on a photograph, through the public API, on a server that is left running."""

import socket
from importlib.resources import as_file, files
from pathlib import Path
from typing import Annotated, Any

import msgspec
from cyclopts import Parameter

from fireside.cli.background import start_in_background
from fireside.cli.errors import CommandFailed
from fireside.cli.local import admin_address, running_server
from fireside.cli.printing import give, program_name, say
from fireside.cli.running import conclude, run_graph
from fireside.cli.settings import config_in
from fireside.cli.workflows import InputPlace, read_workflow, set_input
from fireside.client.client import FiresideClient
from fireside.client.connection import Address
from fireside.wire.admin import LoginLinkBody

_DATA_DIR = ".demo"
_LABEL = "demo"
_READY_SECONDS = 90.0
_PHOTOGRAPH = InputPlace("1", "image")


async def demo(*, data_dir: Annotated[str, Parameter(help="Data folder of the demo's server.")] = _DATA_DIR) -> int:
    """Run an example on a server of its own, show what a client sees, and leave the server up."""
    folder = Path(data_dir)
    _ensure_server(folder)
    server = running_server(folder)
    if server is None:
        raise CommandFailed(f"the demo's server on {folder} went away; its log is {folder / 'server.log'}")
    key, link = await _credentials(folder)
    async with FiresideClient(Address(url=server.url, key=key)) as client:
        code = await _run_example(client, folder / "results")
        give(msgspec.json.format(await client.jobs_body()).decode())
    give(f"\nFireside is up at {server.url}; `{program_name()} down --data-dir {folder}` stops it")
    give(f"  sign in  {link.url}\n           (once, within {link.minutes} minutes)")
    give(f"  API key  {key}")
    return code


def _ensure_server(folder: Path) -> None:
    if running_server(folder) is not None:
        return
    say("starting the server …")
    flags: dict[str, Any] = {"data_dir": str(folder)}
    config = config_in(str(folder))
    if not _is_free(config.host, config.port):
        flags["port"] = 0
    start_in_background(folder, flags, ready_seconds=_READY_SECONDS)


async def _credentials(folder: Path) -> tuple[str, LoginLinkBody]:
    """Make a fresh key, end those of former runs, and make a link to sign in."""
    async with FiresideClient(admin_address(folder)) as client:
        link = await client.admin.login_link()
        for old in await client.admin.keys(link.user):
            if old.label == _LABEL and old.revoked_at is None:
                await client.admin.revoke_key(old.id)
        return (await client.admin.create_key(link.user, _LABEL)).key, link


async def _run_example(client: FiresideClient, out: Path) -> int:
    examples = files("fireside") / "examples"
    with as_file(examples / "soften.json") as workflow, as_file(examples / "cat.png") as photograph:
        graph = read_workflow(workflow).content
        set_input(graph, _PHOTOGRAPH, await client.upload_file(photograph))
    job = await run_graph(client, graph)
    say("the result:")
    return await conclude(client, job, out)


def _is_free(host: str, port: int) -> bool:
    try:
        with socket.create_server((host, port)):
            return True
    except OSError:
        return False
