"""`fireside fleet ray`: workers of a pool on the nodes of a Ray cluster."""

import asyncio
import os
from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Annotated, Any

from cyclopts import Parameter

from fireside.cli.errors import USAGE, CommandFailed
from fireside.cli.launching import CALM_SECONDS, Calm, Launch, Most, Pool, Server, launch
from fireside.cli.logs import set_up_logs
from fireside.cli.settings import WORKER_SETTINGS, takes_some_settings
from fireside.config import load_config
from fireside.fleet.agents import TOKEN_VARIABLE, AgentPlan
from fireside.fleet.following import Agents

try:
    from fireside.fleet import ray_agents
except ModuleNotFoundError:
    ray_agents = None


@takes_some_settings(*(name for name in WORKER_SETTINGS if name != "gpus"))
def ray(
    flags: Mapping[str, Any],
    *,
    pool: Pool,
    server: Server = None,
    most: Most = None,
    calm_seconds: Calm = CALM_SECONDS,
    address: Annotated[str, Parameter(help="The Ray cluster; auto: the one of this node.")] = "auto",
    num_cpus: Annotated[float, Parameter(help="Processors that a worker takes of a node.")] = 1.0,
    num_gpus: Annotated[float, Parameter(help="GPUs that a worker takes of a node.")] = 1.0,
    resource: Annotated[
        list[str] | None, Parameter(help="NAME=AMOUNT: more that a worker takes, as the cluster names it.")
    ] = None,
) -> int:
    """Have a Ray cluster place workers of a pool, as many as there is work for; its autoscaler brings nodes for them.

    Needs fireside[ray] here and on every node, a reusable token to join with in FIRESIDE_WORKER_TOKEN, and an admin's
    key in FIRESIDE_API_KEY or the server's metrics_token in FIRESIDE_METRICS_TOKEN. Folders that options of workers
    name are those of the nodes.
    """
    agents_on = ray_agents
    if agents_on is None:
        raise CommandFailed("Ray is not installed: pip install 'fireside[ray]'", USAGE)
    if not os.environ.get(TOKEN_VARIABLE):
        raise CommandFailed(f"workers need a reusable token to join with in {TOKEN_VARIABLE}", USAGE)
    set_up_logs(load_config(flags))
    room = agents_on.Room(cpus=num_cpus, gpus=num_gpus, more=_amounts(resource or ()))

    async def agents_of(plan: AgentPlan, stack: AsyncExitStack) -> Agents:
        agents_on.connect(address)
        stack.callback(agents_on.disconnect)
        return agents_on.RayAgents(plan, room)

    wanted = Launch(server=server, pool=pool, most=most, calm_seconds=calm_seconds, flags=flags)
    return asyncio.run(launch(wanted, agents_of))


def _amounts(given: Any) -> dict[str, float]:
    amounts: dict[str, float] = {}
    for text in given:
        name, _, amount = str(text).partition("=")
        try:
            amounts[name] = float(amount)
        except ValueError as error:
            raise CommandFailed(f"--resource takes NAME=AMOUNT, not {text!r}", USAGE) from error
    return amounts
