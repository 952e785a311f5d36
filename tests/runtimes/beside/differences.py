"""The same graphs on a real ComfyUI and on ours, and how far apart the pictures are, in steps of 8 bits."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from tests.runtimes.beside.real_comfyui import RealComfyUI
from tests.runtimes.beside.sheets import Filled

from fireside.runtimes.base import Failed, Finished, NodeOutput, RunEvent, Task
from fireside.runtimes.builtin.nodes import NODES
from fireside.runtimes.builtin.runtime import BuiltinRuntime

Shown = dict[str, Mapping[str, Any]]
"""What each output node shows, its files as paths."""


@dataclass
class Row:
    """One line of the table: a node with one choice of options."""

    node: str
    options: str
    pictures: int = 0
    values: int = 0
    differing: int = 0
    largest: int = 0
    total: int = 0

    def add(self, ours: NDArray[np.uint8], real: NDArray[np.uint8]) -> None:
        """Count one picture."""
        assert ours.shape == real.shape, f"{self.node} ({self.options}): {ours.shape} instead of {real.shape}"
        steps = np.abs(ours.astype(int) - real.astype(int))
        self.pictures += 1
        self.values += steps.size
        self.differing += int(np.count_nonzero(steps))
        self.largest = max(self.largest, int(steps.max(initial=0)))
        self.total += int(steps.sum())

    @property
    def mean(self) -> float:
        """The mean difference, in steps."""
        return self.total / max(1, self.values)

    @property
    def equal(self) -> float:
        """The share of equal values."""
        return 1 - self.differing / max(1, self.values)


def compare(sheets: Sequence[Filled], comfyui: RealComfyUI, runtime: "Ours", inputs: Mapping[str, Path]) -> list[Row]:
    """Run all sheets on both, at the same time, and count the differences case by case."""
    submitted = [comfyui.submit(sheet.graph) for sheet in sheets]
    rows: dict[tuple[str, str], Row] = {}
    for sheet, prompt_id in zip(sheets, submitted, strict=True):
        ours = runtime.shown_by(sheet.graph, inputs)
        real = shown_in(comfyui, comfyui.wait(prompt_id))
        assert ours.keys() == real.keys()
        for case, saves in sheet.cases:
            row = rows.setdefault((case.node, case.options), Row(case.node, case.options))
            for node_id in saves:
                for our_file, real_file in zip(ours[node_id]["images"], real[node_id]["images"], strict=True):
                    row.add(pixels_of(our_file), pixels_of(real_file))
        assert texts_in(ours) == texts_in(real)
    return list(rows.values())


def pixels_of(path: Path) -> NDArray[np.uint8]:
    """Read a saved picture."""
    with Image.open(path) as picture:
        return np.asarray(picture)


def shown_in(comfyui: RealComfyUI, history: Mapping[str, Any]) -> Shown:
    """What ComfyUI's nodes have shown; the run must have succeeded."""
    assert history["status"]["status_str"] == "success", history["status"]["messages"]
    return {
        node_id: {
            key: [comfyui.path_of(item) if is_file(item) else item for item in items] for key, items in ui.items()
        }
        for node_id, ui in history["outputs"].items()
    }


def texts_in(shown: Shown) -> dict[str, list[Any]]:
    """The texts that nodes have shown."""
    return {node_id: list(ui["text"]) for node_id, ui in shown.items() if "text" in ui}


def is_file(item: Any) -> bool:
    """Whether an item of what a node shows is a file."""
    return isinstance(item, Mapping) and "filename" in item


class Ours:
    """Our runtime in its own process, one graph after another."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self._folder = folder
        self._runner = asyncio.Runner()
        self._runtime = BuiltinRuntime(folder / "runtime", **settings)
        self._runs = 0

    def __enter__(self) -> Self:
        self._runner.run(self._start())
        return self

    def __exit__(self, *_: object) -> None:
        self._runner.run(self._runtime.stop())
        self._runner.close()

    def events_of(self, graph: Mapping[str, Any], inputs: Mapping[str, Path], **extra_data: Any) -> list[RunEvent]:
        """Run a graph to its end."""
        self._runs += 1
        folder = self._folder / f"run {self._runs}"
        folder.mkdir()
        outputs = tuple(node_id for node_id, entry in graph.items() if NODES[entry["class_type"]].is_output)
        task = Task(
            task_id=folder.name, graph=graph, outputs=outputs, inputs=inputs, extra_data=extra_data, folder=folder
        )
        return self._runner.run(self._all_events(task))

    def shown_by(self, graph: Mapping[str, Any], inputs: Mapping[str, Path], **extra_data: Any) -> Shown:
        """What the nodes have shown; the run must succeed."""
        events = self.events_of(graph, inputs, **extra_data)
        assert isinstance(events[-1], Finished), events[-1]
        return {event.node_id: _with_paths(event) for event in _outputs_among(events)}

    async def _start(self) -> None:
        (self._folder / "runtime").mkdir(parents=True)
        await self._runtime.start()

    async def _all_events(self, task: Task) -> list[RunEvent]:
        return [event async for event in self._runtime.run(task)]


def failure_of(events: Sequence[RunEvent]) -> Failed | None:
    """How a run failed, if it did."""
    return events[-1] if isinstance(events[-1], Failed) else None


def _outputs_among(events: Iterable[RunEvent]) -> list[NodeOutput]:
    return [event for event in events if isinstance(event, NodeOutput)]


def _with_paths(event: NodeOutput) -> dict[str, Any]:
    paths = {(file.key, file.index): file.path for file in event.files}
    return {
        key: [paths.get((key, index), item) for index, item in enumerate(items)] for key, items in event.output.items()
    }
