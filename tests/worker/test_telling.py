import random
from uuid import UUID

from tests.jobs.workshop import Workshop, until

from fireside.bus.subjects import live
from fireside.domain.ids import JobId, UserId, WorkerId
from fireside.domain.jobs import Lease
from fireside.events.parts import Parts
from fireside.runtimes.base import NodeStarted, NodeState, Preview, ProgressState
from fireside.wire.live import MOST_PART_BYTES, MOST_PARTS, Frame, NodeFrame, PreviewFrame, StateFrame, decode_frame
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


async def test_a_picture_that_is_too_large_for_a_message_comes_in_parts_in_the_midst_of_others(shop: Workshop) -> None:
    job_id = JobId(UUID(int=5))
    parts, heard = Parts(), list[tuple[Frame, bytes]]()

    async def hear(subject: str, payload: bytes) -> None:
        whole = parts.whole(job_id, WORKER, *decode_frame(payload))
        heard.extend([] if whole is None else [whole])

    subscription = await shop.services.bus.subscribe(live(USER, job_id, WORKER), hear)
    telling = Telling(shop.services.bus, USER, WORKER, Lease(job_id=job_id, attempt=1, fence=1))
    sizes = [7, 2 * MOST_PART_BYTES + 9, MOST_PART_BYTES, MOST_PARTS * MOST_PART_BYTES + 1, 3]
    pictures = [random.Random(size).randbytes(size) for size in sizes]
    for picture in pictures:
        await telling.tell(Preview(node_id="1", display_node_id="1", mime="image/png", data=picture))

    await until(lambda: len(heard) == 4)
    assert [picture for _, picture in heard] == [pictures[0], pictures[1], pictures[2], pictures[4]]
    frames = [frame for frame, _ in heard]
    assert all(isinstance(frame, PreviewFrame) and frame.parts == 1 for frame in frames)
    assert [frame.sequence for frame in frames] == sorted(frame.sequence for frame in frames)

    await telling.tell_again()
    await until(lambda: len(heard) == 5)
    assert heard[-1][1] == pictures[4]
    await subscription.unsubscribe()
