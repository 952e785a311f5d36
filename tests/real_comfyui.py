"""A real ComfyUI with the exam's nodes, started as a worker starts one."""

import asyncio
import json
from collections.abc import Mapping
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp

from fireside.runtimes.base import RunEvent, Runtime, Task
from fireside.runtimes.comfyui.launch import Launch
from fireside.runtimes.comfyui.patience import Patience
from fireside.runtimes.comfyui.supervised import SupervisedHome

DEADLINE_SECONDS = 240.0
_NODE_PACKS = Path(__file__).parent / "runtimes" / "comfyui" / "node_packs"


def supervised_home(comfyui_dir: Path, comfyui_python: Path, folder: Path, **changes: Any) -> SupervisedHome:
    """Give a home on the CPU that works in the folder; nothing is started yet."""
    folder.mkdir(parents=True, exist_ok=True)
    packs = folder / "exam_paths.yaml"
    packs.write_text(f"exam:\n  custom_nodes: {json.dumps(str(_NODE_PACKS))}\n")
    options: dict[str, Any] = {"preview_method": "none", "arguments": ("--disable-api-nodes",), **changes}
    launch = Launch(comfyui_dir=comfyui_dir, python=comfyui_python, device="cpu", extra_model_paths=(packs,), **options)
    # Tests break it more often than it would be started without a pause.
    hours = count(step=3600)
    return SupervisedHome(launch, folder / "home", patience=Patience(lambda: float(next(hours))))


def node(class_type: str, **inputs: Any) -> dict[str, Any]:
    return {"class_type": class_type, "inputs": inputs}


class Tasks:
    """Makes tasks in folders of their own below `folder`; all nodes that show something are outputs."""

    SHOWING = (
        *("SaveImage", "PreviewImage", "PreviewAny", "SaveAnimatedWEBP", "SaveLatent"),
        *("FiresideShow", "FiresideExpand", "FiresidePicky", "FiresideFrozen"),
    )

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(self, graph: Mapping[str, Any], **changes: Any) -> Task:
        task_id = uuid4().hex
        folder = self._folder / task_id
        folder.mkdir(parents=True)
        given: dict[str, Any] = {
            "outputs": tuple(node_id for node_id, entry in graph.items() if entry["class_type"] in self.SHOWING),
            "inputs": {},
            "extra_data": {},
        }
        return Task(task_id=task_id, graph=graph, folder=folder, **(given | changes))


async def all_events(runtime: Runtime, task: Task) -> list[RunEvent]:
    async with asyncio.timeout(DEADLINE_SECONDS):
        return [event async for event in runtime.run(task)]


async def post(session: aiohttp.ClientSession, path: str, **body: Any) -> None:
    """Ask a ComfyUI for something beside the runtime."""
    async with session.post(path, json=body) as response:
        response.raise_for_status()
