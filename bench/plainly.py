"""Two plain ways to list jobs, to compare with: in a server's memory, and in SQL that counts and skips.

The first does what the open-source server does for `GET /api/jobs`: make a job of every item of the history, filter,
sort, slice. It is our own writing of that, over items of the shape its history has; it gives a cost curve, not figures
of that program. The second is what one writes first, over the very tables and indexes of the store, as the database
itself plans it.
"""

import sqlite3
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing, contextmanager, suppress
from operator import itemgetter
from typing import Any

import msgspec
import psycopg
from bench.fill import DATABASE_FILE, Target
from bench.histories import History, JobMaker
from bench.pages import LIMIT, Page

from fireside.domain.ids import UserId

Item = dict[str, Any]
Rows = Sequence[tuple[Any, ...]]
PlainPage = Callable[[Page, int], float]
"""Give the seconds that a page of a user's jobs took with its total."""

_STATUS_STRINGS = {"succeeded": "success", "failed": "error"}
_STATUSES = {
    "success": "completed",
    "error": "failed",
    "canceled": "cancelled",
    "queued": "pending",
    "running": "in_progress",
}
_STEPS = 10_000


class InMemory:
    """A history in memory, listed as the open-source server lists it."""

    def __init__(self, jobs: int) -> None:
        history = History(user_id=UserId(1), jobs=jobs, running=0, first=1, begins_at=0, ends_at=jobs * 10_000_000)
        self._items = {
            columns["id"][row].hex(): _item({name: values[row] for name, values in columns.items()})
            for columns in JobMaker(history).chunks()
            for row in range(len(columns["pk"]))
        }

    def seconds_of(self, page: Page) -> float:
        """Time the answer to a page."""
        begun = time.perf_counter()
        self._list(page)
        return time.perf_counter() - begun

    def _list(self, page: Page) -> bytes:
        statuses = set(page.status.split(",")) if page.status else None
        jobs = [_job(job_id, item) for job_id, item in self._items.items()]
        if statuses is not None:
            jobs = [job for job in jobs if job["status"] in statuses]
        if page.workflow:
            jobs = [job for job in jobs if job["workflow_id"] == page.workflow]
        jobs.sort(key=_run_time if page.by_run else itemgetter("create_time"), reverse=not page.ascending)
        offset = page.offset(len(jobs))
        return msgspec.json.encode({"jobs": jobs[offset : offset + LIMIT], "total": len(jobs)})


def _item(row: Item) -> Item:
    """Make an item as the history holds it: the submitted tuple, the outputs, the messages of the run."""
    extra_data = {"create_time": row["created_at"] // 1000, "extra_pnginfo": {"workflow": {"id": row["workflow_id"]}}}
    outputs: Item = {}
    if row["preview"] is not None:
        file = msgspec.json.decode(row["preview"])
        kept = {name: file[name] for name in ("filename", "subfolder", "type")}
        outputs = {file["nodeId"]: {file["mediaType"]: [kept] * row["outputs_count"]}}
    messages = [
        (event, {"prompt_id": row["id"].hex(), "timestamp": (row[column] or row["created_at"]) // 1000})
        for event, column in (("execution_start", "started_at"), ("execution_success", "ended_at"))
    ]
    status = {"status_str": _STATUS_STRINGS.get(row["state"], row["state"]), "completed": True, "messages": messages}
    return {"prompt": (row["number"], row["id"].hex(), {}, extra_data, ["2"]), "outputs": outputs, "status": status}


def _job(job_id: str, item: Item) -> Item:
    number, _, _, extra_data, _ = item["prompt"]
    status = item["status"]
    times = {event: data.get("timestamp") for event, data in status["messages"]}
    count, preview = _summary(item["outputs"])
    return {
        "id": job_id,
        "status": _STATUSES[status["status_str"]],
        "priority": number,
        "create_time": extra_data["create_time"],
        "execution_start_time": times.get("execution_start"),
        "execution_end_time": times.get("execution_success"),
        "outputs_count": count,
        "preview_output": preview,
        "workflow_id": extra_data.get("extra_pnginfo", {}).get("workflow", {}).get("id"),
    }


def _summary(outputs: Item) -> tuple[int, Item | None]:
    count, preview = 0, None
    for node_id, node in outputs.items():
        for kind, files in node.items():
            for file in files:
                count += 1
                if preview is None and kind in ("images", "video", "audio"):
                    preview = {**file, "nodeId": node_id, "mediaType": kind}
    return count, preview


def _run_time(job: Item) -> int:
    return job["execution_end_time"] - job["execution_start_time"]


@contextmanager
def plain_sql(target: Target, patience: float) -> Generator[PlainPage]:
    """List plainly from a store; a page is given up after so many seconds, and then took so long."""
    if target.data_dir is None:
        with psycopg.connect(target.database_url, autocommit=True) as raw:
            raw.execute(f"SET statement_timeout = {int(patience * 1000)}".encode())
            yield lambda page, user_id: _timed(lambda sql: raw.execute(sql.encode()).fetchall(), page, user_id)
        return
    with closing(sqlite3.connect(target.data_dir / DATABASE_FILE)) as raw:

        def run(sql: str) -> Rows:
            begun = time.perf_counter()
            raw.set_progress_handler(lambda: time.perf_counter() - begun > patience, _STEPS)
            return raw.execute(sql).fetchall()

        yield lambda page, user_id: _timed(run, page, user_id)


def _timed(run: Callable[[str], Rows], page: Page, user_id: int) -> float:
    begun = time.perf_counter()
    where = page.where(user_id)
    # Given up: both databases say so with an OperationalError of their own.
    with suppress(sqlite3.OperationalError, psycopg.errors.QueryCanceled):
        ((total,),) = run(f"SELECT count(*) FROM job WHERE {where}")
        offset = page.offset(total)
        run(f"SELECT * FROM job WHERE {where} ORDER BY {page.order} LIMIT {LIMIT} OFFSET {offset:d}")
    return time.perf_counter() - begun
