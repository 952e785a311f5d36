"""Finding a user's assets by what tags do not say: titles, the owner's metadata, bytes and jobs.

How many there are is known before they are looked for. Titles of one form, which differ in digits alone, are counted
together, and so are facts of the metadata; both counts are kept for each set of tags, so that a word that most titles
have is counted without looking at a title. Where these say nothing exact, as of two conditions at once, assets are
looked at one by one, as many as one condition leaves over.

A window is then read in the cheaper of two ways: all that one condition leaves over are looked up and sorted, or the
order is walked along until the window is full. Evenly spread, that is at most the geometric mean of a library and of
where the window ends. More than `MOST_LOOKED_AT` are not looked at.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from fireside.domain.asset_listing import AssetFilter, AssetPlace, AssetSort, AssetWindow, SearchTooBroad
from fireside.domain.facts import conditions_of
from fireside.store.asset_orders import Order, bound_after, edge_of, window_params
from fireside.store.database import Rows, Transaction
from fireside.store.rows import ids_json, to_json

MOST_LOOKED_AT = 100_000
"""So many assets a search looks at one by one; one that would have to look at more is refused."""

_FEW = 4096
_MOST_FORMS = 10_000
_GRAM = 3
_DIGITS = "0123456789"
_SAME_DIGITS = str.maketrans(_DIGITS, "0" * 10)
_ANY_SET = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What was found: how many of each set of tags, and by which condition they can be looked up."""

    counts: Mapping[int, int]
    source: str
    candidates: int

    @property
    def total(self) -> int:
        """How many there are."""
        return sum(self.counts.values())


class Search:
    """Conditions beside tags, and how the assets that meet them are found."""

    def __init__(self, tx: Transaction, wanted: AssetFilter, order: Order) -> None:
        self._tx = tx
        self._wanted = wanted
        self._order = order
        self._needle = wanted.name_contains.casefold()
        self._conditions = conditions_of(wanted.metadata)
        self._params = self._all_params()
        self._exact: Mapping[int, int] | None = None
        self._words: tuple[str, str] | None = None
        self._having_one_fact: int | None = None

    def find(self, *, by_sets: bool = False) -> Found:
        """Count what there is, as set 0 where nobody asks by which sets; raises `SearchTooBroad`."""
        candidates = self._candidates(by_sets=by_sets)
        source = min(candidates, key=lambda source: candidates[source])
        if self._exact is not None:
            return Found(counts=self._exact, source=source, candidates=candidates[source])
        if candidates[source] > MOST_LOOKED_AT:
            raise SearchTooBroad(_ADVICE)
        rows = self._tx.run("found_asset_tags", self._params | {"source": source})
        return Found(counts={row["tag_set"]: row["n"] for row in rows}, source=source, candidates=candidates[source])

    def read(self, found: Found, window: AssetWindow) -> Rows:
        """Read a window, one more than its limit; raises `SearchTooBroad`."""
        skip = 0 if window.after else window.offset
        wanted = min(window.limit + 1, found.total - skip)
        if wanted <= 0:
            return []
        behind = skip if window.after else found.total - skip - wanted
        among = self._order.library if self._walks_all(window.sort) else self._having_one_fact or 0
        walked = (min(skip, behind) + wanted) * among // found.total
        if min(walked, found.candidates) > MOST_LOOKED_AT:
            raise SearchTooBroad(_ADVICE)
        if found.candidates <= _FEW or found.candidates <= walked:
            return self._sort(found.source, window, skip)
        if behind < skip:
            return self._walk(self._order.turned, self._edge(self._order.turned), behind, wanted)[::-1]
        return self._walk(self._order, self._begin(window) or self._edge(self._order), skip, wanted)

    def _begin(self, window: AssetWindow) -> AssetPlace | None:
        return bound_after(window.sort, window.after, descending=window.descending) if window.after else None

    def _edge(self, order: Order) -> AssetPlace:
        """Say where the first can be: by name, not before the first form that has the text."""
        if self._words is None or order.sort is not AssetSort.NAME:
            return edge_of(order)
        return replace(edge_of(order), word=self._words[order.descending])

    def _walk(self, order: Order, bound: AssetPlace, skip: int, limit: int) -> Rows:
        walk = f"walk_assets_{order.suffix()}"
        if not self._walks_all(order.sort):
            walk = f"walk_asset_fact_{'descending' if order.descending else 'ascending'}"
        return self._tx.run(walk, self._params | window_params(bound, skip, limit))

    def _walks_all(self, sort: AssetSort) -> bool:
        # What has a fact is in create order already.
        return self._having_one_fact is None or sort is not AssetSort.CREATED_AT

    def _sort(self, source: str, window: AssetWindow, skip: int) -> Rows:
        bound = self._begin(window)
        how = {"source": source, "sort": window.sort.value, "is_bounded": bound is not None}
        params = self._params | how | window_params(bound or AssetPlace(place=0), skip, window.limit + 1)
        return self._tx.run(f"search_assets_{'descending' if window.descending else 'ascending'}", params)

    def _candidates(self, *, by_sets: bool) -> dict[str, int]:
        """Say how many assets each condition leaves over that can be looked up; note the answer when that is all."""
        found = {"tags": self._order.rows}
        if self._wanted.hash is not None:
            found["hash"] = self._count("hash")
        if self._wanted.job_ids is not None:
            found["jobs"] = self._count("jobs")
        asked = [*self._conditions.wanted, self._conditions.unwanted]
        is_alone = self._wanted.hash is None and self._wanted.job_ids is None
        if any(asked):
            found |= self._candidates_of_facts(is_alone=is_alone and not self._needle)
        if self._needle and min(found.values()) > _FEW:
            found |= self._candidates_of_title(is_alone=is_alone and not any(asked), by_sets=by_sets)
        if is_alone and not any(asked) and not self._needle:
            self._exact = self._order.totals
        return found

    def _candidates_of_facts(self, *, is_alone: bool) -> dict[str, int]:
        wanted, unwanted = self._conditions.wanted, self._conditions.unwanted
        asked = [fact for group in (*wanted, unwanted) for fact in group]
        rows = self._tx.run("count_asset_facts", self._params | {"facts": to_json(asked).decode()})
        if is_alone and len(asked) == 1:
            having = {row["tag_set"]: row["n"] for row in rows}
            self._exact = having if wanted else _without(self._order.totals, having)
        if not wanted:
            return {}
        sizes = [sum(row["n"] for row in rows if row["fact"] in group) for group in wanted]
        rarest = min(range(len(wanted)), key=lambda group: sizes[group])
        self._params["facts"] = to_json(wanted[rarest]).decode()
        if len(wanted[rarest]) == 1:
            self._having_one_fact = sizes[rarest]
        return {"facts": sizes[rarest]}

    def _candidates_of_title(self, *, is_alone: bool, by_sets: bool) -> dict[str, int]:
        form = {"needle": self._needle.translate(_SAME_DIGITS)}
        (counted,) = self._tx.run("count_asset_forms", self._params | form | {"limit": _MOST_FORMS})
        is_known, most = counted["forms"] < _MOST_FORMS, counted["n"]
        if is_known and most:
            self._words = counted["first_word"], counted["last_word"]
        is_exact = is_known and not any(digit in self._needle for digit in _DIGITS)
        if is_exact and is_alone and (not most or (self._order.is_whole and not by_sets)):
            self._exact = {_ANY_SET: most} if most else {}
        elif is_exact and is_alone and most > _FEW:
            rows = self._tx.run("count_asset_forms_by_sets", self._params | form)
            self._exact = {row["tag_set"]: row["n"] for row in rows}
        if len(self._needle) < _GRAM:
            return {}
        return {"title": most if is_exact or (is_known and most <= _FEW) else self._count("title")}

    def _count(self, source: str) -> int:
        limit = {"source": source, "limit": MOST_LOOKED_AT + 1}
        (counted,) = self._tx.run("count_asset_candidates", self._params | limit)
        return counted["n"]

    def _all_params(self) -> dict[str, Any]:
        wanted, conditions = self._wanted, self._conditions
        return self._order.sets | {
            "needle": self._needle,
            "grams": to_json(_grams(self._needle)).decode(),
            "hash": wanted.hash or "",
            "by_jobs": wanted.job_ids is not None,
            "jobs": ids_json(wanted.job_ids or ()),
            "facts": "[]",
            "wanted": to_json(conditions.wanted).decode(),
            "unwanted": to_json(conditions.unwanted).decode(),
        }


_ADVICE = (
    f"More than {MOST_LOOKED_AT:,} assets would have to be looked at one by one. Add a tag or a longer part of the"
    " name, or use after, the next_cursor of the page before, instead of an offset."
)


def _without(totals: Mapping[int, int], counts: Mapping[int, int]) -> dict[int, int]:
    return {number: left for number, rows in totals.items() if (left := rows - counts.get(number, 0))}


def _grams(needle: str) -> Sequence[str]:
    """Give the parts of a text that are three characters long, as the indexes of titles have them."""
    return list(dict.fromkeys(needle[start : start + _GRAM] for start in range(len(needle) - _GRAM + 1)))
