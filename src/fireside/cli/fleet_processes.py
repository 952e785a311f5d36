"""`fireside fleet processes`: workers of a pool as child processes on this machine."""

import asyncio
import os
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from fireside.cli.errors import USAGE, CommandFailed
from fireside.cli.launching import CALM_SECONDS, Calm, Launch, Most, Pool, Server, launch
from fireside.cli.logs import set_up_logs
from fireside.cli.settings import WORKER_SETTINGS, takes_some_settings
from fireside.config import load_config
from fireside.fleet.agents import TOKEN_VARIABLE, AgentPlan
from fireside.fleet.child_agents import ChildAgents
from fireside.fleet.following import Agents
from fireside.store.folder_lock import lock_folder

_DATA_DIR = "fireside-fleet"


@takes_some_settings(*WORKER_SETTINGS)
def processes(
    flags: Mapping[str, Any],
    *,
    pool: Pool,
    server: Server = None,
    most: Most = None,
    calm_seconds: Calm = CALM_SECONDS,
    data_dir: Annotated[str | None, Parameter(help="Folder of this launcher and its workers [fireside-fleet].")] = None,
) -> int:
    """Start and stop workers of a pool on this machine, as many as there is work for.

    The first time it needs a reusable token to join with in FIRESIDE_WORKER_TOKEN, and always an admin's key in
    FIRESIDE_API_KEY or the server's metrics_token in FIRESIDE_METRICS_TOKEN. Options of workers are those of
    `fireside worker`; of several GPUs each worker has one. Told to stop it lets all finish what they do; told a second
    time, give it back.
    """
    folder = Path(data_dir or _DATA_DIR)
    set_up_logs(load_config({**flags, "data_dir": str(folder)}))
    if not os.environ.get(TOKEN_VARIABLE) and next(folder.glob("*/worker.json"), None) is None:
        raise CommandFailed(f"the first time workers need a reusable token to join with in {TOKEN_VARIABLE}", USAGE)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    async def agents_of(plan: AgentPlan, stack: AsyncExitStack) -> Agents:
        stack.callback(os.close, lock_folder(folder, f"fireside fleet, process {os.getpid()}"))
        agents = ChildAgents(folder, plan)
        await agents.open()
        return agents

    # One for all of them, or each would fetch a model that its neighbor has.
    shared = {"model_cache_dir": str(folder.absolute() / "models"), **flags}
    wanted = Launch(server=server, pool=pool, most=most, calm_seconds=calm_seconds, flags=shared)
    return asyncio.run(launch(wanted, agents_of))
