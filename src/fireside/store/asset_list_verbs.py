"""The store's verbs about lists of assets: a window over them with its exact total, and how often tags occur.

A filter by tags alone costs the same however many assets there are: totals are counters, and `asset_orders` reads the
window. Other conditions have indexes of their own (bytes, jobs, facts of the owner's metadata, three characters of a
title). When one of them leaves few assets over, these are looked at one by one. When none does, as with a word that
most titles have, the window is found by walking, and the total by counting all that the tags leave over.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from fireside.domain.asset_listing import AssetFilter, AssetPage, AssetWindow
from fireside.domain.facts import FactConditions, conditions_of, facts_of, is_met
from fireside.domain.ids import UserId
from fireside.store.asset_orders import Order, bound_after, place_of, read_after, read_window
from fireside.store.database import Row, Rows, Transaction
from fireside.store.rows import asset_of, from_json, ids_json, to_json
from fireside.store.verbs import Verbs

_FEW = 4096
_GRAM = 3
_STRIDE = 512
_STRIDES = 4


class AssetListVerbs(Verbs):
    """Lists of assets."""

    async def list_assets(self, user_id: UserId, wanted: AssetFilter, window: AssetWindow) -> AssetPage:
        """One page with its exact total, both of one state of the database."""
        return await self._database.look(lambda tx: _page(tx, user_id, wanted, window))

    async def count_tags(self, user_id: UserId, wanted: AssetFilter | None = None) -> Mapping[str, int]:
        """How many of the assets that are wanted, or of all, have each tag; tags that none of them has are left out."""
        return await self._database.look(lambda tx: _tags(tx, user_id, wanted or AssetFilter()))

    async def known_tags(self, user_id: UserId) -> Sequence[str]:
        """Every tag that an asset of the user has or, until it is forgotten, had."""
        rows = await self._all("known_tag_sets", {"user_id": user_id})
        return sorted({tag for row in rows for tag in from_json(row["tags"].encode())})


def _page(tx: Transaction, user_id: UserId, wanted: AssetFilter, window: AssetWindow) -> AssetPage:
    totals = {number: rows for number, (rows, _) in _sets(tx, user_id, wanted).items()}
    order = Order(user_id=user_id, totals=totals, sort=window.sort, descending=window.descending)
    # One more than asked for tells whether any follow.
    if wanted.is_by_tags_alone or not order.rows:
        total = order.rows
        if window.after is not None:
            rows = read_after(tx, order, window.after, window.limit + 1)
        else:
            rows = read_window(tx, order, window.offset, window.limit + 1)
    else:
        search = _Search(user_id, wanted, order)
        source = search.narrow(tx)
        total = search.count(tx, source)
        rows = search.read(tx, source, window, total)
    shown = rows[: window.limit]
    next_after = place_of(shown[-1], window.sort) if shown and len(rows) > len(shown) else None
    return AssetPage(assets=[asset_of(row) for row in shown], total=total, next_after=next_after)


def _tags(tx: Transaction, user_id: UserId, wanted: AssetFilter) -> Mapping[str, int]:
    sets = _sets(tx, user_id, wanted)
    counted = {number: rows for number, (rows, _) in sets.items()}
    if not wanted.is_by_tags_alone and counted:
        search = _Search(user_id, wanted, Order(user_id=user_id, totals=counted, **_ANY_ORDER))
        found = tx.run("found_asset_tags", search.params | {"source": search.narrow(tx)})
        counted = {row["tag_set"]: row["n"] for row in found}
    tags: dict[str, int] = {}
    for number, rows in counted.items():
        for tag in sets[number][1]:
            tags[tag] = tags.get(tag, 0) + rows
    return tags


_ANY_ORDER: dict[str, Any] = {"sort": AssetWindow().sort, "descending": True}


def _sets(tx: Transaction, user_id: UserId, wanted: AssetFilter) -> dict[int, tuple[int, frozenset[str]]]:
    """The sets of tags that are wanted: how many assets have each, and its tags."""
    rows = tx.run("asset_totals", {"user_id": user_id})
    sets = {row["tag_set"]: (row["n"], frozenset[str](from_json(row["tags"].encode()))) for row in rows}
    return {number: found for number, found in sets.items() if wanted.wants_tags(found[1])}


class _Search:
    """Conditions beside tags, and how the assets that meet them are found."""

    def __init__(self, user_id: UserId, wanted: AssetFilter, order: Order) -> None:
        self._wanted = wanted
        self._order = order
        self._needle = wanted.name_contains.casefold()
        self._facts = conditions_of(wanted.metadata)
        self.params = self._params(user_id, wanted, order)

    def narrow(self, tx: Transaction) -> str:
        """Name a condition that leaves few assets over; that of the tags, when there is none."""
        for source in self._sources():
            (counted,) = tx.run("count_asset_candidates", self.params | {"source": source, "limit": _FEW + 1})
            if counted["n"] <= _FEW:
                return source
        return "tags"

    def count(self, tx: Transaction, source: str) -> int:
        """Count what is found."""
        query = "count_found_assets"
        if source == "tags" and self._is_by_name_alone:
            query = "count_titled_assets"
        (counted,) = tx.run(query, self.params | {"source": source})
        return counted["n"]

    def read(self, tx: Transaction, source: str, window: AssetWindow, total: int) -> Rows:
        """Read a window of what is found, one more than its limit."""
        if window.after is None and window.offset >= total:
            return []
        if source == "tags" and self._order.rows > _FEW:
            rows = self._walk(tx, window)
            if rows is not None:
                return rows
        bound = bound_after(window.sort, window.after, descending=window.descending) if window.after else None
        params = self.params | {
            "source": source,
            "sort": window.sort.value,
            "is_bounded": bound is not None,
            "number": bound.number if bound else 0,
            "word": bound.word if bound else "",
            "place": bound.place if bound else 0,
            "limit": window.limit + 1,
            "offset": 0 if bound else window.offset,
        }
        return tx.run(f"search_assets_{'descending' if window.descending else 'ascending'}", params)

    def _walk(self, tx: Transaction, window: AssetWindow) -> Rows | None:
        """Find the window among the first rows of the order; None when it is not there."""
        after = window.after
        skip = 0 if after else window.offset
        found: list[Row] = []
        for _ in range(_STRIDES):
            if after is None:
                rows = read_window(tx, self._order, 0, _STRIDE)
            else:
                rows = read_after(tx, self._order, after, _STRIDE)
            found += [row for row in rows if self._meets(row)]
            if len(rows) < _STRIDE or len(found) > skip + window.limit:
                return found[skip : skip + window.limit + 1]
            after = place_of(rows[-1], window.sort)
        return None

    def _meets(self, row: Row) -> bool:
        wanted = self._wanted
        if self._needle not in row["folded"] or wanted.hash not in (None, row["hash"]):
            return False
        if wanted.job_ids is not None and row["job_id"] not in wanted.job_ids:
            return False
        return not wanted.metadata or is_met(self._facts, facts_of(from_json(row["user_metadata"])))

    def _sources(self) -> Sequence[str]:
        """Name the conditions that can be looked up, those first that usually leave fewest over."""
        given = {
            "hash": self._wanted.hash is not None,
            "jobs": self._wanted.job_ids is not None,
            "tags": self._order.rows <= _FEW,
            "facts": bool(self._facts.wanted),
            "title": len(self._needle) >= _GRAM,
        }
        return [source for source, is_given in given.items() if is_given]

    @property
    def _is_by_name_alone(self) -> bool:
        return not self._wanted.metadata and self._wanted.hash is None and self._wanted.job_ids is None

    def _params(self, user_id: UserId, wanted: AssetFilter, order: Order) -> dict[str, Any]:
        conditions: FactConditions = self._facts
        return {
            "user_id": user_id,
            "sets": to_json(list(order.totals)).decode(),
            "needle": self._needle,
            "grams": to_json(_grams(self._needle)).decode(),
            "hash": wanted.hash or "",
            "by_jobs": wanted.job_ids is not None,
            "jobs": ids_json(wanted.job_ids or ()),
            "facts": to_json(conditions.wanted[0] if conditions.wanted else []).decode(),
            "wanted": to_json(conditions.wanted).decode(),
            "unwanted": to_json(conditions.unwanted).decode(),
        }


def _grams(needle: str) -> list[str]:
    """Give the parts of a text that are three characters long, as the indexes of titles have them."""
    return list(dict.fromkeys(needle[start : start + _GRAM] for start in range(len(needle) - _GRAM + 1)))
