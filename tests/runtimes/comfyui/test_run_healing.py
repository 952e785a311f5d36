"""A ComfyUI that breaks, each time in a way that was seen, and what its runs make of it."""

import asyncio
import os
import signal
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any, TypeVar, cast
from uuid import uuid4

import aiohttp
import pytest
from tests.real_comfyui import DEADLINE_SECONDS, Tasks, all_events, node, post

from fireside.runtimes.base import (
    CachedNodes,
    Failed,
    Finished,
    Interrupted,
    NodeOutput,
    NodeStarted,
    Progress,
    RunEvent,
    Task,
)
from fireside.runtimes.comfyui.runtime import ComfyRuntime
from fireside.runtimes.comfyui.supervised import SupervisedHome

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.fault]

Kind = TypeVar("Kind", bound=RunEvent)
Graph = dict[str, Any]
EMPTY = node("EmptyImage", width=8, height=8, batch_size=1, color=7)
SAVE = node("SaveImage", images=["2", 0], filename_prefix="healed")
QUICK = {"1": EMPTY, "3": node("PreviewImage", images=["1", 0])}


def sleeping(seconds: float, steps: int) -> Graph:
    return {"1": EMPTY, "2": node("FiresideSleep", image=["1", 0], seconds=seconds, steps=steps), "3": SAVE}


def trouble(kind: str, name: str = "") -> Graph:
    return {"1": EMPTY, "2": node("FiresideTrouble", image=["1", 0], kind=kind, name=name), "3": SAVE}


def of(kind: type[Kind], events: list[RunEvent]) -> list[Kind]:
    return [event for event in events if isinstance(event, kind)]


@asynccontextmanager
async def running(runtime: ComfyRuntime, task: Task) -> AsyncGenerator[AsyncGenerator[RunEvent, None]]:
    events = cast("AsyncGenerator[RunEvent, None]", runtime.run(task))
    async with asyncio.timeout(DEADLINE_SECONDS), aclosing(events):
        yield events


async def until(events: AsyncIterator[RunEvent], kind: type[Kind]) -> Kind:
    async for event in events:
        if isinstance(event, kind):
            return event
    raise AssertionError(f"the run ended without {kind}")


async def rest_of(events: AsyncIterator[RunEvent]) -> list[RunEvent]:
    return [event async for event in events]


async def assert_works(runtime: ComfyRuntime, make_task: Tasks) -> None:
    assert (await all_events(runtime, make_task(QUICK)))[-1] == Finished()


async def test_a_run_whose_websocket_is_cut_is_followed_by_the_history(
    real_runtime: ComfyRuntime, make_task: Tasks
) -> None:
    async with running(real_runtime, make_task(sleeping(1.5, 30))) as events:
        await until(events, Progress)
        assert real_runtime._connection is not None
        assert real_runtime._connection._socket is not None
        await real_runtime._connection._socket.close()
        rest = await rest_of(events)

    assert rest[-1] == Finished()
    assert [output.node_id for output in of(NodeOutput, rest) if output.files] == ["3"]
    again = await all_events(real_runtime, make_task(sleeping(0.2, 2)))
    assert of(Progress, again)


async def test_a_run_whose_websocket_falls_silent_is_followed_by_the_history(
    real_home: SupervisedHome, real_runtime: ComfyRuntime, make_task: Tasks
) -> None:
    async with running(real_runtime, make_task(sleeping(1.5, 30))) as events:
        await until(events, Progress)
        assert real_runtime._connection is not None
        params = {"clientId": real_runtime._connection.client_id}
        # The newer socket of a client id gets all that the older one should.
        async with aiohttp.ClientSession(real_home.url) as session, session.ws_connect("/ws", params=params):
            rest = await rest_of(events)

    assert rest[-1] == Finished()
    assert [output.node_id for output in of(NodeOutput, rest) if output.files] == ["3"]
    again = await all_events(real_runtime, make_task(sleeping(0.3, 3)))
    assert of(Progress, again)


async def test_a_process_that_is_killed_while_it_works_is_told_and_replaced(
    real_home: SupervisedHome, real_runtime: ComfyRuntime, make_task: Tasks
) -> None:
    async with running(real_runtime, make_task(sleeping(600, 6000))) as events:
        await until(events, Progress)
        assert real_home.pid is not None
        os.kill(real_home.pid, signal.SIGKILL)
        end = (await rest_of(events))[-1]

    assert isinstance(end, Failed)
    assert (end.node_id, end.exception_type, end.is_breakdown) == ("", "PanicError", True)
    assert "process is gone. It happened while node 2 ran." in end.exception_message
    assert "got prompt" in end.exception_message
    await assert_works(real_runtime, make_task)


async def test_a_process_that_is_killed_while_it_is_idle_costs_no_run(
    real_home: SupervisedHome, real_runtime: ComfyRuntime, make_task: Tasks
) -> None:
    await assert_works(real_runtime, make_task)
    assert real_home.pid is not None
    os.kill(real_home.pid, signal.SIGKILL)

    await assert_works(real_runtime, make_task)


async def test_a_node_that_hangs_is_killed_when_it_is_interrupted(
    real_home: SupervisedHome, real_runtime: ComfyRuntime, make_task: Tasks
) -> None:
    task = make_task(trouble("hang"))
    pid = real_home.pid
    async with running(real_runtime, task) as events:
        while (await until(events, NodeStarted)).node_id != "2":
            pass
        await real_runtime.interrupt(task.task_id)
        end = (await rest_of(events))[-1]

    assert isinstance(end, Interrupted)
    assert (end.node_id, end.node_type) == ("2", "FiresideTrouble")
    await assert_works(real_runtime, make_task)
    assert real_home.pid != pid


async def test_a_thread_that_ends_under_a_run_is_noticed_and_replaced(
    real_runtime: ComfyRuntime, make_task: Tasks
) -> None:
    end = (await all_events(real_runtime, make_task(trouble("end_thread"))))[-1]

    assert isinstance(end, Failed)
    assert (end.exception_type, end.is_breakdown) == ("PanicError", True)
    assert "thread in which ComfyUI runs prompts has ended. It happened while node 2 ran." in end.exception_message
    await assert_works(real_runtime, make_task)


async def test_a_comfyui_that_takes_prompts_and_runs_none_is_replaced_and_the_run_goes_on(
    real_home: SupervisedHome, real_runtime: ComfyRuntime, make_task: Tasks
) -> None:
    await assert_works(real_runtime, make_task)
    pid = real_home.pid
    async with aiohttp.ClientSession(real_home.url) as session:
        await post(session, "/prompt", prompt=trouble("end_thread", uuid4().hex))

    await assert_works(real_runtime, make_task)
    assert real_home.pid != pid


async def test_a_run_that_lacks_memory_once_is_run_again(real_runtime: ComfyRuntime, make_task: Tasks) -> None:
    events = await all_events(real_runtime, make_task(trouble("out_of_memory_once", uuid4().hex)))

    assert events[-1] == Finished()
    assert len(of(CachedNodes, events)) == 1
    assert [output.node_id for output in of(NodeOutput, events)] == ["3"]


async def test_a_run_that_lacks_memory_again_fails_for_it(real_runtime: ComfyRuntime, make_task: Tasks) -> None:
    events = await all_events(real_runtime, make_task(trouble("out_of_memory")))

    end = events[-1]
    assert isinstance(end, Failed)
    assert (end.node_id, end.exception_type, end.is_breakdown) == ("2", "OOMError", False)
    assert "can't allocate memory" in end.exception_message
    # What was remembered is freed as well, so the second try begins anew.
    assert [event.node_id for event in of(NodeStarted, events)][-3:] == ["2", "1", "2"]
    await assert_works(real_runtime, make_task)


async def test_a_full_disk_is_the_machines_fault(real_runtime: ComfyRuntime, make_task: Tasks) -> None:
    end = (await all_events(real_runtime, make_task(trouble("full_disk"))))[-1]

    assert isinstance(end, Failed)
    assert (end.node_id, end.exception_type, end.is_breakdown) == ("2", "OSError", True)
    assert end.exception_message.startswith("The disk that ComfyUI writes to is full")
    await assert_works(real_runtime, make_task)


async def test_a_run_that_waits_behind_anothers_prompt_is_taken_out_when_it_is_interrupted(
    real_home: SupervisedHome, real_runtime: ComfyRuntime, make_task: Tasks
) -> None:
    async with aiohttp.ClientSession(real_home.url) as session:
        await post(session, "/prompt", prompt=sleeping(600, 6000), prompt_id="somebody's", client_id="somebody")
        task = make_task(QUICK)
        async with running(real_runtime, task) as events:
            first = asyncio.ensure_future(anext(events))
            await waiting_in_queue(session, 1)
            await real_runtime.interrupt(task.task_id)

            assert await first == CachedNodes(nodes=())
            assert (await rest_of(events))[-1] == Interrupted()
        await post(session, "/interrupt", prompt_id="somebody's")
    await assert_works(real_runtime, make_task)


async def waiting_in_queue(session: aiohttp.ClientSession, number: int) -> None:
    async with asyncio.timeout(DEADLINE_SECONDS):
        while True:
            async with session.get("/queue") as response:
                if len((await response.json())["queue_pending"]) == number:
                    return
