"""Our pictures against a real ComfyUI's; `golden/README.md` says where those come from."""

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from tests.runtimes.graphs import GRAPHS, Graph
from tests.runtimes.pictures import paint

from fireside.runtimes.base import Failed, NodeOutput, RunEvent, Task
from fireside.runtimes.builtin.cache import Cache
from fireside.runtimes.builtin.executor import Executor
from fireside.runtimes.builtin.nodes import NODES

GOLDEN = Path(__file__).parent / "golden"


def pictures_of(graph: Graph, inputs: dict[str, Path], folder: Path) -> dict[str, NDArray[Any]]:
    saving = tuple(node_id for node_id, entry in graph.items() if entry["class_type"] == "SaveImage")
    task = Task(task_id="golden", graph=graph, outputs=saving, inputs=inputs, extra_data={}, folder=folder)
    events: list[RunEvent] = []
    Executor(NODES, Cache(0)).execute(task, threading.Event(), events.append)
    assert not isinstance(events[-1], Failed), events[-1]
    outputs = [event for event in events if isinstance(event, NodeOutput)]
    return {output.node_id: np.stack([pixels_of(file.path) for file in output.files]) for output in outputs}


def pixels_of(path: Path) -> NDArray[np.uint8]:
    with Image.open(path) as picture:
        return np.asarray(picture)


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return paint(tmp_path_factory.mktemp("inputs"))


@pytest.mark.parametrize("name", GRAPHS)
def test_pixels_are_those_of_comfyui(name: str, inputs: dict[str, Path], tmp_path: Path) -> None:
    made = pictures_of(GRAPHS[name], inputs, tmp_path)

    with np.load(GOLDEN / f"{name}.npz") as golden:
        assert made.keys() == set(golden.files)
        for node_id, expected in golden.items():
            assert made[node_id].shape == expected.shape
            assert np.count_nonzero(made[node_id] != expected) == 0


def test_every_golden_file_is_compared() -> None:
    assert {path.stem for path in GOLDEN.glob("*.npz")} == set(GRAPHS)
