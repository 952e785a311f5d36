"""A graph that ComfyUI has ahead of its turn: it begins when the one before it has succeeded, and not otherwise."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any, cast

import aiohttp
import pytest
import pytest_asyncio
from PIL import Image
from tests.real_comfyui import DEADLINE_SECONDS, Tasks, all_events, node
from tests.runtimes.comfyui.waiting import SECONDS

from fireside.runtimes.base import Failed, Finished, NodeOutput, NodeStarted, RunEvent, Task
from fireside.runtimes.comfyui.runtime import ComfyRuntime
from fireside.runtimes.comfyui.supervised import SupervisedHome

pytestmark = pytest.mark.asyncio(loop_scope="session")

NAME = "ahead_00001_.png"


def colored(color: int, until: Path | None = None, kind: str = "wait") -> dict[str, Any]:
    """Save a picture of that color, when there is that file if one is named."""
    graph = {"1": node("EmptyImage", width=8, height=8, batch_size=1, color=color)}
    if until is not None:
        graph["2"] = node("FiresideTrouble", image=["1", 0], kind=kind, name=str(until))
    source = "1" if until is None else "2"
    return {**graph, "3": node("SaveImage", images=[source, 0], filename_prefix="ahead")}


def saved(events: Sequence[RunEvent]) -> list[tuple[str, int]]:
    """Give the names and colors of what was saved."""
    found: list[tuple[str, int]] = []
    for path in (file.path for event in events if isinstance(event, NodeOutput) for file in event.files):
        with Image.open(path) as picture:
            red, green, blue = cast("tuple[int, int, int]", picture.convert("RGB").getpixel((0, 0)))
        found.append((path.name, red << 16 | green << 8 | blue))
    return found


class Seen:
    """What the ComfyUI itself says."""

    def __init__(self, home: SupervisedHome) -> None:
        self.home = home

    async def _get(self, path: str) -> Any:
        async with aiohttp.ClientSession(self.home.url) as session, session.get(path) as response:
            return await response.json()

    async def has_ended(self, prompt_id: str) -> bool:
        return prompt_id in await self._get("/history")

    async def runs(self, prompt_id: str) -> bool:
        return prompt_id in [entry[1] for entry in (await self._get("/queue"))["queue_running"]]

    def left(self) -> list[str]:
        folders = self.home.folders
        assert folders is not None
        there = [one for one in (folders.input, folders.output, folders.temp, folders.left) if one.exists()]
        # One that is empty is kept for what the next run leaves.
        found = [path for folder in there for path in folder.iterdir() if path.name != "spare"]
        spare = [path for path in (folders.left / "spare").rglob("*") if not path.is_dir()]
        return [path.name for path in (*found, *spare)]


@pytest.fixture
def seen(real_home: SupervisedHome) -> Seen:
    return Seen(real_home)


class Leader:
    """A run that ends when it is told to, and what is to follow it."""

    def __init__(self, runtime: ComfyRuntime, gate: Path, events: AsyncGenerator[RunEvent]) -> None:
        self._runtime = runtime
        self._gate = gate
        self._events = events

    async def begin(self) -> None:
        async for event in self._events:
            if isinstance(event, NodeStarted) and event.node_id == "2":
                return
        raise AssertionError("it ended")

    async def followed_by(self, task: Task) -> str:
        """Hand the task over to follow, and give the id of its prompt."""
        await self._runtime.make_ready(task)
        ahead = self._runtime._ahead
        assert ahead is not None
        assert ahead.answer is not None
        return ahead.prompt_id

    async def end(self) -> list[RunEvent]:
        self._gate.touch()
        return [event async for event in self._events]


@asynccontextmanager
async def leading(runtime: ComfyRuntime, task: Task, gate: Path) -> AsyncGenerator[Leader]:
    events = cast("AsyncGenerator[RunEvent]", runtime.run(task))
    async with asyncio.timeout(DEADLINE_SECONDS), aclosing(events):
        leader = Leader(runtime, gate, events)
        try:
            await leader.begin()
            yield leader
        finally:
            gate.touch()


@pytest_asyncio.fixture(loop_scope="session")
async def leader(real_runtime: ComfyRuntime, make_task: Tasks, tmp_path: Path) -> AsyncGenerator[Leader]:
    gate = tmp_path / "gate"
    async with leading(real_runtime, make_task(colored(0x0A0000, gate)), gate) as leader:
        yield leader


async def until(happened: Any, *args: Any) -> None:
    async with asyncio.timeout(SECONDS):
        while not await happened(*args):  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.01)


async def settled(runtime: ComfyRuntime) -> None:
    async with runtime._turn:
        pass


async def test_it_begins_by_itself_and_neither_takes_the_files_of_the_other(
    seen: Seen, real_runtime: ComfyRuntime, make_task: Tasks, leader: Leader
) -> None:
    follower = make_task(colored(0x00B000))
    prompt_id = await leader.followed_by(follower)
    assert not await seen.runs(prompt_id), "it waits"
    first = await leader.end()
    await until(seen.has_ended, prompt_id)

    second = await all_events(real_runtime, follower)

    assert (first[-1], second[-1]) == (Finished(), Finished())
    assert (saved(first), saved(second)) == ([(NAME, 0x0A0000)], [(NAME, 0x00B000)])
    await settled(real_runtime)
    assert seen.left() == []


async def test_many_follow_each_other(real_runtime: ComfyRuntime, make_task: Tasks, leader: Leader) -> None:
    colors = [0x010101 * number for number in range(1, 30)]
    tasks = [make_task(colored(color)) for color in colors]
    await leader.followed_by(tasks[0])
    found = [saved(await leader.end())]
    for task, following in zip(tasks, [*tasks[1:], None], strict=True):
        running = asyncio.ensure_future(all_events(real_runtime, task))
        while following is not None and not running.done() and real_runtime._leader is None:  # noqa: ASYNC110
            await asyncio.sleep(0)
        if following is not None:
            await real_runtime.make_ready(following)
        found.append(saved(await running))

    assert found == [[(NAME, color)] for color in (0x0A0000, *colors)]


async def test_it_waits_when_the_one_before_it_fails(
    seen: Seen, real_runtime: ComfyRuntime, make_task: Tasks, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    async with leading(real_runtime, make_task(colored(1, gate, "wait_and_fail")), gate) as leader:
        follower = make_task(colored(0x00C000))
        prompt_id = await leader.followed_by(follower)
        first = await leader.end()

    await settled(real_runtime)
    assert isinstance(first[-1], Failed)
    assert not await seen.has_ended(prompt_id)
    assert not await seen.runs(prompt_id)
    assert saved(await all_events(real_runtime, follower)) == [(NAME, 0x00C000)]


async def test_it_does_not_come_between_two_tries_of_the_one_before_it(
    seen: Seen, real_runtime: ComfyRuntime, make_task: Tasks, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    task = make_task(colored(0x0D0000, gate, "wait_and_run_out_of_memory"))
    async with leading(real_runtime, task, gate) as leader:
        follower = make_task(colored(0x00E000))
        prompt_id = await leader.followed_by(follower)
        first = await leader.end()

    assert saved(first) == [(NAME, 0x0D0000)]
    assert not await seen.has_ended(prompt_id)
    assert saved(await all_events(real_runtime, follower)) == [(NAME, 0x00E000)]


async def test_one_that_is_given_back_never_begins(
    seen: Seen, real_runtime: ComfyRuntime, make_task: Tasks, leader: Leader
) -> None:
    follower = make_task(colored(0x00F000))
    prompt_id = await leader.followed_by(follower)
    await real_runtime.interrupt(follower.task_id)
    first = await leader.end()

    assert saved(first) == [(NAME, 0x0A0000)]
    assert saved(await all_events(real_runtime, make_task(colored(0x000A00)))) == [(NAME, 0x000A00)]
    assert not await seen.has_ended(prompt_id)


async def test_one_that_is_given_back_too_late_is_stopped_and_leaves_nothing(
    seen: Seen, real_runtime: ComfyRuntime, make_task: Tasks, leader: Leader, tmp_path: Path
) -> None:
    follower = make_task(colored(0x00000B, tmp_path / "never"))
    prompt_id = await leader.followed_by(follower)
    await leader.end()
    await until(seen.runs, prompt_id)
    await real_runtime.interrupt(follower.task_id)

    assert saved(await all_events(real_runtime, make_task(colored(0x00000C)))) == [(NAME, 0x00000C)]
    assert not await seen.runs(prompt_id)


async def test_what_is_left_of_one_that_nobody_runs_is_not_taken_for_anothers(
    seen: Seen, real_runtime: ComfyRuntime, make_task: Tasks, leader: Leader
) -> None:
    prompt_id = await leader.followed_by(make_task(colored(0x00000D)))
    await leader.end()
    await until(seen.has_ended, prompt_id)

    assert saved(await all_events(real_runtime, make_task(colored(0x00000E)))) == [(NAME, 0x00000E)]
    await settled(real_runtime)
    assert seen.left() == []


async def test_one_that_brings_files_waits_for_its_turn(
    real_runtime: ComfyRuntime, make_task: Tasks, leader: Leader, tmp_path: Path
) -> None:
    photo = tmp_path / "photo.png"
    Image.new("RGB", (8, 8), (0, 0, 15)).save(photo)
    graph = {
        "1": node("LoadImage", image="photo.png"),
        "3": node("SaveImage", images=["1", 0], filename_prefix="ahead"),
    }
    follower = make_task(graph, inputs={"photo.png": photo})
    await real_runtime.make_ready(follower)

    assert real_runtime._ahead is None
    assert saved(await leader.end()) == [(NAME, 0x0A0000)]
    assert saved(await all_events(real_runtime, follower)) == [(NAME, 0x00000F)]


@pytest.mark.fault
async def test_one_that_is_lost_with_the_process_runs_in_the_next(
    seen: Seen, real_runtime: ComfyRuntime, make_task: Tasks, leader: Leader
) -> None:
    follower = make_task(colored(0x00000A))
    await leader.followed_by(follower)
    await seen.home.restart("a test")
    first = await leader.end()

    assert isinstance(first[-1], Failed)
    assert first[-1].is_breakdown
    assert saved(await all_events(real_runtime, follower)) == [(NAME, 0x00000A)]
