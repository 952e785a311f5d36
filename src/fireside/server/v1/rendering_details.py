"""The parts of a job that only its detail and the history show: outputs, what was submitted, how it went. Pure.

How it went is told as the open-source server tells it: the messages that its websocket would have kept, rebuilt from
the job's times, its timeline and its error.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import msgspec
from msgspec import UNSET

from fireside.domain.jobs import Job, JobState
from fireside.domain.outputs import normalize_outputs
from fireside.jobs.read import JobDetail as JobParts
from fireside.server.v1.rendering import MILLISECOND, entry_of, run_times, unix_time
from fireside.store.records import JobBody, NodeRecord, TimelineEntry
from fireside.wire.queues import JobExtrasBody
from fireside.wire.v1_jobs import ExecutionStatusBody, JobDetail, NodeMetaBody, WorkflowBody

_Message = tuple[str, dict[str, Any]]
_NOTHING: Mapping[str, Any] = {}


class _Node(msgspec.Struct, frozen=True):
    class_type: str = ""


_extra_data_decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])
_classes_decoder = msgspec.json.Decoder(dict[str, _Node])


def detail_of(parts: JobParts, unit: timedelta, extras: JobExtrasBody | None) -> JobDetail:
    """Show a job in full; `unit` is that of `create_time` and `update_time`, `extras` are what only we tell."""
    job = parts.job
    shown = msgspec.structs.asdict(entry_of(job, unit))
    if not job.is_terminal and job.started_at is not None:
        shown["execution_start_time"] = unix_time(job.started_at, MILLISECOND)
    return JobDetail(
        **shown,
        update_time=unix_time(job.changed_at, unit),
        workflow=WorkflowBody(prompt=msgspec.Raw(parts.body.graph), extra_data=extra_data_of(job, parts.body)),
        outputs=outputs_of(parts.outputs) if job.is_terminal else UNSET,
        execution_status=execution_status_of(parts) if job.is_terminal else UNSET,
        execution_meta=meta_of(parts.outputs) if job.is_terminal else UNSET,
        fireside=UNSET if extras is None else extras,
    )


def extra_data_of(job: Job, body: JobBody) -> dict[str, msgspec.Raw]:
    """Show what came with the graph, and when we took it: that is ours to say, in milliseconds."""
    created = msgspec.Raw(b"%d" % unix_time(job.created_at, MILLISECOND))
    return _extra_data_decoder.decode(body.extra_data) | {"create_time": created}


def light_extra_data_of(job: Job, body: JobBody) -> dict[str, msgspec.Raw]:
    """Show what came with the graph without the editor's workflow, which is the heaviest part of it."""
    extra_data = extra_data_of(job, body)
    info = extra_data.get("extra_pnginfo")
    # Only an object can hold the workflow; anything else that a client sent there is shown as it is.
    if info is not None and bytes(info).lstrip().startswith(b"{"):
        kept = {name: value for name, value in _extra_data_decoder.decode(info).items() if name != "workflow"}
        extra_data["extra_pnginfo"] = msgspec.Raw(msgspec.json.encode(kept))
    return extra_data


def outputs_of(records: Sequence[NodeRecord]) -> dict[str, Any]:
    """Show what the nodes have shown: node id to key to list."""
    return normalize_outputs({record.node_id: dict(record.output) for record in records})


def meta_of(records: Sequence[NodeRecord]) -> dict[str, NodeMetaBody]:
    """Say to which node of the graph each output belongs; one that a node made while it ran belongs to that node."""
    return {
        record.node_id: NodeMetaBody(
            node_id=record.node_id,
            display_node=record.display_node_id,
            parent_node=record.display_node_id if record.display_node_id != record.node_id else None,
            real_node_id=record.display_node_id,
        )
        for record in records
    }


def execution_status_of(parts: JobParts) -> ExecutionStatusBody:
    """Tell how an ended job went."""
    succeeded = parts.job.state is JobState.SUCCEEDED
    return ExecutionStatusBody(
        status_str="success" if succeeded else "error", completed=succeeded, messages=_messages(parts)
    )


def _messages(parts: JobParts) -> list[_Message]:
    job_id, times = str(parts.job.id), run_times(parts.job)
    timeline = _last_attempt(parts.timeline)
    ended = _end_message(parts, timeline)
    if times is None:
        return [ended]
    nodes = _data_of(timeline, "cached").get("nodes", [])
    return [
        ("execution_start", {"prompt_id": job_id, "timestamp": times[0]}),
        ("execution_cached", {"nodes": nodes, "prompt_id": job_id, "timestamp": times[0]}),
        ended,
    ]


def _end_message(parts: JobParts, timeline: Sequence[TimelineEntry]) -> _Message:
    job = parts.job
    times = run_times(job)
    at = times[1] if times else unix_time(job.ended_at or job.changed_at, MILLISECOND)
    about: dict[str, Any] = {"prompt_id": str(job.id), "timestamp": at}
    if job.state is JobState.SUCCEEDED:
        return "execution_success", about
    ended = _data_of(timeline, job.state.value)
    executed = ended.get("executed", [])
    if job.state is JobState.CANCELED:
        node_id = str(ended.get("node_id") or "")
        node = {"node_id": node_id, "node_type": _class_of(parts.body, node_id)}
        return "execution_interrupted", about | node | {"executed": executed}
    error: dict[str, Any] = msgspec.json.decode(job.error) if job.error else {}
    return "execution_error", about | {"executed": executed} | error


def _class_of(body: JobBody, node_id: str) -> str:
    nodes = _classes_decoder.decode(body.graph) if node_id else {}
    return nodes.get(node_id, _Node()).class_type


def _last_attempt(timeline: Sequence[TimelineEntry]) -> Sequence[TimelineEntry]:
    begun = [position for position, entry in enumerate(timeline) if entry.kind == "assigned"]
    return timeline[begun[-1] :] if begun else timeline


def _data_of(timeline: Sequence[TimelineEntry], kind: str) -> Mapping[str, Any]:
    return next((entry.data for entry in reversed(timeline) if entry.kind == kind), _NOTHING)
