"""The store's verbs about lists of jobs: a window over them with its exact total, and removing them.

Which query answers depends on how much the filter says: everything of the user is a range of the table, one class is
a range of an index, several are ranges whose keys are sorted.
"""

from collections.abc import Collection, Sequence
from typing import Any

from fireside.domain.ids import JobId, UserId
from fireside.domain.listing import ALL_STATES, JobFilter, JobPage, JobSort, Window
from fireside.domain.outputs import Media
from fireside.store.classes import are_whole, classes_of, has_ended
from fireside.store.database import Statement
from fireside.store.job_verbs import ids_json
from fireside.store.rows import job_of, to_json
from fireside.store.verbs import Verbs

_Question = tuple[str, str, dict[str, Any]]


class HistoryVerbs(Verbs):
    """Lists of jobs."""

    async def list_jobs(self, user_id: UserId, wanted: JobFilter, window: Window) -> JobPage:
        """One page with its exact total, both from one read transaction.

        RUN_TIME sorts by microseconds, jobs that have not run to an end as 0.
        """
        page, total, which = _question(wanted, window.sort)
        order = "descending" if window.descending else "ascending"
        params = {"user_id": user_id} | which
        rows, totals = await self._database.read(
            [
                Statement(
                    f"list_{page}_by_{window.sort.value}_{order}",
                    params | {"limit": window.limit, "offset": window.offset},
                ),
                Statement(f"count_{total}", params),
            ]
        )
        # Of a user who does not exist there is no sum.
        return JobPage(jobs=[job_of(row) for row in rows], total=totals[0]["total"] or 0)

    async def delete_jobs(self, user_id: UserId, job_ids: Collection[JobId] | None) -> Sequence[JobId]:
        """Remove terminal jobs of the user (all of them for None) from history, their outputs' assets included."""
        if job_ids is None:
            change = Statement("delete_ended_jobs", {"user_id": user_id})
        else:
            change = Statement("delete_jobs", {"user_id": user_id, "ids": ids_json(job_ids)})
        (rows,) = await self._database.write([change])
        return [JobId(row["id"]) for row in rows]


def _question(wanted: JobFilter, sort: JobSort) -> _Question:
    """Which page query, which count query, and with what."""
    classes = classes_of(wanted.states, wanted.media)
    which: dict[str, Any] = {"classes": to_json(classes).decode()}
    if wanted.media is Media.NONE and not are_whole(wanted.states):
        states = to_json(sorted(wanted.states)).decode()
        return "states", "states", which | {"states": states, "workflow_id": wanted.workflow_id}
    if wanted.workflow_id is not None:
        return "workflow", "workflow", which | {"workflow_id": wanted.workflow_id}
    if wanted.states == ALL_STATES and wanted.media is Media.NONE:
        return ("jobs" if sort is JobSort.CREATE_TIME else "classes"), "jobs", which
    if len(classes) == 1 and has_ended(classes[0]):
        return "class", "classes", which | {"class": classes[0]}
    return "classes", "classes", which
