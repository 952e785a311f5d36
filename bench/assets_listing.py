"""What a page of a user's assets costs as their library grows, on both databases.

    python -m bench.assets_listing [--assets N ...] [--databases sqlite postgres] [--rounds N] [--calls N]
                                   [--stores DIR] [--results FILE]

Pages of the store's own call, with their exact total, in turns over all sizes. Libraries are filled by
`bench.asset_fill`; those in `--stores` stay and are used again. A figure is the median of a round's calls, in the round
where it was least.

Ends with 1 when a page of the largest library takes more than 1.5 times that of the smallest and 2 ms more. Pages by a
word or a fact that very many assets have are shown apart and not judged: their total is counted row by row.
"""

import argparse
import asyncio
import sys
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import uvloop
from bench.asset_fill import DENSE_FACT, FAVORITE, RARE_FACT, RARE_WORD, fill_assets
from bench.fill import Target
from bench.listing_results import DATABASES, Results, Taken, print_results
from bench.measuring import Work, ms, parser_of, seconds_of, work_folder
from bench.postgres import running_postgres

from fireside.accounts.accounts import FIRST_USER
from fireside.domain.asset_listing import AssetFilter, AssetSort, AssetWindow
from fireside.domain.ids import UserId
from fireside.store.store import Store

SHORT = ("--assets", "10000", "100000", "--rounds=2", "--calls=5")
_TIMES, _MORE_SECONDS = 1.5, 0.002


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetsPage:
    """A page to measure; `place` is where it begins, as a share of all that match."""

    name: str
    wanted: AssetFilter = field(default_factory=AssetFilter)
    sort: AssetSort = AssetSort.CREATED_AT
    descending: bool = True
    limit: int = 100
    place: float = 0.0
    is_judged: bool = True

    def window(self, total: int) -> AssetWindow:
        """Say which part of so many it is."""
        offset = int(total * self.place)
        return AssetWindow(sort=self.sort, descending=self.descending, limit=self.limit, offset=offset)


def _tagged(*tags: str) -> AssetFilter:
    return AssetFilter(include=frozenset(tags))


_WITHOUT = AssetFilter(include=frozenset({"input"}), exclude=frozenset({"cat", "draft"}))
_DENSE = AssetFilter(name_contains="comfyui")
PAGES = (
    AssetsPage(name="all"),
    AssetsPage(name="all, 500 at once", limit=500),
    AssetsPage(name="all, in the middle", place=0.47),
    AssetsPage(name="inputs", wanted=_tagged("input")),
    AssetsPage(name="outputs, by name, at 0.3", wanted=_tagged("output"), sort=AssetSort.NAME, place=0.3),
    AssetsPage(name="largest, at 0.4", sort=AssetSort.SIZE, place=0.4),
    AssetsPage(name="oldest change, at 0.6", sort=AssetSort.UPDATED_AT, descending=False, place=0.6),
    AssetsPage(name="last read, at 0.2", sort=AssetSort.LAST_ACCESS_TIME, place=0.2),
    AssetsPage(name="inputs without two tags, at 0.45", wanted=_WITHOUT, place=0.45),
    AssetsPage(name="favorites, by name", wanted=_tagged(FAVORITE), sort=AssetSort.NAME, descending=False),
    AssetsPage(name="by a rare word", wanted=AssetFilter(name_contains=RARE_WORD)),
    AssetsPage(
        name="by a rare word and a tag, by size",
        wanted=AssetFilter(name_contains=RARE_WORD, include=frozenset({"input"})),
        sort=AssetSort.SIZE,
    ),
    AssetsPage(name="by a rare fact", wanted=AssetFilter(metadata=RARE_FACT)),
    AssetsPage(
        name="favorites by a common word", wanted=AssetFilter(name_contains="png", include=frozenset({FAVORITE}))
    ),
    AssetsPage(name="(by a common word)", wanted=_DENSE, is_judged=False),
    AssetsPage(name="(by a common word, at 0.5)", wanted=_DENSE, place=0.5, is_judged=False),
    AssetsPage(name="(by a common fact)", wanted=AssetFilter(metadata=DENSE_FACT), is_judged=False),
)
TAGS = "tags and their counts"


async def measure_stores(targets: Mapping[int, Target], rounds: int, calls: int, results: Results, name: str) -> None:
    """Measure the store's calls."""
    async with AsyncExitStack() as stack:
        ways: dict[tuple[str, int], Work] = {}
        for assets, target in targets.items():
            store = await stack.enter_async_context(target.store())
            user = await store.user_named(FIRST_USER)
            assert user is not None
            for page in PAGES:
                total = (await store.list_assets(user.id, page.wanted, AssetWindow(limit=1))).total
                results.totals.setdefault(page.name, {})[assets] = total
                ways[page.name, assets] = _way(store, user.id, page, total)
            ways[TAGS, assets] = lambda store=store, user=user: store.count_tags(user.id)
        results.note(f"{name} store", await _in_rounds(ways, rounds, calls))


def _way(store: Store, user_id: UserId, page: AssetsPage, total: int) -> Work:
    window = page.window(total)
    return lambda: store.list_assets(user_id, page.wanted, window)


async def _in_rounds(ways: Mapping[tuple[str, int], Work], rounds: int, calls: int) -> Taken:
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


def violations(results: Results) -> list[str]:
    """Say which pages cost more in the largest library than they may."""
    broken: list[str] = []
    for name in DATABASES:
        for page in (*(page.name for page in PAGES if page.is_judged), TAGS):
            found = results.figures.get(f"{name} store", {}).get(page, {})
            if len(found) > 1:
                small, large = found[min(found)].p50, found[max(found)].p50
                if large > max(_TIMES * small, small + _MORE_SECONDS):
                    broken.append(f"{name}, {page}: {ms(large)} ms at {max(found):,}, {ms(small)} at {min(found):,}")
    return broken


def measure(options: argparse.Namespace, folder: Path, results: Results) -> None:
    """Fill what is not there, and measure one database after the other."""
    with ExitStack() as stack:
        for name in options.databases:
            targets = {assets: Target(data_dir=folder / f"assets-{assets}") for assets in options.assets}
            if name == "postgres":
                postgres = stack.enter_context(running_postgres(folder / "postgres"))
                targets = {
                    assets: Target(database_url=postgres.own_url(f"assets_{assets}")) for assets in options.assets
                }
            for assets, target in targets.items():
                asyncio.run(fill_assets(target, assets))
            uvloop.run(measure_stores(targets, options.rounds, options.calls, results, name))


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print, and judge."""
    parser = parser_of("assets_listing", __doc__)
    parser.add_argument("--assets", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--databases", nargs="+", choices=DATABASES, default=list(DATABASES))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--calls", type=int, default=11, help="calls of each page in a round")
    parser.add_argument("--stores", type=Path, help="where stores stay, and are found")
    parser.add_argument("--results", type=Path, help="file of results to begin with, and to keep them in")
    options = parser.parse_args(arguments)
    results = Results.read(options.results)
    with work_folder(options.folder) as folder:
        measure(options, options.stores or folder, results)
    results.write(options.results)
    print_results(results)
    broken = violations(results)
    if broken:
        sys.exit("\n".join(broken))


if __name__ == "__main__":
    main()
