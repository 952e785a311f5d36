"""What the dashboard's page of jobs costs as a history grows: its first paint, and scrolling on behind it.

    python -m bench.dashboard [--jobs N ...] [--pages N] [--rounds N] [--stores DIR]

Whole requests to real servers on SQLite, one for each size, in turns: the first page with and without filters, then
`--pages` pages more by the address that each page gives for the next, and the page of one job. Stores are filled by
`bench.fill`; those in `--stores` stay and are used again.

A figure is the median of the rounds. Ends with 1 when, of the largest history, the median of a first page takes 100 ms
or more, or that of scrolling more than 1.5 times that of the first page and 5 ms more.
"""

import argparse
import asyncio
import html
import re
import sys
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path

import uvloop
from bench.calling import Caller, calling
from bench.fill import Target
from bench.histories import WORKFLOWS
from bench.listing import PATIENT, prepare
from bench.measuring import high, middle, ms, parser_of, print_table, seconds_of, work_folder
from bench.servers import running_server

SHORT = ("--jobs", "10000", "50000", "--rounds=3", "--pages=10")
FIRST_PAGE_SECONDS = 0.1
SCROLL_RATIO = 1.5
_SLACK_SECONDS = 0.005
_PLAIN = "/dashboard"
_FIRST = {
    "first page": _PLAIN,
    "failed": f"{_PLAIN}?status=failed",
    "with a video, oldest first": f"{_PLAIN}?output_type=video&sort_order=asc",
    "of a workflow": f"{_PLAIN}?workflow_id={WORKFLOWS[0]}",
    "longest first": f"{_PLAIN}?sort_by=execution_time",
}
_SCROLLED = {"scrolling on": _PLAIN, "scrolling on, longest first": f"{_PLAIN}?sort_by=execution_time"}
_JOB = "a job's page"
_NEXT = re.compile(r'rel="next" href="([^"]+)"')
_ONE = re.compile(r'href="(/dashboard/jobs/[0-9a-f-]{36})"')

Taken = dict[str, list[float]]


async def measure(callers: Mapping[int, Caller], rounds: int, pages: int) -> dict[int, Taken]:
    """Measure all pages of all sizes, a round after the other; the first round warms up."""
    taken: dict[int, Taken] = {jobs: {} for jobs in callers}
    for turn in range(rounds + 1):
        for jobs, caller in callers.items():
            found = await _round(caller, pages)
            for name, seconds in found.items():
                if turn:
                    taken[jobs].setdefault(name, []).extend(seconds)
    return taken


async def _round(caller: Caller, pages: int) -> Taken:
    found: Taken = {}
    for name, path in _FIRST.items():
        found[name] = [await seconds_of(lambda path=path: caller.get(path))]
    for name, path in _SCROLLED.items():
        found[name] = await _scroll(caller, path, pages)
    job = _ONE.findall((await caller.get(_PLAIN)).decode())[-1]
    found[_JOB] = [await seconds_of(lambda: caller.get(job))]
    return found


async def _scroll(caller: Caller, path: str, pages: int) -> list[float]:
    """Go on from page to page, as a browser does."""
    seconds: list[float] = []
    text = (await caller.get(path)).decode()
    for _ in range(pages):
        link = _NEXT.search(text)
        assert link is not None
        shown: list[bytes] = []

        async def read(address: str = html.unescape(link[1]), shown: list[bytes] = shown) -> None:
            shown.append(await caller.get(address))

        seconds.append(await seconds_of(read))
        text = shown[0].decode()
    return seconds


async def run(sizes: Sequence[int], folder: Path, rounds: int, pages: int) -> dict[int, Taken]:
    """Start a server for each size, and measure them side by side."""
    with ExitStack() as servers:
        async with AsyncExitStack() as stack:
            callers: dict[int, Caller] = {}
            for jobs in sizes:
                server = servers.enter_context(running_server(folder / f"sqlite-{jobs}", workers=0, **PATIENT))
                (callers[jobs],) = await stack.enter_async_context(calling(server))
            return await measure(callers, rounds, pages)


def violations(taken: Mapping[int, Taken]) -> list[str]:
    """Say what does not hold of the largest history."""
    largest = {name: middle(seconds) for name, seconds in taken[max(taken)].items()}
    slow = [f"{name}: {ms(largest[name])} ms" for name in _FIRST if largest[name] >= FIRST_PAGE_SECONDS]
    for name, path in _SCROLLED.items():
        first = next(largest[one] for one, its in _FIRST.items() if its == path)
        if largest[name] > SCROLL_RATIO * first + _SLACK_SECONDS:
            slow.append(f"{name}: {ms(largest[name])} ms, and {ms(first)} ms for the first page")
    return slow


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print, and judge."""
    parser = parser_of("dashboard", __doc__)
    parser.add_argument("--jobs", type=int, nargs="+", default=[10_000, 1_000_000])
    parser.add_argument("--pages", type=int, default=50, help="pages to scroll on in a round")
    parser.add_argument("--rounds", type=int, default=10, help="0 to fill the stores only")
    parser.add_argument("--stores", type=Path, help="where stores stay, and are found")
    options: argparse.Namespace = parser.parse_args(arguments)
    with work_folder(options.folder) as folder:
        stores: Path = options.stores or folder
        asyncio.run(prepare({jobs: Target(data_dir=stores / f"sqlite-{jobs}") for jobs in options.jobs}))
        if not options.rounds:
            return
        taken = uvloop.run(run(options.jobs, stores, options.rounds, options.pages))
    columns = [column for jobs in taken for column in (f"{jobs:,}", "p95")]
    names = list(next(iter(taken.values())))
    rows = [
        [name, *(ms(value) for its in taken.values() for value in (middle(its[name]), high(its[name])))]
        for name in names
    ]
    print_table("Milliseconds for a page", columns, rows)
    broken = violations(taken)
    if broken:
        sys.exit("\n".join(broken))


if __name__ == "__main__":
    main()
