from uuid import UUID

from tests.jobs.workshop import Workshop, until

from fireside.bus.subjects import live
from fireside.domain.ids import JobId, UserId, WorkerId
from fireside.domain.jobs import Lease
from fireside.runtimes.base import NodeStarted, NodeState, ProgressState
from fireside.wire.live import Frame, NodeFrame, StateFrame, decode_frame
from fireside.worker.telling import Telling

USER, WORKER = UserId(1), WorkerId("worker-1")


def state(value: int) -> ProgressState:
    node = NodeState(
        node_id="1", display_node_id="1", parent_node_id=None, real_node_id="1", class_type="A", state="running",
        value=float(value), max=100.0,
    )  # fmt: skip
    return ProgressState(nodes=(node,))


async def test_states_that_follow_each_other_quickly_are_told_as_the_last_of_them(shop: Workshop) -> None:
    job_id = JobId(UUID(int=5))
    heard: list[Frame] = []

    async def hear(subject: str, payload: bytes) -> None:
        heard.append(decode_frame(payload)[0])

    subscription = await shop.services.bus.subscribe(live(USER, job_id, WORKER), hear)
    telling = Telling(shop.services.bus, USER, WORKER, Lease(job_id=job_id, attempt=1, fence=1))
    for value in range(50):
        await telling.tell(state(value))
    await telling.tell(NodeStarted(node_id="1", display_node_id="1"))

    await telling.settle()

    await until(lambda: bool(heard) and isinstance(heard[-1], StateFrame) and heard[-1].nodes[0].value == 49)
    assert any(isinstance(frame, NodeFrame) for frame in heard)
    assert isinstance(heard[0], StateFrame)
    assert heard[0].nodes[0].value == 0
    assert len(heard) < 50
    await subscription.unsubscribe()
