"""How far a run is, as one number and in words, from what its worker has told of the nodes."""

from collections import OrderedDict
from collections.abc import Mapping

import msgspec

from fireside.domain.ids import JobId
from fireside.domain.jobs import Job, JobState
from fireside.events.following import Standing
from fireside.jobs.waiting import fetched_for
from fireside.server.services import Services
from fireside.wire.live import NodeStateBody
from fireside.wire.v2_jobs import ProgressBody

_RUNNING_STATES = frozenset({JobState.RUNNING, JobState.CANCELING})
_REMEMBERED = 2000


class _Node(msgspec.Struct, frozen=True):
    class_type: str = ""


Classes = Mapping[str, str]
"""The class of each node of a graph."""
_graph_decoder = msgspec.json.Decoder(dict[str, _Node])
# What a job's graph holds never changes, and a stream asks for it again and again.
_CLASSES: OrderedDict[JobId, Classes] = OrderedDict()


async def progress_of(services: Services, job: Job) -> ProgressBody | None:
    """Say how far the job's run is, or the model that comes before it; None for a job that does not run."""
    if job.state not in _RUNNING_STATES:
        return await progress_before(services, job)
    standing = await services.hub.glance(job.user_id, job.id)
    return measure(standing or Standing(), await classes_of(services, job.id))


async def progress_before(services: Services, job: Job) -> ProgressBody | None:
    """Say how far the model is that the job's worker fetches before it begins; None where it fetches none."""
    coming = fetched_for(job, services.fleet.presences())
    if coming is None:
        return None
    total = len(await classes_of(services, job.id))
    message = f"Fetching {coming.model}, {coming.percent} %"
    return ProgressBody(value=0.0, nodes_done=0, nodes_total=total, message=message)


async def classes_of(services: Services, job_id: JobId) -> Classes:
    """Read which nodes a job runs."""
    known = _CLASSES.get(job_id)
    if known is None:
        body = await services.store.job_body(job_id)
        nodes = _graph_decoder.decode(body.graph) if body is not None else {}
        known = _CLASSES[job_id] = {node_id: node.class_type for node_id, node in nodes.items()}
        if len(_CLASSES) > _REMEMBERED:
            _CLASSES.popitem(last=False)
    return known


def measure(standing: Standing, classes: Classes) -> ProgressBody:
    """Weigh what is done: every node counts the same, one that runs by its steps."""
    done = {node_id for node_id in standing.cached if node_id in classes}
    running: NodeStateBody | None = None
    parts: dict[str, float] = {}
    for node in standing.nodes:
        if node.state == "finished" and node.node_id in classes:
            done.add(node.node_id)
        elif node.state == "running":
            running = running if running is not None and running.node_id == standing.node_id else node
            if node.node_id in classes and node.max > 0:
                parts[node.node_id] = min(1.0, max(0.0, node.value / node.max))
    total = len(classes)
    share = (len(done) + sum(part for node_id, part in parts.items() if node_id not in done)) / total if total else 0.0
    current = running.node_id if running else standing.node_id
    current = None if current in done else current
    name = running.class_type if running else classes.get(current or "")
    step, steps = _steps(running)
    return ProgressBody(
        value=min(1.0, round(share, 4)),
        nodes_done=len(done),
        nodes_total=total,
        current_node=current,
        current_node_class=name if current else None,
        step=step,
        steps=steps,
        message=_message(name, step, steps) if current else None,
    )


def _steps(running: NodeStateBody | None) -> tuple[int | None, int | None]:
    """Give the steps of a node that counts some; a node that does not has one."""
    if running is None or running.max <= 1:
        return None, None
    return int(running.value), int(running.max)


def _message(name: str | None, step: int | None, steps: int | None) -> str | None:
    return f"{name} {step}/{steps}" if name and steps is not None else name
