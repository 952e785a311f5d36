"""How a user's assets are counted: by their sets of tags, and in large libraries by blocks of each order too.

A set of tags is one small number of its user's, so a list's filter is a set of such numbers and each a range of an
index. Totals and blocks change in the transaction of each change to an asset: it is counted out as it was and in as it
is. Where blocks begin is `asset_blocks`' business.
"""

from collections.abc import Collection, Sequence
from typing import Any

from fireside.domain.facts import facts_of
from fireside.domain.ids import AssetId, JobId, UserId
from fireside.domain.tags import TooManyTags
from fireside.store.database import Rows, Statement, Transaction
from fireside.store.rows import from_json, ids_json, to_json

MAX_TAG_SETS = 10_000
"""So many different sets of tags a user's assets may have; a list looks at each."""


def find_tag_set(tx: Transaction, user_id: UserId, tags: Sequence[str]) -> Rows:
    """Look for the number of a set of tags."""
    return tx.run("tag_set_of", _named(user_id, tags))


def tag_set_of(tx: Transaction, user_id: UserId, tags: Sequence[str], known: Rows) -> int:
    """Give the number of a set of tags, a new one if it was not found."""
    if known:
        return known[0]["tag_set"]
    (counted,) = tx.run("count_tag_sets", {"user_id": user_id})
    if counted["n"] >= MAX_TAG_SETS:
        tx.run("remove_unused_tag_sets", {"user_id": user_id})
        (counted,) = tx.run("count_tag_sets", {"user_id": user_id})
    if counted["n"] >= MAX_TAG_SETS:
        raise TooManyTags(f"Your assets have {MAX_TAG_SETS} different sets of tags; use fewer kinds of tags.")
    (row,) = tx.run("add_tag_set", _named(user_id, tags), expect=1)
    return row["tag_set"]


def _named(user_id: UserId, tags: Sequence[str]) -> dict[str, Any]:
    return {"user_id": user_id, "tags": to_json(tags).decode()}


def tally_statements_of_assets(
    *, assets: Collection[AssetId] = (), jobs: Collection[JobId] = (), by: int, may_have_facts: bool = True
) -> list[Statement]:
    """Give the statements that count in (`by` 1) or out (-1) these assets, and those that the jobs have made."""
    params = {"ids": ids_json(assets), "jobs": ids_json(jobs), "by": by}
    queries = ("tally_asset_totals", "tally_asset_blocks", "tally_asset_forms")
    if may_have_facts:
        queries += ("tally_asset_facts", "tally_asset_fact_forms")
    queries += ("tally_asset_bytes",)
    if by < 0:
        queries += ("remove_empty_asset_forms", "remove_empty_asset_facts", "remove_empty_asset_fact_forms")
    return [Statement(query, params) for query in queries]


def tally_assets(tx: Transaction, assets: Collection[AssetId], by: int, *, may_have_facts: bool = True) -> None:
    """Count these assets in or out."""
    if assets:
        for statement in tally_statements_of_assets(assets=assets, by=by, may_have_facts=may_have_facts):
            tx.run(statement.query, statement.params)


def tally_places(tx: Transaction, assets: Collection[AssetId], by: int) -> None:
    """Count these assets in or out where they stand in each order, and nowhere else."""
    if assets:
        tx.run("tally_asset_blocks", {"ids": ids_json(assets), "jobs": "[]", "by": by})


def note_facts(tx: Transaction, asset_id: AssetId, user_metadata: bytes) -> None:
    """Make what the owner's words say findable; there is nothing of the asset yet."""
    facts = facts_of(from_json(user_metadata))
    if facts:
        tx.run("add_asset_facts", {"id": asset_id, "facts": to_json(sorted(facts)).decode()})


def count_assets_anew(tx: Transaction, user_id: UserId) -> None:
    """Put the user's totals right; the library is cut into blocks and pieces again when upkeep finds it large."""
    mine = {"user_id": user_id}
    tx.run("uncut_library", mine)
    tx.run("remove_asset_pieces", mine)
    tx.run("place_asset_facts", mine)
    for kind in ("totals", "forms", "facts", "fact_forms", "bytes"):
        tx.run(f"clear_asset_{kind}", mine)
        tx.run(f"fill_asset_{kind}", mine)
