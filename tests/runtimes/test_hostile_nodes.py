"""What nodes do when a graph asks for too much: they fail within the memory they are given, and look for a stop."""

import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.runtimes.beside.differences import Ours, failure_of
from tests.runtimes.beside.sheets import Graph, Sheet, Slot

from fireside.runtimes.base import Finished, RunEvent, Task
from fireside.runtimes.builtin.cache import Cache
from fireside.runtimes.builtin.executor import Executor
from fireside.runtimes.builtin.nodes import NODES

MEMORY_BYTES = 768 * 1024 * 1024
MOST = 16384


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ours]:
    with Ours(tmp_path_factory.mktemp("hostile"), memory_bytes=MEMORY_BYTES) as ours:
        yield ours


def small(sheet: Sheet) -> Slot:
    return sheet.add("EmptyImage", width=3, height=2, batch_size=1, color=0x336699)


def wide(sheet: Sheet, edge: int = 4096) -> Slot:
    """Make a picture that takes a fourth of the memory."""
    return sheet.add("EmptyImage", width=edge, height=edge, batch_size=1, color=0x336699)


def cover(sheet: Sheet, edge: int) -> Slot:
    return sheet.add("SolidMask", value=1.0, width=edge, height=edge)


def borders(size: int) -> dict[str, int]:
    return {"left": size, "top": size, "right": size, "bottom": size, "feathering": 0}


TOO_MUCH: dict[str, tuple[str, Any]] = {
    "mask": ("SolidMask", lambda sheet: cover(sheet, MOST)),
    "borders": (
        "ImagePadForOutpaint",
        lambda sheet: sheet.add("ImagePadForOutpaint", image=small(sheet), **borders(MOST)),
    ),
    "batch": ("RepeatImageBatch", lambda sheet: sheet.add("RepeatImageBatch", image=wide(sheet), amount=4096)),
    "resize": (
        "ImageScale",
        lambda sheet: sheet.add(
            "ImageScale", image=small(sheet), upscale_method="bicubic", width=MOST, height=MOST, crop="disabled"
        ),
    ),
    "composite": (
        "ImageCompositeMasked",
        lambda sheet: sheet.add(
            "ImageCompositeMasked", destination=wide(sheet), source=wide(sheet), x=0, y=0, resize_source=True
        ),
    ),
    "sharpen": (
        "ImageSharpen",
        lambda sheet: sheet.add("ImageSharpen", image=wide(sheet, 5000), sharpen_radius=31, sigma=1.0, alpha=1.0),
    ),
    "grow": ("GrowMask", lambda sheet: sheet.add("GrowMask", mask=cover(sheet, 8400), expand=3, tapered_corners=False)),
    "quantize": (
        "ImageQuantize",
        lambda sheet: sheet.add("ImageQuantize", image=wide(sheet, 5400), colors=3, dither="none"),
    ),
    "turn": ("ImageRotate", lambda sheet: sheet.add("ImageRotate", image=wide(sheet, 5800), rotation="90 degrees")),
}


@pytest.mark.parametrize("name", TOO_MUCH)
def test_a_node_that_wants_too_much_memory_fails_alone(ours: Ours, name: str) -> None:
    expected, build = TOO_MUCH[name]
    sheet = Sheet("hostile")
    sheet.add("PreviewAny", source=build(sheet))

    failure = failure_of(ours.events_of(sheet.nodes, {}))

    assert failure is not None
    assert (failure.node_type, failure.is_breakdown) == (expected, False)
    assert "MemoryError" in failure.exception_type
    assert _succeeds(ours)


def test_an_animation_beyond_its_format_fails_at_its_node(ours: Ours) -> None:
    sheet = Sheet("hostile")
    images = sheet.add("EmptyImage", width=MOST, height=1, batch_size=2, color=0)
    sheet.add(
        "SaveAnimatedWEBP", images=images, filename_prefix="a", fps=6.0, lossless=True, quality=80, method="default"
    )

    failure = failure_of(ours.events_of(sheet.nodes, {}))

    assert failure is not None
    assert (failure.node_type, failure.is_breakdown) == ("SaveAnimatedWEBP", False)
    assert _succeeds(ours)


@pytest.mark.parametrize(
    ("name", "inputs"),
    [
        ("ImageBlur", {"blur_radius": 31, "sigma": 1.0}),
        ("ImageSharpen", {"sharpen_radius": 31, "sigma": 1.0, "alpha": 5.0}),
        ("ImageQuantize", {"colors": 256, "dither": "bayer-16"}),
    ],
)
def test_a_filter_looks_for_a_stop_while_it_works(name: str, inputs: dict[str, Any]) -> None:
    plain, slow = Sheet("plain"), Sheet("slow")
    plain.save(plain.add("ImageInvert", image=wide(plain, 512)))
    slow.save(slow.add(name, image=wide(slow, 512), **inputs))

    assert _looks_for_a_stop(slow.nodes) > _looks_for_a_stop(plain.nodes)


def test_growing_a_mask_looks_for_a_stop_at_each_step() -> None:
    once, often = Sheet("once"), Sheet("often")
    for sheet, steps in ((once, 1), (often, 15)):
        sheet.save(sheet.shown(sheet.add("GrowMask", mask=cover(sheet, 8), expand=steps, tapered_corners=True)))

    assert _looks_for_a_stop(often.nodes) == _looks_for_a_stop(once.nodes) + 14


def _succeeds(ours: Ours) -> bool:
    sheet = Sheet("well")
    sheet.save(small(sheet))
    return isinstance(ours.events_of(sheet.nodes, {})[-1], Finished)


class _Counting(threading.Event):
    """A flag that is never up and counts who looks."""

    looks = 0

    def is_set(self) -> bool:
        self.looks += 1
        return False


def _looks_for_a_stop(graph: Graph) -> int:
    saving = tuple(node_id for node_id, entry in graph.items() if entry["class_type"] == "SaveImage")
    stop, events = _Counting(), list[RunEvent]()
    with tempfile.TemporaryDirectory() as folder:
        task = Task(task_id="slow", graph=graph, outputs=saving, inputs={}, extra_data={}, folder=Path(folder))
        Executor(NODES, Cache(0)).execute(task, stop, events.append)
    assert events[-1] == Finished()
    return stop.looks
