"""`fireside fleet`: pools of workers, and launchers that fill them."""

from cyclopts import App

from fireside.cli.connecting import Where, open_admin
from fireside.cli.printing import print_table
from fireside.wire.admin import PoolBody

_HEADS = ("POOL", "LABELS", "MIN", "MAX", "WANTED", "DESIRED", "WORKERS", "BUSY", "LAUNCHERS")

fleet = App(name="fleet", help="List the pools of workers, or start and stop workers of one as there is work.")
# By name, as what one launcher needs the other does not.
fleet.command("fireside.cli.fleet_processes:processes")
fleet.command("fireside.cli.fleet_ray:ray")


@fleet.default
async def list_pools(*, where: Where | None = None) -> None:
    """List the pools of workers, and how many workers each should have now."""
    async with open_admin(where) as client:
        print_table(_HEADS, [_row(pool) for pool in await client.admin.pools()])


def _row(pool: PoolBody) -> tuple[str, ...]:
    labels = ", ".join(f"{key}={value}" for key, value in pool.labels.items())
    numbers = (pool.min, pool.max, pool.wanted, pool.desired, pool.workers, pool.busy, pool.launchers)
    return (pool.name, labels, *map(str, numbers))
