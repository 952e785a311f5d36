"""The store's verbs about a job's life. They write what `lifecycle.advance` decided, or find that it came too late."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

from fireside.domain.assets import Asset
from fireside.domain.errors import NotFound
from fireside.domain.ids import BlobHash, JobId, UserId
from fireside.domain.jobs import HELD_STATES, Job, JobState
from fireside.domain.outputs import Media
from fireside.store.asset_counting import tally_statements_of_assets
from fireside.store.asset_naming import add_under_free_names
from fireside.store.classes import class_of
from fireside.store.counters import Tally, tally_statements
from fireside.store.database import Database, Row, Statement, Transaction, Unexpected, Violated, run_all
from fireside.store.key_verbs import CLAIM, claim_of, reused
from fireside.store.records import (
    NOTHING_REQUIRED,
    Attempt,
    Ending,
    JobBody,
    NamedRun,
    NewJob,
    NodeRecord,
    QueueCounts,
    StagedInput,
    TimelineEntry,
)
from fireside.store.refusals import Changed, DuplicateJob, QueueFull
from fireside.store.rows import asset_of, attempt_of, entry_of, from_json, ids_json, job_of, to_json
from fireside.store.verbs import Verbs
from fireside.store.webhook_events import HEARD, attaching, changed_event, notices, output_event, queued_event

_MOST_REMEMBERED = 10_000
_Files = dict[tuple[str, int], Asset]
Watcher = Callable[[Job | None, Job, NewJob | None], None]
"""Hears of a job as it was, None for a new one, as it is, and what it was queued with, if it is new."""


class JobVerbs(Verbs):
    """Jobs from submit to end."""

    def __init__(self, database: Database, *, has_webhooks: bool = False) -> None:
        super().__init__(database)
        self._has_webhooks = has_webhooks
        self._kept_requirements: set[UUID] = set()
        self._watchers: list[Watcher] = []

    def watch(self, watcher: Watcher) -> None:
        """Have every job that this process queues or changes told, once that is on disk, and not waited for."""
        self._watchers.append(watcher)

    async def add_job(
        self, new: NewJob, now: datetime, *, max_queued: int | None, max_queued_in_all: int | None = None
    ) -> Job:
        """Queue a job; raises DuplicateJob, QueueFull, KeyReused.

        Sequence number, create time (microseconds, strictly rising within a user) and `number` come from the
        writer's transaction. A job whose `number` is given does not use up the user's next one. A user who had nothing
        in hand is lifted to the virtual time of those who have: idling earns no credit.
        """
        submit = _submit(new, now, max_queued, max_queued_in_all)
        if self._has_webhooks:
            is_heard = new.webhook_url is not None
            told = notices(queued_event(new), new.user_id, new.id, now, is_heard=is_heard)
            submit += [*attaching(new, now), *told]
        wanted = new.requirement
        if wanted is not None and wanted.id not in self._kept_requirements:
            submit.append(Statement("keep_requirement", {"requirement_id": wanted.id, "body": wanted.body}))
        try:
            rows, *_ = await self._database.write(submit)
        except Violated as error:
            if error.constraint == "job.id":
                raise DuplicateJob(f"a job with the id {new.id} exists already") from error
            raise
        except Unexpected as error:
            if error.query == CLAIM:
                raise reused() from error
            if error.query == "count_submit":
                raise await self._queue_full(new.user_id, max_queued) from error
            raise NotFound(f"there is no user {new.user_id}") from error
        if wanted is not None:
            if len(self._kept_requirements) >= _MOST_REMEMBERED:
                self._kept_requirements.clear()
            self._kept_requirements.add(wanted.id)
        job = job_of(rows[0])
        self._tell(None, job, new)
        return job

    async def _queue_full(self, user_id: UserId, max_queued: int | None) -> QueueFull:
        counts = await self.queue_counts(user_id)
        if max_queued is not None and counts.queued >= max_queued:
            return QueueFull(f"{max_queued} of your jobs are waiting: let some of them run first")
        message = "As many jobs of all users are waiting as this server takes: try again a little later"
        return QueueFull(message, is_of_all=True)

    async def job(self, job_id: JobId, *, user_id: UserId | None = None) -> Job | None:
        """Read a job; with `user_id`, only when it is that user's."""
        row = await self._one("job_by_id", {"id": job_id})
        return job_of(row) if row and user_id in (None, row["user_id"]) else None

    async def jobs(self, job_ids: Collection[JobId], *, user_id: UserId) -> Sequence[Job]:
        """Read those of the jobs that are the user's, in the order asked for."""
        rows = await self._all("jobs_by_ids", {"ids": ids_json(job_ids), "user_id": user_id})
        found = {job.id: job for job in map(job_of, rows)}
        return [found[job_id] for job_id in job_ids if job_id in found]

    async def job_body(self, job_id: JobId) -> JobBody | None:
        """Read the heavy parts of a job's submit."""
        return (await self.job_bodies([job_id])).get(job_id)

    async def job_bodies(self, job_ids: Sequence[JobId]) -> Mapping[JobId, JobBody]:
        """Read the heavy parts of several jobs' submits; unknown jobs are left out."""
        params = {"ids": ids_json(job_ids)}
        bodies, inputs = await self._database.read([Statement("job_bodies", params), Statement("job_inputs", params)])
        staged: dict[JobId, list[StagedInput]] = {}
        for row in inputs:
            one = StagedInput(value=row["value"], hash=BlobHash(row["hash"]), size_bytes=row["size_bytes"])
            staged.setdefault(row["job_id"], []).append(one)
        return {row["job_id"]: _body_of(row, staged.get(row["job_id"], [])) for row in bodies}

    async def client_of_job(self, job_id: JobId) -> str | None:
        """Read the id of the client that submitted a job, if it gave one."""
        row = await self._one("job_client", {"id": job_id})
        return row["client_id"] if row else None

    async def job_outputs(self, job_id: JobId) -> Sequence[NodeRecord]:
        """What the nodes of the present attempt have shown, in the order of arrival."""
        return [_record_of(row) for row in await self._all("job_outputs", {"id": job_id})]

    async def job_timeline(self, job_id: JobId) -> Sequence[TimelineEntry]:
        """What has happened to the job, oldest first."""
        return [entry_of(row) for row in await self._all("job_timeline", {"id": job_id})]

    async def job_attempts(self, job_id: JobId) -> Sequence[Attempt]:
        """The attempts at a job, the first one first."""
        return [attempt_of(row) for row in await self._all("job_attempts", {"id": job_id})]

    async def change_job(
        self,
        before: Job,
        after: Job,
        *,
        timeline: Sequence[TimelineEntry] = (),
        ending: Ending | None = None,
        charge_seconds: float = 0.0,
        term: int | None = None,
    ) -> Job:
        """Write `after`, decided by `advance`, if state and fence are still those of `before`, else raise Changed.

        In one transaction: the job's row; its attempt row (opened at assign, started, ended with outcome); the user's
        counters queued/held; timeline entries; the share: `virtual_time += charge_seconds/weight` where charge_seconds
        may be negative (correction, refund); the summary and error of `ending`. A job that goes back to queued loses
        the outputs and output assets of its attempt; a terminal one its sealed secrets. The job's own
        `charged_seconds` moves with `charge_seconds`, begins anew in the queue and in the end is what `ending` says.
        Nothing of a paused queue is assigned, and with `term` nothing by a leader whose term is another: both are
        Changed. Returns the job as stored.
        """
        row = Statement("change_job", _change_params(before, after, ending, charge_seconds), expect=1)
        change = [row, *_counting(before, after, row.params), *_attempt(before, after), *_tidying(before, after)]
        change.append(_share(before, after, charge_seconds))
        change += [_entry(after.id, entry) for entry in timeline]
        event = changed_event(before, after, ending) if self._has_webhooks else None
        if event is not None:
            change += notices(event, after.user_id, after.id, after.changed_at)
        if (before.state, after.state) == (JobState.QUEUED, JobState.ASSIGNED):
            change.append(Statement("require_unpaused", {"user_id": after.user_id}, expect=1))
        if term is not None:
            change.append(Statement("require_term", {"term": term}, expect=1))
        try:
            rows, *_ = await self._database.write(change)
        except Unexpected as error:
            if error.query == "require_term":
                raise Changed(f"the leader's term {term} has ended") from error
            if error.query == "require_unpaused":
                raise Changed(f"the queue of user {before.user_id} is paused") from error
            if error.query == "change_job":
                raise Changed(f"job {before.id} is not {before.state} under fence {before.fence} any more") from error
            raise
        job = job_of(rows[0])
        self._tell(before, job, None)
        return job

    def _tell(self, before: Job | None, after: Job, new: NewJob | None) -> None:
        for watcher in self._watchers:
            watcher(before, after, new)

    async def add_output(
        self,
        job: Job,
        record: NodeRecord,
        files: Sequence[Asset],
        *,
        entry: TimelineEntry | None = None,
        at: datetime | None = None,
    ) -> tuple[NodeRecord, Sequence[Asset]]:
        """Record what a node has shown, if the job's fence and state are still `job`'s (else Changed), with its files.

        A file whose (folder, subfolder, name) the user has, or had, gets a free name: ComfyUI's counter names
        (`prefix_00001_.png`) get the next number of a counter kept per (user, folder, subfolder, prefix, suffix),
        others that the user has get ` (1)`, ` (2)`…; the record's items (`output[key][index]["filename"]`) are
        rewritten to match. Idempotent: a repeated record of the same node under the same fence returns what was stored
        the first time. Webhooks are told of it as of `at`.
        """
        told_at = at if self._has_webhooks else None
        return await self._database.decide(lambda tx: _add_output(tx, job, record, files, entry, told_at))

    async def queue_counts(self, user_id: UserId) -> QueueCounts:
        """How many of the user's jobs wait and how many workers hold, at the cost of one row."""
        row = await self._one("queue_counts", {"user_id": user_id})
        return QueueCounts(queued=row["queued"], held=row["held"]) if row else QueueCounts(queued=0, held=0)

    async def active_jobs(self, user_id: UserId) -> Sequence[Job]:
        """The user's jobs that have not ended: held ones first, then queued ones in queue order (number, then age)."""
        params = {"user_id": user_id}
        held, queued = await self._database.read(
            [Statement("held_jobs_of_user", params), Statement("queued_jobs_of_user", params)]
        )
        return [job_of(row) for row in (*held, *queued)]

    async def held_jobs_of(self, user_id: UserId) -> Sequence[Job]:
        """The user's jobs that workers hold, oldest first, however many wait."""
        return [job_of(row) for row in await self._all("held_jobs_of_user", {"user_id": user_id})]


def _submit(new: NewJob, now: datetime, max_queued: int | None, max_queued_in_all: int | None) -> list[Statement]:
    body = new.body
    row = {
        "id": new.id,
        "user_id": new.user_id,
        "now": now,
        "number": new.number,
        "sign": -1 if new.front else 1,
        "workflow_id": new.workflow_id or None,
        "fingerprint": new.fingerprint,
        "requirement_id": new.requirement.id if new.requirement else NOTHING_REQUIRED,
        "metadata": to_json(dict(new.labels)) if new.labels else None,
    }
    heavy = {
        "id": new.id,
        "graph": body.graph,
        "extra_data": body.extra_data,
        "outputs": to_json(body.outputs),
        "client_id": new.client_id,
        "sealed_secrets": body.sealed_secrets,
    }
    count = {"user_id": new.user_id, "now": now, "max_queued": max_queued, "numbered": new.number is None}
    count["max_queued_in_all"] = max_queued_in_all
    labels = {"id": new.id, "labels": to_json(dict(new.labels)).decode()}
    inputs = [
        {"id": new.id, "position": n, "value": one.value, "hash": one.hash, "size_bytes": one.size_bytes}
        for n, one in enumerate(body.inputs)
    ]
    return [
        Statement("add_job", row, expect=1),
        Statement("count_submit", count, expect=1),
        *tally_statements([_tally(new.user_id, new.workflow_id, class_of(JobState.QUEUED, Media.NONE), 1)]),
        Statement("tally_active", {"ids": ids_json([new.id]), "by": 1}),
        Statement("add_job_body", heavy, expect=1),
        *(Statement("add_job_input", one, expect=1) for one in inputs),
        *([_named_run(new.id, new.named_run)] if new.named_run else []),
        *([Statement("add_job_labels", labels, expect=len(new.labels))] if new.labels else []),
        # Last, so that what is told first of a full queue is that it is full.
        *([claim_of(new.user_id, new.key, now)] if new.key else []),
    ]


def _named_run(job_id: JobId, run: NamedRun) -> Statement:
    params = {"id": job_id, "workflow": run.workflow, "inputs": run.inputs, "outputs": run.outputs}
    return Statement("add_named_run", params, expect=1)


def _change_params(before: Job, after: Job, ending: Ending | None, charge_seconds: float) -> dict[str, Any]:
    summary = ending.summary if ending else None
    preview = to_json(summary.preview) if summary and summary.preview is not None else after.preview
    return {
        "id": after.id,
        "state_read": before.state.value,
        "fence_read": before.fence,
        "state": after.state.value,
        "class": class_of(after.state, summary.media if summary else Media.NONE),
        "run_us": after.run_time // timedelta(microseconds=1),
        "attempt": after.attempt,
        "losses": after.losses,
        "fence": after.fence,
        "worker_id": after.worker_id,
        "changed_at": after.changed_at,
        "started_at": after.started_at,
        "ended_at": after.ended_at,
        "outputs_count": summary.outputs_count if summary else after.outputs_count,
        "previewable_count": summary.previewable_count if summary else after.previewable_count,
        "preview": preview,
        "error": ending.error if ending and ending.error is not None else after.error,
        "charged_seconds": _charged(before, after, ending, charge_seconds),
    }


def _counting(before: Job, after: Job, row: Mapping[str, Any]) -> list[Statement]:
    """Count the job out of the class that it leaves and into the one that it enters."""
    left, entered = class_of(before.state, Media.NONE), int(row["class"])
    if left == entered:
        return []
    counting = tally_statements(
        [
            _tally(after.user_id, before.workflow_id, left, -1),
            _tally(after.user_id, before.workflow_id, entered, 1, is_idle=row["run_us"] == 0),
        ]
    )
    if after.is_terminal:
        ids = ids_json([after.id])
        counting.append(Statement("tally_active", {"ids": ids, "by": -1}))
        counting.append(Statement("tally_ended", {"ids": ids, "by": 1}))
    return counting


def _tally(user_id: UserId, workflow_id: str | None, number: int, by: int, *, is_idle: bool = True) -> Tally:
    return Tally(user_id=user_id, workflow_id=workflow_id, number=number, by=by, is_idle=is_idle)


def _charged(before: Job, after: Job, ending: Ending | None, charge_seconds: float) -> float:
    if after.state is JobState.QUEUED:
        return 0.0
    return ending.charged_seconds if ending else before.charged_seconds + charge_seconds


def _attempt(before: Job, after: Job) -> list[Statement]:
    was_held, is_held = before.state in HELD_STATES, after.state in HELD_STATES
    key = {"id": after.id, "attempt": after.attempt, "at": after.changed_at}
    if is_held and not was_held:
        return [Statement("open_attempt", key | {"fence": after.fence, "worker_id": after.worker_id}, expect=1)]
    if after.state is JobState.RUNNING:
        return [Statement("start_attempt", key, expect=1)]
    if was_held and not is_held:
        return [Statement("end_attempt", key | {"outcome": after.state.value}, expect=1)]
    return []


def _tidying(before: Job, after: Job) -> list[Statement]:
    mine = {"id": after.id}
    if after.state is JobState.QUEUED:
        uncount = tally_statements_of_assets(jobs=[after.id], by=-1)
        return [Statement("remove_job_outputs", mine), *uncount, Statement("remove_job_assets", mine)]
    if not after.is_terminal:
        return []
    tidying = [Statement("remove_job_secrets", mine)]
    if (before.state, after.state) == (JobState.RUNNING, JobState.SUCCEEDED):
        tidying.append(Statement("average_run", mine | {"seconds": after.run_time.total_seconds()}))
    return tidying


def _share(before: Job, after: Job, charge_seconds: float) -> Statement:
    queued = (after.state is JobState.QUEUED) - (before.state is JobState.QUEUED)
    held = (after.state in HELD_STATES) - (before.state in HELD_STATES)
    params = {"user_id": after.user_id, "queued": queued, "held": held, "charge": charge_seconds}
    return Statement("change_share", params, expect=1)


def _entry(job_id: JobId, entry: TimelineEntry) -> Statement:
    params = {"id": job_id, "kind": entry.kind, "at": entry.at, "data": to_json(entry.data)}
    return Statement("add_job_event", params, expect=1)


def _add_output(
    tx: Transaction,
    job: Job,
    record: NodeRecord,
    files: Sequence[Asset],
    entry: TimelineEntry | None,
    told_at: datetime | None,
) -> tuple[NodeRecord, Sequence[Asset]]:
    mine = {"id": job.id}
    if not tx.run("require_job", mine | {"state": job.state.value, "fence": job.fence}):
        raise Changed(f"job {job.id} is not {job.state} under fence {job.fence} any more")
    stored = tx.run("job_output_of_node", mine | {"node_id": record.node_id})
    if stored:
        assets = tx.run("job_assets_of_node", mine | {"node_id": record.node_id})
        return _record_of(stored[0]), [asset_of(row) for row in assets]
    assets = add_under_free_names(tx, files)
    named = {(one.origin.key, one.origin.index): one for one in assets if one.origin is not None}
    output = to_json({key: _renamed(key, items, named) for key, items in record.output.items()})
    shown = {"node_id": record.node_id, "display_node_id": record.display_node_id, "output": output}
    (row,) = tx.run("add_job_output", mine | shown | {"user_id": job.user_id}, expect=1)
    if entry is not None:
        event = _entry(job.id, entry)
        tx.run(event.query, event.params, expect=1)
    stored_record = _record_of(row)
    if told_at is not None and row[HEARD]:
        run_all(tx, notices(output_event(job, stored_record), job.user_id, job.id, told_at, is_heard=True))
    return stored_record, assets


def _renamed(key: str, items: Any, named: _Files) -> Any:
    if not isinstance(items, list):
        return items
    return [
        {**cast("dict[str, Any]", item), "filename": named[key, index].file.name}
        if (key, index) in named and isinstance(item, dict)
        else item
        for index, item in enumerate(cast("list[Any]", items))
    ]


def _record_of(row: Row) -> NodeRecord:
    return NodeRecord(node_id=row["node_id"], display_node_id=row["display_node_id"], output=from_json(row["output"]))


def _body_of(row: Row, inputs: Sequence[StagedInput]) -> JobBody:
    return JobBody(
        graph=row["graph"],
        extra_data=row["extra_data"],
        outputs=tuple(from_json(row["outputs"])),
        inputs=tuple(inputs),
        sealed_secrets=row["sealed_secrets"],
    )
