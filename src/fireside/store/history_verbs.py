"""The store's verbs about lists of jobs: a window over them with its exact total, and removing them."""

from collections.abc import Collection, Sequence
from typing import Any

from fireside.domain.ids import JobId, UserId
from fireside.domain.listing import JobFilter, JobPage, Window
from fireside.store.classes import are_whole, classes_of
from fireside.store.database import Statement
from fireside.store.job_verbs import ids_json
from fireside.store.rows import job_of, to_json
from fireside.store.verbs import Verbs


class HistoryVerbs(Verbs):
    """Lists of jobs."""

    async def list_jobs(self, user_id: UserId, wanted: JobFilter, window: Window) -> JobPage:
        """One page with its exact total, both from one read transaction. RUN_TIME sorts by microseconds, jobs without count as 0."""
        params: dict[str, Any] = {
            "user_id": user_id,
            "classes": to_json(classes_of(wanted.states, wanted.media)).decode(),
            "states": None if are_whole(wanted.states) else to_json(sorted(wanted.states)).decode(),
            "workflow_id": wanted.workflow_id,
        }
        order = "descending" if window.descending else "ascending"
        page = Statement(
            f"list_jobs_by_{window.sort.value}_{order}", params | {"limit": window.limit, "offset": window.offset}
        )
        rows, totals = await self._database.read([page, Statement("count_jobs", params)])
        return JobPage(jobs=[job_of(row) for row in rows], total=totals[0]["total"])

    async def delete_jobs(self, user_id: UserId, job_ids: Collection[JobId] | None) -> Sequence[JobId]:
        """Remove terminal jobs of the user (all of them for None) from history, their outputs' assets included."""
        if job_ids is None:
            change = Statement("delete_ended_jobs", {"user_id": user_id})
        else:
            change = Statement("delete_jobs", {"user_id": user_id, "ids": ids_json(job_ids)})
        (rows,) = await self._database.write([change])
        return [JobId(row["id"]) for row in rows]
