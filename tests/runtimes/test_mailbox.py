import asyncio
from pathlib import Path

import pytest

from fireside.runtimes.base import (
    CachedNodes,
    Failed,
    Finished,
    Interrupted,
    NodeOutput,
    NodeStarted,
    NodeState,
    Preview,
    Progress,
    ProgressState,
    RunEvent,
    Task,
)
from fireside.runtimes.mailbox import Mailbox

GRAPH = {"1": {"class_type": "First"}, "2": {"class_type": "Second"}}
PREVIEW = Preview(node_id="1", display_node_id="1", mime="image/jpeg", data=b"picture")
OUTPUT = NodeOutput(node_id="1", display_node_id="1", output={"text": ["kept"]})


@pytest.fixture
def mailbox(tmp_path: Path) -> Mailbox:
    return Mailbox(Task(task_id="task", graph=GRAPH, outputs=("2",), inputs={}, extra_data={}, folder=tmp_path))


def step(value: float) -> Progress:
    return Progress(node_id="1", value=value, max=10_000)


def state(value: float) -> ProgressState:
    running = NodeState(
        node_id="1",
        display_node_id="1",
        parent_node_id=None,
        real_node_id="1",
        class_type="First",
        state="running",
        value=value,
        max=10_000,
    )
    return ProgressState(nodes=(running,))


def begin(node_id: str) -> NodeStarted:
    return NodeStarted(node_id=node_id, display_node_id=node_id)


async def everything(mailbox: Mailbox) -> list[RunEvent]:
    events: list[RunEvent] = []
    async with asyncio.timeout(60):
        while not isinstance(events[-1] if events else None, Finished | Failed | Interrupted):
            events.append(await mailbox.get())
    return events


async def test_events_come_out_in_order(mailbox: Mailbox) -> None:
    put: list[RunEvent] = [CachedNodes(nodes=()), state(0), begin("1"), step(1), PREVIEW, OUTPUT, Finished()]
    for event in put:
        mailbox.put(event)

    assert await everything(mailbox) == put


async def test_a_reader_waits_for_the_next_event(mailbox: Mailbox) -> None:
    reading = asyncio.create_task(mailbox.get())
    await asyncio.sleep(0)
    mailbox.put(OUTPUT)

    assert await asyncio.wait_for(reading, 60) == OUTPUT


async def test_a_slow_reader_misses_what_is_outdated_and_nothing_else(mailbox: Mailbox) -> None:
    for value in range(10_000):
        mailbox.put(state(value))
        mailbox.put(step(value))
        mailbox.put(PREVIEW)
    mailbox.put(OUTPUT)
    mailbox.put(Finished())

    events = await everything(mailbox)
    assert len(events) < 100
    assert events[-3:] == [state(9_999), OUTPUT, Finished()]


async def test_nothing_comes_after_the_end(mailbox: Mailbox) -> None:
    mailbox.put(Finished())
    mailbox.put(OUTPUT)
    mailbox.break_off("too late")

    assert await everything(mailbox) == [Finished()]
    assert mailbox.ended.is_set()


async def test_a_run_that_breaks_off_before_it_began_still_names_the_reused_nodes_first(mailbox: Mailbox) -> None:
    mailbox.break_off("It died.")

    first, end = await everything(mailbox)
    assert first == CachedNodes(nodes=())
    assert end == Failed(
        node_id="", node_type="", exception_type="PanicError", exception_message="It died.", is_breakdown=True
    )


async def test_a_run_that_breaks_off_says_where_it_was(mailbox: Mailbox) -> None:
    for event in (CachedNodes(nodes=()), begin("1"), begin("2")):
        mailbox.put(event)
    mailbox.break_off("It died.")

    end = (await everything(mailbox))[-1]
    assert isinstance(end, Failed)
    assert end.exception_message == "It died. It happened while node 2 ran."
    assert end.executed == ("1",)


async def test_a_run_that_breaks_off_after_an_interrupt_counts_as_interrupted(mailbox: Mailbox) -> None:
    for event in (CachedNodes(nodes=()), begin("1"), begin("2")):
        mailbox.put(event)
    mailbox.interrupted = True
    mailbox.break_off("It was killed.")

    assert (await everything(mailbox))[-1] == Interrupted(node_id="2", node_type="Second", executed=("1",))
