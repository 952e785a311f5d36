"""What requests about a user's assets cost as their library grows, on both databases.

    python -m bench.assets_listing [--assets N ...] [--databases sqlite postgres] [--rounds N] [--calls N]
                                   [--stores DIR] [--results FILE]

The store's own calls, pages with their exact total, in turns over all sizes. Libraries are filled by
`bench.asset_fill`; those in `--stores` stay and are used again. A figure is the median of a round's calls, in the round
where it was least.

Ends with 1 when a call takes more than 1.5 times in the largest library what it takes in the smallest, and 2 ms more.
A page shows as many assets at each size, or nearly so: where few match in the smallest library, it is short.
"""

import argparse
import asyncio
import itertools
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import uvloop
from bench.asset_fill import DENSE_FACT, FAVORITE, OTHER_FACT, RARE_FACT, RARE_WORD, fill_assets
from bench.fill import Target
from bench.listing_results import DATABASES, Results, Taken, print_results
from bench.measuring import Work, ms, parser_of, seconds_of, work_folder
from bench.postgres import running_postgres

from fireside.accounts.accounts import FIRST_USER
from fireside.domain.asset_listing import AssetFilter, AssetSort, AssetWindow
from fireside.domain.assets import Folder
from fireside.domain.ids import UserId
from fireside.domain.listing import JobFilter, Window
from fireside.store.store import Store

SHORT = ("--assets", "10000", "100000", "--rounds=2", "--calls=5")
_TIMES, _MORE_SECONDS = 1.5, 0.002


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetsPage:
    """A page to measure; it begins at `place`, a share of all that match, or behind `skip` of them."""

    name: str
    wanted: AssetFilter = field(default_factory=AssetFilter)
    sort: AssetSort = AssetSort.CREATED_AT
    descending: bool = True
    limit: int = 100
    place: float = 0.0
    skip: int = 0
    by_cursor: bool = False

    async def window(self, store: Store, user_id: UserId, total: int) -> AssetWindow:
        """Say which part of so many it is."""
        window = AssetWindow(
            sort=self.sort,
            descending=self.descending,
            limit=self.limit,
            offset=min(self.skip or int(total * self.place), max(0, total - self.limit)),
        )
        if not self.by_cursor:
            return window
        before = await store.list_assets(user_id, self.wanted, replace(window, limit=1))
        return replace(window, offset=0, after=before.next_after)


def _tagged(*tags: str) -> AssetFilter:
    return AssetFilter(include=frozenset(tags))


def _in_every_order() -> Iterator[AssetsPage]:
    for sort, descending in itertools.product(AssetSort, (False, True)):
        how = f"by {sort.value}, {'descending' if descending else 'ascending'}"
        order: dict[str, Any] = {"sort": sort, "descending": descending}
        yield AssetsPage(name=f"all {how}", **order)
        yield AssetsPage(name=f"all {how}, at 0.37", place=0.37, **order)
        yield AssetsPage(name=f"outputs {how}, at 0.45", wanted=_tagged("output"), place=0.45, **order)
        yield AssetsPage(name=f"a tag {how}, at 0.45", wanted=_tagged("cat"), place=0.45, **order)


_WITHOUT = AssetFilter(include=frozenset({"input"}), exclude=frozenset({"cat", "draft"}))
_NAMED = AssetFilter(name_contains="comfyui")
_RARE = AssetFilter(name_contains=RARE_WORD)
_PROJECT = AssetFilter(metadata=DENSE_FACT)
_TWO_FACTS = AssetFilter(metadata=DENSE_FACT | OTHER_FACT)
_DIGITS = AssetFilter(name_contains="042")
_CASTLE = AssetFilter(name_contains="castle")
_TWO_WORDS = AssetFilter(name_contains="river-castle")
_TWO_VALUES = AssetFilter(metadata={"project": ["p0", "p1"]})
PAGES = (
    AssetsPage(name="all, 500 at once", limit=500),
    AssetsPage(name="all, by a cursor in the middle", place=0.5, by_cursor=True),
    AssetsPage(name="all, last", place=1.0),
    *_in_every_order(),
    AssetsPage(name="inputs", wanted=_tagged("input")),
    AssetsPage(
        name="inputs, by a cursor, by size", wanted=_tagged("input"), sort=AssetSort.SIZE, place=0.4, by_cursor=True
    ),
    AssetsPage(name="inputs without two tags", wanted=_WITHOUT),
    AssetsPage(name="inputs without two tags, at 0.45", wanted=_WITHOUT, place=0.45),
    AssetsPage(
        name="any of two tags, by name, at 0.45",
        wanted=AssetFilter(any_of=frozenset({"cat", "dog"})),
        sort=AssetSort.NAME,
        place=0.45,
    ),
    AssetsPage(name="favorites, by name", wanted=_tagged(FAVORITE), sort=AssetSort.NAME, descending=False),
    AssetsPage(name="by a tag that none has", wanted=_tagged("no such")),
    AssetsPage(name="by a rare word", wanted=_RARE),
    AssetsPage(
        name="by a rare word and a tag, by size",
        wanted=replace(_RARE, include=frozenset({"input"})),
        sort=AssetSort.SIZE,
    ),
    AssetsPage(name="by a number", wanted=AssetFilter(name_contains="_00042_")),
    AssetsPage(name="by a word that none has", wanted=AssetFilter(name_contains="walrus")),
    AssetsPage(
        name="favorites by a common word", wanted=AssetFilter(name_contains="png", include=frozenset({FAVORITE}))
    ),
    AssetsPage(name="by a common word", wanted=_NAMED),
    AssetsPage(name="by a common word, at 4,000", wanted=_NAMED, skip=4000),
    AssetsPage(name="by a common word, by a cursor", wanted=_NAMED, skip=2000, by_cursor=True),
    AssetsPage(name="by a common word, by name", wanted=_NAMED, sort=AssetSort.NAME, descending=False),
    AssetsPage(name="by a common word, by size", wanted=_NAMED, sort=AssetSort.SIZE),
    AssetsPage(name="by a common word, last", wanted=_NAMED, place=1.0),
    AssetsPage(name="by a common word and a tag", wanted=replace(_NAMED, include=frozenset({"output"}))),
    AssetsPage(name="by two letters", wanted=AssetFilter(name_contains="ui")),
    AssetsPage(name="by a rare fact", wanted=AssetFilter(metadata=RARE_FACT)),
    AssetsPage(name="by a fact that none has", wanted=AssetFilter(metadata={"series": "none"})),
    AssetsPage(name="by no fact of a name", wanted=AssetFilter(metadata={"series": None})),
    AssetsPage(name="by a rare fact and a common word", wanted=AssetFilter(metadata=RARE_FACT, name_contains="png")),
    AssetsPage(name="by a fact of 2 in 100", wanted=_PROJECT),
    *(
        AssetsPage(name=f"by a fact of 2 in 100, by {sort.value}", wanted=_PROJECT, sort=sort)
        for sort in AssetSort
        if sort is not AssetSort.CREATED_AT
    ),
    AssetsPage(name="by a fact of 2 in 100, at 200", wanted=_PROJECT, skip=200),
    AssetsPage(
        name="by a fact of 2 in 100, by a cursor, by size",
        wanted=_PROJECT,
        sort=AssetSort.SIZE,
        place=0.5,
        by_cursor=True,
    ),
    AssetsPage(name="by a fact of 2 in 100 and a tag", wanted=replace(_PROJECT, include=frozenset({"cat"})), limit=10),
    AssetsPage(name="by a fact of 2 in 100 and a common word", wanted=replace(_NAMED, metadata=DENSE_FACT)),
    AssetsPage(
        name="by a fact of 2 in 100 and a common word, by size",
        wanted=replace(_NAMED, metadata=DENSE_FACT),
        sort=AssetSort.SIZE,
    ),
    AssetsPage(
        name="by a fact of 2 in 100 and a word of 5",
        wanted=AssetFilter(name_contains="castle", metadata=DENSE_FACT),
        sort=AssetSort.NAME,
        limit=10,
    ),
    AssetsPage(name="by a fact of 2 in 100, at 0.45", wanted=_PROJECT, place=0.45),
    AssetsPage(name="by two facts", wanted=_TWO_FACTS),
    AssetsPage(name="by two facts, at 0.45", wanted=_TWO_FACTS, place=0.45),
    AssetsPage(name="by two facts, by a cursor", wanted=_TWO_FACTS, place=0.1, by_cursor=True),
    AssetsPage(name="by two facts, by size", wanted=_TWO_FACTS, sort=AssetSort.SIZE),
    AssetsPage(name="by two facts and a tag", wanted=replace(_TWO_FACTS, include=frozenset({"output"})), limit=20),
    AssetsPage(name="by two facts and a digit", wanted=replace(_TWO_FACTS, name_contains="1"), limit=20),
    AssetsPage(name="by any of two values", wanted=_TWO_VALUES),
    AssetsPage(name="by any of two values, at 0.45", wanted=_TWO_VALUES, place=0.45),
    AssetsPage(name="by any of two values, by name", wanted=_TWO_VALUES, sort=AssetSort.NAME),
    AssetsPage(name="by any of two values and a tag", wanted=replace(_TWO_VALUES, include=frozenset({"input"}))),
    AssetsPage(name="by neither of two names", wanted=AssetFilter(metadata={"project": None, "series": None})),
    AssetsPage(name="by a digit", wanted=AssetFilter(name_contains="1")),
    AssetsPage(name="by a digit, at 0.45", wanted=AssetFilter(name_contains="1"), place=0.45),
    AssetsPage(name="by a digit, by size", wanted=AssetFilter(name_contains="1"), sort=AssetSort.SIZE),
    AssetsPage(name="by three digits", wanted=_DIGITS),
    AssetsPage(name="by how a name with a number begins", wanted=AssetFilter(name_contains="comfyui_0")),
    *(
        AssetsPage(name=f"by three digits, by {sort.value}", wanted=_DIGITS, sort=sort, limit=20)
        for sort in AssetSort
        if sort is not AssetSort.CREATED_AT
    ),
    AssetsPage(name="by three digits, by size, at 0.45", wanted=_DIGITS, sort=AssetSort.SIZE, place=0.45, limit=20),
    AssetsPage(
        name="by three digits, by a cursor, by name",
        wanted=_DIGITS,
        sort=AssetSort.NAME,
        place=0.45,
        by_cursor=True,
        limit=20,
    ),
    AssetsPage(
        name="by a digit, by size, at 0.45", wanted=AssetFilter(name_contains="1"), sort=AssetSort.SIZE, place=0.45
    ),
    AssetsPage(name="by a number with zeros", wanted=AssetFilter(name_contains="_0007"), limit=10),
    AssetsPage(name="by two facts and a word of 5", wanted=replace(_TWO_FACTS, name_contains="castle"), limit=5),
    AssetsPage(
        name="by two facts and a word of 5, by name",
        wanted=replace(_TWO_FACTS, name_contains="castle"),
        sort=AssetSort.NAME,
        limit=5,
    ),
    AssetsPage(name="by two facts and a common word", wanted=replace(_TWO_FACTS, name_contains="png"), limit=50),
    AssetsPage(name="by any of two values and a word", wanted=replace(_TWO_VALUES, name_contains="castle"), limit=20),
    AssetsPage(name="by two facts, by size, at 0.45", wanted=_TWO_FACTS, sort=AssetSort.SIZE, place=0.45, limit=50),
    AssetsPage(name="by a word of 5 in 100", wanted=_CASTLE),
    AssetsPage(name="by a word of 5 in 100, at 0.45", wanted=_CASTLE, place=0.45),
    AssetsPage(name="by a word of 5 in 100, by size", wanted=_CASTLE, sort=AssetSort.SIZE),
    AssetsPage(name="by a word of 5 in 100, by size, at 0.45", wanted=_CASTLE, sort=AssetSort.SIZE, place=0.45),
    AssetsPage(name="by a word of 5 in 100, by name, at 0.45", wanted=_CASTLE, sort=AssetSort.NAME, place=0.45),
    AssetsPage(name="by two words, by name", wanted=_TWO_WORDS, sort=AssetSort.NAME, limit=20),
    AssetsPage(name="by two words, by size", wanted=_TWO_WORDS, sort=AssetSort.SIZE, limit=20),
    AssetsPage(name="by two words and a tag", wanted=replace(_TWO_WORDS, include=frozenset({"input"})), limit=20),
)


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
                window = await page.window(store, user.id, total)
                ways[page.name, assets] = _listing(store, user.id, page.wanted, window)
            ways |= {(way, assets): work for way, work in (await _others(store, user.id)).items()}
        results.note(f"{name} store", await _in_rounds(ways, rounds, calls))


def _listing(store: Store, user_id: UserId, wanted: AssetFilter, window: AssetWindow) -> Work:
    return lambda: store.list_assets(user_id, wanted, window)


async def _others(store: Store, user_id: UserId) -> dict[str, Work]:
    """Give what is no page of the list: tags, and single assets and those of a job."""
    (one,) = (await store.list_assets(user_id, _RARE, AssetWindow(limit=1))).assets
    (job,) = (await store.list_jobs(user_id, JobFilter(), Window())).jobs
    of_job, whole = AssetFilter(job_ids=frozenset({job.id})), AssetWindow(limit=100, descending=False)
    return {
        "tags and their counts": lambda: store.count_tags(user_id),
        "tags of outputs": lambda: store.count_tags(user_id, _tagged("output")),
        "tags by a common word": lambda: store.count_tags(user_id, _NAMED),
        "tags by a rare word": lambda: store.count_tags(user_id, _RARE),
        "tags by a fact of 2 in 100": lambda: store.count_tags(user_id, _PROJECT),
        "tags by two facts": lambda: store.count_tags(user_id, _TWO_FACTS),
        "tags by three digits": lambda: store.count_tags(user_id, _DIGITS),
        "tags by a fact of 2 in 100 and a word of 5": lambda: store.count_tags(
            user_id, AssetFilter(name_contains="castle", metadata=DENSE_FACT)
        ),
        "tags by any of two values and a tag": lambda: store.count_tags(
            user_id, replace(_TWO_VALUES, include=frozenset({"input"}))
        ),
        "assets of a job": _listing(store, user_id, of_job, whole),
        "by the hash of its bytes, a page": _listing(store, user_id, AssetFilter(hash=one.hash), AssetWindow()),
        "by the hash of its bytes, the newest": lambda: store.asset_by_hash(user_id, one.hash),
        "by its id": lambda: store.asset(one.id, user_id=user_id),
        "by its name": lambda: store.asset_by_file(user_id, one.file),
        "newest names of a folder": lambda: store.newest_asset_names(user_id, Folder.OUTPUT, limit=100),
        "first names of a folder": lambda: store.asset_names(user_id, Folder.INPUT, limit=100),
    }


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
        for page, found in results.figures.get(f"{name} store", {}).items():
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
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--calls", type=int, default=5, help="calls of each page in a round")
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
