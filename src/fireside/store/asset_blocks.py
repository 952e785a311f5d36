"""How large libraries are cut into blocks, in each order anew, by upkeep and a little at a time.

A library gets one block per order when it has become large, and a block that has become too large is cut where its rows
say. So blocks follow whatever keys there are, many of one kind included. Being late makes deep pages slower, and
nothing wrong: what is counted is always exact.
"""

from collections import Counter
from collections.abc import Sequence

from fireside.domain.asset_listing import AssetSort
from fireside.domain.ids import UserId
from fireside.store.asset_counting import count_assets_anew
from fireside.store.asset_orders import AXES
from fireside.store.database import Row, Rows, Transaction
from fireside.store.verbs import Verbs

LARGE_LIBRARY = 8192
"""From this many assets on a library is cut into blocks."""

_BLOCK_ROWS = 3072
_LARGE = 4096
_SMALL = 1024
_ROWS_AT_ONCE = 4 * _BLOCK_ROWS
_BLOCKS_AT_ONCE = 8
_SORTS = {axis: sort for sort, axis in AXES.items()}


class AssetBlockVerbs(Verbs):
    """The blocks of large libraries."""

    async def cut_large_libraries(self, *, at_least: int = LARGE_LIBRARY) -> int:
        """Begin to cut the libraries that have become large, then cut and merge a few blocks; answer how many.

        Each is a short change; 0 says that there is nothing to do now.
        """
        done = 0
        for row in await self._all("large_libraries", {"at_least": at_least}):
            user_id = UserId(row["user_id"])
            await self._database.decide(lambda tx, user_id=user_id: _begin(tx, user_id))
            done += 1
        uneven = await self._all("uneven_asset_blocks", _LIMITS)
        for row in reversed(uneven):
            done += await self._database.decide(lambda tx, row=row: _even_out(tx, row))
        return done

    async def miscounted_assets(self, user_id: UserId) -> int:
        """Count the user's assets anew, without holding up anybody, and answer how many counters are wrong."""
        return await self._database.look(lambda tx: _miscounted(tx, user_id))

    async def recount_assets(self, user_id: UserId) -> None:
        """Put the user's counters of assets right; nobody writes meanwhile."""
        await self._database.decide(lambda tx: count_assets_anew(tx, user_id))


_LIMITS = {"large": _LARGE, "small": _SMALL, "limit": _BLOCKS_AT_ONCE}


def _begin(tx: Transaction, user_id: UserId) -> None:
    mine = {"user_id": user_id}
    # Another server may have been first.
    tx.run("uncut_library", mine)
    tx.run("cut_library", mine)
    tx.run("fill_first_asset_blocks", mine)


def _even_out(tx: Transaction, row: Row) -> int:
    present = {one["id"]: one for one in tx.run("uneven_asset_blocks", _LIMITS)}.get(row["id"])
    if present is None:
        return 0
    if present["is_small"]:
        tx.run("merge_asset_block", {"cut_id": present["id"], "before_id": present["before_id"]})
        tx.run("remove_asset_cut", {"cut_id": present["id"]})
    else:
        _cut(tx, present)
    return 1


def _cut(tx: Transaction, block: Row) -> None:
    """Leave the first rows in the block and move the others into new ones, the last of which gets all not read yet."""
    rows = _rows_of(tx, block)
    kept = tx.run("rows_of_asset_block", {"cut_id": block["id"]})
    left = Counter({row["tag_set"]: row["n"] for row in kept})
    parts = [rows[start : start + _BLOCK_ROWS] for start in range(0, len(rows), _BLOCK_ROWS)]
    left.subtract(_counted(parts[0]))
    cut_id = block["id"]
    for part in parts[1:]:
        _move(tx, cut_id, left, -1)
        (made,) = tx.run("add_asset_cut", {"user_id": block["user_id"], "axis": block["axis"], **_key_of(part[0])})
        cut_id = made["id"]
        _move(tx, cut_id, left, 1)
        left.subtract(_counted(part))


def _rows_of(tx: Transaction, block: Row) -> Rows:
    sort = _SORTS[block["axis"]]
    bounds = {name: block[name] for name in ("number", "word", "place")}
    is_last = block["next_place"] is None
    if sort is AssetSort.CREATED_AT:
        bounds["place"] = max(0, bounds["place"])
    ends = {f"end_{name}": block[f"next_{name}"] for name in ("number", "word", "place")}
    params = {"user_id": block["user_id"], "is_last": is_last, "limit": _ROWS_AT_ONCE} | bounds | ends
    return tx.run(f"asset_block_rows_by_{sort.value}", params)


def _counted(rows: Sequence[Row]) -> Counter[int]:
    return Counter(row["tag_set"] for row in rows)


def _move(tx: Transaction, cut_id: int, counts: Counter[int], by: int) -> None:
    for tag_set, rows in counts.items():
        if rows:
            tx.run("move_asset_block", {"cut_id": cut_id, "tag_set": tag_set, "by": by * rows})


def _key_of(row: Row) -> dict[str, int | str]:
    return {"number": row["number"], "word": row["word"], "place": row["place"]}


def _miscounted(tx: Transaction, user_id: UserId) -> int:
    mine = {"user_id": user_id}
    wrong = _differences(tx.run("kept_asset_totals", mine), tx.run("actual_asset_totals", mine))
    return wrong + _differences(tx.run("kept_asset_blocks", mine), tx.run("actual_asset_blocks", mine))


def _differences(kept: Rows, actual: Rows) -> int:
    one, other = ({tuple(row.items()) for row in rows} for rows in (kept, actual))
    return len(one ^ other)
