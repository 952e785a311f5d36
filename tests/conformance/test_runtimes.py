"""The exam of every kind of `Runtime`.

The graphs use classes that every ComfyUI has, and the `Fireside…` classes for what takes time, fails, chooses and makes
lists; a kind that does not bring those gets them as a node pack.
"""

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any, TypeVar, cast

import pytest
import pytest_asyncio
from PIL import Image
from tests.real_comfyui import supervised_home

from fireside.runtimes.base import (
    CachedNodes,
    Failed,
    Finished,
    Interrupted,
    NodeOutput,
    NodeStarted,
    Preview,
    Progress,
    ProgressState,
    RunEvent,
    Runtime,
    Task,
)
from fireside.runtimes.builtin.runtime import BuiltinRuntime
from fireside.runtimes.comfyui.runtime import ComfyRuntime

pytestmark = pytest.mark.asyncio(loop_scope="module")

Graph = dict[str, Any]
MakeTask = Callable[..., Task]
Kind = TypeVar("Kind")

DEADLINE_SECONDS = 60
ENDS = (Finished, Failed, Interrupted)
LONG = 600.0


def node(class_type: str, **inputs: Any) -> Graph:
    return {"class_type": class_type, "inputs": inputs}


def empty(**changes: Any) -> Graph:
    return node("EmptyImage", **{"width": 8, "height": 6, "batch_size": 1, "color": 0x204060, **changes})


def sleep(source: str, seconds: float, steps: int = 100) -> Graph:
    return node("FiresideSleep", image=[source, 0], seconds=seconds, steps=steps)


def fail(source: str, how: str = "raise") -> Graph:
    return node("FiresideFail", image=[source, 0], message="as it was told", how=how)


def save(source: str, prefix: str = "exam") -> Graph:
    return node("SaveImage", images=[source, 0], filename_prefix=prefix)


INVERTED = {"1": node("LoadImage", image="photo.png"), "2": node("ImageInvert", image=["1", 0]), "3": save("2")}
SLEEPING = {"1": empty(), "2": sleep("1", LONG, steps=10_000), "3": save("2")}
FAILING = {"1": empty(), "2": node("PreviewImage", images=["1", 0]), "3": fail("1"), "4": save("3")}
QUICK = {"1": empty(), "2": save("1")}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def kept(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[dict[str, Runtime]]:
    """What takes long to start is started once, if at all."""
    runtimes: dict[str, Runtime] = {}
    yield runtimes
    for runtime in runtimes.values():
        await runtime.stop()


@pytest_asyncio.fixture(loop_scope="module", params=["builtin", "comfyui"])
async def runtime(
    request: pytest.FixtureRequest, tmp_path: Path, kept: dict[str, Runtime], make_task: MakeTask
) -> AsyncIterator[Runtime]:
    if request.param == "builtin":
        runtime = BuiltinRuntime(tmp_path / "runtime")
        await runtime.start()
        yield runtime
        await runtime.stop()
    else:
        if "comfyui" not in kept:
            names = ("comfyui_dir", "comfyui_python", "tmp_path_factory")
            comfyui_dir, python, folders = (request.getfixturevalue(name) for name in names)
            kept["comfyui"] = ComfyRuntime(supervised_home(comfyui_dir, python, folders.mktemp("comfyui")))
        yield await with_nothing_remembered(kept["comfyui"], make_task)


async def with_nothing_remembered(runtime: Runtime, make_task: MakeTask) -> Runtime:
    """Give the one ComfyUI of this module; another graph makes it forget the results of the one before."""
    await runtime.start()
    forgetting = {"1": empty(width=1, height=1, color=1), "2": node("PreviewAny", source=["1", 0])}
    assert (await all_events(runtime, make_task(forgetting)))[-1] == Finished()
    return runtime


@pytest.fixture
def make_task(tmp_path: Path) -> MakeTask:
    """Make a task whose outputs are all nodes that show or keep something, with one picture to load."""
    photo = tmp_path / "staged.png"
    Image.new("RGB", (4, 3), (10, 20, 30)).save(photo)
    made = 0

    def make(graph: Mapping[str, Any], **changes: Any) -> Task:
        nonlocal made
        made += 1
        folder = tmp_path / f"run {made}"
        folder.mkdir()
        shown = ("SaveImage", "PreviewImage", "PreviewAny")
        given: dict[str, Any] = {
            "task_id": f"task {made}",
            "outputs": tuple(node_id for node_id, entry in graph.items() if entry["class_type"] in shown),
            "inputs": {"photo.png": photo},
            "extra_data": {},
            "folder": folder,
        }
        return Task(graph=graph, **(given | changes))

    return make


async def all_events(runtime: Runtime, task: Task) -> list[RunEvent]:
    async with asyncio.timeout(DEADLINE_SECONDS):
        return [event async for event in runtime.run(task)]


@contextlib.asynccontextmanager
async def running(runtime: Runtime, task: Task) -> AsyncGenerator[AsyncGenerator[RunEvent, None], None]:
    events = cast("AsyncGenerator[RunEvent, None]", runtime.run(task))
    async with asyncio.timeout(DEADLINE_SECONDS), contextlib.aclosing(events):
        yield events


async def until(events: AsyncIterator[RunEvent], *kinds: type[RunEvent]) -> RunEvent:
    """Read on to the next event of these kinds."""
    async for event in events:
        if isinstance(event, kinds):
            return event
    raise AssertionError(f"the run ended without {kinds}")


def color_at(path: Path, x: int, y: int) -> Any:
    with Image.open(path) as picture:
        return picture.getpixel((x, y))


def of(kind: type[Kind], events: list[RunEvent]) -> list[Kind]:
    return [event for event in events if isinstance(event, kind)]


def started(events: list[RunEvent]) -> list[str]:
    return [event.node_id for event in of(NodeStarted, events)]


def shown(events: list[RunEvent], node_id: str, key: str) -> list[Any]:
    (output,) = [event.output for event in of(NodeOutput, events) if event.node_id == node_id]
    return output[key]


async def test_the_first_event_names_the_reused_nodes_also_when_there_are_none(
    runtime: Runtime, make_task: MakeTask
) -> None:
    events = await all_events(runtime, make_task(INVERTED))

    assert events[0] == CachedNodes(nodes=())
    assert len(of(CachedNodes, events)) == 1


async def test_a_run_ends_with_exactly_one_end(runtime: Runtime, make_task: MakeTask) -> None:
    events = await all_events(runtime, make_task(INVERTED))

    assert [event for event in events if isinstance(event, ENDS)] == [Finished()] == events[-1:]


async def test_each_node_tells_that_it_runs_starts_shows_and_has_finished_in_this_order(
    runtime: Runtime, make_task: MakeTask
) -> None:
    events = await all_events(runtime, make_task(INVERTED))

    def state_of(event: RunEvent) -> tuple[str, str]:
        assert isinstance(event, ProgressState)
        return event.nodes[-1].node_id, event.nodes[-1].state

    told = [state_of(event) if isinstance(event, ProgressState) else type(event).__name__ for event in events]
    assert told == [
        "CachedNodes",
        *[("1", "running"), "NodeStarted", ("1", "finished")],
        *[("2", "running"), "NodeStarted", ("2", "finished")],
        *[("3", "running"), "NodeStarted", "NodeOutput", ("3", "finished")],
        "Finished",
    ]


async def test_a_state_says_all_that_clients_show_of_a_node(runtime: Runtime, make_task: MakeTask) -> None:
    events = await all_events(runtime, make_task(QUICK))

    last = of(ProgressState, events)[-1].nodes[-1]
    assert (last.node_id, last.display_node_id, last.real_node_id, last.parent_node_id) == ("2", "2", "2", None)
    assert (last.class_type, last.state, last.value, last.max) == ("SaveImage", "finished", 1, 1)


async def test_sources_run_first_and_each_node_once(runtime: Runtime, make_task: MakeTask) -> None:
    blend = node("ImageBlend", image1=["2", 0], image2=["3", 0], blend_factor=0.5, blend_mode="normal")
    graph = {
        "9": save("5"),
        "5": blend,
        "3": node("ImageInvert", image=["2", 0]),
        "2": node("ImageInvert", image=["1", 0]),
        "1": empty(),
        "unused": empty(),
    }

    assert started(await all_events(runtime, make_task(graph))) == ["1", "2", "3", "5", "9"]


async def test_a_saved_file_lies_in_the_runs_folder_and_is_named_in_the_output(
    runtime: Runtime, make_task: MakeTask
) -> None:
    task = make_task({"1": empty(), "2": save("1", "land/sea")})

    (output,) = of(NodeOutput, await all_events(runtime, task))
    (file,) = output.files
    assert output.output == {"images": [{"filename": "sea_00001_.png", "subfolder": "land", "type": "output"}]}
    assert (file.key, file.index) == ("images", 0)
    assert file.path.is_relative_to(task.folder)
    assert color_at(file.path, 7, 5) == (0x20, 0x40, 0x60)


async def test_a_preview_node_gives_a_temporary_file(runtime: Runtime, make_task: MakeTask) -> None:
    events = await all_events(runtime, make_task({"1": empty(), "2": node("PreviewImage", images=["1", 0])}))

    (item,) = shown(events, "2", "images")
    assert (item["subfolder"], item["type"]) == ("", "temp")
    assert re.fullmatch(r"ComfyUI_temp_[a-z]{5}_00001_\.png", item["filename"])


async def test_a_batch_is_saved_picture_by_picture(runtime: Runtime, make_task: MakeTask) -> None:
    events = await all_events(runtime, make_task({"1": empty(batch_size=3), "2": save("1")}))

    (output,) = of(NodeOutput, events)
    assert [item["filename"] for item in output.output["images"]] == [f"exam_0000{n}_.png" for n in (1, 2, 3)]
    assert [(file.key, file.index, file.path.name) for file in output.files] == [
        ("images", index, f"exam_0000{index + 1}_.png") for index in range(3)
    ]


async def test_two_nodes_with_one_prefix_do_not_overwrite_each_other(runtime: Runtime, make_task: MakeTask) -> None:
    graph = {"1": empty(), "2": node("ImageInvert", image=["1", 0]), "3": save("1"), "4": save("2")}

    events = await all_events(runtime, make_task(graph))
    paths = {file.path for output in of(NodeOutput, events) for file in output.files}
    assert len(paths) == 2
    assert {color_at(path, 0, 0) for path in paths} == {(0x20, 0x40, 0x60), (0xDF, 0xBF, 0x9F)}


async def test_only_the_outputs_that_were_asked_for_run(runtime: Runtime, make_task: MakeTask) -> None:
    graph = {"1": empty(), "2": save("1"), "3": node("ImageInvert", image=["1", 0]), "4": save("3")}

    assert started(await all_events(runtime, make_task(graph, outputs=("2",)))) == ["1", "2"]


async def test_an_equal_graph_reuses_its_results_and_shows_its_outputs_again(
    runtime: Runtime, make_task: MakeTask
) -> None:
    graph = {**INVERTED, "4": node("PreviewAny", source="some text")}
    first = await all_events(runtime, make_task(graph))
    again = make_task(graph)
    second = await all_events(runtime, again)

    (cached,) = of(CachedNodes, second)
    assert {"1", "2"} <= set(cached.nodes)
    assert not set(cached.nodes) & set(started(second))
    assert shown(second, "3", "images") == shown(first, "3", "images")
    assert shown(second, "4", "text") == ["some text"]
    (file,) = [file for output in of(NodeOutput, second) for file in output.files]
    assert file.path.is_relative_to(again.folder)
    assert file.path.is_file()


async def test_a_changed_input_runs_its_node_again_and_what_depends_on_it(
    runtime: Runtime, make_task: MakeTask
) -> None:
    def graph(width: int) -> Graph:
        crop = node("ImageCrop", image=["1", 0], width=width, height=2, x=0, y=0)
        return {"1": empty(), "2": crop, "3": node("ImageInvert", image=["2", 0]), "4": save("3")}

    await all_events(runtime, make_task(graph(5)))
    events = await all_events(runtime, make_task(graph(6)))

    assert of(CachedNodes, events) == [CachedNodes(nodes=("1",))]
    assert started(events) == ["2", "3", "4"]


async def test_another_file_under_the_same_name_is_read_anew(
    runtime: Runtime, make_task: MakeTask, tmp_path: Path
) -> None:
    other = tmp_path / "other.png"
    Image.new("RGB", (4, 3), (1, 2, 3)).save(other)
    await all_events(runtime, make_task(INVERTED))
    events = await all_events(runtime, make_task(INVERTED, inputs={"photo.png": other}))

    (file,) = [file for output in of(NodeOutput, events) for file in output.files]
    assert color_at(file.path, 0, 0) == (254, 253, 252)


async def test_steps_and_previews_of_a_slow_node_are_told(runtime: Runtime, make_task: MakeTask) -> None:
    graph = {"1": empty(width=900, height=600), "2": sleep("1", 0.3, steps=3), "3": save("2")}
    events = await all_events(runtime, make_task(graph))

    steps = of(Progress, events)
    assert [(step.node_id, step.value, step.max) for step in steps] == [("2", 1, 3), ("2", 2, 3), ("2", 3, 3)]
    previews = of(Preview, events)
    assert {(preview.node_id, preview.display_node_id, preview.mime) for preview in previews} == {
        ("2", "2", "image/jpeg")
    }
    with Image.open(BytesIO(previews[0].data)) as picture:
        assert max(picture.size) <= 512


async def test_an_interrupt_inside_a_step_stops_there(runtime: Runtime, make_task: MakeTask) -> None:
    task = make_task(SLEEPING)
    async with running(runtime, task) as events:
        await until(events, Progress)
        await runtime.interrupt(task.task_id)

        assert await until(events, *ENDS) == Interrupted(node_id="2", node_type="FiresideSleep", executed=("1",))


async def test_an_interrupt_before_the_first_node_counts(runtime: Runtime, make_task: MakeTask) -> None:
    task = make_task(SLEEPING)
    async with running(runtime, task) as events:
        first = asyncio.ensure_future(anext(events))
        # One turn of the loop: the run has begun and nothing has been heard of it.
        await asyncio.sleep(0)
        await runtime.interrupt(task.task_id)

        assert await first == CachedNodes(nodes=())
        assert isinstance(await until(events, *ENDS), Interrupted)


async def test_a_second_interrupt_changes_nothing(runtime: Runtime, make_task: MakeTask) -> None:
    task = make_task(SLEEPING)
    async with running(runtime, task) as events:
        await until(events, Progress)
        await runtime.interrupt(task.task_id)
        await runtime.interrupt(task.task_id)

        assert isinstance(await until(events, *ENDS), Interrupted)
    assert (await all_events(runtime, make_task(QUICK)))[-1] == Finished()


@pytest.mark.parametrize("moment", ["before it runs", "while another runs", "after it ran"])
async def test_an_interrupt_of_a_task_that_does_not_run_touches_nobody(
    runtime: Runtime, make_task: MakeTask, moment: str
) -> None:
    other = make_task(QUICK, task_id="other")
    if moment == "after it ran":
        await all_events(runtime, other)
    if moment != "while another runs":
        await runtime.interrupt("other")
    async with running(runtime, make_task({"1": empty(), "2": sleep("1", 0.2, 4), "3": save("2")})) as events:
        await until(events, Progress)
        await runtime.interrupt("other")

        assert await until(events, *ENDS) == Finished()
    assert (await all_events(runtime, make_task(QUICK, task_id="other")))[-1] == Finished()


async def test_a_failing_node_is_told_with_its_traceback_and_inputs(runtime: Runtime, make_task: MakeTask) -> None:
    events = await all_events(runtime, make_task(FAILING))

    end = events[-1]
    assert isinstance(end, Failed)
    assert (end.node_id, end.node_type) == ("3", "FiresideFail")
    assert (end.exception_type, end.exception_message.strip()) == ("ValueError", "as it was told")
    assert end.executed == ("1", "2")
    assert end.current_inputs["message"] == ["as it was told"]
    assert end.current_inputs.keys() == {"image", "message", "how"}
    assert all(line.startswith('  File "') for line in end.traceback)
    assert end.traceback[-1].rstrip().endswith("raise ValueError(message)")


async def test_what_was_shown_before_a_failure_stays_shown(runtime: Runtime, make_task: MakeTask) -> None:
    events = await all_events(runtime, make_task(FAILING))

    (output,) = of(NodeOutput, events)
    assert output.node_id == "2"
    assert output.files[0].path.is_file()


async def test_a_failure_leaves_a_working_runtime(runtime: Runtime, make_task: MakeTask) -> None:
    await all_events(runtime, make_task(FAILING))

    assert (await all_events(runtime, make_task(QUICK)))[-1] == Finished()


async def test_a_crash_is_a_failure_and_the_next_task_finds_a_working_runtime(
    runtime: Runtime, make_task: MakeTask
) -> None:
    events = await all_events(runtime, make_task({"1": empty(), "2": fail("1", "crash"), "3": save("2")}))

    end = events[-1]
    assert isinstance(end, Failed)
    assert (end.node_id, end.exception_type) == ("", "PanicError")
    assert "node 2" in end.exception_message
    assert (await all_events(runtime, make_task(QUICK)))[-1] == Finished()


@pytest.mark.parametrize(("switch", "ran"), [(True, "3"), (False, "2")])
async def test_what_feeds_an_unwanted_lazy_input_does_not_run(
    runtime: Runtime, make_task: MakeTask, switch: bool, ran: str
) -> None:
    graph = {
        "1": empty(),
        "2": node("ImageInvert", image=["1", 0]),
        "3": node("ImageCrop", image=["1", 0], width=2, height=2, x=0, y=0),
        "4": node("FiresideSwitch", switch=switch, on_false=["2", 0], on_true=["3", 0]),
        "5": save("4"),
    }

    # ComfyUI tells of the switch twice: it starts, finds out what it needs, and starts again.
    assert set(started(await all_events(runtime, make_task(graph)))) == {"1", ran, "4", "5"}


async def test_a_node_runs_once_for_each_item_of_a_list(runtime: Runtime, make_task: MakeTask) -> None:
    graph = {
        "1": node("FiresideSplitLines", text="red\ngreen\nblue"),
        "2": node("PreviewAny", source=["1", 0]),
        "3": node("FiresideJoinLines", texts=["1", 0]),
        "4": node("PreviewAny", source=["3", 0]),
    }
    events = await all_events(runtime, make_task(graph))

    assert shown(events, "2", "text") == ["red", "green", "blue"]
    assert shown(events, "4", "text") == ["red\ngreen\nblue"]
    assert sorted(started(events)) == ["1", "2", "3", "4"]


async def test_pictures_carry_the_graph_and_the_editors_workflow(runtime: Runtime, make_task: MakeTask) -> None:
    workflow = {"nodes": [{"id": 1, "title": "Grün"}]}
    task = make_task(QUICK, extra_data={"extra_pnginfo": {"workflow": workflow}, "client_id": "not to be told"})
    events = await all_events(runtime, task)

    (file,) = [file for output in of(NodeOutput, events) for file in output.files]
    with Image.open(file.path) as picture:
        assert json.loads(picture.info["prompt"]) == QUICK
        assert json.loads(picture.info["workflow"]) == workflow
    assert b"not to be told" not in file.path.read_bytes()


async def test_no_file_but_the_tasks_inputs_can_be_read(runtime: Runtime, make_task: MakeTask, tmp_path: Path) -> None:
    secret = tmp_path / "secret.png"
    Image.new("RGB", (4, 3)).save(secret)
    events = await all_events(runtime, make_task({"1": node("LoadImage", image=str(secret)), "2": save("1")}))

    end = events[-1]
    assert isinstance(end, Failed)
    assert end.node_id in {"", "1"}


@pytest.mark.parametrize("prefix", ["../../out", "/out", "a/../../out", "..", "", "\x00/out", "a" * 5000, "ü" * 200])
async def test_no_prefix_leads_out_of_the_runs_folder(
    runtime: Runtime, make_task: MakeTask, tmp_path: Path, prefix: str
) -> None:
    task = make_task({"1": empty(), "2": save("1", prefix)})
    events = await all_events(runtime, task)

    written = set(tmp_path.rglob("*.png")) - set(task.inputs.values())
    assert written == {file.path for output in of(NodeOutput, events) for file in output.files}
    assert all(path.resolve().is_relative_to(task.folder) for path in written)


async def test_a_bomb_of_a_picture_fails_without_being_unpacked(
    runtime: Runtime, make_task: MakeTask, tmp_path: Path
) -> None:
    bomb = tmp_path / "bomb.png"
    Image.new("1", (20_000, 10_000)).save(bomb)
    events = await all_events(runtime, make_task(INVERTED, inputs={"photo.png": bomb}))

    end = events[-1]
    assert isinstance(end, Failed)
    assert (end.node_id, end.node_type) == ("1", "LoadImage")
    assert "DecompressionBomb" in end.exception_type


async def test_a_long_chain_of_nodes_runs(
    runtime: Runtime, make_task: MakeTask, request: pytest.FixtureRequest
) -> None:
    # ComfyUI validates by recursion.
    length = {"builtin": 3000, "comfyui": 200}[request.node.callspec.params["runtime"]]
    graph = {"0": empty(), **{str(n): node("ImageInvert", image=[str(n - 1), 0]) for n in range(1, length)}}
    events = await all_events(runtime, make_task({**graph, "save": save(str(length - 1))}))

    assert events[-1] == Finished()
    assert len(started(events)) == length + 1


async def test_a_run_that_nobody_reads_to_its_end_gives_way_to_the_next(runtime: Runtime, make_task: MakeTask) -> None:
    async with running(runtime, make_task(SLEEPING)) as events:
        await until(events, Progress)

    assert (await all_events(runtime, make_task(QUICK)))[-1] == Finished()


async def test_the_definitions_are_the_same_bytes_at_every_start(runtime: Runtime) -> None:
    first = await runtime.start()
    await runtime.stop()
    second = await runtime.start()

    assert first.definitions == second.definitions


async def test_the_definitions_name_no_input_files(runtime: Runtime) -> None:
    definitions = json.loads((await runtime.start()).definitions)

    choices, options = definitions["LoadImage"]["input"]["required"]["image"][:2]
    assert choices == []
    assert options["image_upload"] is True


async def test_a_stopped_runtime_may_be_stopped_again(runtime: Runtime) -> None:
    await runtime.stop()
    await runtime.stop()
