"""The store's verbs about lists of assets: a window over them with its exact total, and how often tags occur.

A filter by tags alone costs the same however many assets there are: totals are counters, and `asset_orders` reads the
window. Other conditions are `asset_search`'s business.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fireside.domain.asset_listing import AssetFilter, AssetPage, AssetWindow, SearchTooBroad
from fireside.domain.ids import UserId
from fireside.store.asset_orders import Order, place_of, read_after, read_window
from fireside.store.asset_reading import Reading, advice
from fireside.store.asset_search import MOST_LOOKED_AT, Search
from fireside.store.database import Transaction
from fireside.store.rows import asset_of, from_json
from fireside.store.verbs import Verbs


class AssetListVerbs(Verbs):
    """Lists of assets."""

    _most_looked_at = MOST_LOOKED_AT

    async def list_assets(self, user_id: UserId, wanted: AssetFilter, window: AssetWindow) -> AssetPage:
        """One page with its exact total, both of one state of the database; raises `SearchTooBroad`.

        A search that would look at too many assets to be counted has the least that its total can be.
        """
        most = self._most_looked_at
        return await self._database.look(lambda tx: _page(tx, user_id, wanted, window, most))

    async def count_tags(self, user_id: UserId, wanted: AssetFilter | None = None) -> Mapping[str, int]:
        """How many of the assets that are wanted, or of all, have each tag; tags that none of them has are left out.

        Raises `SearchTooBroad`.
        """
        most = self._most_looked_at
        return await self._database.look(lambda tx: _tags(tx, user_id, wanted or AssetFilter(), most))

    async def known_tags(self, user_id: UserId) -> Sequence[str]:
        """Every tag that an asset of the user has or, until it is forgotten, had."""
        rows = await self._all("known_tag_sets", {"user_id": user_id})
        return sorted({tag for row in rows for tag in from_json(row["tags"].encode())})


def _page(tx: Transaction, user_id: UserId, wanted: AssetFilter, window: AssetWindow, most: int) -> AssetPage:
    sets = _sets(tx, user_id, wanted)
    order = sets.in_order(user_id, window)
    is_exact = True
    # One more than asked for tells whether any follow.
    if not wanted.is_by_tags_alone and order.rows:
        found = Search(tx, wanted, order, most).find()
        rows = Reading(tx, order, found, most).read(window)
        is_exact = found.is_exact
        total = found.total if is_exact else len(rows) + (0 if window.after or not rows else window.offset)
    elif window.after is not None:
        total, rows = order.rows, read_after(tx, order, window.after, window.limit + 1)
    else:
        total, rows = order.rows, read_window(tx, order, window.offset, window.limit + 1)
    shown = rows[: window.limit]
    next_after = place_of(shown[-1], window.sort) if shown and len(rows) > len(shown) else None
    assets = [asset_of(row) for row in shown]
    return AssetPage(assets=assets, total=total, is_total_exact=is_exact, next_after=next_after)


def _tags(tx: Transaction, user_id: UserId, wanted: AssetFilter, most: int) -> Mapping[str, int]:
    sets = _sets(tx, user_id, wanted)
    counted = sets.totals
    if not wanted.is_by_tags_alone and counted:
        found = Search(tx, wanted, sets.in_order(user_id, AssetWindow()), most).find(by_sets=True)
        if not found.is_exact:
            raise SearchTooBroad(advice(most))
        counted = found.counts
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
