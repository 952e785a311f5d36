"""The workflows that the benches submit. No two are alike, because a worker does not compute again what it knows."""

import itertools
from collections.abc import Mapping
from typing import Any

import msgspec

Graph = Mapping[str, Mapping[str, Any]]

_colors = itertools.count(1)


def small() -> Graph:
    """Save a picture of 64 by 64: next to nothing to compute, so what it takes is ours."""
    return {"1": _picture(64, 64), "2": _save("1")}


def plain() -> Graph:
    """Save a picture of the size that EmptyImage has by itself."""
    return {"1": _picture(512, 512), "2": _save("1")}


def photo() -> Graph:
    """Halve and blur a picture of the size of a photograph, and save it."""
    scale = {"image": ["1", 0], "upscale_method": "lanczos", "width": 768, "height": 512, "crop": "disabled"}
    return {
        "1": _picture(1536, 1024),
        "2": {"class_type": "ImageScale", "inputs": scale},
        "3": {"class_type": "ImageBlur", "inputs": {"image": ["2", 0], "blur_radius": 5, "sigma": 2.0}},
        "4": _save("3"),
    }


def usual() -> Graph:
    """Chain twelve nodes, about as many as people's workflows have."""
    chain = {
        str(number): {"class_type": "ImageInvert", "inputs": {"image": [str(number - 1), 0]}} for number in range(2, 12)
    }
    return {"1": _picture(64, 64), **chain, "12": _save("11")}


def sleep(seconds: float, steps: int) -> Graph:
    """Let a picture appear step by step, each with its progress."""
    nap = {"image": ["1", 0], "seconds": seconds, "steps": steps}
    return {"1": _picture(64, 64), "2": {"class_type": "FiresideSleep", "inputs": nap}, "3": _save("2")}


def submit_body(graph: Graph, **fields: Any) -> bytes:
    """Write the body of a submit."""
    return msgspec.json.encode({"prompt": graph, **fields})


def editor_body() -> bytes:
    """Write a submit as the editor sends it: with its own drawing of the workflow, many times the graph's size."""
    node: dict[str, Any] = {
        "type": "ImageInvert",
        "pos": [100, 200],
        "size": [300, 80],
        "flags": {},
        "order": 1,
        "mode": 0,
    }
    ports: dict[str, Any] = {
        "inputs": [{"name": "image", "type": "IMAGE", "link": 1}],
        "outputs": [{"name": "IMAGE", "links": [2]}],
    }
    drawing: dict[str, Any] = {
        "id": "8d2a",
        "version": 0.4,
        "nodes": [node | ports | {"id": number} for number in range(40)],
    }
    return submit_body(usual(), extra_data={"extra_pnginfo": {"workflow": drawing}})


def _picture(width: int, height: int) -> dict[str, Any]:
    color = next(_colors)
    return {
        "class_type": "EmptyImage",
        "inputs": {"width": width, "height": height, "batch_size": 1, "color": color},
    }


def _save(node: str) -> dict[str, Any]:
    return {"class_type": "SaveImage", "inputs": {"images": [node, 0], "filename_prefix": "bench"}}
