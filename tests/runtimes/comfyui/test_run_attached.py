"""A ComfyUI that somebody else runs: files go and come over HTTP, and nothing of it is ours to clean or to kill."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import aiohttp
import pytest
import pytest_asyncio
from PIL import Image
from tests.real_comfyui import Tasks, all_events, node, post
from tests.runtimes.comfyui.conftest import DEADLINES
from tests.runtimes.comfyui.waiting import SECONDS

from fireside.runtimes.base import CachedNodes, Failed, Finished, Interrupted, NodeOutput, NodeStarted, RunEvent
from fireside.runtimes.comfyui.attached import AttachedHome
from fireside.runtimes.comfyui.connection import Connection
from fireside.runtimes.comfyui.runtime import ComfyRuntime
from fireside.runtimes.comfyui.supervised import SupervisedHome

pytestmark = pytest.mark.asyncio(loop_scope="session")


SHOWN = json.dumps({"files": [{"filename": "a.txt", "subfolder": "", "type": "output"}]})


@pytest_asyncio.fixture(loop_scope="session")
async def attached(real_runtime: ComfyRuntime, real_home: SupervisedHome) -> AsyncIterator[ComfyRuntime]:
    """A runtime attached to the ComfyUI of the tests, which is supervised by another one that rests meanwhile."""
    runtime = ComfyRuntime(AttachedHome(real_home.url), deadlines=replace(DEADLINES, interrupt_seconds=SECONDS))
    async with real_runtime._turn:
        await runtime.start()
        yield runtime
        await runtime.stop()


class Unbridged:
    """The home of the tests as it would be if its ComfyUI could not load our node pack."""

    def __init__(self, home: SupervisedHome) -> None:
        self._home = home

    def __getattr__(self, name: str) -> Any:
        return None if name == "bridge_headers" else getattr(self._home, name)


async def test_without_our_node_pack_equal_names_of_different_files_are_not_mixed_up_either(
    real_runtime: ComfyRuntime, real_home: SupervisedHome, make_task: Tasks, tmp_path: Path
) -> None:
    runtime = ComfyRuntime(cast("SupervisedHome", Unbridged(real_home)), deadlines=DEADLINES)
    graph = {
        "1": node("FiresideReadText", file="notes.txt"),
        "2": node("PreviewAny", source=["1", 0]),
        "3": node("FiresideShow", files='[["output", "a.txt", "a"]]', shown=SHOWN),
    }
    texts: list[Any] = []
    async with real_runtime._turn:
        await runtime.start()
        for number, text in enumerate(["mine", "yours", "yours"]):
            path = tmp_path / f"{number}.txt"
            path.write_text(text)
            events = await all_events(runtime, make_task(graph, inputs={"notes.txt": path}))
            files = [file.path.read_text() for output in outputs(events) for file in output.files]
            (read,) = [output.output["text"] for output in outputs(events) if output.node_id == "2"]
            texts.append((read, files, events[-1]))
        await runtime._disconnect()

    assert texts == [(["mine"], ["a"], Finished()), *[(["yours"], ["a"], Finished())] * 2]


def outputs(events: list[RunEvent]) -> list[NodeOutput]:
    return [event for event in events if isinstance(event, NodeOutput)]


def inverted(value: str) -> dict[str, Any]:
    return {
        "1": node("LoadImage", image=value),
        "2": node("ImageInvert", image=["1", 0]),
        "3": node("SaveImage", images=["2", 0], filename_prefix="attached/i"),
        "4": node("PreviewAny", source=value),
    }


@pytest.mark.parametrize("value", ["photo.png", "sub/photo.png [output]"])
async def test_inputs_are_uploaded_and_outputs_fetched(
    attached: ComfyRuntime, make_task: Tasks, tmp_path: Path, value: str
) -> None:
    photo = tmp_path / "0.png"
    Image.new("RGB", (3, 2), (10, 20, 30)).save(photo)
    task = make_task(inverted(value), inputs={value: photo})
    events = await all_events(attached, task)

    assert events[-1] == Finished()
    files = [file for output in outputs(events) for file in output.files]
    with Image.open(files[0].path) as picture:
        assert picture.getpixel((0, 0)) == (245, 235, 225)
        uploaded = json.loads(picture.info["prompt"])["1"]["inputs"]["image"]
    assert files[0].path.is_relative_to(task.folder)
    # Only file inputs are rewritten; a text that looks the same stays.
    assert [output.output["text"] for output in outputs(events) if output.node_id == "4"] == [[value]]
    assert uploaded != value
    assert uploaded.endswith(".png [output]" if "[output]" in value else ".png")


async def test_an_equal_graph_shows_its_files_again(attached: ComfyRuntime, make_task: Tasks) -> None:
    graph = {
        "1": node("EmptyImage", width=9, height=9, batch_size=1, color=77),
        "2": node("SaveImage", images=["1", 0], filename_prefix=f"again/{uuid4().hex}"),
    }
    first = await all_events(attached, make_task(graph))
    second = await all_events(attached, make_task(graph))

    assert second[0] == CachedNodes(nodes=("1", "2"))
    (before,), (after,) = outputs(first), outputs(second)
    assert after.output == before.output
    assert after.files[0].path.read_bytes() == before.files[0].path.read_bytes()


async def test_results_that_outlived_their_files_are_made_anew(
    attached: ComfyRuntime, real_home: SupervisedHome, make_task: Tasks
) -> None:
    prefix = uuid4().hex
    graph = {
        "1": node("EmptyImage", width=9, height=9, batch_size=1, color=78),
        "2": node("SaveImage", images=["1", 0], filename_prefix=prefix),
    }
    await all_events(attached, make_task(graph))
    assert real_home.folders is not None
    for path in real_home.folders.output.glob(f"{prefix}*"):
        path.unlink()
    events = await all_events(attached, make_task(graph))

    assert events[-1] == Finished()
    (output,) = outputs(events)
    assert output.files[0].path.is_file()


async def test_a_file_that_is_not_there_fails_the_run(attached: ComfyRuntime, make_task: Tasks) -> None:
    shown = {"images": [{"filename": f"{uuid4().hex}.png", "subfolder": "", "type": "output"}]}
    events = await all_events(attached, make_task({"1": node("FiresideShow", files="[]", shown=json.dumps(shown))}))

    end = events[-1]
    assert isinstance(end, Failed)
    assert (end.node_id, end.exception_type) == ("1", "FileNotFoundError")


def saved(prefix: str) -> dict[str, Any]:
    return {
        "1": node("EmptyImage", width=9, height=9, batch_size=1, color=81),
        "2": node("SaveImage", images=["1", 0], filename_prefix=prefix),
    }


async def test_a_name_that_cannot_be_kept_fails_its_node_each_time_and_is_not_asked_for(
    attached: ComfyRuntime, make_task: Tasks
) -> None:
    prefix = f"{uuid4().hex}\nb"
    ends = [(await all_events(attached, make_task(saved(prefix))))[-1] for _ in range(2)]

    message = f"Node 2 names the file {f'output/{prefix}_00001_.png'!r}, which cannot be kept: "
    failed = Failed(
        node_id="2",
        node_type="SaveImage",
        exception_type="FileNotFoundError",
        exception_message=message + "A name has no control characters.",
    )
    assert ends == [failed, failed]


async def test_a_prefix_of_windows_names_a_folder(attached: ComfyRuntime, make_task: Tasks) -> None:
    prefix = uuid4().hex
    events = await all_events(attached, make_task(saved(f"{prefix}\\sub\\a")))

    assert events[-1] == Finished()
    (output,) = outputs(events)
    assert output.output["images"] == [{"filename": "a_00001_.png", "subfolder": f"{prefix}/sub", "type": "output"}]
    with Image.open(output.files[0].path) as picture:
        assert picture.size == (9, 9)


async def test_an_interrupt_stops_our_run_and_not_somebody_elses(
    attached: ComfyRuntime, real_home: SupervisedHome, make_task: Tasks
) -> None:
    def sleeping(seconds: float) -> dict[str, Any]:
        return {
            "1": node("EmptyImage", width=9, height=9, batch_size=1, color=79),
            "2": node("FiresideSleep", image=["1", 0], seconds=seconds, steps=int(seconds * 10)),
            "3": node("PreviewImage", images=["2", 0]),
        }

    async with aiohttp.ClientSession(real_home.url) as session:
        theirs = uuid4().hex
        await post(session, "/prompt", prompt=sleeping(2), prompt_id=theirs, client_id="them")
        task = make_task(sleeping(600))
        events: list[RunEvent] = []
        async for event in attached.run(task):
            events.append(event)
            if isinstance(event, NodeStarted) and event.node_id == "2":
                await attached.interrupt(task.task_id)
        async with session.get(f"/history/{theirs}") as response:
            status = (await response.json())[theirs]["status"]

    assert events[-1] == Interrupted(node_id="2", node_type="FiresideSleep", executed=())
    assert status["status_str"] == "success"


async def test_a_run_that_cannot_be_stopped_is_given_up(
    attached: ComfyRuntime, real_home: SupervisedHome, make_task: Tasks
) -> None:
    graph = {
        "1": node("EmptyImage", width=9, height=9, batch_size=1, color=80),
        "2": node("FiresideTrouble", image=["1", 0], kind="hang", name=""),
        "3": node("PreviewImage", images=["2", 0]),
    }
    attached._deadlines = DEADLINES
    task = make_task(graph)
    events: list[RunEvent] = []
    async for event in attached.run(task):
        events.append(event)
        if isinstance(event, NodeStarted) and event.node_id == "2":
            await attached.interrupt(task.task_id)
    await real_home.restart("its executor hangs")

    end = events[-1]
    assert isinstance(end, Failed)
    assert (end.exception_type, end.is_breakdown) == ("PanicError", True)
    assert "does not react to an interrupt" in end.exception_message


async def test_a_run_that_is_put_away_after_the_conversation_is_left_in_the_history(
    real_runtime: ComfyRuntime, real_home: SupervisedHome
) -> None:
    connection = Connection(real_home.url, real_home.bridge_headers)
    await connection.open()
    connection.forget("one that ended before")
    before = connection._forgetting
    await connection.close()

    connection.forget("one that ended afterwards")

    assert connection._forgetting is before
    assert before is not None
    assert before.cancelled()
