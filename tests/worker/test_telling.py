import random
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID

from tests.jobs.workshop import Workshop, until

from fireside.bus.subjects import live
from fireside.domain.ids import JobId, UserId, WorkerId
from fireside.domain.jobs import Lease
from fireside.events.parts import Parts
from fireside.runtimes.base import CachedNodes, NodeStarted, NodeState, Preview, ProgressState, ProgressText
from fireside.wire.live import (
    MOST_PART_BYTES,
    MOST_PARTS,
    CachedFrame,
    Frame,
    NodeFrame,
    PreviewFrame,
    StateFrame,
    TextFrame,
    decode_frames,
)
from fireside.worker.telling import Telling

USER, WORKER = UserId(1), WorkerId("worker-1")


def state(value: int) -> ProgressState:
    node = NodeState(
        node_id="1", display_node_id="1", parent_node_id=None, real_node_id="1", class_type="A", state="running",
        value=float(value), max=100.0,
    )  # fmt: skip
    return ProgressState(nodes=(node,))


@dataclass
class Ear:
    """What was heard of one run, by messages."""

    telling: Telling
    messages: list[Sequence[Frame]] = field(default_factory=list[Sequence[Frame]])

    @property
    def frames(self) -> list[Frame]:
        return [frame for message in self.messages for frame in message]


@asynccontextmanager
async def listening(shop: Workshop, *, together: bool = True) -> AsyncGenerator[Ear]:
    """Hear what is told of a run."""
    job_id = JobId(UUID(int=5))
    lease = Lease(job_id=job_id, attempt=1, fence=1)
    ear = Ear(Telling(shop.services.bus, USER, WORKER, lease, together=together))

    async def hear(subject: str, payload: bytes) -> None:
        ear.messages.append(decode_frames(payload)[0])

    subscription = await shop.services.bus.subscribe(live(USER, job_id, WORKER), hear)
    yield ear
    await subscription.unsubscribe()


def node(node_id: str) -> NodeStarted:
    return NodeStarted(node_id=node_id, display_node_id=node_id)


async def test_what_is_said_within_a_moment_is_one_message_with_the_last_of_the_states(shop: Workshop) -> None:
    async with listening(shop) as ear:
        await ear.telling.tell(CachedNodes(nodes=()))
        for value in range(50):
            await ear.telling.tell(state(value))
        await ear.telling.tell(node("1"))
        await ear.telling.settle()
        await until(lambda: bool(ear.messages))

    (told,) = ear.messages
    assert [type(frame) for frame in told] == [CachedFrame, StateFrame, NodeFrame]
    assert [frame.sequence for frame in told] == [1, 2, 3]
    assert isinstance(told[1], StateFrame)
    assert told[1].nodes[0].value == 49


async def test_what_is_said_is_told_though_nothing_follows(shop: Workshop) -> None:
    async with listening(shop) as ear:
        await ear.telling.tell(node("1"))
        await until(lambda: len(ear.messages) == 1)
        await ear.telling.tell(node("2"))
        await until(lambda: len(ear.messages) == 2)

    assert [frame.sequence for frame in ear.frames] == [1, 2]


async def test_a_picture_comes_after_what_was_said_before_it(shop: Workshop) -> None:
    async with listening(shop) as ear:
        await ear.telling.tell(node("1"))
        await ear.telling.tell(Preview(node_id="1", display_node_id="1", mime="image/png", data=b"1"))
        await until(lambda: len(ear.frames) == 2)

    assert [type(frame) for frame in ear.frames] == [NodeFrame, PreviewFrame]


async def test_a_server_that_takes_one_frame_at_a_time_is_told_each_alone(shop: Workshop) -> None:
    async with listening(shop, together=False) as ear:
        for event in (CachedNodes(nodes=()), node("1"), node("2")):
            await ear.telling.tell(event)
        await ear.telling.settle()
        await until(lambda: len(ear.messages) == 3)

    assert [len(message) for message in ear.messages] == [1, 1, 1]


async def test_texts_that_are_long_together_come_in_as_many_messages_as_the_bus_carries(shop: Workshop) -> None:
    texts = [f"{number}{'-' * 60_000}" for number in range(30)]
    async with listening(shop) as ear:
        for text in texts:
            await ear.telling.tell(ProgressText(node_id="1", text=text))
        await ear.telling.settle()
        await until(lambda: len(ear.frames) == len(texts))

    assert [frame.text for frame in ear.frames if isinstance(frame, TextFrame)] == texts
    assert 1 < len(ear.messages) < len(texts)


async def test_a_picture_that_is_too_large_for_a_message_comes_in_parts_in_the_midst_of_others(shop: Workshop) -> None:
    job_id = JobId(UUID(int=5))
    parts, heard = Parts(), list[tuple[Frame, bytes]]()

    async def hear(subject: str, payload: bytes) -> None:
        (frame,), picture = decode_frames(payload)
        whole = parts.whole(job_id, WORKER, frame, picture)
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
