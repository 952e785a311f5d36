"""The store's verbs about lists of assets: a window over them with its exact total, and how often tags occur.

A filter by tags alone costs the same however many assets there are: totals are counters, and `asset_orders` reads the
window, or pieces tell where it is. Other conditions are `asset_search`'s business.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fireside.domain.asset_listing import AssetFilter, AssetPage, AssetWindow
from fireside.domain.ids import UserId
from fireside.store.asset_columns import KnownColumns
from fireside.store.asset_orders import Order, open_places_worth, place_of, read_after, read_window
from fireside.store.asset_search import Search
from fireside.store.database import Database, Rows, Transaction
from fireside.store.rows import asset_of, from_json
from fireside.store.verbs import Verbs


class AssetListVerbs(Verbs):
    """Lists of assets."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._known = KnownColumns()

    async def list_assets(self, user_id: UserId, wanted: AssetFilter, window: AssetWindow) -> AssetPage:
        """One page with its exact total, both of one state of the database; raises `SearchTooBroad`."""
        return await self._database.look(lambda tx: _page(tx, self._known, user_id, wanted, window))

    async def count_tags(self, user_id: UserId, wanted: AssetFilter | None = None) -> Mapping[str, int]:
        """How many of the assets that are wanted, or of all, have each tag; tags that none of them has are left out.

        Raises `SearchTooBroad`.
        """
        return await self._database.look(lambda tx: _tags(tx, self._known, user_id, wanted or AssetFilter()))

    async def known_tags(self, user_id: UserId) -> Sequence[str]:
        """Every tag that an asset of the user has or, until it is forgotten, had."""
        rows = await self._all("known_tag_sets", {"user_id": user_id})
        return sorted({tag for row in rows for tag in from_json(row["tags"].encode())})


def _page(tx: Transaction, known: KnownColumns, user_id: UserId, wanted: AssetFilter, window: AssetWindow) -> AssetPage:
    sets = _sets(tx, user_id, wanted)
    order = sets.in_order(user_id, window)
    # One more than asked for tells whether any follow.
    if not wanted.is_by_tags_alone and order.rows:
        search = Search(tx, wanted, order, known)
        found = search.find()
        total, rows = found.total, search.read(found, window)
    else:
        most_open = open_places_worth(order, window)
        told = Search(tx, wanted, order, known).read_told(window, most_open) if most_open else None
        total, rows = order.rows, _by_sets(tx, order, window) if told is None else told
    shown = rows[: window.limit]
    next_after = place_of(shown[-1], window.sort) if shown and len(rows) > len(shown) else None
    return AssetPage(assets=[asset_of(row) for row in shown], total=total, next_after=next_after)


def _by_sets(tx: Transaction, order: Order, window: AssetWindow) -> Rows:
    if window.after is not None:
        return read_after(tx, order, window.after, window.limit + 1)
    return read_window(tx, order, window.offset, window.limit + 1)


def _tags(tx: Transaction, known: KnownColumns, user_id: UserId, wanted: AssetFilter) -> Mapping[str, int]:
    sets = _sets(tx, user_id, wanted)
    counted = sets.totals
    if not wanted.is_by_tags_alone and counted:
        counted = Search(tx, wanted, sets.in_order(user_id, AssetWindow()), known).find(by_sets=True).counts
    tags: dict[str, int] = {}
    for number, rows in counted.items():
        for tag in sets.tags[number]:
            tags[tag] = tags.get(tag, 0) + rows
    return tags


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sets:
    """How many assets have each wanted set of tags, the tags of all sets, and how many assets there are at all."""

    totals: Mapping[int, int]
    tags: Mapping[int, frozenset[str]]
    library: int

    def in_order(self, user_id: UserId, window: AssetWindow) -> Order:
        order: dict[str, Any] = {"sort": window.sort, "descending": window.descending}
        return Order(user_id=user_id, totals=self.totals, library=self.library, **order)


def _sets(tx: Transaction, user_id: UserId, wanted: AssetFilter) -> _Sets:
    rows = tx.run("asset_totals", {"user_id": user_id})
    tags = {row["tag_set"]: frozenset[str](from_json(row["tags"].encode())) for row in rows}
    return _Sets(
        totals={row["tag_set"]: row["n"] for row in rows if wanted.wants_tags(tags[row["tag_set"]])},
        tags=tags,
        library=sum(row["n"] for row in rows),
    )
