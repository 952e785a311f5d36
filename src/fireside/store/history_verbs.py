"""The store's verbs about lists of jobs: a window over them with its exact total, removing them, and their counters.

A page costs the same however many jobs there are and wherever it lies: totals are read from counters that are kept in
the transaction of each change, an offset is found through blocks (`blocks`), and only then are rows read, from an
index that has them in order and from its nearer end. Histories that are not large yet have no blocks and simply skip
rows.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from fireside.domain.ids import JobId, UserId
from fireside.domain.jobs import Job
from fireside.domain.listing import JobFilter, JobPage, JobSort, Window
from fireside.domain.outputs import Media
from fireside.domain.retention import EndedJob, Retention
from fireside.store.asset_counting import count_assets_anew, tally_statements_of_assets
from fireside.store.blocks import ACTIVE_AXIS, ALL_RUNS, ENDED_AXES, Found, Stretch, edges, next_coarse_edge
from fireside.store.classes import (
    ACTIVE_CLASSES,
    COUNTED_STATES,
    ENDED_SLOTS,
    RUNNING_CLASS,
    are_whole,
    classes_of,
    state_of,
)
from fireside.store.counters import Tally, tally_statement, tally_statements
from fireside.store.database import Rows, Statement, Transaction
from fireside.store.records import EndedHistory
from fireside.store.rows import ids_json, job_of, to_json
from fireside.store.verbs import Verbs

LARGE_HISTORY = 8192
"""From this many jobs on a history is counted in blocks."""
PLACE_BITS = 40
"""Above these bits of a job's `pk` is its user, below them its place in create order."""
PLACE_MASK = (1 << PLACE_BITS) - 1

_ROWS_SKIPPED = 1024
_COUNTED_AT_ONCE = 20_000
_LONG_RUN_US = 1 << 42
_ACTIVE_BLOCKS = -1
_NO_CLASS = -1
_BEYOND = ALL_RUNS


class HistoryVerbs(Verbs):
    """Lists of jobs."""

    async def list_jobs(self, user_id: UserId, wanted: JobFilter, window: Window) -> JobPage:
        """One page with its exact total, both of one state of the database.

        RUN_TIME sorts by microseconds, jobs that have not run to an end as 0.
        """
        if wanted.media is Media.NONE and not are_whole(wanted.states):
            return await self._list_states(user_id, wanted, window)
        return await self._database.look(lambda tx: _page(tx, user_id, wanted, window))

    async def count_jobs(self) -> Mapping[str, int]:
        """Say how many jobs of all users are in each state, from counters; `running` are also those told to stop."""
        classes, (queued,) = await self._database.read([Statement("jobs_by_class"), Statement("queued_in_all")])
        counts: dict[str, int] = dict.fromkeys(COUNTED_STATES, 0)
        for row in classes:
            counts[state_of(row["class"])] += row["n"]
        counts["assigned"] = max(0, counts["queued"] - queued["n"])
        counts["queued"] = queued["n"]
        return counts

    async def delete_jobs(self, user_id: UserId, job_ids: Collection[JobId] | None) -> Sequence[JobId]:
        """Remove terminal jobs of the user (all of them for None) from history, their outputs' assets included."""
        if job_ids is None:
            return await self._database.decide(lambda tx: _delete_all(tx, user_id))
        return await self._database.decide(lambda tx: _delete(tx, user_id, ids_json(job_ids)))

    async def ended_histories(self, after: UserId, *, limit: int) -> Sequence[EndedHistory]:
        """Look at the users behind this one, in the order of their ids; the cost does not grow with their jobs."""
        return [EndedHistory(**row) for row in await self._all("ended_histories", {"after": after, "limit": limit})]

    async def prune_history(self, user_id: UserId, retention: Retention, now: datetime, *, weight: int) -> int:
        """Remove those of the user's ended jobs that are not kept, the first that ended first; answer how many.

        Weight bounds how many jobs and outputs go in this one transaction. The counters stay exact.
        """
        return await self._database.decide(lambda tx: _prune(tx, user_id, retention, now, weight))

    async def promote_large_histories(self, *, at_least: int = LARGE_HISTORY) -> int:
        """Begin to count histories in blocks that have become large; answer how many.

        Being late makes deep pages of such a history slower, never wrong.
        """
        large = await self._all("large_histories", {"at_least": at_least})
        for row in large:
            history = {"user_id": row["user_id"], "workflow": row["workflow"], "runs_below": ALL_RUNS}
            queries = ("promote_history", *_filling(row["workflow"]))
            await self._database.write([Statement(query, history) for query in queries])
        return len(large)

    async def count_runs(self, *, at_once: int = _COUNTED_AT_ONCE) -> int:
        """Count the run times of large histories of which an older schema had other blocks; answer how many.

        Of those that have more jobs than that, one coarse block is counted at a time, so that nobody waits for long.
        Until it is done, deep pages by run time are slower, never wrong.
        """
        uncounted = await self._all("uncounted_runs", {"all_runs": ALL_RUNS})
        for row in uncounted:
            history = {"user_id": row["user_id"], "workflow": row["workflow"]}
            counted = row["runs_below"]
            while counted < ALL_RUNS:
                is_rest = row["jobs"] <= at_once or counted >= _LONG_RUN_US
                below = ALL_RUNS if is_rest else next_coarse_edge(counted)
                await self._database.write(_counting(history, counted, below))
                counted = below
        return len(uncounted)

    async def miscounted(self, user_id: UserId) -> int:
        """Count the user's jobs anew, without holding up anybody, and answer how many counters are wrong."""
        return await self._database.look(lambda tx: _miscounted(tx, user_id))

    async def recount(self, user_id: UserId) -> None:
        """Put the user's counters right; nobody writes meanwhile."""
        await self._database.decide(lambda tx: _recount(tx, user_id))

    async def _list_states(self, user_id: UserId, wanted: JobFilter, window: Window) -> JobPage:
        """List by states that share their classes with others, row by row; nothing outside asks for these."""
        params = {
            "user_id": user_id,
            "classes": to_json(classes_of(wanted.states, wanted.media)).decode(),
            "states": to_json(sorted(wanted.states)).decode(),
            "workflow_id": wanted.workflow_id,
        }
        page = params | {"limit": window.limit, "offset": window.offset}
        query = f"list_states_by_{window.sort.value}_{_order(descending=window.descending)}"
        rows, totals = await self._database.read([Statement(query, page), Statement("count_states", params)])
        return JobPage(jobs=[job_of(row) for row in rows], total=totals[0]["total"])


def created_places(
    tx: Transaction, user_id: UserId, classes: Sequence[int], bound: int, limit: int, *, offset: int = 0
) -> list[int]:
    """Read where the user's jobs of these classes are below the bound, by their `pk`, newest first."""
    history = _History(user_id, "", dict.fromkeys(classes, (0, 0)), descending=True)
    rows = tx.run("created_places", _slots(history) | {"bound": bound, "limit": limit, "offset": offset})
    return [row["pk"] for row in rows]


def created_places_of_workflow(
    tx: Transaction, user_id: UserId, workflow: str, classes: Sequence[int], bound: int, limit: int, *, offset: int = 0
) -> list[int]:
    """Read where the user's jobs of one workflow are, as `created_places` does."""
    history = _History(user_id, workflow, dict.fromkeys(classes, (0, 0)), descending=True)
    window = {"workflow": workflow, "bound": bound, "limit": limit, "offset": offset}
    rows = tx.run("created_places_of_workflow", _slots(history) | window)
    return [row["pk"] for row in rows]


@dataclass(frozen=True, slots=True)
class _History:
    """The jobs a page is cut from: all of a user's or those of one workflow, of some classes that are not empty."""

    user_id: UserId
    workflow: str
    totals: Mapping[int, tuple[int, int]]
    """By class: how many, and how many of them never ran."""
    descending: bool

    @property
    def key(self) -> dict[str, Any]:
        return {"user_id": self.user_id, "workflow": self.workflow}

    @property
    def active(self) -> list[int]:
        return [number for number in self.totals if number in ACTIVE_CLASSES]

    @property
    def ended(self) -> list[int]:
        return [number for number in self.totals if number not in ACTIVE_CLASSES]

    @property
    def turned(self) -> "_History":
        """The same jobs, from the other end."""
        return replace(self, descending=not self.descending)

    def rows_of(self, stretch: Stretch) -> int:
        everything = sum(total for total, _ in self.totals.values())
        idle = sum(idle for _, idle in self.totals.values())
        return {Stretch.CREATED: everything, Stretch.IDLE: idle, Stretch.RUN: everything - idle}[stretch]


def _page(tx: Transaction, user_id: UserId, wanted: JobFilter, window: Window) -> JobPage:
    workflow = wanted.workflow_id or ""
    counted = tx.run("totals_of_history", {"user_id": user_id, "workflow": workflow})
    classes = set(classes_of(wanted.states, wanted.media))
    totals = {row["class"]: (row["n"], row["idle"]) for row in counted if row["class"] in classes}
    history = _History(user_id, workflow, totals, window.descending)
    total = history.rows_of(Stretch.CREATED)
    if window.sort is JobSort.CREATE_TIME:
        return _page_in_create_order(tx, history, window, total)
    jobs: list[Job] = []
    skip, left = window.offset, window.limit
    for stretch in (Stretch.RUN, Stretch.IDLE) if window.descending else (Stretch.IDLE, Stretch.RUN):
        rows = history.rows_of(stretch)
        if skip < rows and left > 0:
            found = [job_of(row) for row in _read(tx, history, stretch, skip, min(left, rows - skip))]
            jobs += found
            left -= len(found)
        skip = max(0, skip - rows)
    return JobPage(jobs=jobs, total=total)


def _page_in_create_order(tx: Transaction, history: _History, window: Window, total: int) -> JobPage:
    rows: Rows = []
    # One more than asked for tells whether any follow.
    if window.after is not None:
        bound = (history.user_id << PLACE_BITS) + window.after + (not history.descending)
        rows = _read_from(tx, history, Stretch.CREATED, bound, 0, window.limit + 1)
    elif window.offset < total:
        rows = _read(tx, history, Stretch.CREATED, window.offset, window.limit + 1)
    shown = rows[: window.limit]
    next_after = shown[-1]["pk"] & PLACE_MASK if shown and len(rows) > len(shown) else None
    return JobPage(jobs=[job_of(row) for row in shown], total=total, next_after=next_after)


def _read(tx: Transaction, history: _History, stretch: Stretch, skip: int, limit: int) -> Rows:
    """Read a window from the nearer end: the last pages then cost what the first ones do."""
    rows = history.rows_of(stretch)
    wanted = min(limit, rows - skip)
    behind = rows - skip - wanted
    if behind >= skip:
        return _read_on(tx, history, stretch, skip, wanted)
    return _read_on(tx, history.turned, stretch, behind, wanted)[::-1]


def _read_on(tx: Transaction, history: _History, stretch: Stretch, skip: int, limit: int) -> Rows:
    found = _find(tx, history, stretch, skip) if skip > _ROWS_SKIPPED else None
    if found is None:
        return _read_from(tx, history, stretch, _BEYOND if history.descending else 1, skip, limit)
    block, skip = found
    behind = block.rows - skip - limit
    if 0 <= behind < skip:
        backwards = history.turned
        return _read_from(tx, backwards, stretch, _edge(backwards, stretch, block), behind, limit)[::-1]
    return _read_from(tx, history, stretch, _edge(history, stretch, block), skip, limit)


def _read_from(tx: Transaction, history: _History, stretch: Stretch, bound: int, skip: int, limit: int) -> Rows:
    of_workflow = "_of_workflow" if history.workflow else ""
    return tx.run(
        f"list_{stretch.name.lower()}{of_workflow}_{_order(descending=history.descending)}",
        {"workflow": history.workflow} | _slots(history) | {"bound": bound, "limit": limit, "offset": skip},
    )


def _slots(history: _History) -> dict[str, Any]:
    """Name each class of a history, and none in the slots that are left."""
    ended = dict.fromkeys((f"ended_{slot}" for slot in range(ENDED_SLOTS)), _NO_CLASS)
    active = dict.fromkeys((f"active_{slot}" for slot in range(len(ACTIVE_CLASSES))), _NO_CLASS)
    ended.update(zip(ended, history.ended, strict=False))
    active.update(zip(active, history.active, strict=False))
    return {"user_id": history.user_id} | ended | active


def _find(tx: Transaction, history: _History, stretch: Stretch, skip: int) -> tuple[Found, int] | None:
    """Find the fine block that a window begins in, and how many of its rows to skip; None for a history without."""
    place = history.rows_of(stretch) - 1 - skip if history.descending else skip
    active, few = _active_blocks(history, stretch)
    asked = {"place": place, "ended_axis": ENDED_AXES[stretch], "active_axis": ACTIVE_AXIS, "few": few}
    counted = {"counted_runs": ALL_RUNS if stretch is Stretch.RUN else 0}
    classes = {"ended": to_json(history.ended).decode(), "active": to_json(active).decode()}
    rows = tx.run("find_block", history.key | asked | counted | classes)
    if not rows:
        return None
    found = Found(rows[0]["block"], rows[0]["before"], rows[0]["rows"])
    return found, found.skip(place, descending=history.descending)


def _active_blocks(history: _History, stretch: Stretch) -> tuple[list[int], int]:
    """Say which blocks count the jobs that have not ended, and whether to count those that run in (1) or out (-1).

    Blocks count them together; where those that run are told from those that wait, they are few.
    """
    if stretch is Stretch.RUN or not history.active:
        return [], 0
    if len(history.active) == len(ACTIVE_CLASSES):
        return [_ACTIVE_BLOCKS], 0
    return ([], 1) if history.active == [RUNNING_CLASS] else ([_ACTIVE_BLOCKS], -1)


def _edge(history: _History, stretch: Stretch, found: Found) -> int:
    """Give the bound from which on a fine block is read."""
    edge = edges(stretch, found.block)[history.descending]
    return max(1, edge) if stretch is Stretch.RUN else (history.user_id << PLACE_BITS) + edge


def _order(*, descending: bool) -> str:
    return "descending" if descending else "ascending"


def _delete(tx: Transaction, user_id: UserId, ids: str) -> list[JobId]:
    rows = tx.run("ended_jobs_by_ids", {"ids": ids, "user_id": user_id})
    gone = [JobId(row["id"]) for row in rows]
    found = ids_json(gone)
    tallies = [
        Tally(user_id=user_id, workflow_id=row["workflow_id"], number=row["class"], by=-1, is_idle=row["run_us"] == 0)
        for row in rows
    ]
    counting = [*tally_statements(tallies), *tally_statements_of_assets(jobs=gone, by=-1)]
    for statement in (Statement("tally_ended", {"ids": found, "by": -1}), *counting):
        tx.run(statement.query, statement.params)
    for block in tx.run("empty_blocks", {"ids": found}):
        tx.run("remove_block", {"user_id": user_id} | dict(block))
    if workflows := {row["workflow_id"] for row in rows if row["workflow_id"]}:
        tx.run("remove_empty_totals", {"user_id": user_id, "workflows": to_json(sorted(workflows)).decode()})
    return [JobId(row["id"]) for row in tx.run("delete_jobs", {"user_id": user_id, "ids": found})]


def _prune(tx: Transaction, user_id: UserId, retention: Retention, now: datetime, weight: int) -> int:
    mine = {"user_id": user_id}
    (counted,) = tx.run("count_ended", mine)
    first = [EndedJob(**row) for row in tx.run("first_ended_jobs", mine | {"limit": weight})]
    chosen = retention.superfluous(first, counted["ended"], now, weight=weight)
    return len(_delete(tx, user_id, ids_json(chosen))) if chosen else 0


def _delete_all(tx: Transaction, user_id: UserId) -> list[JobId]:
    mine = {"user_id": user_id}
    tx.run("clear_ended_totals", mine)
    tx.run("clear_ended_blocks", mine)
    deleted = [JobId(row["id"]) for row in tx.run("delete_ended_jobs", mine)]
    count_assets_anew(tx, user_id)
    return deleted


def _miscounted(tx: Transaction, user_id: UserId) -> int:
    mine = {"user_id": user_id}
    wrong = _differences(tx.run("kept_totals", mine), tx.run("actual_totals", mine))
    for row in tx.run("promoted_histories", mine):
        history = mine | {"workflow": row["workflow"]}
        actual = tx.run("actual_blocks_of_workflow" if row["workflow"] else "actual_blocks", history)
        wrong += _differences(tx.run("kept_blocks", history), actual)
    return wrong


def _differences(kept: Rows, actual: Rows) -> int:
    one, other = ({tuple(row.items()) for row in rows} for rows in (kept, actual))
    return len(one ^ other)


def _recount(tx: Transaction, user_id: UserId) -> None:
    mine = {"user_id": user_id}
    tx.run("clear_totals", mine)
    rows = tx.run("actual_totals", mine)
    count = tally_statement((user_id, row["workflow"], row["class"], row["n"], row["idle"]) for row in rows)
    tx.run(count.query, count.params)
    for row in tx.run("promoted_histories", mine):
        for query in ("clear_blocks", "promote_history", *_filling(row["workflow"])):
            tx.run(query, mine | {"workflow": row["workflow"], "runs_below": ALL_RUNS})


def _filling(workflow: str) -> tuple[str, str]:
    """Name the queries that count a history's blocks; those of one workflow come from indexes of their own."""
    if workflow:
        return "fill_ended_blocks_of_workflow", "fill_active_blocks_of_workflow"
    return "fill_ended_blocks", "fill_active_blocks"


def _counting(history: Mapping[str, Any], from_run: int, below: int) -> list[Statement]:
    """Count the run times between two edges of coarse blocks; what was counted by another cut goes first."""
    bounds = dict(history) | {"from_run": from_run, "below": below}
    filling = "fill_run_blocks_of_workflow" if history["workflow"] else "fill_run_blocks"
    queries = ("clear_run_blocks",) * (not from_run) + (filling, "raise_counted_runs")
    return [Statement(query, bounds) for query in queries]
