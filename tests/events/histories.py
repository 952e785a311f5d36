"""What is told of one job, as values: facts and frames under a given fence."""

from typing import Any
from uuid import UUID

from fireside.domain.ids import JobId, WorkerId
from fireside.wire.live import (
    CachedFrame,
    EndState,
    JobAssigned,
    JobEnded,
    JobQueued,
    JobStarted,
    NodeFrame,
    NodeStateBody,
    OutputAdded,
    PreviewFrame,
    ProgressFrame,
    StateFrame,
)

JOB = JobId(UUID(int=1))
OTHER_JOB = JobId(UUID(int=2))
WORKER = WorkerId("worker-1")


def queued(fence: int = 0, job_id: JobId = JOB) -> JobQueued:
    return JobQueued(job_id=job_id, at=1000.5, fence=fence)


def assigned(fence: int = 1, job_id: JobId = JOB) -> JobAssigned:
    return JobAssigned(job_id=job_id, at=1000.5, fence=fence)


def started(fence: int = 1, job_id: JobId = JOB, worker_id: WorkerId = WORKER) -> JobStarted:
    return JobStarted(job_id=job_id, at=1000.5, fence=fence, worker_id=worker_id)


def output(node_id: str = "2", fence: int = 1, job_id: JobId = JOB) -> OutputAdded:
    return OutputAdded(
        job_id=job_id, at=1000.5, fence=fence, node_id=node_id, display_node_id=node_id, output={"text": [node_id]}
    )


def ended(state: EndState = "succeeded", fence: int = 1, job_id: JobId = JOB, **more: Any) -> JobEnded:
    return JobEnded(job_id=job_id, at=2000.5, fence=fence, state=state, **more)


def cached(sequence: int = 1, fence: int = 1, *nodes: str) -> CachedFrame:
    return CachedFrame(fence=fence, sequence=sequence, nodes=nodes, at=1001.5)


def node(sequence: int = 1, fence: int = 1, node_id: str = "2") -> NodeFrame:
    return NodeFrame(fence=fence, sequence=sequence, node_id=node_id, display_node_id=node_id)


def state(sequence: int = 1, fence: int = 1, node_id: str = "2", **more: Any) -> StateFrame:
    body: dict[str, Any] = {
        "node_id": node_id,
        "display_node_id": node_id,
        "parent_node_id": None,
        "real_node_id": node_id,
        "class_type": "KSampler",
        "state": "running",
        "value": 1.0,
        "max": 2.0,
    }
    return StateFrame(fence=fence, sequence=sequence, nodes=(NodeStateBody(**body | more),))


def progress(sequence: int = 1, fence: int = 1, node_id: str = "2", value: float = 1.0) -> ProgressFrame:
    return ProgressFrame(fence=fence, sequence=sequence, node_id=node_id, value=value, max=20.0)


def preview(sequence: int = 1, fence: int = 1, node_id: str = "2", mime: str = "image/jpeg") -> PreviewFrame:
    return PreviewFrame(fence=fence, sequence=sequence, node_id=node_id, display_node_id=node_id, mime=mime)
