"""What is known of the assets of a large library piece by piece, so that conditions which no counter has are counted.

A piece is so many places of create order. Once it is full it is sealed: which of its places have a tag, a fact that is
common there, or a bit of text is kept as bits, and a total is made by combining these (`asset_matches`); and columns
say where each stands in the other orders (`asset_ranks`). Nothing is noted when an asset is recorded; upkeep seals
pieces later. Triggers note places that have changed since, and these are looked at one by one until their piece is
sealed anew; and they break the seal of a piece that could get new places. So being late costs time alone.
"""

from collections.abc import Mapping, Sequence
from uuid import uuid4

from fireside.domain.asset_listing import AssetSort
from fireside.domain.ids import UserId
from fireside.store.asset_bits import (
    EVERY,
    PieceOfLibrary,
    Places,
    by_keys,
    fact_key,
    from_bits,
    places_of_titles,
    tag_key,
    to_bits,
)
from fireside.store.asset_columns import LAST_PLACE, places_of, size_of
from fireside.store.asset_matches import EDITION
from fireside.store.asset_name_ranks import columns_of_names
from fireside.store.asset_ranks import NUMBERS, columns_of_numbers
from fireside.store.database import Row, Rows, Transaction
from fireside.store.rows import from_json
from fireside.store.verbs import Verbs

PIECE_PLACES = 7680
"""Less than a small library, so that what is not sealed yet costs less than one. SQLite has four rows of 960 bytes in
a page, while a little more would be in two pages each."""
PART_PLACES = 960
"""The last piece grows by so many places."""

_CHANGED = 1024
_TOUCHED = 4096
_ACCESS = AssetSort.LAST_ACCESS_TIME.value
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
            for first, last in await self._database.look(lambda tx, user_id=user_id: unsealed(tx, user_id)):
                await self._seal(user_id, first, last)
                done += 1
            done += await self._database.decide(lambda tx, user_id=user_id: note_accesses(tx, user_id))
        return done

    async def _seal(self, user_id: UserId, first: int, last: int) -> None:
        piece: Row = {"user_id": user_id, "first_place": first, "last_place": last, "turn": uuid4().hex}
        if not await self._database.decide(lambda tx: begin(tx, piece)):
            return
        found, columns = await self._database.look(lambda tx: read(tx, piece))
        kept = sorted(found.kept().items())
        for at in range(0, len(kept), _KEYS_AT_ONCE):
            await self._database.decide(lambda tx, at=at: keep(tx, piece, dict(kept[at : at + _KEYS_AT_ONCE])))
        await self._database.decide(lambda tx: keep_columns(tx, piece, columns))
        flags = {"has_tags": found.has_tags, "has_texts": found.has_texts, "has_forms": found.has_forms}
        await self._write("seal_asset_piece", {**piece, **flags})


def begin(tx: Transaction, piece: Row) -> bool:
    """Have changes of a piece noted from now on; False when it is not full any more, so that it could get places."""
    if tx.run("newest_asset_place", piece)[0]["place"] < piece["last_place"]:
        return False
    tx.run("remove_asset_piece", piece)
    tx.run("add_asset_piece", {**piece, "edition": EDITION})
    return True


def keep(tx: Transaction, piece: Row, places: Places) -> None:
    """Keep what was found of a piece, unless it has been begun anew meanwhile."""
    for key, of_key in places.items():
        tx.run("add_asset_piece_bits", {**piece, "what": key, "bits": to_bits(of_key, size_of(piece))})


def keep_columns(tx: Transaction, piece: Row, columns: Mapping[str, bytes]) -> None:
    """Keep what was found of each place, unless the piece has been begun anew meanwhile."""
    for what, entries in columns.items():
        tx.run("add_asset_piece_column", {**piece, "what": what, "entries": entries})


def note_accesses(tx: Transaction, user_id: UserId) -> int:
    """Note anew when assets were read, in the piece of which most were, where many were; answer whether that was so."""
    mine = {"user_id": user_id}
    touched = tx.run("touched_asset_pieces", mine)
    if sum(row["n"] for row in touched) <= _TOUCHED:
        return 0
    most: Row = max(touched, key=lambda row: row["n"])
    piece: Row = {**mine, "first_place": most["first_place"], "what": _ACCESS}
    tx.run("forget_touched_asset_places", piece)
    for sealed in tx.run("turn_asset_piece", {**piece, "turn": uuid4().hex}):
        here: Row = {**piece, **sealed}
        columns = columns_of_numbers(tx.run("asset_piece_rows", here), piece["first_place"], places_of(here))
        tx.run("remove_asset_piece_column", here)
        tx.run("add_asset_piece_column", {**here, "entries": columns[here["what"]]})
    return 1


def misjudged_pieces(tx: Transaction, user_id: UserId) -> int:
    """Make every sealed piece anew and say how many are not what they should be."""
    mine = {"user_id": user_id}
    every = mine | {"limit": LAST_PLACE}
    changed = {row["place"] for row in tx.run("changed_asset_places", every)}
    touched = {row["place"] for row in tx.run("touched_asset_places", every)}
    sealed = tx.run("asset_pieces", mine | {"edition": EDITION})
    return sum(_is_misjudged(tx, {**mine, **piece}, changed, touched) for piece in sealed)


def unsealed(tx: Transaction, user_id: UserId) -> Sequence[tuple[int, int]]:
    """Say from where to where some pieces are that are full and not sealed, or the one of which most has changed.

    The last one counts as full wherever a part ends.
    """
    mine = {"user_id": user_id}
    newest = tx.run("newest_asset_place", mine)
    sealed = tx.run("asset_pieces", mine | {"edition": EDITION})
    changed = tx.run("changed_asset_pieces", mine)
    known = {row["first_place"]: row["last_place"] for row in sealed}
    count = newest[0]["place"] + 1
    ends = {first: min(first + PIECE_PLACES, count) for first in range(0, count, PIECE_PLACES)}
    lasts = {first: first + (end - first) // PART_PLACES * PART_PLACES - 1 for first, end in ends.items()}
    missing = [(first, last) for first, last in lasts.items() if known.get(first, first - 1) < last]
    if missing or sum(row["n"] for row in changed) <= _CHANGED:
        return missing[:_PIECES_AT_ONCE]
    most: Row = max(changed, key=lambda row: row["n"])
    return [(most["first_place"], known.get(most["first_place"], lasts[most["first_place"]]))]


def read(tx: Transaction, piece: Row) -> tuple[PieceOfLibrary, Mapping[str, bytes]]:
    """Read what the assets of a piece have, and its columns."""
    first: int = piece["first_place"]
    rows, facts = tx.run("asset_piece_rows", piece), tx.run("asset_piece_facts", piece)
    tags = {row["tag_set"]: _tag_keys(row["tags"]) for row in tx.run("asset_totals", piece)}
    texts, forms = places_of_titles((row["place"] - first, row["by_name"]) for row in rows)
    found = PieceOfLibrary(
        every=[row["place"] - first for row in rows],
        tags=by_keys((row["place"] - first, tags[row["tag_set"]]) for row in rows),
        facts=by_keys((row["place"] - first, (fact_key(row["fact"]),)) for row in facts),
        texts=texts,
        forms=forms,
    )
    places = places_of(piece)
    return found, {**columns_of_numbers(rows, first, places), **columns_of_names(rows, first, places)}


def _tag_keys(tags: str) -> Sequence[str]:
    return [tag_key(tag) for tag in from_json(tags.encode())]


def _is_misjudged(tx: Transaction, piece: Row, changed: set[int], touched: set[int]) -> bool:
    """Hold what is kept against the assets, but for places that have changed; facts may be kept or not."""
    found, columns = read(tx, piece)
    ours = {EVERY: found.every, **found.facts, **found.tags, **found.texts, **found.forms}
    kept = _sets_of(tx.run("bits_of_asset_piece", piece), size_of(piece))
    gone = {place - piece["first_place"] for place in changed}
    needed = {EVERY, *(found.tags if piece["has_tags"] else ()), *(found.texts if piece["has_texts"] else ())}
    needed |= set(found.forms if piece["has_forms"] else ())
    if any(kept.get(key, set()) - gone != set(ours.get(key, ())) - gone for key in needed | kept.keys()):
        return True
    here = range(piece["first_place"], piece["last_place"] + 1)
    stands = {row["what"]: row["entries"] for row in tx.run("columns_of_asset_piece", piece)}
    if any(place in here for place in changed):
        return not NUMBERS.keys() < stands.keys()
    is_touched = any(place in here for place in touched)
    return any(stands.get(what) != columns[what] for what in columns if not (is_touched and what == _ACCESS))


def _sets_of(rows: Rows, size: int) -> dict[str, set[int]]:
    return {row["what"]: set(from_bits(row["bits"], size)) for row in rows}
