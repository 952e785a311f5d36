"""The workflows of the soaks: for the builtin runtime, and for a real ComfyUI with the node pack of the tests."""

import itertools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

Graph = Mapping[str, Mapping[str, Any]]

_NODE_PACKS = Path(__file__).parents[1] / "tests" / "runtimes" / "comfyui" / "node_packs"
_colors = itertools.count(1)


def node(class_type: str, **inputs: Any) -> dict[str, Any]:
    """Write a node."""
    return {"class_type": class_type, "inputs": inputs}


def quick() -> Graph:
    """Save a picture."""
    return {"1": _picture(), "3": _save("1")}


def slow() -> Graph:
    """Save a picture after a second of twenty steps."""
    return {"1": _picture(), "2": node("FiresideSleep", image=["1", 0], seconds=1.0, steps=20), "3": _save("2")}


def failing() -> Graph:
    """Break in the middle, when something was shown already."""
    broken = node("FiresideFail", image=["1", 0], message="as it was told", how="raise")
    return {"1": _picture(), "2": broken, "3": _save("2"), "4": node("PreviewImage", images=["1", 0])}


def flags(options: Any, folder: Path) -> tuple[str, ...]:
    """Give the flags of `fireside up` for the runtime that was asked for."""
    if options.builtin:
        return ()
    folder.mkdir(parents=True, exist_ok=True)
    packs = folder / "soak_paths.yaml"
    packs.write_text(f"soak:\n  custom_nodes: {json.dumps(str(_NODE_PACKS))}\n")
    return (
        f"--comfyui-dir={options.comfyui_dir}",
        f"--comfyui-python={options.comfyui_python}",
        f"--comfyui-model-paths={packs}",
    )


def _picture() -> dict[str, Any]:
    return node("EmptyImage", width=64, height=64, batch_size=1, color=next(_colors))


def _save(source: str) -> dict[str, Any]:
    return node("SaveImage", images=[source, 0], filename_prefix="soak")
