"""Changes of jobs as statements: what a submit and what each step of a life writes, in one transaction."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, cast

from fireside.domain.assets import Asset
from fireside.domain.ids import JobId, UserId
from fireside.domain.jobs import HELD_STATES, Job, JobState
from fireside.domain.outputs import Media
from fireside.domain.usage import Quota, day_number, month_of
from fireside.store.asset_counting import tally_statements_of_assets
from fireside.store.asset_naming import add_under_free_names
from fireside.store.classes import class_of
from fireside.store.counters import Tally, tally_statements
from fireside.store.database import Row, Rows, Statement, Transaction, run_all
from fireside.store.key_verbs import claim_of
from fireside.store.records import (
    EQUAL_JOB_AWAITED,
    NOTHING_REQUIRED,
    Ending,
    JobBody,
    NamedRun,
    NewJob,
    NodeRecord,
    StagedInput,
    TimelineEntry,
    UnsyncedBytes,
)
from fireside.store.refusals import Changed
from fireside.store.rows import asset_of, from_json, ids_json, to_json
from fireside.store.webhook_events import HEARD, attaching, changed_event, notices, output_event, queued_event

_Files = dict[tuple[str, int], Asset]
_AWAITS = "await_equal_job"
_IS_AWAITED = "end_equal_job"
_MOVES_SHARE = ("count_submit", "change_share")


def submit_statements(
    new: NewJob,
    now: datetime,
    *,
    max_queued: int | None = None,
    max_queued_in_all: int | None = None,
    has_webhooks: bool = False,
) -> list[Statement]:
    """Queue a job: its row first, with all that belongs to it, and what webhooks are told."""
    submit = _submit(new, now, max_queued, max_queued_in_all)
    if new.work is not None and new.joins_equals:
        mine = {"id": new.id}
        submit += [
            Statement("join_equal_jobs", mine | {"work": new.work}, expect=1),
            Statement(_AWAITS, mine | {"awaiting": EQUAL_JOB_AWAITED}),
            Statement("bring_equal_job_forward", mine),
        ]
    if has_webhooks:
        is_heard = new.webhook_url is not None
        told = notices(queued_event(new), new.user_id, new.id, now, is_heard=is_heard)
        submit += [*attaching(new, now), *told]
    return submit


def change_statements(
    before: Job,
    after: Job,
    *,
    timeline: Sequence[TimelineEntry] = (),
    ending: Ending | None = None,
    charge_seconds: float = 0.0,
    has_webhooks: bool = False,
) -> list[Statement]:
    """Write what `advance` decided, the job's row first, with all that hangs on it; see `JobVerbs.change_job`."""
    row = Statement("change_job", _change_params(before, after, ending, charge_seconds), expect=1)
    change = [row, *_counting(before, after, row.params), *_attempt(before, after), *_tidying(before, after)]
    change += _share(before, after, charge_seconds)
    change += [_entry(after.id, entry) for entry in timeline]
    if ending is not None and ending.models is not None and after.state is JobState.SUCCEEDED:
        models = {"id": after.id, "attempt": after.attempt, "models": to_json(dict(ending.models))}
        change.append(Statement("note_reusable", models))
    if after.ended_at is not None:
        change += _usage(after, after.ended_at)
    # What depends on the row comes last: a database that sends statements together need not wait for the row before.
    if after.is_terminal:
        mine = {"id": after.id}
        change += [Statement(query, mine, only_if="has_equals") for query in ("leave_equal_jobs", _IS_AWAITED)]
    event = changed_event(before, after, ending) if has_webhooks else None
    if event is not None:
        change += notices(event, after.user_id, after.id, after.changed_at)
    return change


def awaits_equal(submit: Sequence[Statement], results: Sequence[Rows]) -> bool:
    """Whether the job that was queued waits for an equal one."""
    return any(rows for one, rows in zip(submit, results, strict=True) if one.query == _AWAITS)


def is_awaited(change: Sequence[Statement], results: Sequence[Rows]) -> bool:
    """Whether the job that has ended had others wait for it."""
    return any(rows for one, rows in zip(change, results, strict=True) if one.query == _IS_AWAITED)


def standing_after(change: Sequence[Statement], results: Sequence[Rows]) -> Rows:
    """Give how the user stands since a submit or a change; nothing when it had nothing to do with that."""
    return next((rows for one, rows in zip(change, results, strict=True) if one.query in _MOVES_SHARE), ())


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
        "key_id": new.api_key_id,
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
        *([quota_statement(new.user_id, new.quota, now)] if new.quota is not None else []),
        *tally_statements([_tally(new.user_id, new.workflow_id, class_of(JobState.QUEUED, Media.NONE), 1)]),
        Statement("tally_active", {"ids": ids_json([new.id]), "by": 1}),
        Statement("add_job_body", heavy, expect=1),
        *(Statement("add_job_input", one, expect=1) for one in inputs),
        *(_entry(new.id, one) for one in new.timeline),
        *([_named_run(new.id, new.named_run)] if new.named_run else []),
        *([Statement("add_job_labels", labels, expect=len(new.labels))] if new.labels else []),
        *([Statement("add_job_work", {"id": new.id, "work": new.work}, expect=1)] if new.work else []),
        # Last, so that what is told first of a full queue is that it is full.
        *([claim_of(new.user_id, new.key, now)] if new.key else []),
    ]


def quota_statement(user_id: UserId, quota: Quota, now: datetime) -> Statement:
    """Hold the user's quotas against what has been used and, counted already, this job."""
    limits = {"gpu_us": quota.gpu_us, "jobs": quota.jobs, "bytes": quota.stored_bytes}
    params = limits | {"user_id": user_id, "month": day_number(month_of(now))}
    return Statement("require_quota", params, expect=1)


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
    if after.attempt < before.attempt:
        return [Statement("forget_attempt", {"id": before.id, "attempt": before.attempt}, expect=1)]
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


def _usage(job: Job, ended_at: datetime) -> list[Statement]:
    usage = [Statement("count_usage", {"id": job.id, "day": day_number(ended_at)}, expect=1)]
    if job.workflow_id is not None:
        month = {"id": job.id, "month": day_number(month_of(ended_at))}
        usage.append(Statement("count_usage_of_workflow", month, expect=1))
    return usage


def _share(before: Job, after: Job, charge_seconds: float) -> list[Statement]:
    queued = (after.state is JobState.QUEUED) - (before.state is JobState.QUEUED)
    held = (after.state in HELD_STATES) - (before.state in HELD_STATES)
    params = {"user_id": after.user_id, "queued": queued, "held": held, "charge": charge_seconds}
    is_moved = queued or held or charge_seconds
    return [Statement("change_share", params, expect=1)] if is_moved else []


def _entry(job_id: JobId, entry: TimelineEntry) -> Statement:
    params = {"id": job_id, "kind": entry.kind, "at": entry.at, "data": to_json(entry.data)}
    return Statement("add_job_event", params, expect=1)


def keep_unsynced(tx: Transaction, unsynced: UnsyncedBytes, at: datetime) -> None:
    """Keep the bytes of blobs, and put them into place; see `JobVerbs.finish_job`."""
    for blob_hash, content in unsynced.contents.items():
        tx.run("keep_unsynced_blob", {"hash": blob_hash, "kept_at": at, "content": content}, expect=1)
    unsynced.put()


def record_output(
    tx: Transaction,
    job: Job,
    record: NodeRecord,
    files: Sequence[Asset],
    entry: TimelineEntry | None,
    told_at: datetime | None,
) -> tuple[NodeRecord, Sequence[Asset]]:
    """Record what a node has shown; see `JobVerbs.add_output`."""
    mine = {"id": job.id}
    present = tx.run("require_job", mine | {"state": job.state.value, "fence": job.fence})
    stored = tx.run("job_output_of_node", mine | {"node_id": record.node_id})
    if not present:
        raise Changed(f"job {job.id} is not {job.state} under fence {job.fence} any more")
    if stored:
        assets = tx.run("job_assets_of_node", mine | {"node_id": record.node_id})
        return record_of(stored[0]), [asset_of(row) for row in assets]
    added = add_under_free_names(tx, files)
    named = {(one.origin.key, one.origin.index): one for one, _ in added if one.origin is not None}
    output = to_json({key: _renamed(key, items, named) for key, items in record.output.items()})
    shown = {"node_id": record.node_id, "display_node_id": record.display_node_id, "output": output}
    tx.run("add_job_output", mine | shown, expect=1)
    if entry is not None:
        event = _entry(job.id, entry)
        tx.run(event.query, event.params, expect=1)
    stored_record = record_of(shown)
    if told_at is not None and present[0][HEARD]:
        run_all(tx, notices(output_event(job, stored_record), job.user_id, job.id, told_at, is_heard=True))
    return stored_record, [asset_of(row) for _, rows in added for row in rows]


def _renamed(key: str, items: Any, named: _Files) -> Any:
    if not isinstance(items, list):
        return items
    return [
        {**cast("dict[str, Any]", item), "filename": named[key, index].file.name}
        if (key, index) in named and isinstance(item, dict)
        else item
        for index, item in enumerate(cast("list[Any]", items))
    ]


def record_of(row: Row) -> NodeRecord:
    """Read what a node has shown."""
    return NodeRecord(node_id=row["node_id"], display_node_id=row["display_node_id"], output=from_json(row["output"]))


def body_of(row: Row, inputs: Sequence[StagedInput]) -> JobBody:
    """Read the heavy parts of a submit."""
    return JobBody(
        graph=row["graph"],
        extra_data=row["extra_data"],
        outputs=tuple(from_json(row["outputs"])),
        inputs=tuple(inputs),
        sealed_secrets=row["sealed_secrets"],
    )
