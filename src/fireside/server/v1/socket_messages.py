"""From what a listener hears to the messages of one websocket: the order clients rely on, without any I/O.

For each job: `execution_start`, then `execution_cached` even when nothing was, then its nodes, then exactly one end,
then `executing` without a node. Frames that the mailbox lost do not break it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import msgspec

from fireside.domain.ids import JobId
from fireside.events.heard import Heard
from fireside.store.records import QueueCounts
from fireside.wire.live import (
    CachedFrame,
    Fact,
    Frame,
    JobAssigned,
    JobCanceling,
    JobEnded,
    JobQueued,
    JobStarted,
    NodeFrame,
    NodeStateBody,
    OutputAdded,
    PreviewFrame,
    ProgressFrame,
    StateFrame,
    TaskProgress,
    TextFrame,
)
from fireside.wire.v1_socket import (
    AssetDownloadMessage,
    ExecutedMessage,
    ExecutingMessage,
    ExecutionCachedMessage,
    ExecutionErrorMessage,
    ExecutionInterruptedMessage,
    ExecutionStartMessage,
    ExecutionSuccessMessage,
    NodeProgress,
    PreviewMetadata,
    ProgressMessage,
    ProgressStateMessage,
    QueueInfo,
    SocketMessage,
    StatusInfo,
    StatusMessage,
    encode_message,
    encode_preview,
    encode_preview_with_metadata,
    encode_text,
)

_UNEXPLAINED: dict[str, Any] = {
    "node_id": "",
    "node_type": "",
    "exception_message": "the job was given up before it could run",
    "exception_type": "ServiceError",
    "traceback": [],
    "current_inputs": {},
    "current_outputs": {},
}


@dataclass(slots=True, kw_only=True)
class _Run:
    """What the socket was told of a job that runs."""

    started_at: int
    owes_cached: bool = True
    cached: tuple[str, ...] = ()
    shown: set[str] = field(default_factory=set[str])
    state: StateFrame | None = None

    def node(self, node_id: str | None) -> NodeStateBody | None:
        """Find what the last state said of a node."""
        nodes = self.state.nodes if self.state is not None else ()
        return next((node for node in nodes if node.node_id == node_id), None)


class SocketMessages:
    """What one socket is told; `with_metadata` once its client has said that it reads previews with metadata."""

    def __init__(self, sid: str) -> None:
        self.with_metadata = False
        self._sid: str | None = sid
        self._runs: dict[JobId, _Run] = {}

    def of(self, heard: Heard) -> Iterator[str | bytes]:
        """Give the frames to send for what was heard: texts and bytes, in order."""
        if heard.counts is not None:
            yield encode_message(self._status(heard.counts))
        if heard.task is not None:
            yield encode_message(_download(heard.task))
        if heard.job_id is None:
            return
        if heard.fact is not None:
            for message in self._of_fact(heard.job_id, heard.fact, heard.outputs):
                yield encode_message(message)
        elif heard.frame is not None:
            yield from self._of_frame(heard.job_id, heard.frame, heard.picture)

    def _status(self, counts: QueueCounts) -> StatusMessage:
        sid, self._sid = self._sid, None
        remaining = QueueInfo(queue_remaining=counts.queued + counts.held)
        return StatusMessage(status=StatusInfo(exec_info=remaining), sid=sid)

    def _of_fact(self, job_id: JobId, fact: Fact, outputs: tuple[OutputAdded, ...]) -> Iterator[SocketMessage]:
        match fact:
            case JobStarted():
                yield self._start(job_id, int(fact.at))
            case OutputAdded():
                yield from self._output(job_id, fact)
            case JobEnded():
                yield from self._end(job_id, fact, outputs)
            case JobCanceling():
                return  # to these clients it still runs
            case JobQueued() | JobAssigned():
                # A run that is taken from its worker begins anew; until then clients see the job as it was.
                run = self._runs.pop(job_id, None)
                if run is not None and run.owes_cached:
                    yield _cached(job_id, run, None)

    def _of_frame(self, job_id: JobId, frame: Frame, picture: bytes) -> Iterator[str | bytes]:
        run = self._runs.get(job_id)
        if run is None:
            return
        if run.owes_cached:
            yield encode_message(_cached(job_id, run, frame))
        match frame:
            case CachedFrame():
                return
            case PreviewFrame():
                yield self._preview(job_id, run, frame, picture)
            case StateFrame():
                run.state = frame
                yield encode_message(_progress_state(job_id, frame))
            case TextFrame():
                yield encode_text(frame.node_id, frame.text)
            case NodeFrame():
                yield encode_message(
                    ExecutingMessage(node=frame.node_id, display_node=frame.display_node_id, prompt_id=job_id)
                )
            case ProgressFrame():
                yield encode_message(
                    ProgressMessage(value=frame.value, max=frame.max, prompt_id=job_id, node=frame.node_id)
                )

    def _start(self, job_id: JobId, at: int) -> SocketMessage:
        self._runs[job_id] = _Run(started_at=at)
        return ExecutionStartMessage(prompt_id=job_id, timestamp=at)

    def _output(self, job_id: JobId, output: OutputAdded) -> Iterator[SocketMessage]:
        run = self._runs.get(job_id)
        if run is None or output.node_id in run.shown:
            return
        run.shown.add(output.node_id)
        if run.owes_cached:
            yield _cached(job_id, run, None)
        yield ExecutedMessage(
            node=output.node_id, display_node=output.display_node_id, output=output.output, prompt_id=job_id
        )

    def _end(self, job_id: JobId, end: JobEnded, outputs: tuple[OutputAdded, ...]) -> Iterator[SocketMessage]:
        if end.state == "succeeded" and job_id not in self._runs:
            yield self._start(job_id, int(end.at))
            self._runs[job_id].cached = end.cached
        for output in outputs:
            yield from self._output(job_id, output)
        run = self._runs.pop(job_id, None)
        if run is not None and run.owes_cached:
            yield _cached(job_id, run, None)
        yield _end_message(job_id, end, run)
        yield ExecutingMessage(node=None, prompt_id=job_id)

    def _preview(self, job_id: JobId, run: _Run, frame: PreviewFrame, picture: bytes) -> bytes:
        if not self.with_metadata:
            return encode_preview(frame.mime, picture)
        node = run.node(frame.node_id)
        metadata = PreviewMetadata(
            node_id=frame.node_id,
            prompt_id=job_id,
            display_node_id=frame.display_node_id,
            parent_node_id=node.parent_node_id if node is not None else None,
            real_node_id=node.real_node_id if node is not None else frame.node_id,
            image_type=frame.mime,
        )
        return encode_preview_with_metadata(metadata, picture)


def _download(task: TaskProgress) -> AssetDownloadMessage:
    whole = task.bytes_done if task.status == "completed" else task.bytes_total
    return AssetDownloadMessage(
        task_id=task.task_id,
        asset_name=task.asset_name,
        bytes_total=task.bytes_total,
        bytes_downloaded=task.bytes_done,
        progress=min(100.0, round(100 * task.bytes_done / whole, 1)) if whole else 0.0,
        status=task.status,
        asset_id=task.asset_id,
        error=task.error,
    )


def _cached(job_id: JobId, run: _Run, frame: Frame | None) -> ExecutionCachedMessage:
    run.owes_cached = False
    if isinstance(frame, CachedFrame):
        return ExecutionCachedMessage(nodes=frame.nodes, prompt_id=job_id, timestamp=int(frame.at))
    return ExecutionCachedMessage(nodes=run.cached, prompt_id=job_id, timestamp=run.started_at)


def _progress_state(job_id: UUID, frame: StateFrame) -> ProgressStateMessage:
    nodes = {
        node.node_id: NodeProgress(
            value=node.value,
            max=node.max,
            state=node.state,
            node_id=node.node_id,
            prompt_id=job_id,
            display_node_id=node.display_node_id,
            parent_node_id=node.parent_node_id,
            real_node_id=node.real_node_id,
            class_type=node.class_type,
        )
        for node in frame.nodes
    }
    return ProgressStateMessage(prompt_id=job_id, nodes=nodes)


def _end_message(job_id: UUID, end: JobEnded, run: _Run | None) -> SocketMessage:
    at = int(end.at)
    if end.state == "succeeded":
        return ExecutionSuccessMessage(prompt_id=job_id, timestamp=at)
    if end.state == "canceled":
        node = run.node(end.node_id) if run is not None else None
        return ExecutionInterruptedMessage(
            prompt_id=job_id,
            node_id=end.node_id,
            node_type=end.node_type or (node.class_type if node is not None else None),
            executed=end.executed,
            timestamp=at,
        )
    told = {"prompt_id": job_id, "executed": end.executed, "timestamp": at}
    return msgspec.convert(_UNEXPLAINED | (end.error or {}) | told, ExecutionErrorMessage)
