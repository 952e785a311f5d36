"""Finding a user's assets by what tags do not say: titles, the owner's metadata, bytes and jobs.

How many there are is known before they are looked for. Titles of one form, which differ in digits alone, are counted
together, and so are facts of the metadata, and both at once; these counts are kept for each set of tags, so that a word
that most titles have is counted without looking at a title. Where they say nothing exact, as of two facts at once, the
bits of a large library do (`asset_matches`); and where these do not either, assets are looked at one by one, as many as
one condition leaves over.

A window is then read in the cheapest of three ways: all that one condition leaves over are looked up and sorted; the
order is walked along until the window is full, that of the assets with a fact where one is asked for; or, of a large
library, it is known where all that match stand. More than `MOST_LOOKED_AT` are not looked at.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from fireside.domain.asset_listing import AssetFilter, AssetPlace, AssetSort, AssetWindow, SearchTooBroad
from fireside.domain.facts import conditions_of
from fireside.store.asset_bits import GRAM, form_of, grams, has_digits
from fireside.store.asset_columns import KnownColumns
from fireside.store.asset_matches import MOST_OPEN, Asked, Matches, find_matches
from fireside.store.asset_orders import LAST_NUMBER, Order, bound_after, edge_of, window_params
from fireside.store.database import Rows, Transaction
from fireside.store.rows import ids_json, to_json

MOST_LOOKED_AT = 100_000
"""So many assets a search looks at one by one; one that would have to look at more is refused."""

# So few are looked up sooner than told by pieces.
_FEW = 512
# So few are sorted rather than walked to, wherever they may lie.
_FEW_SORTED = 4096
# Where more than so many match, pieces are asked where they stand only if an order had to be walked along so far.
_MANY = 65_536
_FAR_ALONG = 8192
_MOST_FORMS = 4096
_ANY_SET = 0
_OF_ANY = 4
# To look at so many rows of facts, or of counters, costs as much as looking up one asset.
_ROWS_OF_FACTS = 4
# To walk along so many rows of a fact costs as much as looking up one asset.
_ROWS_WALKED = 32
# Few assets with a fact among so many times as many may lie all at the far end of them: these are not walked along.
_FAR = 64


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

    def __init__(self, tx: Transaction, wanted: AssetFilter, order: Order, known: KnownColumns) -> None:
        self._tx = tx
        self._known = known
        self._wanted = wanted
        self._order = order
        self._needle = wanted.name_contains.casefold()
        self._conditions = conditions_of(wanted.metadata)
        self._params = self._all_params()
        self._exact: Mapping[int, int] | None = None
        self._words: tuple[str, str] | None = None
        # How many assets have the fact that is looked for, whatever their tags.
        self._having_fact: int | None = None
        self._matches: Matches | None = None

    def find(self, *, by_sets: bool = False) -> Found:
        """Count what there is, as set 0 where nobody asks by which sets; raises `SearchTooBroad`."""
        candidates = self._candidates(by_sets=by_sets)
        source = min(candidates, key=lambda source: candidates[source])
        if self._exact is not None:
            return Found(counts=self._exact, source=source, candidates=candidates[source])
        if self._matches is not None:
            counts = self._matches.by_sets() if by_sets else {_ANY_SET: self._matches.total}
            return Found(counts=counts, source=source, candidates=candidates[source])
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
        among = self._order.library if self._having_fact is None else self._having_fact
        walked = (min(skip, behind) + wanted) * among // found.total
        if self._matches is None and self._is_alone and self._is_dear(found, walked):
            self._note_matches()
        if self._matches is not None:
            return self._at(self._matches, window)
        if min(walked, found.candidates) > MOST_LOOKED_AT:
            raise SearchTooBroad(_ADVICE)
        if self._is_better_sorted(found, walked):
            return self._sort(found.source, window, skip)
        if behind < skip:
            return self._walk(self._order.turned, self._edge(self._order.turned), behind, wanted)[::-1]
        return self._walk(self._order, self._begin(window) or self._edge(self._order), skip, wanted)

    def read_told(self, window: AssetWindow, most_open: int) -> Rows | None:
        """Read a window, one more than its limit, if pieces tell where it is by looking at so few open places."""
        matches = self._note_matches(most_open)
        return self._at(matches, window) if matches else None

    def _is_dear(self, found: Found, walked: int) -> bool:
        """Whether to sort or to walk costs more than to ask pieces where all stand."""
        if self._is_better_sorted(found, walked):
            return found.candidates > _FEW
        if self._having_fact is not None and not self._params["asks_more"]:
            walked //= _ROWS_WALKED
        return walked > (_FAR_ALONG if found.total > _MANY else _FEW)

    def _is_better_sorted(self, found: Found, walked: int) -> bool:
        if self._having_fact is None:
            return found.candidates <= max(_FEW_SORTED, walked)
        if found.candidates <= _FEW_SORTED and found.candidates * _FAR < self._having_fact:
            return True
        return found.candidates <= (walked if self._params["asks_more"] else walked // _ROWS_OF_FACTS)

    def _begin(self, window: AssetWindow) -> AssetPlace | None:
        return bound_after(window.sort, window.after, descending=window.descending) if window.after else None

    def _edge(self, order: Order) -> AssetPlace:
        """Say where the first can be: by name, not before the first form that has the text."""
        if self._words is None or order.sort is not AssetSort.NAME:
            return edge_of(order)
        first, last = self._words
        # What has the last word stands before the bound.
        return (
            replace(edge_of(order), word=last, place=LAST_NUMBER)
            if order.descending
            else replace(edge_of(order), word=first)
        )

    def _walk(self, order: Order, bound: AssetPlace, skip: int, limit: int) -> Rows:
        what = "assets" if self._having_fact is None else "asset_fact"
        return self._tx.run(f"walk_{what}_{order.suffix()}", self._params | window_params(bound, skip, limit))

    def _sort(self, source: str, window: AssetWindow, skip: int) -> Rows:
        bound = self._begin(window)
        how: dict[str, Any] = {"source": source, "sort": window.sort.value, "is_bounded": bound is not None}
        params = self._params | how | window_params(bound or AssetPlace(place=0), skip, window.limit + 1)
        return self._tx.run(f"search_assets_{'descending' if window.descending else 'ascending'}", params)

    def _at(self, matches: Matches, window: AssetWindow) -> Rows:
        """Read a window where it is known where all stand, by name nearly so."""
        places, before = matches.window(window)
        params = self._params | {"places": to_json(places).decode()}
        if window.sort is not AssetSort.NAME:
            there = {row["place"]: row for row in self._tx.run("assets_at_places", params)}
            return [there[place] for place in places if place in there]
        params |= window_params(window.after or AssetPlace(place=0), before, window.limit + 1)
        params["is_bounded"] = window.after is not None
        return self._tx.run(f"named_assets_at_places_{'descending' if window.descending else 'ascending'}", params)

    def _candidates(self, *, by_sets: bool) -> dict[str, int]:
        """Say how many assets each condition leaves over that can be looked up; note the answer when that is all."""
        found = {"tags": self._order.rows}
        if self._wanted.hash is not None:
            found["hash"] = self._count("hash")
        if self._wanted.job_ids is not None:
            found["jobs"] = self._count("jobs")
        facts = sum(map(len, (*self._conditions.wanted, self._conditions.unwanted)))
        if facts:
            found |= self._candidates_of_facts()
        is_counted = bool(self._needle) and not self._has_digits and facts == len(self._conditions.wanted) <= 1
        if self._exact is None and self._is_alone and not is_counted and min(found.values()) > _FEW:
            self._note_matches()
        if self._needle and self._having_fact is not None and self._matches is None:
            found |= self._candidates_of_titled_facts(is_alone=self._is_alone and facts == 1)
        if self._needle and self._exact is None and self._matches is None and min(found.values()) > _FEW:
            found |= self._candidates_of_title(is_alone=self._is_alone and not facts, by_sets=by_sets)
        if self._is_alone and not facts and not self._needle:
            self._exact = self._order.totals
        return found

    @property
    def _is_alone(self) -> bool:
        """Whether nothing is asked for that pieces and counters do not know."""
        return self._wanted.hash is None and self._wanted.job_ids is None

    def _note_matches(self, most_open: int = MOST_OPEN) -> Matches | None:
        """Note what matches, if pieces tell."""
        self._matches = find_matches(
            self._tx,
            Asked(
                user_id=self._order.user_id,
                wanted=self._wanted,
                needle=self._needle,
                conditions=self._conditions,
                params=self._params,
                sort=self._order.sort,
                known=self._known,
                most_open=most_open,
            ),
        )
        return self._matches

    def _candidates_of_facts(self) -> dict[str, int]:
        wanted, unwanted = self._conditions.wanted, self._conditions.unwanted
        asked = [fact for group in (*wanted, unwanted) for fact in group]
        rows = self._tx.run("count_asset_facts", self._params | {"facts": to_json(asked).decode()})
        if self._is_alone and len(asked) == 1 and not self._needle:
            having = self._wanted_of(rows)
            self._exact = having if wanted else _without(self._order.totals, having)
        if not wanted:
            return {}
        groups = [[row for row in rows if row["fact"] in group] for group in wanted]
        # What has one certain fact can be walked along.
        rarest = min(range(len(wanted)), key=lambda group: _sum(groups[group]) * (_OF_ANY if wanted[group][1:] else 1))
        self._params["facts"] = to_json(wanted[rarest]).decode()
        found = {"facts": self._dear(groups[rarest])}
        if len(wanted[rarest]) == 1:
            self._having_fact = _sum(groups[rarest])
        return found

    def _candidates_of_titled_facts(self, *, is_alone: bool) -> dict[str, int]:
        form = {"needle": self._params["form"], "limit": _MOST_FORMS}
        rows = self._tx.run("count_asset_fact_forms", self._params | form)
        if sum(row["counts"] for row in rows) >= _MOST_FORMS:
            return {}
        rows = [row for row in rows if row["n"]]
        if rows:
            self._words = min(row["first_word"] for row in rows), max(row["last_word"] for row in rows)
        if is_alone and not self._has_digits:
            self._exact = self._wanted_of(rows)
        return {"titled facts": self._dear(rows)}

    def _wanted_of(self, rows: Rows) -> dict[int, int]:
        """Give how many there are of each wanted set of tags."""
        return {row["tag_set"]: row["n"] for row in rows if row["tag_set"] in self._order.totals}

    def _dear(self, rows: Rows) -> int:
        """Say how many assets are looked up by rows of facts; of those with other tags, only the row is looked at."""
        here = sum(row["n"] for row in rows if row["tag_set"] in self._order.totals)
        return max(here, _sum(rows) // _ROWS_OF_FACTS)

    def _candidates_of_title(self, *, is_alone: bool, by_sets: bool) -> dict[str, int]:
        form = {"needle": self._params["form"]}
        (counted,) = self._tx.run("count_asset_forms", self._params | form | {"limit": _MOST_FORMS})
        is_known, most = counted["forms"] < _MOST_FORMS, counted["n"]
        if is_known and most:
            self._words = counted["first_word"], counted["last_word"]
        is_exact = is_known and not self._has_digits
        if is_exact and is_alone and (not most or (self._order.is_whole and not by_sets)):
            self._exact = {_ANY_SET: most} if most else {}
        elif is_exact and is_alone and most > _FEW:
            if most <= _MANY and self._note_matches():
                return {}
            rows = self._tx.run("count_asset_forms_by_sets", self._params | form)
            self._exact = {row["tag_set"]: row["n"] for row in rows}
        if self._exact is None and (most > _FEW or not is_known) and self._is_alone and self._note_matches():
            return {}
        if len(self._needle) < GRAM:
            return {}
        return {"title": most if is_exact or (is_known and most <= _FEW) else self._count("title")}

    def _count(self, source: str) -> int:
        limit = {"source": source, "limit": MOST_LOOKED_AT + 1}
        (counted,) = self._tx.run("count_asset_candidates", self._params | limit)
        return counted["n"]

    @property
    def _has_digits(self) -> bool:
        """Whether the form of a title does not say if the text is in it."""
        return has_digits(self._needle)

    def _all_params(self) -> dict[str, Any]:
        wanted, conditions = self._wanted, self._conditions
        return self._order.sets | {
            "needle": self._needle,
            "form": form_of(self._needle),
            "grams": to_json(list(dict.fromkeys(grams(self._needle)))).decode(),
            "hash": wanted.hash or "",
            "by_jobs": wanted.job_ids is not None,
            "jobs": ids_json(wanted.job_ids or ()),
            "facts": "[]",
            "wanted": to_json(conditions.wanted).decode(),
            "unwanted": to_json(conditions.unwanted).decode(),
            # Beside tags, a title and one fact.
            "asks_more": len(conditions.wanted) > 1
            or bool(conditions.unwanted)
            or wanted.hash is not None
            or wanted.job_ids is not None,
        }


_ADVICE = (
    f"More than {MOST_LOOKED_AT:,} assets would have to be looked at one by one. Add a tag or a longer part of the"
    " name, or use after, the next_cursor of the page before, instead of an offset."
)


def _without(totals: Mapping[int, int], counts: Mapping[int, int]) -> dict[int, int]:
    return {number: left for number, rows in totals.items() if (left := rows - counts.get(number, 0))}


def _sum(rows: Rows) -> int:
    return sum(row["n"] for row in rows)
