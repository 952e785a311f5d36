"""The store's verbs about jobs whose outputs another job has made already."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from fireside.domain.assets import Asset
from fireside.domain.ids import JobId, UserId
from fireside.domain.jobs import Job, JobState
from fireside.domain.outputs import summarize_outputs
from fireside.domain.reuse import MadeWork, copies_of, is_whole
from fireside.store.database import Row, Statement, Transaction, Unexpected, Violated, run_all
from fireside.store.job_changes import change_statements, record_of, record_output, submit_statements
from fireside.store.job_verbs import JobVerbs
from fireside.store.records import Ending, NewJob, NodeRecord, TimelineEntry
from fireside.store.refusals import Changed
from fireside.store.rows import asset_of, from_json, job_of, to_json

_USER_BITS = 40
_ANYBODY = (0, 2**62)
_Outputs = tuple[list[NodeRecord], list[Asset]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reused:
    """A job that has ended with another one's outputs, and these under its own names."""

    job: Job
    outputs: Sequence[NodeRecord]
    cached: Sequence[str]


class ReuseVerbs(JobVerbs):
    """Finding work that is done, and answering a submit with it."""

    async def jobs_of_work(self, work: bytes, *, user_id: UserId | None) -> Sequence[MadeWork]:
        """Find the user's newest jobs, or anybody's, that have made this."""
        first, last = _ANYBODY if user_id is None else (user_id << _USER_BITS, ((user_id + 1) << _USER_BITS) - 1)
        rows = await self._all("jobs_of_work", {"work": work, "first": first, "last": last})
        return [_made_of(row) for row in rows]

    async def made_work(self, job_id: JobId) -> MadeWork | None:
        """Say what ran this job, if others may end with what it has made."""
        row = await self._one("made_work", {"id": job_id})
        return _made_of(row) if row else None

    async def add_reused_job(
        self, new: NewJob, made: MadeWork, now: datetime, *, nodes: Sequence[str], end: Callable[[Job], Job]
    ) -> Reused | None:
        """Submit a job and end it at once, as `end` decides, with the outputs of the one that has made its work.

        All is one transaction, in which these outputs are still there; None, and nothing is written, when they are not
        all. The files are new assets over the same bytes. `nodes` are told as cached. Raises what `add_job` raises.
        """
        try:
            reused = await self._database.decide(
                lambda tx: _reuse(tx, new, made, now, nodes, end, has_webhooks=self._has_webhooks)
            )
        except (Violated, Unexpected) as error:
            raise await self._refused(error, new, now, None) from error
        if reused is not None:
            self._tell(None, reused.job, new, ())
        return reused

    async def reuse_for_queued_job(
        self, job_id: JobId, made: MadeWork, now: datetime, *, nodes: Sequence[str], end: Callable[[Job], Job]
    ) -> Reused | None:
        """End a job that waits, as `add_reused_job` does with a new one; `Changed` when it waits no more."""
        done = await self._database.decide(
            lambda tx: _reuse_for_queued(tx, job_id, made, now, nodes, end, has_webhooks=self._has_webhooks)
        )
        if done is None:
            return None
        before, reused = done
        self._tell(before, reused.job, None, ())
        return reused

    async def reused_job(self, job_id: JobId) -> JobId | None:
        """Say from which job this one has its outputs; None for one that ran."""
        row = await self._one("reused_job", {"id": job_id})
        return JobId(row["reused_id"]) if row and row["reused_id"] is not None else None


def _reuse(
    tx: Transaction,
    new: NewJob,
    made: MadeWork,
    now: datetime,
    nodes: Sequence[str],
    end: Callable[[Job], Job],
    *,
    has_webhooks: bool,
) -> Reused | None:
    whole = _whole_outputs(tx, made, now)
    if whole is None:
        return None
    submitted = run_all(tx, submit_statements(new, now, has_webhooks=has_webhooks))
    return _end_with(tx, job_of(submitted[0][0]), made, whole, now, nodes, end, has_webhooks=has_webhooks)


def _reuse_for_queued(
    tx: Transaction,
    job_id: JobId,
    made: MadeWork,
    now: datetime,
    nodes: Sequence[str],
    end: Callable[[Job], Job],
    *,
    has_webhooks: bool,
) -> tuple[Job, Reused] | None:
    whole = _whole_outputs(tx, made, now)
    if whole is None:
        return None
    rows = tx.run("job_by_id", {"id": job_id})
    if not rows or rows[0]["state"] != JobState.QUEUED.value:
        raise Changed(f"job {job_id} does not wait any more")
    queued = job_of(rows[0])
    return queued, _end_with(tx, queued, made, whole, now, nodes, end, has_webhooks=has_webhooks)


def _whole_outputs(tx: Transaction, made: MadeWork, now: datetime) -> _Outputs | None:
    source = {"id": made.job_id}
    rows = tx.run("job_by_id", source)
    records = [record_of(row) for row in tx.run("job_outputs", source)]
    assets = [asset_of(row) for row in tx.run("job_assets", {"job_id": made.job_id})]
    is_there = bool(rows) and rows[0]["state"] == JobState.SUCCEEDED.value
    if not is_there or not is_whole({one.node_id: one.output for one in records}, assets, now):
        return None
    return records, assets


def _end_with(
    tx: Transaction,
    queued: Job,
    made: MadeWork,
    outputs: _Outputs,
    now: datetime,
    nodes: Sequence[str],
    end: Callable[[Job], Job],
    *,
    has_webhooks: bool,
) -> Reused:
    records, assets = outputs
    copies = copies_of(assets, queued.id, queued.user_id, now)
    told_at = now if has_webhooks else None
    shown = [record_output(tx, queued, one, copies.get(one.node_id, ()), None, told_at)[0] for one in records]
    ended = end(queued)
    change = change_statements(
        queued,
        ended,
        timeline=[
            TimelineEntry(kind="cached", at=ended.changed_at, data={"nodes": list(nodes)}),
            TimelineEntry(kind="succeeded", at=ended.changed_at, data={"reused_from": str(made.job_id)}),
        ],
        ending=Ending(summary=summarize_outputs({one.node_id: dict(one.output) for one in shown})),
        has_webhooks=has_webhooks,
    )
    ran = {"snapshot_hash": made.snapshot_hash, "models": to_json(dict(made.models)), "reused_id": made.job_id}
    results = run_all(tx, [*change, Statement("note_reused", ran | {"id": queued.id}, expect=1)])
    return Reused(job=job_of(results[0][0]), outputs=shown, cached=nodes)


def _made_of(row: Row) -> MadeWork:
    return MadeWork(
        job_id=JobId(row["id"]),
        user_id=UserId(row["user_id"]),
        snapshot_hash=row["snapshot_hash"],
        models=from_json(row["models"]),
    )
