"""A job's life as spans: pure functions over what the store knows, with the times at which things were.

Every span lies within the job's, whatever clocks did, and names job and user. Nothing of a workflow's values, of files
or of messages is in them: only ids, classes of nodes, numbers, states, and kinds of errors.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import msgspec

from fireside.domain.jobs import Job, JobState
from fireside.store.records import Attempt
from fireside.traces.context import Origin, span_id_of, trace_id_of

Attributes = Mapping[str, str | int | float | bool]
_UNKNOWN_CLASS = "node"


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A stretch of a job's life; `error` says what kind of trouble it ended with, None without any."""

    name: str
    trace_id: bytes
    span_id: bytes
    parent_id: bytes | None
    begin: datetime
    end: datetime
    attributes: Attributes = field(default_factory=dict[str, str | int | float | bool])
    error: str | None = None
    is_entry: bool = False
    """Whether somebody else's request began it."""


class Upload(msgspec.Struct, frozen=True, array_like=True):
    """How a node's output was read and sent: when that began, from the start of the run, and how long it took."""

    node_id: str
    began: float
    seconds: float
    size_bytes: int


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker has told of the times of a run, in seconds from its start."""

    began: tuple[tuple[str, float], ...] = ()
    uploads: tuple[Upload, ...] = ()
    computed: float | None = None
    nodes: tuple[str, ...] = ()
    """The nodes whose results the runtime had already."""


class _Failure(msgspec.Struct, frozen=True):
    node_id: str = ""
    exception_type: str = ""


@dataclass(frozen=True, slots=True)
class Traced:
    """A job in its trace."""

    job: Job
    origin: Origin

    def submit(self, until: datetime) -> Span:
        """Tell how it was checked and brought to disk."""
        return replace(self._span("submit", self.origin.received_at, until), is_entry=True)

    def queue(self, before: Job) -> Span:
        """Tell how it waited, from what it was before until it got or needed no worker."""
        return self._span("queue", before.changed_at, self.job.changed_at, fence=before.fence)

    def assign(self, until: datetime, *, accepted: bool) -> Span:
        """Tell how its worker was asked to take it."""
        span = self._span("assign", self.job.changed_at, until, fence=self.job.fence)
        told = _about_worker(self.job.attempt, self.job.worker_id)
        return _with(span, told, error=None if accepted else "declined")

    def attempt(self, attempt: Attempt, told: Told, classes: Mapping[str, str]) -> list[Span]:
        """Tell of a hand-out that has ended: how inputs were staged, what ran, and how it came to its end."""
        end = attempt.ended_at or self.job.changed_at
        about = _about_worker(attempt.attempt, attempt.worker_id)
        error = self._error_of(attempt)
        started_at = attempt.started_at
        stage = self._span("stage", attempt.assigned_at, started_at or end, attempt=attempt.attempt)
        if started_at is None:
            return [_with(stage, about, error=error)]
        computed_at = end if told.computed is None else min(_after(started_at, told.computed), end)
        run = self._span("run", started_at, computed_at, attempt=attempt.attempt)
        run = _with(run, {**about, "fireside.nodes.cached": len(told.nodes)}, error=error)
        nodes = self._nodes(run, told, classes)
        uploads = [self._upload(run, upload, end, number) for number, upload in enumerate(told.uploads)]
        spans = [_with(stage, about), run, *nodes, *(_with(one, about) for one in uploads)]
        if told.computed is not None:
            deliver = self._span("deliver", computed_at, end, attempt=attempt.attempt)
            spans.append(_with(deliver, about))
        return spans

    def whole(self) -> Span:
        """Tell of the job as a whole, once it has ended."""
        job, caller = self.job, self.origin.caller
        about: dict[str, str | int | float | bool] = {
            "fireside.job.state": job.state.value,
            "fireside.job.attempts": job.attempt,
            "fireside.job.outputs": job.outputs_count,
        }
        if job.workflow_id is not None:
            about["fireside.workflow.id"] = job.workflow_id
        error = None if job.state is JobState.SUCCEEDED else _kind_of(job)
        span = self._span("job", self.origin.received_at, job.ended_at or job.changed_at)
        parent_id = None if caller is None else caller.span_id
        return _with(replace(span, span_id=span_id_of(job.id), parent_id=parent_id), about, error=error)

    def _nodes(self, run: Span, told: Told, classes: Mapping[str, str]) -> list[Span]:
        failure, begins = _failure_of(self.job), [_after(run.begin, seconds) for _, seconds in told.began]
        spans: list[Span] = []
        for number, (node_id, _) in enumerate(told.began):
            begin = min(begins[number], run.end)
            # Nodes of a run come one after the other: each ends where the next one begins.
            end = min(begins[number + 1], run.end) if number + 1 < len(begins) else run.end
            name = classes.get(node_id, _UNKNOWN_CLASS)
            span = self._span(name, begin, max(begin, end), parent_id=run.span_id, run=run.span_id.hex(), number=number)
            failed = run.error is not None and failure.node_id == node_id
            spans.append(_with(span, _about_node(node_id, name), error=failure.exception_type if failed else None))
        return spans

    def _upload(self, run: Span, upload: Upload, end: datetime, number: int) -> Span:
        begin = min(_after(run.begin, upload.began), end)
        until = min(_after(run.begin, upload.began + upload.seconds), end)
        span = self._span("upload", begin, until, run=run.span_id.hex(), number=number)
        return _with(span, {"fireside.node.id": upload.node_id, "fireside.bytes": upload.size_bytes})

    def _error_of(self, attempt: Attempt) -> str | None:
        """Say what kind of trouble a hand-out ended with."""
        if attempt.outcome == JobState.SUCCEEDED.value:
            return None
        return _kind_of(self.job) if self.job.is_terminal else "given back"

    def _span(
        self, name: str, begin: datetime, end: datetime, *, parent_id: bytes | None = None, **which: object
    ) -> Span:
        return Span(
            name=name,
            trace_id=trace_id_of(self.job.id, self.origin),
            span_id=span_id_of(self.job.id, name, *which.values()),
            parent_id=parent_id or span_id_of(self.job.id),
            begin=begin,
            end=max(begin, end),
            attributes={"fireside.job.id": str(self.job.id), "fireside.user.id": self.job.user_id},
        )


def _with(span: Span, attributes: Attributes, *, error: str | None = None) -> Span:
    return replace(span, attributes={**span.attributes, **attributes}, error=error)


def _about_worker(attempt: int, worker_id: object) -> Attributes:
    return {"fireside.attempt": attempt, "fireside.worker.id": str(worker_id)}


def _about_node(node_id: str, class_type: str) -> Attributes:
    return {"fireside.node.id": node_id, "fireside.node.class": class_type}


def _after(begin: datetime, seconds: float) -> datetime:
    # What a worker says of itself may be any number.
    return begin + timedelta(seconds=min(max(0.0, seconds), timedelta(days=366).total_seconds()))


def _kind_of(job: Job) -> str:
    return _failure_of(job).exception_type or job.state.value


def _failure_of(job: Job) -> _Failure:
    return msgspec.json.decode(job.error, type=_Failure) if job.error else _Failure()


def classes_of(graph: bytes) -> dict[str, str]:
    """Read the classes of a graph's nodes."""
    nodes = msgspec.json.decode(graph, type=dict[str, _Node])
    return {node_id: node.class_type for node_id, node in nodes.items()}


class _Node(msgspec.Struct, frozen=True):
    class_type: str = _UNKNOWN_CLASS


def told_of(data: Mapping[str, Any]) -> Told:
    """Read what the timeline keeps of a worker's times."""
    return msgspec.convert(data, Told)
