"""The builtin runtime's child process: how it lives, dies and is watched."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from pathlib import Path
from typing import Any, cast

import pytest

from fireside.processes.leftovers import start_time
from fireside.runtimes.base import (
    Failed,
    Finished,
    Interrupted,
    Progress,
    RunEvent,
    RuntimeStartError,
    Task,
)
from fireside.runtimes.builtin import messages
from fireside.runtimes.builtin.runtime import BuiltinRuntime

Open = Callable[..., BuiltinRuntime]
DEADLINE_SECONDS = 60
MIB = 1024 * 1024
QUICK: dict[str, Any] = {
    "1": {"class_type": "PrimitiveInt", "inputs": {"value": 7}},
    "2": {"class_type": "PreviewAny", "inputs": {"source": ["1", 0]}},
}
SLEEPING: dict[str, Any] = {
    "1": {"class_type": "EmptyImage", "inputs": {"width": 8, "height": 8, "batch_size": 1, "color": 0}},
    "2": {"class_type": "FiresideSleep", "inputs": {"image": ["1", 0], "seconds": 600.0, "steps": 10_000}},
    "3": {"class_type": "PreviewAny", "inputs": {"source": ["2", 0]}},
}
PARENT = """
import asyncio, sys
from pathlib import Path
from fireside.runtimes.builtin import messages
from fireside.runtimes.builtin.runtime import BuiltinRuntime

async def main():
    runtime = BuiltinRuntime(Path(sys.argv[1]))
    await runtime.start()
    print(runtime.pid, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""
IMPORTED = "import fireside.runtimes.builtin.child, sys; print(*sorted({name.split('.')[0] for name in sys.modules}))"


@pytest.fixture
async def open_runtime(tmp_path: Path) -> AsyncIterator[Open]:
    """Make runtimes, which are stopped with the test."""
    opened: list[BuiltinRuntime] = []

    def open_one(**settings: Any) -> BuiltinRuntime:
        opened.append(BuiltinRuntime(tmp_path / f"runtime {len(opened)}", **settings))
        return opened[-1]

    yield open_one
    for runtime in opened:
        await runtime.stop()


@pytest.fixture
def task_of(tmp_path: Path) -> Callable[..., Task]:
    made = 0

    def make(graph: dict[str, Any]) -> Task:
        nonlocal made
        made += 1
        last = str(len(graph))
        return Task(task_id=f"task {made}", graph=graph, outputs=(last,), inputs={}, extra_data={}, folder=tmp_path)

    return make


async def all_events(runtime: BuiltinRuntime, task: Task) -> list[RunEvent]:
    async with asyncio.timeout(DEADLINE_SECONDS):
        return [event async for event in runtime.run(task)]


async def until(events: AsyncIterator[RunEvent], *kinds: type[RunEvent]) -> RunEvent:
    async for event in events:
        if isinstance(event, kinds):
            return event
    raise AssertionError(f"the run ended without {kinds}")


@contextlib.asynccontextmanager
async def sleeping(runtime: BuiltinRuntime, task: Task) -> AsyncGenerator[AsyncIterator[RunEvent], None]:
    """Run a task up to the middle of its long node."""
    events = cast("AsyncGenerator[RunEvent, None]", runtime.run(task))
    async with asyncio.timeout(DEADLINE_SECONDS), contextlib.aclosing(events):
        await until(events, Progress)
        yield events


def kill(runtime: BuiltinRuntime, number: signal.Signals = signal.SIGKILL) -> int:
    assert runtime.pid is not None
    pid = runtime.pid
    os.kill(pid, number)
    return pid


async def until_gone(pid: int) -> None:
    async with asyncio.timeout(DEADLINE_SECONDS):
        while start_time(pid) is not None:  # noqa: ASYNC110 - its end tells nobody but its parent
            await asyncio.sleep(0.005)


async def test_a_child_killed_in_the_middle_of_a_node_is_a_failure_that_says_how(
    open_runtime: Open, task_of: Callable[..., Task]
) -> None:
    runtime = open_runtime()
    await runtime.start()
    async with sleeping(runtime, task_of(SLEEPING)) as events:
        kill(runtime)
        end = await until(events, Failed)

    assert isinstance(end, Failed)
    assert (end.exception_type, end.node_id, end.executed) == ("PanicError", "", ("1",))
    assert "SIGKILL" in end.exception_message
    assert "node 2" in end.exception_message
    assert (await all_events(runtime, task_of(QUICK)))[-1] == Finished()


async def test_a_child_that_dies_between_tasks_breaks_none(open_runtime: Open, task_of: Callable[..., Task]) -> None:
    runtime = open_runtime()
    await runtime.start()
    await all_events(runtime, task_of(QUICK))
    # Not waited for: the task is handed to a child whose end has not been noticed yet.
    kill(runtime)

    assert (await all_events(runtime, task_of(QUICK)))[-1] == Finished()


async def test_a_child_that_does_not_react_to_an_interrupt_is_killed(
    open_runtime: Open, task_of: Callable[..., Task]
) -> None:
    runtime = open_runtime(interrupt_seconds=0.1)
    await runtime.start()
    task = task_of(SLEEPING)
    async with sleeping(runtime, task) as events:
        pid = kill(runtime, signal.SIGSTOP)
        await runtime.interrupt(task.task_id)
        end = await until(events, Failed, Interrupted)

    assert end == Interrupted(node_id="2", node_type="FiresideSleep", executed=("1",))
    await until_gone(pid)
    assert (await all_events(runtime, task_of(QUICK)))[-1] == Finished()


async def test_a_child_that_reacts_to_an_interrupt_is_kept(open_runtime: Open, task_of: Callable[..., Task]) -> None:
    runtime = open_runtime()
    await runtime.start()
    pid = runtime.pid
    task = task_of(SLEEPING)
    async with sleeping(runtime, task) as events:
        await runtime.interrupt(task.task_id)
        await until(events, Interrupted)

    await all_events(runtime, task_of(QUICK))
    assert runtime.pid == pid


async def test_an_interrupt_while_the_child_still_starts_counts(
    open_runtime: Open, task_of: Callable[..., Task]
) -> None:
    runtime = open_runtime()
    task = task_of(SLEEPING)
    running = asyncio.ensure_future(all_events(runtime, task))
    # One turn of the loop: the run has begun, and the child is not there yet.
    await asyncio.sleep(0)
    await runtime.interrupt(task.task_id)

    assert isinstance((await running)[-1], Interrupted)
    assert runtime.pid is not None


async def test_an_abandoned_run_does_not_hold_up_the_next_even_if_the_child_hangs(
    open_runtime: Open, task_of: Callable[..., Task]
) -> None:
    runtime = open_runtime(interrupt_seconds=0.1)
    await runtime.start()
    async with sleeping(runtime, task_of(SLEEPING)):
        kill(runtime, signal.SIGSTOP)

    assert (await all_events(runtime, task_of(QUICK)))[-1] == Finished()


async def test_stopping_ends_a_run_as_interrupted_and_leaves_no_process(
    open_runtime: Open, task_of: Callable[..., Task]
) -> None:
    runtime = open_runtime()
    await runtime.start()
    assert runtime.pid is not None
    pid = runtime.pid
    async with sleeping(runtime, task_of(SLEEPING)) as events:
        await runtime.stop()
        end = await until(events, Failed, Interrupted)

    assert end == Interrupted(node_id="2", node_type="FiresideSleep", executed=("1",))
    assert start_time(pid) is None
    assert runtime.pid is None


async def test_a_stopped_runtime_runs_nothing(open_runtime: Open, task_of: Callable[..., Task]) -> None:
    runtime = open_runtime()
    await runtime.start()
    await runtime.stop()

    assert isinstance((await all_events(runtime, task_of(QUICK)))[-1], Failed)
    assert runtime.pid is None


async def test_the_signals_of_a_terminal_are_the_workers_business(
    open_runtime: Open, task_of: Callable[..., Task]
) -> None:
    runtime = open_runtime()
    await runtime.start()
    pid = kill(runtime, signal.SIGINT)
    kill(runtime, signal.SIGTERM)

    assert (await all_events(runtime, task_of(QUICK)))[-1] == Finished()
    assert runtime.pid == pid


async def test_a_graph_that_wants_too_much_memory_fails_alone(open_runtime: Open, task_of: Callable[..., Task]) -> None:
    runtime = open_runtime(memory_bytes=768 * MIB)
    await runtime.start()
    pid = runtime.pid
    huge = {**SLEEPING["1"], "inputs": {"width": 16384, "height": 16384, "batch_size": 1, "color": 0}}
    shown = {"class_type": "PreviewAny", "inputs": {"source": ["1", 0]}}
    end = (await all_events(runtime, task_of({"1": huge, "2": shown})))[-1]

    assert isinstance(end, Failed)
    assert (end.node_id, end.node_type) == ("1", "EmptyImage")
    assert "MemoryError" in end.exception_type
    assert (await all_events(runtime, task_of(QUICK)))[-1] == Finished()
    assert runtime.pid == pid


async def test_a_child_that_does_not_come_up_is_a_start_error_with_its_log(open_runtime: Open) -> None:
    with pytest.raises(RuntimeStartError, match=r"(?s)did not start.*can't start new thread"):
        await open_runtime(memory_bytes=1).start()


async def test_a_folder_that_cannot_be_made_is_a_start_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RuntimeStartError, match="file"):
        await BuiltinRuntime(tmp_path / "file" / "folder").start()


async def test_a_task_for_a_child_that_does_not_come_up_fails(open_runtime: Open, task_of: Callable[..., Task]) -> None:
    events = await all_events(open_runtime(memory_bytes=1), task_of(QUICK))

    assert isinstance(events[-1], Failed)
    assert events[-1].exception_type == "PanicError"


async def test_whole_numbers_of_any_size_reach_the_nodes(open_runtime: Open, task_of: Callable[..., Task]) -> None:
    graph = {**QUICK, "1": {"class_type": "PrimitiveInt", "inputs": {"value": 2**80}}}
    events = await all_events(open_runtime(), task_of(graph))

    assert str(2**80) in repr(events)


@pytest.mark.parametrize("frozen", [False, True])
async def test_the_child_dies_when_its_parent_is_killed(tmp_path: Path, frozen: bool) -> None:
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PARENT, str(tmp_path), stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout is not None
    async with asyncio.timeout(DEADLINE_SECONDS):
        child = int(await parent.stdout.readline())
    assert start_time(child) is not None
    if frozen:
        os.kill(child, signal.SIGSTOP)
    parent.kill()
    await parent.wait()
    await until_gone(child)


async def test_the_child_ends_in_the_middle_of_a_node_when_its_pipe_closes(task_of: Callable[..., Task]) -> None:
    settings = messages.encode(messages.Settings(cache_bytes=0, memory_bytes=None))
    task = messages.encode(messages.Execute(task_of(SLEEPING)))
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "fireside.runtimes.builtin.child",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    # Closes the pipe behind the task and waits for the end of both the output and the process.
    async with asyncio.timeout(DEADLINE_SECONDS):
        await child.communicate(settings + task)

    assert child.returncode == 0


async def test_the_child_imports_nothing_that_it_does_not_need() -> None:
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", IMPORTED, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    printed, _ = await child.communicate()
    imported = set(printed.decode().split())

    assert {"numpy", "PIL", "msgspec", "blake3"} <= imported
    assert not imported & {"asyncio", "httpx", "nats", "starlette", "structlog", "obstore", "uvicorn"}
