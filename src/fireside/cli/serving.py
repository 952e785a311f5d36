"""`fireside up`, `serve` and `down`: processes that run until they are stopped."""

import asyncio
import os
import signal
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import uvloop
from cyclopts import Parameter

from fireside.accounts.accounts import FirstStart
from fireside.app import ServerFile
from fireside.app import serve as run_server
from fireside.cli.background import start_in_background
from fireside.cli.errors import FAILED, CommandFailed
from fireside.cli.local import is_alive, running_server
from fireside.cli.logs import set_up_logs
from fireside.cli.printing import give, say
from fireside.cli.settings import config_in, takes_settings
from fireside.config import Config, Loaded, load_settings
from fireside.fleet.plan import PlannedWorker, plan_workers
from fireside.processes.garbage import look_for_garbage_seldom
from fireside.processes.turns import take_turns_soon
from fireside.wire.tickets import BuiltinSpec

# What stopping takes beside waiting for a proxy and for requests.
_STOP_SECONDS = 15.0
# What a server takes to start beside its workers.
_READY_SECONDS = 60.0
_LOOK_SECONDS = 0.05


@takes_settings
def up(
    flags: Mapping[str, Any],
    *,
    background: Annotated[
        bool, Parameter(help="Return when the server is ready; it goes on until `fireside down`.", negative=())
    ] = False,
) -> int:
    """Start a server with workers of its own."""
    loaded = load_settings(flags)
    if background:
        return _start_background(loaded.config, flags)
    _serve(loaded, asyncio.run(plan_workers(loaded.config)))
    return 0


@takes_settings
def serve(flags: Mapping[str, Any]) -> int:
    """Start a server without workers."""
    _serve(load_settings(flags), [])
    return 0


def down(*, data_dir: Annotated[str | None, Parameter(help="Data folder of the server.")] = None) -> int:
    """Stop the server that runs on a data folder, and wait until it has."""
    config = config_in(data_dir)
    folder, seconds = Path(config.data_dir), config.drain_seconds + config.stop_seconds + _STOP_SECONDS
    server = running_server(folder)
    if server is None:
        say(f"no server runs on {folder}")
        return 0
    os.kill(server.pid, signal.SIGTERM)
    deadline = time.monotonic() + seconds
    while is_alive(server.pid):
        if time.monotonic() > deadline:
            raise CommandFailed(f"process {server.pid} has not stopped within {seconds:.0f} s", FAILED)
        time.sleep(_LOOK_SECONDS)
    say(f"the server on {folder} has stopped")
    return 0


def _serve(loaded: Loaded, plan: Sequence[PlannedWorker]) -> None:
    config = loaded.config
    set_up_logs(config)
    look_for_garbage_seldom()
    take_turns_soon()

    def tell(server: ServerFile, first_start: FirstStart | None) -> None:
        give(banner(config, server, first_start))

    uvloop.run(run_server(config, plan=plan, on_ready=tell, origins=loaded.origins))


def _start_background(config: Config, flags: Mapping[str, Any]) -> int:
    data_dir = Path(config.data_dir)
    server = running_server(data_dir)
    if server is not None:
        give(f"Fireside {server.version} runs already at {server.url}")
        return 0
    plan = asyncio.run(plan_workers(config))
    if any(not isinstance(worker.runtime, BuiltinSpec) for worker in plan):
        say(f"starting {len(plan)} with ComfyUI, which may take a minute …")
    give(start_in_background(data_dir, flags, ready_seconds=config.start_seconds + _READY_SECONDS))
    say(f"It runs in the background; its log is {data_dir / 'server.log'}. `fireside down` stops it.")
    return 0


def banner(config: Config, server: ServerFile, first_start: FirstStart | None) -> str:
    """Say where the server is and, at its first start, how its owner gets in."""
    lines = [f"Fireside {server.version} is up at {server.url}", f"  data folder  {Path(config.data_dir).resolve()}"]
    lines += [f"  local port   {url} is {user}, without a key" for user, url in server.local_urls]
    if first_start is None:
        lines.append("  sign in      `fireside login-link` prints a link")
    else:
        lines += [
            f"  sign in      {server.url}/login/{first_start.login_token}",
            f"               (once, within {config.login_link_minutes} minutes; `fireside login-link` makes another)",
            f"  API key      {first_start.api_key}",
            f"               (of the user {first_start.user.name}; it is not shown again)",
        ]
    return "\n".join(lines)
