"""What is known of the assets of a large library piece by piece, so that conditions which no counter has are counted.

A piece is so many places of create order. Once it is full it is sealed: which of its places have a tag, a fact that is
common there, or a bit of text is kept as bits, and a total is made by combining these (`asset_matches`). Nothing is
noted when an asset is recorded; upkeep seals pieces later. Triggers note places that have changed since, and these are
looked at one by one until their piece is sealed anew; and they break the seal of a piece that could get new places. So
being late costs time alone.
"""

from collections.abc import Sequence
from uuid import uuid4

from fireside.domain.ids import UserId
from fireside.store.asset_bits import (
    EVERY,
    PieceOfLibrary,
    Places,
    by_keys,
    fact_key,
    from_bits,
    tag_key,
    text_key,
    texts_of,
    to_bits,
)
from fireside.store.asset_columns import size_of
from fireside.store.database import Row, Rows, Transaction
from fireside.store.rows import from_json
from fireside.store.verbs import Verbs

PIECE_PLACES = 7680
"""Less than a small library, so that what is not sealed yet costs less than one. SQLite has four rows of 960 bytes in
a page, while a little more would be in two pages each."""

_CHANGED = 1024
_PIECES_AT_ONCE = 8
_KEYS_AT_ONCE = 200


class AssetPieceVerbs(Verbs):
    """The pieces of large libraries."""

    async def seal_large_libraries(self) -> int:
        """Seal a few pieces of libraries that are cut into blocks; answer how many.

        Each is read beside the writers, and written in short changes; 0 says that there is nothing to do now.
        """
        done = 0
        for row in await self._all("libraries_in_blocks"):
            user_id = UserId(row["user_id"])
            for first in await self._database.look(lambda tx, user_id=user_id: unsealed(tx, user_id)):
                await self._seal(user_id, first)
                done += 1
        return done

    async def _seal(self, user_id: UserId, first: int) -> None:
        piece: Row = {
            "user_id": user_id,
            "first_place": first,
            "last_place": first + PIECE_PLACES - 1,
            "turn": uuid4().hex,
        }
        if not await self._database.decide(lambda tx: begin(tx, piece)):
            return
        found = await self._database.look(lambda tx: read(tx, piece))
        kept = sorted(found.kept().items())
        for at in range(0, len(kept), _KEYS_AT_ONCE):
            await self._database.decide(lambda tx, at=at: keep(tx, piece, dict(kept[at : at + _KEYS_AT_ONCE])))
        flags = {"has_tags": found.has_tags, "has_texts": found.has_texts}
        await self._write("seal_asset_piece", {**piece, **flags})


def begin(tx: Transaction, piece: Row) -> bool:
    """Have changes of a piece noted from now on; False when it is not full any more, so that it could get places."""
    if tx.run("newest_asset_place", piece)[0]["place"] < piece["last_place"]:
        return False
    tx.run("remove_asset_piece", piece)
    tx.run("add_asset_piece", piece)
    return True


def keep(tx: Transaction, piece: Row, places: Places) -> None:
    """Keep what was found of a piece, unless it has been begun anew meanwhile."""
    for key, of_key in places.items():
        tx.run("add_asset_piece_bits", {**piece, "what": key, "bits": to_bits(of_key, size_of(piece))})


def misjudged_pieces(tx: Transaction, user_id: UserId) -> int:
    """Make every sealed piece anew and say how many are not what they should be."""
    mine = {"user_id": user_id}
    changed = {row["place"] for row in tx.run("changed_asset_places", mine)}
    return sum(_is_misjudged(tx, {**mine, **piece}, changed) for piece in tx.run("asset_pieces", mine))


def unsealed(tx: Transaction, user_id: UserId) -> Sequence[int]:
    """Say where some pieces begin that are full and not sealed, or the one of which most has changed."""
    mine = {"user_id": user_id}
    newest = tx.run("newest_asset_place", mine)
    sealed = tx.run("asset_pieces", mine)
    changed = tx.run("changed_asset_pieces", mine)
    known = {row["first_place"] for row in sealed}
    full = range(0, newest[0]["place"] + 2 - PIECE_PLACES, PIECE_PLACES)
    missing = [first for first in full if first not in known]
    if missing or sum(row["n"] for row in changed) <= _CHANGED:
        return missing[:_PIECES_AT_ONCE]
    most: Row = max(changed, key=lambda row: row["n"])
    return [most["first_place"]]


def read(tx: Transaction, piece: Row) -> PieceOfLibrary:
    """Read what the assets of a piece have."""
    first: int = piece["first_place"]
    rows, facts = tx.run("asset_piece_rows", piece), tx.run("asset_piece_facts", piece)
    tags = {row["tag_set"]: _tag_keys(row["tags"]) for row in tx.run("asset_totals", piece)}
    texts = by_keys((row["place"] - first, texts_of(row["folded"])) for row in rows)
    return PieceOfLibrary(
        every=[row["place"] - first for row in rows],
        tags=by_keys((row["place"] - first, tags[row["tag_set"]]) for row in rows),
        facts=by_keys((row["place"] - first, (fact_key(row["fact"]),)) for row in facts),
        texts={text_key(text): places for text, places in texts.items()},
    )


def _tag_keys(tags: str) -> Sequence[str]:
    return [tag_key(tag) for tag in from_json(tags.encode())]


def _is_misjudged(tx: Transaction, piece: Row, changed: set[int]) -> bool:
    """Hold what is kept against the assets, but for places that have changed; facts may be kept or not."""
    found = read(tx, piece)
    ours = {EVERY: found.every, **found.facts, **found.tags, **found.texts}
    kept = _sets_of(tx.run("bits_of_asset_piece", piece), size_of(piece))
    gone = {place - piece["first_place"] for place in changed}
    needed = {EVERY, *(found.tags if piece["has_tags"] else ()), *(found.texts if piece["has_texts"] else ())}
    return any(kept.get(key, set()) - gone != set(ours.get(key, ())) - gone for key in needed | kept.keys())


def _sets_of(rows: Rows, size: int) -> dict[str, set[int]]:
    return {row["what"]: set(from_bits(row["bits"], size)) for row in rows}
