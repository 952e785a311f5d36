"""What comes out of a run is what ComfyUI itself gives for the same graph, and all of it."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import aiohttp
import pytest
from PIL import Image
from tests.real_comfyui import Tasks, all_events, node, post
from tests.runtimes.comfyui.waiting import SECONDS

from fireside.runtimes.base import (
    CachedNodes,
    Failed,
    Finished,
    NodeOutput,
    Preview,
    RunEvent,
)
from fireside.runtimes.comfyui.checking import free
from fireside.runtimes.comfyui.runtime import ComfyRuntime
from fireside.runtimes.comfyui.supervised import SupervisedHome

pytestmark = pytest.mark.asyncio(loop_scope="session")

Kind = TypeVar("Kind")
Graph = dict[str, Any]


def of(kind: type[Kind], events: list[RunEvent]) -> list[Kind]:
    return [event for event in events if isinstance(event, kind)]


def produced(events: list[RunEvent]) -> list[bytes]:
    return [file.path.read_bytes() for output in of(NodeOutput, events) for file in output.files]


def left_in(home: SupervisedHome) -> Iterator[Path]:
    assert home.folders is not None
    for folder in (home.folders.input, home.folders.output, home.folders.temp):
        yield from folder.iterdir()


def show(shown: Mapping[str, Any], *files: tuple[str, str, str]) -> Graph:
    return {"1": node("FiresideShow", files=json.dumps(files), shown=json.dumps(shown))}


def item(filename: str, subfolder: str = "", folder: str = "output") -> dict[str, str]:
    return {"filename": filename, "subfolder": subfolder, "type": folder}


def diffusion(seed: int) -> Graph:
    return {
        "4": node("CheckpointLoaderSimple", ckpt_name="tiny_sd15.ckpt"),
        "5": node("EmptyLatentImage", width=64, height=64, batch_size=1),
        "6": node("CLIPTextEncode", text="a fire", clip=["4", 1]),
        "7": node("CLIPTextEncode", text="", clip=["4", 1]),
        "3": node(
            "KSampler",
            seed=seed,
            steps=3,
            cfg=7.0,
            sampler_name="euler",
            scheduler="normal",
            denoise=1.0,
            model=["4", 0],
            positive=["6", 0],
            negative=["7", 0],
            latent_image=["5", 0],
        ),
        "8": node("VAEDecode", samples=["3", 0], vae=["4", 2]),
        "9": node("SaveImage", images=["8", 0], filename_prefix="fire/side"),
    }


def inverted(name: str = "photo.png") -> Graph:
    return {
        "1": node("LoadImage", image=name),
        "2": node("ImageInvert", image=["1", 0]),
        "3": node("SaveImage", images=["2", 0], filename_prefix="inverted"),
    }


async def run_directly(home: SupervisedHome, graph: Graph, extra_data: Graph) -> list[bytes]:
    """Give the files that ComfyUI saves when it is asked without Fireside in between, and remembers nothing."""
    await free(home)
    client_id, prompt_id = uuid4().hex, uuid4().hex
    async with aiohttp.ClientSession(home.url) as session:
        async with session.ws_connect("/ws", params={"clientId": client_id}) as socket:
            body = {"prompt": graph, "prompt_id": prompt_id, "client_id": client_id, "extra_data": extra_data}
            async with session.post("/prompt", json=body) as response:
                assert response.status == 200, await response.text()
            async for frame in socket:
                said = json.loads(frame.data) if frame.type is aiohttp.WSMsgType.TEXT else {}
                if said.get("type") == "executing" and said["data"]["node"] is None:
                    break
        async with session.get(f"/history/{prompt_id}") as response:
            entry = (await response.json())[prompt_id]
        await post(session, "/history", delete=[prompt_id])
    assert home.folders is not None
    items = [item for output in entry["outputs"].values() for item in output["images"]]
    paths = [home.folders.output / item["subfolder"] / item["filename"] for item in items]
    found = [path.read_bytes() for path in paths]
    for path in paths:
        path.unlink()
    return found


async def test_a_diffusion_gives_the_very_bytes_that_comfyui_gives(
    real_home: SupervisedHome, real_runtime: ComfyRuntime, make_task: Tasks
) -> None:
    extra_data = {"extra_pnginfo": {"workflow": {"nodes": [{"id": 9, "title": "Glut"}]}}}
    events = await all_events(real_runtime, make_task(diffusion(7), extra_data=extra_data))

    assert events[-1] == Finished()
    async with real_runtime._turn:
        assert produced(events) == await run_directly(real_home, diffusion(7), extra_data)
    previews = of(Preview, events)
    assert {(preview.node_id, preview.display_node_id, preview.mime) for preview in previews} == {
        ("3", "3", "image/jpeg")
    }


async def test_a_loaded_picture_gives_the_very_bytes_that_comfyui_gives(
    real_home: SupervisedHome, real_runtime: ComfyRuntime, make_task: Tasks, tmp_path: Path
) -> None:
    photo = tmp_path / "0.png"
    Image.linear_gradient("L").convert("RGB").save(photo)
    events = await all_events(real_runtime, make_task(inverted(), inputs={"photo.png": photo}))

    assert events[-1] == Finished()
    assert real_home.folders is not None
    async with real_runtime._turn:
        (real_home.folders.input / "photo.png").write_bytes(photo.read_bytes())
        assert produced(events) == await run_directly(real_home, inverted(), {})


@pytest.mark.parametrize("value", ["sub/a.png", "a.png [output]", "deep/er/a.png [temp]", "a.png [input]"])
async def test_a_value_means_the_folder_that_it_names(
    real_runtime: ComfyRuntime, make_task: Tasks, tmp_path: Path, value: str
) -> None:
    photo = tmp_path / "0.png"
    Image.new("RGB", (3, 2), (10, 20, 30)).save(photo)
    events = await all_events(real_runtime, make_task(inverted(value), inputs={value: photo}))

    (output,) = of(NodeOutput, events)
    with Image.open(output.files[0].path) as picture:
        assert picture.getpixel((0, 0)) == (245, 235, 225)


async def test_an_equal_graph_shows_its_files_again_with_the_workflow_of_who_runs_it(
    real_runtime: ComfyRuntime, make_task: Tasks
) -> None:
    graph = diffusion(11)
    await all_events(real_runtime, make_task(graph, extra_data={"extra_pnginfo": {"workflow": {"of": "somebody"}}}))
    mine = make_task(graph, extra_data={"extra_pnginfo": {"workflow": {"of": "me"}}})
    events = await all_events(real_runtime, mine)

    assert set(of(CachedNodes, events)[0].nodes) == set(graph) - {"9"}
    (output,) = of(NodeOutput, events)
    with Image.open(output.files[0].path) as picture:
        assert json.loads(picture.info["workflow"]) == {"of": "me"}


async def test_what_was_loaded_at_the_start_is_not_searched_for_garbage(
    real_runtime: ComfyRuntime, make_task: Tasks
) -> None:
    events = await all_events(real_runtime, make_task({"1": node("FiresideFrozen")}))

    (output,) = of(NodeOutput, events)
    frozen, searched = map(int, output.output["text"])
    # A search takes as long as there are objects: of PyTorch's and the nodes' own there are hundreds of thousands.
    assert frozen > 100_000 > searched


async def test_nodes_inside_of_others_show_their_files_again_too(real_runtime: ComfyRuntime, make_task: Tasks) -> None:
    graph = {"1": node("FiresideExpand", color=0x123456)}
    runs = [await all_events(real_runtime, make_task(graph)) for _ in range(3)]

    assert [events[-1] for events in runs] == [Finished()] * 3
    shown = [[(output.display_node_id, len(output.files)) for output in of(NodeOutput, events)] for events in runs]
    assert shown == [[("1", 1)]] * 3


async def test_equal_names_of_different_files_are_never_mixed_up(
    real_runtime: ComfyRuntime, make_task: Tasks, tmp_path: Path
) -> None:
    graph = {"1": node("FiresideReadText", file="notes.txt"), "2": node("PreviewAny", source=["1", 0])}
    texts: list[Any] = []
    for number, text in enumerate(["mine", "yours", "yours"]):
        path = tmp_path / f"{number}.txt"
        path.write_text(text)
        events = await all_events(real_runtime, make_task(graph, inputs={"notes.txt": path}))
        texts.append((of(NodeOutput, events)[0].output["text"], of(CachedNodes, events)[0].nodes))

    assert texts == [(["mine"], ()), (["yours"], ()), (["yours"], ("1", "2"))]


@pytest.mark.parametrize("key", ["images", "gifs", "audio", "video", "3d", "latents", "a_images", "result", "files"])
async def test_files_under_any_key_are_taken(real_runtime: ComfyRuntime, make_task: Tasks, key: str) -> None:
    shown = {key: [item("a.bin", "deep/er"), {**item("b.bin", folder="temp"), "format": "x"}], "animated": [True]}
    graph = show(shown, ("output", "deep/er/a.bin", f"first {key}"), ("temp", "b.bin", "second"))
    events = await all_events(real_runtime, make_task(graph))

    assert events[-1] == Finished()
    (output,) = of(NodeOutput, events)
    assert output.output == shown
    assert [(file.key, file.index, file.path.name) for file in output.files] == [(key, 0, "a.bin"), (key, 1, "b.bin")]
    assert produced(events) == [f"first {key}".encode(), b"second"]


async def test_files_that_are_named_further_inside_or_by_a_text_are_taken_too(
    real_runtime: ComfyRuntime, make_task: Tasks
) -> None:
    shown = {"result": ["3d/mesh.glb", {"camera": 1, "views": [item("view.png")]}, "temp/back.png", "notes.glb", None]}
    files = (("output", "3d/mesh.glb", "mesh"), ("output", "view.png", "view"), ("temp", "back.png", "back"))
    events = await all_events(real_runtime, make_task(show(shown, *files)))

    assert events[-1] == Finished()
    (output,) = of(NodeOutput, events)
    assert output.output["result"] == shown["result"]
    assert output.output["files"] == [item("mesh.glb", "3d"), item("view.png"), item("back.png", folder="temp")]
    assert [(file.key, file.index, file.path.read_text()) for file in output.files] == [
        ("files", 0, "mesh"),
        ("files", 1, "view"),
        ("files", 2, "back"),
    ]


async def test_real_nodes_of_other_kinds_give_their_files(real_runtime: ComfyRuntime, make_task: Tasks) -> None:
    graph = {
        "1": node("EmptyImage", width=8, height=8, batch_size=2, color=7),
        "2": node(
            "SaveAnimatedWEBP",
            images=["1", 0],
            filename_prefix="w",
            fps=6.0,
            lossless=True,
            quality=80,
            method="default",
        ),
        "3": node("EmptyLatentImage", width=16, height=16, batch_size=1),
        "4": node("SaveLatent", samples=["3", 0], filename_prefix="latents/l"),
    }
    events = await all_events(real_runtime, make_task(graph))

    assert events[-1] == Finished()
    names = {output.node_id: [file.path.name for file in output.files] for output in of(NodeOutput, events)}
    assert names == {"2": ["w_00001_.webp"], "4": ["l_00001_.latent"]}


async def test_files_are_named_as_they_are_kept(real_runtime: ComfyRuntime, make_task: Tasks) -> None:
    shown = {"images": [item("a.bin"), {**item("sub\\b.bin"), "format": "x"}], "result": [[item("blake3:c.bin")]]}
    files = (("output", name, name) for name in ("a.bin", "sub\\b.bin", "blake3:c.bin"))
    events = await all_events(real_runtime, make_task(show(shown, *files)))

    assert events[-1] == Finished()
    (output,) = of(NodeOutput, events)
    assert output.output["images"] == [item("a.bin"), {**item("b.bin", "sub"), "format": "x"}]
    assert output.output["files"] == [item("blake3_c.bin")]
    assert produced(events) == [b"a.bin", b"sub\\b.bin", b"blake3:c.bin"]


@pytest.mark.parametrize(
    ("missing", "words"),
    [
        (item("gone.png", "sub"), "output/sub/gone.png, which is not there"),
        (item("passwd", "../../../../../../../../etc"), "does not lie in ComfyUI's output folder"),
        (item("/etc/passwd"), "does not lie in ComfyUI's output folder"),
        (
            item("a\nb.png"),
            "names the file 'output/a\\nb.png', which cannot be kept: A name has no control characters.",
        ),
        (item("x\\" * 17 + "a.png"), "which cannot be kept: A subfolder has at most 16 parts."),
    ],
)
async def test_a_file_that_cannot_be_had_fails_the_run_and_the_others_are_taken(
    real_runtime: ComfyRuntime, make_task: Tasks, missing: Graph, words: str
) -> None:
    events = await all_events(
        real_runtime, make_task(show({"images": [missing, item("a.png")]}, ("output", "a.png", "kept")))
    )

    end = events[-1]
    assert isinstance(end, Failed)
    assert (end.node_id, end.node_type, end.exception_type) == ("1", "FiresideShow", "FileNotFoundError")
    assert words in end.exception_message
    assert produced(events) == [b"kept"]
    assert [(file.key, file.index) for file in of(NodeOutput, events)[0].files] == [("images", 1)]


async def test_nothing_of_a_run_is_left_in_comfyui(
    real_home: SupervisedHome, real_runtime: ComfyRuntime, make_task: Tasks, tmp_path: Path
) -> None:
    photo = tmp_path / "0.png"
    Image.new("RGB", (3, 2)).save(photo)
    graph = {**inverted(), "4": node("PreviewImage", images=["2", 0])}
    async with real_runtime._turn:
        before = await known_to(real_home)
    await all_events(real_runtime, make_task(graph, inputs={"photo.png": photo}))

    async with real_runtime._turn:
        assert list(left_in(real_home)) == []
        async with asyncio.timeout(SECONDS):
            while not await known_to(real_home) <= before:  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.05)
    assert photo.is_file()


async def known_to(home: SupervisedHome) -> set[str]:
    async with aiohttp.ClientSession(home.url) as session, session.get("/history") as response:
        return set(await response.json())


async def test_a_node_that_is_blocked_with_a_message_fails_the_run_at_its_end(
    real_runtime: ComfyRuntime, make_task: Tasks
) -> None:
    graph = {
        "1": node("EmptyImage", width=8, height=8, batch_size=1, color=7),
        "2": node("FiresideTrouble", image=["1", 0], kind="block", name=""),
        "3": node("SaveImage", images=["2", 0], filename_prefix="blocked"),
        "4": node("SaveImage", images=["1", 0], filename_prefix="free"),
    }
    events = await all_events(real_runtime, make_task(graph))

    end = events[-1]
    assert isinstance(end, Failed)
    assert (end.node_id, end.exception_type) == ("3", "ExecutionBlocked")
    assert "not today" in end.exception_message
    assert [output.node_id for output in of(NodeOutput, events) if output.files] == ["4"]


async def test_secrets_reach_their_node_and_are_not_told(real_runtime: ComfyRuntime, make_task: Tasks) -> None:
    graph = {
        "1": node("EmptyImage", width=8, height=8, batch_size=1, color=7),
        "2": node("FiresideTrouble", image=["1", 0], kind="tell_secret", name=""),
        "3": node("SaveImage", images=["2", 0], filename_prefix="secret"),
    }
    events = await all_events(real_runtime, make_task(graph, secrets={"api_key_comfy_org": "comfyui-0815"}))

    end = events[-1]
    assert isinstance(end, Failed)
    assert end.exception_message.strip() == "refused with (hidden)"
    assert "comfyui-0815" not in repr(end)


async def test_what_comfyui_refuses_fails_in_its_own_words(real_runtime: ComfyRuntime, make_task: Tasks) -> None:
    events = await all_events(real_runtime, make_task({"7": node("FiresidePicky", number=3)}))

    assert events[0] == CachedNodes(nodes=())
    end = events[-1]
    assert isinstance(end, Failed)
    assert (end.node_id, end.node_type, end.exception_type) == ("7", "FiresidePicky", "ValidationError")
    assert end.exception_message == "FiresidePicky 7: Custom validation failed for node: number - 3 is odd"


async def test_outputs_that_comfyui_leaves_out_fail_the_run_and_the_others_run(
    real_runtime: ComfyRuntime, make_task: Tasks
) -> None:
    graph = {"7": node("FiresidePicky", number=3), "8": node("FiresidePicky", number=4)}
    events = await all_events(real_runtime, make_task(graph))

    end = events[-1]
    assert isinstance(end, Failed)
    assert end.node_id == "7"
    assert [output.node_id for output in of(NodeOutput, events)] == ["8"]


async def test_the_devices_are_told_while_it_runs(real_runtime: ComfyRuntime, make_task: Tasks) -> None:
    await all_events(real_runtime, make_task(show({"text": ["x"]})))

    (device,) = await real_runtime.devices()
    assert device["type"] == "cpu"
