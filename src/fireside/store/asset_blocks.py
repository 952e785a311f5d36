"""How large libraries are cut into blocks, in each order anew, by upkeep and a little at a time.

A library gets one block per order when it has become large, and a block that has become too large is cut where its
rows say. So blocks follow whatever keys there are, many of one kind included. Coarse blocks, of some ten of these, are
cut where one of them begins. Being late makes deep pages slower, and nothing wrong: what is counted is always exact.
"""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from fireside.domain.ids import UserId
from fireside.store.asset_counting import count_assets_anew
from fireside.store.asset_orders import AXES, COARSE, range_of
from fireside.store.asset_pieces import misjudged_pieces
from fireside.store.database import Row, Rows, Transaction
from fireside.store.verbs import Verbs

LARGE_LIBRARY = 16_384
"""From this many assets on a library is cut into blocks."""

_BLOCK_ROWS = 6144
_LARGE = 8192
_SMALL = 2048
_ROWS_AT_ONCE = 4 * _BLOCK_ROWS
_COARSE_LARGE = 131_072
_COARSE_SMALL = 32_768
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


_LIMITS = {
    "large": _LARGE,
    "small": _SMALL,
    "coarse_large": _COARSE_LARGE,
    "coarse_small": _COARSE_SMALL,
    "limit": _BLOCKS_AT_ONCE,
}


_OF_ALL = {"any_set": True, "sets": "[]"}


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
    elif present["axis"] > COARSE:
        return _halve(tx, present)
    else:
        _cut(tx, present)
    return 1


def _halve(tx: Transaction, coarse: Row) -> int:
    """Begin a coarse block of its own with a fine one from the middle; answer 0 while these are not cut themselves."""
    mine = {"user_id": coarse["user_id"], "axis": coarse["axis"] - COARSE}
    cuts = tx.run("asset_cuts_within", mine | _OF_ALL | range_of(coarse))
    if any(cut["n"] > _LIMITS["large"] for cut in cuts):
        return 0
    half, before = sum(cut["n"] for cut in cuts) // 2, 0
    for previous, cut in pairwise(cuts):
        before += previous["n"]
        if before >= half or cut is cuts[-1]:
            behind = range_of(coarse) | _key_of(cut)
            rows = tx.run("rows_of_asset_cuts", mine | behind)
            counts = Counter({row["tag_set"]: row["n"] for row in rows})
            (made,) = tx.run("add_asset_cut", mine | {"axis": coarse["axis"]} | _key_of(cut))
            _move(tx, coarse["id"], counts, -1)
            _move(tx, made["id"], counts, 1)
            return 1
    return 0


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
    params = {"user_id": block["user_id"], "limit": _ROWS_AT_ONCE} | range_of(block)
    params["place"] = max(0, params["place"])
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
    kinds = ("totals", "blocks", "forms", "facts", "fact_forms", "bytes")
    (misplaced,) = tx.run("misplaced_asset_facts", mine)
    return (
        misplaced["n"]
        + misjudged_pieces(tx, user_id)
        + sum(_differences(tx.run(f"kept_asset_{kind}", mine), tx.run(f"actual_asset_{kind}", mine)) for kind in kinds)
    )


def _differences(kept: Rows, actual: Rows) -> int:
    one, other = ({tuple(row.items()) for row in rows} for rows in (kept, actual))
    return len(one ^ other)
