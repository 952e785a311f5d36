"""The store's verbs about walks through a user's jobs by state, labels and workflow, newest first, a page at a time.

A page reads on from where the one before ended and looks at a bounded number of jobs, however long the history is: of
the lists that the jobs wanted are all in (one for each label, one for the workflow, one for the states), it follows the
one that is thinnest there and looks up in the others. A page of jobs that are rare in every list can end before it is
full, even empty; the next one goes on behind it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fireside.domain.assets import Asset
from fireside.domain.ids import JobId, UserId
from fireside.domain.listing import JobsOfAll, JobWalk, PlaceAmongAll, WalkPage
from fireside.domain.outputs import Media
from fireside.store.classes import are_whole, classes_of
from fireside.store.database import Row, Rows, Statement, Transaction
from fireside.store.history_verbs import PLACE_BITS, PLACE_MASK, created_places, created_places_of_workflow
from fireside.store.records import Drain, NamedRun
from fireside.store.rows import asset_of, ids_json, job_of, to_json
from fireside.store.times import from_time
from fireside.store.verbs import Verbs

_PROBED = 255
"""How far ahead the lists are compared."""
_CHUNK = 512
_MOST_LOOKED_AT = 2048
"""How many jobs a page looks at before it ends unfilled."""

_BEFORE_ALL = PlaceAmongAll((1 << 63) - 1, (1 << 63) - 1)
_WORKFLOW = ""
"""Stands where the key of a label does, for a list of the jobs of a workflow; no label has it."""

_Mark = tuple[str, str]
"""What the jobs of a list have in common: a label, or the workflow."""


class WalkVerbs(Verbs):
    """Walks, what is shown on their pages, and places in the queue."""

    async def walk_jobs(self, user_id: UserId, wanted: JobWalk) -> WalkPage:
        """Read the next page of a walk; the cost does not grow with the history."""
        return await self._database.look(lambda tx: _walk(tx, user_id, wanted))

    async def newest_jobs_of_all(self, after: PlaceAmongAll | None, *, limit: int) -> JobsOfAll:
        """Read the next page of everybody's jobs, newest first; the cost does not grow with how many there are."""
        before = after or _BEFORE_ALL
        # One more than asked for tells whether any follow.
        params = {"before_us": before.created_us, "before_pk": before.pk, "limit": limit + 1}
        rows = await self._all("newest_jobs_of_all", params)
        shown = rows[:limit]
        end = PlaceAmongAll(from_time(shown[-1]["created_at"]), shown[-1]["pk"]) if len(rows) > limit else None
        return JobsOfAll(jobs=[job_of(row) for row in shown], next_after=end)

    async def queue_places(self, user_id: UserId, job_ids: Sequence[JobId]) -> Mapping[JobId, int]:
        """Say at which places of the user's queue the jobs wait, from 1 on; those that do not wait are left out."""
        rows = await self._all("queue_places", {"user_id": user_id, "ids": ids_json(job_ids)})
        return {JobId(row["id"]): row["place"] for row in rows}

    async def assets_of_jobs(self, job_ids: Sequence[JobId]) -> Mapping[JobId, Sequence[Asset]]:
        """Read the files that the jobs have made, in the order they came; a job without any is left out."""
        made: dict[JobId, list[Asset]] = {}
        for asset in map(asset_of, await self._all("assets_of_jobs", {"ids": ids_json(job_ids)}) if job_ids else ()):
            if asset.origin is not None:
                made.setdefault(asset.origin.job_id, []).append(asset)
        return made

    async def named_runs(self, job_ids: Sequence[JobId]) -> Mapping[JobId, NamedRun]:
        """Read what those of the jobs run that were submitted by the name of a saved workflow."""
        rows = await self._all("named_runs", {"ids": ids_json(job_ids)}) if job_ids else ()
        return {
            JobId(row["job_id"]): NamedRun(workflow=row["workflow"], inputs=row["inputs"], outputs=row["outputs"])
            for row in rows
        }

    async def drain_since(self, since: datetime, *, user_id: UserId | None = None) -> Drain:
        """Say how the user's jobs, or everybody's, have run and ended after some time, and what has not."""
        queries = ("runs_ended_since", "stands_since")
        if user_id is None:
            queries = ("all_runs_ended_since", "all_stands_since")
        params = {"since": since, "user_id": user_id}
        (ended,), (standing,) = await self._database.read([Statement(query, params) for query in queries])
        return Drain(ended=ended["ended"], begun_at=ended["begun_at"], stands_since=standing["since_at"])


@dataclass(frozen=True, slots=True)
class _Stretch:
    """The part of a user's history that a page may come from, and what is wanted of it."""

    user_id: UserId
    wanted: JobWalk

    @property
    def marks(self) -> Sequence[_Mark]:
        workflow_id = self.wanted.workflow_id
        return [*self.wanted.labels.items(), *([(_WORKFLOW, workflow_id)] if workflow_id is not None else [])]

    @property
    def first(self) -> int:
        return self.user_id << PLACE_BITS

    @property
    def bound(self) -> int:
        after = self.wanted.after
        return self.first + (after if after is not None else PLACE_MASK + 1)


def _walk(tx: Transaction, user_id: UserId, wanted: JobWalk) -> WalkPage:
    stretch = _Stretch(user_id, wanted)
    mark = _thinnest(tx, stretch)
    # Where every job of the list is wanted, no more has to be looked at than is shown.
    chunk = wanted.limit + 1 if not stretch.marks and are_whole(wanted.states) else _CHUNK
    found: list[Row] = []
    bound, looked_at, is_at_end = stretch.bound, 0, False
    while not is_at_end and len(found) <= wanted.limit and looked_at < _MOST_LOOKED_AT:
        places = _places(tx, stretch, mark, bound=bound, limit=chunk)
        is_at_end = len(places) < chunk
        if places:
            found += _matching(tx, stretch, places)
            bound, looked_at = places[-1], looked_at + len(places)
    shown = found[: wanted.limit]
    end = None if is_at_end else bound
    if len(found) > len(shown):
        end = shown[-1]["pk"]
    return WalkPage(jobs=[job_of(row) for row in shown], next_after=None if end is None else end & PLACE_MASK)


def _thinnest(tx: Transaction, stretch: _Stretch) -> _Mark | None:
    """Choose the list to follow, by how far back its next places reach; None for the list of the states."""
    reach = [(_reach(tx, stretch, mark), mark) for mark in stretch.marks]
    if not reach:
        return None
    least, mark = min(reach)
    if least >= 0 and not stretch.wanted.is_of_all_states and _reach(tx, stretch, None) < least:
        return None
    return mark


def _reach(tx: Transaction, stretch: _Stretch, mark: _Mark | None) -> int:
    ahead = _places(tx, stretch, mark, bound=stretch.bound, limit=1, offset=_PROBED)
    return ahead[0] if ahead else -1


def _places(
    tx: Transaction, stretch: _Stretch, mark: _Mark | None, *, bound: int, limit: int, offset: int = 0
) -> list[int]:
    """Read the next places of the list of a label, of the workflow or, without either, of the states."""
    classes = classes_of(stretch.wanted.states, Media.NONE)
    if mark is None:
        return created_places(tx, stretch.user_id, classes, bound, limit, offset=offset)
    key, value = mark
    if key == _WORKFLOW:
        return created_places_of_workflow(tx, stretch.user_id, value, classes, bound, limit, offset=offset)
    params: dict[str, Any] = {"key": key, "value": value, "first": stretch.first, "bound": bound}
    return [row["job_pk"] for row in tx.run("label_places", params | {"limit": limit, "offset": offset})]


def _matching(tx: Transaction, stretch: _Stretch, places: Sequence[int]) -> Rows:
    params = {
        "places": to_json(places).decode(),
        "states": to_json(sorted(stretch.wanted.states)).decode(),
        "labels": to_json(dict(stretch.wanted.labels)).decode(),
        "workflow_id": stretch.wanted.workflow_id,
        "limit": stretch.wanted.limit + 1,
    }
    return tx.run("labeled_jobs", params)
