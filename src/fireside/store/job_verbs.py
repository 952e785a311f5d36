"""The store's verbs about a job's life. They write what `lifecycle.advance` decided, or find that it came too late."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from fireside.domain.accounts import User
from fireside.domain.assets import Asset
from fireside.domain.errors import FiresideError, NotFound, OverQuota
from fireside.domain.ids import BlobHash, JobId, UserId
from fireside.domain.jobs import Job, JobState
from fireside.domain.usage import day_number, month_of, why_refused
from fireside.store.database import Database, Rows, Statement, Transaction, Unexpected, Violated, run_all
from fireside.store.job_changes import (
    awaits_equal,
    body_of,
    change_statements,
    is_awaited,
    keep_unsynced,
    record_of,
    record_output,
    standing_after,
    submit_statements,
)
from fireside.store.key_verbs import CLAIM, reused
from fireside.store.records import (
    EQUAL_JOB_AWAITED,
    Attempt,
    Ending,
    JobBody,
    KeptRequirement,
    NewJob,
    NodeRecord,
    QueueCounts,
    Share,
    StagedInput,
    TimelineEntry,
    UnsyncedBytes,
)
from fireside.store.refusals import Changed, DuplicateJob, QueueFull, TermEnded
from fireside.store.rows import attempt_of, entry_of, ids_json, job_of, month_use_of, share_of, user_of
from fireside.store.verbs import Verbs

_MOST_REMEMBERED = 10_000
Watcher = Callable[[Job | None, Job, NewJob | None, Share | None], None]
"""Hears of a job as it was, None for a new one, as it is, what it was queued with, if it is new, and how its user
stands since, unless the change had nothing to do with that."""


class JobVerbs(Verbs):
    """Jobs from submit to end."""

    def __init__(self, database: Database, *, has_webhooks: bool = False) -> None:
        super().__init__(database)
        self._has_webhooks = has_webhooks
        self._kept_requirements: set[UUID] = set()
        self._watchers: list[Watcher] = []
        self._equals_watchers: list[Callable[[], None]] = []

    def watch(self, watcher: Watcher) -> None:
        """Have every job that this process queues or changes told, once that is on disk, and not waited for."""
        self._watchers.append(watcher)

    def watch_equals(self, watcher: Callable[[], None]) -> None:
        """Have it told that a job has ended that others wait for; `ended_equal_jobs` says which."""
        self._equals_watchers.append(watcher)

    async def add_job(
        self, new: NewJob, now: datetime, *, max_queued: int | None, max_queued_in_all: int | None = None
    ) -> Job:
        """Queue a job; raises DuplicateJob, QueueFull, OverQuota, KeyReused.

        Sequence number, create time (microseconds, strictly rising within a user) and `number` come from the
        writer's transaction. A job whose `number` is given does not use up the user's next one. A user who had nothing
        in hand is lifted to the virtual time of those who have: idling earns no credit. Watchers hear of a job that
        waits for an equal one as one that asks for `EQUAL_JOB_AWAITED`.
        """
        submit = submit_statements(
            new, now, max_queued=max_queued, max_queued_in_all=max_queued_in_all, has_webhooks=self._has_webhooks
        )
        wanted = new.requirement
        if wanted is not None and wanted.id not in self._kept_requirements:
            submit.append(Statement("keep_requirement", {"requirement_id": wanted.id, "body": wanted.body}))
        try:
            results = await self._database.write(submit)
        except (Violated, Unexpected) as error:
            raise await self._refused(error, new, now, max_queued) from error
        if wanted is not None:
            if len(self._kept_requirements) >= _MOST_REMEMBERED:
                self._kept_requirements.clear()
            self._kept_requirements.add(wanted.id)
        job = job_of(results[0][0])
        if awaits_equal(submit, results):
            new = replace(new, requirement=KeptRequirement(EQUAL_JOB_AWAITED, b""))
        new = replace(new, estimate_seconds=results[0][0]["estimate_seconds"])
        self._tell(None, job, new, standing_after(submit, results))
        return job

    async def _refused(
        self, error: Violated | Unexpected, new: NewJob, now: datetime, max_queued: int | None
    ) -> FiresideError:
        """Say what stood against a submit."""
        if isinstance(error, Violated):
            is_taken = error.constraint == "job.id"
            return DuplicateJob(f"a job with the id {new.id} exists already") if is_taken else error
        if error.query == CLAIM:
            return reused()
        if error.query == "require_quota" and new.quota is not None:
            (row,) = await self._all("use_of_month", {"user_id": new.user_id, "month": day_number(month_of(now))})
            return OverQuota(why_refused(new.quota, month_use_of(row), now))
        if error.query == "count_submit":
            return await self._queue_full(new.user_id, max_queued)
        return NotFound(f"there is no user {new.user_id}")

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
        return _bodies(*await self._database.read(_reading_bodies(job_ids)))

    async def job_work(self, job: Job) -> tuple[JobBody | None, User | None]:
        """Read the heavy parts of a job's submit and its user at once, for a worker that is to run it."""
        owner = Statement("user_by_id", {"id": job.user_id})
        *heavy, users = await self._database.read([*_reading_bodies([job.id]), owner], is_quick=True)
        return _bodies(*heavy).get(job.id), user_of(users[0]) if users else None

    async def client_of_job(self, job_id: JobId) -> str | None:
        """Read the id of the client that submitted a job, if it gave one."""
        row = await self._one("job_client", {"id": job_id})
        return row["client_id"] if row else None

    async def job_outputs(self, job_id: JobId) -> Sequence[NodeRecord]:
        """What the nodes of the present attempt have shown, in the order of arrival."""
        return [record_of(row) for row in await self._all("job_outputs", {"id": job_id})]

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
        Nothing of a paused queue is assigned, and with `term` nothing by a leader whose term is another: that is
        Changed, and TermEnded. Returns the job as stored.
        """
        change = change_statements(
            before,
            after,
            timeline=timeline,
            ending=ending,
            charge_seconds=charge_seconds,
            has_webhooks=self._has_webhooks,
        )
        if (before.state, after.state) == (JobState.QUEUED, JobState.ASSIGNED):
            change.append(Statement("require_unpaused", {"user_id": after.user_id}, expect=1))
        if term is not None:
            change.append(Statement("require_term", {"term": term}, expect=1))
        try:
            results = await self._database.write(change)
        except Unexpected as error:
            if error.query == "require_term":
                raise TermEnded(f"the leader's term {term} has ended") from error
            if error.query == "require_unpaused":
                raise Changed(f"the queue of user {before.user_id} is paused") from error
            raise _moved_on(error, before) from error
        job = job_of(results[0][0])
        self._tell(before, job, None, standing_after(change, results))
        if is_awaited(change, results):
            self._tell_equals()
        return job

    async def finish_job(
        self,
        before: Job,
        after: Job,
        shown: Sequence[tuple[NodeRecord, Sequence[Asset]]],
        end: Callable[[Sequence[NodeRecord]], Ending],
        *,
        timeline: Sequence[TimelineEntry] = (),
        charge_seconds: float = 0.0,
        unsynced: UnsyncedBytes | None = None,
    ) -> tuple[Job, Sequence[NodeRecord], int]:
        """Record the last that the nodes have shown and the end of the run, as `add_output` and `change_job` would.

        All is one transaction; `end` is told what all nodes have shown. Gives the job and the records as stored, and
        how many nodes have shown something. The bytes of `unsynced` are kept with it; where they cannot be put into
        their places, all is undone.
        """
        told_at = after.changed_at if self._has_webhooks else None

        def finish(tx: Transaction) -> tuple[Job, Rows, list[NodeRecord], int, bool]:
            stored = [record_output(tx, before, record, files, None, told_at)[0] for record, files in shown]
            records = [record_of(row) for row in tx.run("job_outputs", {"id": before.id})]
            change = change_statements(
                before,
                after,
                timeline=timeline,
                ending=end(records),
                charge_seconds=charge_seconds,
                has_webhooks=self._has_webhooks,
            )
            results = run_all(tx, change)
            standing, is_wanted = standing_after(change, results), is_awaited(change, results)
            if unsynced is not None:
                keep_unsynced(tx, unsynced, after.changed_at)
            return job_of(results[0][0]), standing, stored, len(records), is_wanted

        try:
            job, standing, stored, count, is_wanted = await self._database.decide(finish)
        except Unexpected as error:
            raise _moved_on(error, before) from error
        self._tell(before, job, None, standing)
        if is_wanted:
            self._tell_equals()
        return job, stored, count

    def _tell_equals(self) -> None:
        for watcher in self._equals_watchers:
            watcher()

    def _tell(self, before: Job | None, after: Job, new: NewJob | None, share: Rows) -> None:
        standing = share_of(share[0]) if self._watchers and share else None
        for watcher in self._watchers:
            watcher(before, after, new, standing)

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
        return await self._database.decide(lambda tx: record_output(tx, job, record, files, entry, told_at))

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


def _reading_bodies(job_ids: Sequence[JobId]) -> list[Statement]:
    params = {"ids": ids_json(job_ids)}
    return [Statement("job_bodies", params), Statement("job_inputs", params)]


def _bodies(bodies: Rows, inputs: Rows) -> dict[JobId, JobBody]:
    staged: dict[JobId, list[StagedInput]] = {}
    for row in inputs:
        one = StagedInput(value=row["value"], hash=BlobHash(row["hash"]), size_bytes=row["size_bytes"])
        staged.setdefault(row["job_id"], []).append(one)
    return {row["job_id"]: body_of(row, staged.get(row["job_id"], [])) for row in bodies}


def _moved_on(error: Unexpected, before: Job) -> FiresideError:
    if error.query == "change_job":
        return Changed(f"job {before.id} is not {before.state} under fence {before.fence} any more")
    return error
