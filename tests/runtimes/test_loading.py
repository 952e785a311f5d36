"""What LoadImage refuses and forgives; what it gives for good files is in `test_pixels`."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.runtimes.graphs import Graph, load, node, save

from fireside.runtimes.base import Failed, Finished, NodeOutput, RunEvent, Task
from fireside.runtimes.builtin.runtime import BuiltinRuntime

Load = Callable[..., Awaitable[list[RunEvent]]]
PICTURE = {"1": load("picture"), "2": save("1")}
MASK = {
    "1": node("LoadImageMask", image="picture", channel="red"),
    "3": node("MaskToImage", mask=["1", 0]),
    "2": save("3"),
}
DEADLINE_SECONDS = 60


@pytest.fixture
async def load_file(tmp_path: Path) -> AsyncIterator[Load]:
    """Load a file and save it again in a real child, whose Pillow is set up as it always is."""
    runtime = BuiltinRuntime(tmp_path / "runtime")

    async def events_of(path: Path, graph: Graph = PICTURE) -> list[RunEvent]:
        task = Task(
            task_id="load", graph=graph, outputs=("2",), inputs={"picture": path}, extra_data={}, folder=tmp_path
        )
        async with asyncio.timeout(DEADLINE_SECONDS):
            return [event async for event in runtime.run(task)]

    yield events_of
    await runtime.stop()


def noise(edge: int) -> Image.Image:
    y, x = np.mgrid[0:edge, 0:edge]
    return Image.fromarray(((x * 7919 + y * 104729) % 251).astype(np.uint8)).convert("RGB")


@pytest.mark.parametrize("graph", [PICTURE, MASK])
async def test_a_picture_beyond_the_limit_is_refused_unopened(load_file: Load, tmp_path: Path, graph: Graph) -> None:
    Image.new("1", (10_000, 10_000)).save(tmp_path / "bomb.png")

    *_, end = await load_file(tmp_path / "bomb.png", graph)
    assert isinstance(end, Failed)
    assert (end.node_id, end.exception_type) == ("1", "PIL.Image.DecompressionBombWarning")


async def test_frames_count_together_against_the_limit(load_file: Load, tmp_path: Path) -> None:
    frames = [Image.new("1", (7000, 7000), shade) for shade in (0, 1)]
    frames[0].save(tmp_path / "many.tiff", save_all=True, append_images=frames[1:], compression="group4")

    *_, end = await load_file(tmp_path / "many.tiff")
    assert isinstance(end, Failed)
    assert "DecompressionBomb" in end.exception_type


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
async def test_a_file_that_breaks_off_gives_what_there_is_of_it(load_file: Load, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "half"
    noise(64).save(path, kind)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    assert (await load_file(path))[-1] == Finished()


@pytest.mark.parametrize("content", [b"", b"GIF89a", b"<svg/>", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"])
async def test_what_is_no_picture_is_refused(load_file: Load, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "none").write_bytes(content)

    *_, end = await load_file(tmp_path / "none")
    assert isinstance(end, Failed)
    assert (end.node_id, end.exception_type) == ("1", "PIL.UnidentifiedImageError")


async def test_a_format_that_nobody_examines_is_refused(load_file: Load, tmp_path: Path) -> None:
    noise(8).save(tmp_path / "old.pcx")

    *_, end = await load_file(tmp_path / "old.pcx")
    assert isinstance(end, Failed)
    assert end.exception_type == "PIL.UnidentifiedImageError"


async def test_the_second_picture_of_a_stereo_photograph_is_left_out(load_file: Load, tmp_path: Path) -> None:
    noise(8).save(tmp_path / "pair.mpo", save_all=True, append_images=[noise(8)])

    (output,) = [event for event in await load_file(tmp_path / "pair.mpo") if isinstance(event, NodeOutput)]
    assert len(output.files) == 1
