"""What a page of `GET /api/jobs` costs over HTTP as a user's history grows.

    python -m bench.listing [--jobs N ...] [--rounds N] [--folder DIR]

Pages of 100 with their exact total, against the same server's cheapest answer (`GET /healthz`) in turns. The history is
written into the production schema before the server starts. What the store's part costs, and what a plain way would,
says `bench.store`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import uvloop
from bench.calling import Caller, calling
from bench.measuring import best_of, ms, parser_of, print_table, ratio, work_folder
from bench.servers import running_server
from bench.store import count_up, fill

from fireside.domain.accounts import Role
from fireside.store.sqlite import SqliteDatabase
from fireside.store.store import Store

SHORT = ("--jobs", "1000", "10000", "100000", "--rounds=40")
_ALIVE = "/healthz"
_DATABASE = "fireside.db"


@dataclass(frozen=True, slots=True)
class Page:
    """A listing; `depth` is how much of it is skipped."""

    name: str
    query: str
    depth: float = 0.0


PAGES = (
    Page("newest", ""),
    Page("newest, 90 % deep", "", 0.9),
    Page("failed", "status=failed"),
    Page("completed, 90 % deep", "status=completed", 0.9),
    Page("with a video", "output_type=video"),
    Page("of one workflow", "workflow_id=workflow-1"),
    Page("of one workflow, 90 % deep", "workflow_id=workflow-1", 0.9),
    Page("completed, longest", "status=completed&sort_by=execution_time"),
    Page("longest, 50 % deep", "sort_by=execution_time", 0.5),
    Page("shortest, 97 % deep", "sort_by=execution_time&sort_order=asc", 0.97),
)


async def prepare(path: Path, jobs: int) -> None:
    """Make a store whose admin has that many ended jobs."""
    database = SqliteDatabase(path)
    await database.start()
    store = Store(database)
    user = await store.add_user("admin", Role.ADMIN, datetime.now(UTC))
    fill(path, user, jobs)
    await count_up(store, user)
    await database.close()


async def measure(caller: Caller, rounds: int) -> dict[str, float]:
    """Ask for every page in turns and give the least that each took."""
    paths = {_ALIVE: _ALIVE} | {page.name: await _path(caller, page) for page in PAGES}
    return await best_of(rounds, {name: lambda path=path: caller.get(path) for name, path in paths.items()})


async def _path(caller: Caller, page: Page) -> str:
    answer: dict[str, Any] = msgspec.json.decode(await caller.get(f"/api/jobs?{page.query}"))
    total = answer["pagination"]["total"]
    assert total, f"there is nothing {page.name}"
    return f"/api/jobs?{page.query}&offset={int(total * page.depth)}"


async def measure_all(folder: Path, sizes: Sequence[int], rounds: int) -> None:
    """Measure one size of history after the other, and print them side by side."""
    found: list[dict[str, float]] = []
    for jobs in sizes:
        data_dir = folder / str(jobs)
        data_dir.mkdir()
        await prepare(data_dir / _DATABASE, jobs)
        with running_server(data_dir, workers=0) as server:
            async with calling(server) as (caller,):
                found.append(await measure(caller, rounds))
    columns = [f"{jobs:,}" for jobs in sizes]
    names = [_ALIVE, *(page.name for page in PAGES)]
    print_table("list, ms for a page of 100", columns, [(name, *(ms(size[name]) for size in found)) for name in names])
    ratios = [(page.name, *(ratio(size[page.name], size[_ALIVE]) for size in found)) for page in PAGES]
    print_table("list, x healthz", columns, ratios)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = parser_of("listing", __doc__)
    parser.add_argument("--jobs", type=int, nargs="+", default=[1_000, 10_000, 100_000, 1_000_000])
    parser.add_argument("--rounds", type=int, default=200)
    options = parser.parse_args(arguments)
    with work_folder(options.folder) as folder:
        uvloop.run(measure_all(folder, options.jobs, options.rounds))


if __name__ == "__main__":
    main()
