"""What a page of a user's jobs costs as their history grows, on both databases, beside plain ways of listing.

    python -m bench.listing [--jobs N ...] [--databases sqlite postgres] [--rounds N] [--calls N] [--stores DIR]
                            [--plain N] [--results FILE] [--chart FILE]

Pages of 100 with their exact total (`bench.pages`), in turns over all sizes: the store's call in this process, then the
whole request to real servers, one for each size, beside `GET /healthz`. Then the open-source server's way (rebuild,
filter, sort, slice, in memory) and COUNT with OFFSET over the same tables, up to `--plain` jobs. Stores are filled by
`bench.fill`; those in `--stores` stay and are used again.

A figure is the median of a round's calls, in the round where it was least. Ends with 1 when, of the largest history, a
request takes more than 1.5 times that of the smallest and 2 ms more, or a store's call more than 5 ms (SQLite) or 10 ms
(PostgreSQL).
"""

import argparse
import asyncio
import sys
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path

import uvloop
from bench.calling import calling
from bench.chart import draw
from bench.fill import Target, fill
from bench.listing_results import ALIVE, DATABASES, IN_MEMORY, Results, Taken, print_results, violations
from bench.measuring import Work, parser_of, seconds_of, work_folder
from bench.pages import PAGES
from bench.plainly import InMemory, plain_sql
from bench.postgres import running_postgres
from bench.servers import running_server

from fireside.accounts.accounts import FIRST_USER
from fireside.domain.listing import JobFilter, Window

SHORT = ("--jobs", "10000", "100000", "--rounds=2", "--calls=5")
PATIENCE_SECONDS = 60.0
"""How long a page in plain SQL may take; one that was given up counts as so long."""
_QUICK_SECONDS = 1.0
_MOST_IN_MEMORY = 1_000_000
# Workers that hold jobs of a filled store are not there; they are not given up while we measure.
PATIENT = {"FIRESIDE_WORKER_LOST_AFTER": "86400"}
_IN_MEMORY_PAGES = ("all", "failed", "of a workflow, last", "longest, at 1 M")

Ways = Mapping[tuple[str, int], Work]


async def prepare(targets: Mapping[int, Target]) -> None:
    """Fill the stores that are not there yet."""
    for jobs, target in targets.items():
        async with target.store() as store:
            user = await store.user_named(FIRST_USER)
            found = 0 if user is None else (await store.list_jobs(user.id, JobFilter(), Window(limit=1))).total
        if found != jobs:
            assert not found, f"{target} has {found} jobs instead of {jobs}"
            await fill(target, jobs=jobs)


async def measure_stores(targets: Mapping[int, Target], rounds: int, calls: int, results: Results, name: str) -> None:
    """Measure the store's calls, and note how many jobs each page is cut from."""
    async with AsyncExitStack() as stack:
        ways: dict[tuple[str, int], Work] = {}
        for jobs, target in targets.items():
            store = await stack.enter_async_context(target.store())
            user = await store.user_named(FIRST_USER)
            assert user is not None
            for page in PAGES:
                total = (await store.list_jobs(user.id, page.wanted, Window(limit=1))).total
                window = page.window(total)
                ways[page.name, jobs] = lambda store=store, user=user, page=page, window=window: store.list_jobs(
                    user.id, page.wanted, window
                )
                results.totals.setdefault(page.name, {})[jobs] = total
        results.note(f"{name} store", await _in_rounds(ways, rounds, calls))


async def measure_servers(
    targets: Mapping[int, Target], folder: Path, rounds: int, calls: int, results: Results, name: str
) -> None:
    """Measure whole requests."""
    with ExitStack() as servers:
        async with AsyncExitStack() as callers:
            ways: dict[tuple[str, int], Work] = {}
            for jobs, target in targets.items():
                data_dir = target.data_dir or folder / f"server-{jobs}"
                settings = PATIENT | {"FIRESIDE_DATABASE_URL": target.database_url}
                server = servers.enter_context(running_server(data_dir, workers=0, **settings))
                (caller,) = await callers.enter_async_context(calling(server))
                paths = {page.name: page.path(results.totals[page.name][jobs]) for page in PAGES}
                for way, path in ({ALIVE: ALIVE} | paths).items():
                    ways[way, jobs] = lambda caller=caller, path=path: caller.get(path)
            results.note(f"{name} HTTP", await _in_rounds(ways, rounds, calls))


async def _in_rounds(ways: Ways, rounds: int, calls: int) -> Taken:
    """Do every way some times a round, all sizes of a page side by side; the first round warms up."""
    taken: Taken = {way: [] for way in ways}
    names = dict.fromkeys(name for name, _ in ways)
    for turn in range(rounds + 1):
        for name in names:
            side_by_side = {way: work for way, work in ways.items() if way[0] == name}
            found: dict[tuple[str, int], list[float]] = {way: [] for way in side_by_side}
            for _ in range(calls):
                for way, work in side_by_side.items():
                    found[way].append(await seconds_of(work))
            for way, seconds in found.items():
                if turn:
                    taken[way].append(seconds)
    return taken


def measure_plain_sql(targets: Mapping[int, Target], most: int, results: Results, name: str) -> None:
    """Measure plain SQL, each page once, and those that are quick three times."""
    for jobs, target in targets.items():
        if jobs <= most:
            user_id = asyncio.run(_first_user(target))
            with plain_sql(target, PATIENCE_SECONDS) as list_page:
                for page in PAGES:
                    found = [list_page(page, user_id)]
                    if found[0] < _QUICK_SECONDS:
                        found += [list_page(page, user_id) for _ in range(2)]
                    results.note(f"{name} plain SQL", {(page.name, jobs): [[one] for one in found]})


async def _first_user(target: Target) -> int:
    async with target.store() as store:
        user = await store.user_named(FIRST_USER)
        assert user is not None
        return user.id


def measure_in_memory(sizes: Sequence[int], most: int, results: Results) -> None:
    """Measure the open-source server's way; its cost hardly depends on the page, so a few are enough."""
    for jobs in sizes:
        if jobs <= most:
            history = InMemory(jobs)
            for page in PAGES:
                if page.name in _IN_MEMORY_PAGES:
                    results.note(IN_MEMORY, {(page.name, jobs): [[history.seconds_of(page)] for _ in range(3)]})


def measure(options: argparse.Namespace, folder: Path, results: Results) -> None:
    """Measure everything that the options say, one database after the other."""
    with ExitStack() as stack:
        for name in options.databases:
            targets = _targets(name, folder, options.jobs, stack)
            asyncio.run(prepare(targets))
            if options.rounds:
                uvloop.run(measure_stores(targets, options.rounds, options.calls, results, name))
                uvloop.run(measure_servers(targets, folder, options.rounds, options.calls, results, name))
            measure_plain_sql(targets, options.plain, results, name)
    measure_in_memory(options.jobs, min(options.plain, _MOST_IN_MEMORY), results)


def _targets(name: str, folder: Path, sizes: Sequence[int], stack: ExitStack) -> dict[int, Target]:
    if name == "sqlite":
        return {jobs: Target(data_dir=folder / f"sqlite-{jobs}") for jobs in sizes}
    postgres = stack.enter_context(running_postgres(folder / "postgres"))
    return {jobs: Target(database_url=postgres.own_url(f"listing_{jobs}")) for jobs in sizes}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print, and judge."""
    parser = parser_of("listing", __doc__)
    parser.add_argument("--jobs", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--databases", nargs="+", choices=DATABASES, default=list(DATABASES))
    parser.add_argument("--rounds", type=int, default=10, help="0 to measure only the plain ways")
    parser.add_argument("--calls", type=int, default=15, help="calls of each page in a round")
    parser.add_argument("--plain", type=int, default=1_000_000, help="largest history that plain ways list, or 0")
    parser.add_argument("--stores", type=Path, help="where stores stay, and are found")
    parser.add_argument("--results", type=Path, help="file of results to begin with, and to keep them in")
    parser.add_argument("--chart", type=Path, help="SVG file to draw the curves into")
    options = parser.parse_args(arguments)
    results = Results.read(options.results)
    with work_folder(options.folder) as folder:
        measure(options, options.stores or folder, results)
    results.write(options.results)
    print_results(results)
    if options.chart is not None:
        options.chart.write_text(draw(results))
    broken = violations(results)
    if broken:
        sys.exit("\n".join(broken))


if __name__ == "__main__":
    main()
