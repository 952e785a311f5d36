"""Saved workflows for tests: in the editor's format and in API format, and what is said about their inputs."""

from typing import Any

import httpx
from tests.graphs.editor.building import node, wired, workflow
from tests.server.v2.house import Caller

WORKFLOWS = "/api/v2/fireside/workflows"
GRAPH_ID = "0b5e1f0e-6f0a-4b0e-9f6e-0c5b2f3a9d11"
SCALE: dict[str, Any] = {
    "1": {"class_type": "LoadImage", "inputs": {"image": "missing.png"}},
    "2": {
        "class_type": "ImageScale",
        "inputs": {"image": ["1", 0], "upscale_method": "bilinear", "width": 8, "height": 8, "crop": "disabled"},
    },
    "3": {"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": "scaled"}},
}
DECLARED: dict[str, Any] = {
    "description": "Scales a picture.",
    "inputs": [
        {"name": "photo", "node": "1", "input": "image", "description": "What is scaled."},
        {"name": "width", "node": "2", "input": "width", "maximum": 64},
        {"name": "method", "node": "2", "input": "upscale_method", "title": "How"},
        {"name": "prefix", "node": "3", "input": "filename_prefix", "default": "by-name"},
    ],
    "outputs": [{"name": "picture", "node": "3"}],
}


def api_file(declared: Any = None, graph: Any = None) -> dict[str, Any]:
    """A file in API format that declares this itself."""
    graph = SCALE if graph is None else graph
    return graph if declared is None else {**graph, "extra": {"fireside": declared}}


def editor_file(**extra: Any) -> dict[str, Any]:
    """A file of the editor's: a colored picture of a random color, inverted by a bypassed node, and saved."""
    nodes = [
        node(5, "PrimitiveInt", out=("INT",), values=[7, "randomize"], title="Color"),
        node(
            1, "EmptyImage", wired("width", "INT", widget=True, label="Breite in Größe"),
            wired("color", "INT", 3, widget=True), out=("IMAGE",), values=[8, 8, 1, 0],
        ),
        node(2, "ImageInvert", wired("image", "IMAGE", 1), out=("IMAGE",), mode=4),
        node(3, "SaveImage", wired("images", "IMAGE", 2), values=["app"], title="The Picture"),
    ]  # fmt: skip
    links = [(1, 1, 0, 2, 0, "IMAGE"), (2, 2, 0, 3, 0, "IMAGE"), (3, 5, 0, 1, 1, "INT")]
    return workflow(*nodes, links=links, id=GRAPH_ID, extra=extra)


APP = {
    "linearMode": True,
    "linearData": {
        "inputs": [
            [f"{GRAPH_ID}:1:width", "width", {"description": "In pixels.", "height": 120}],
            ["5", "value"],
            [f"{GRAPH_ID}:99:gone", "gone"],
            [f"{GRAPH_ID}:1:color", "color"],
            [f"{GRAPH_ID}:3:filename_prefix", "filename_prefix"],
        ],
        "outputs": [3, "3", "98"],
    },
}


async def save(caller: Caller, name: str, content: Any) -> None:
    """Save a file as the editor does."""
    path = f"workflows/{name}.json".replace("/", "%2F")
    answer = await caller.http.post(f"/api/userdata/{path}?overwrite=true", json=content)
    assert answer.status_code == 200, answer.text


async def move(caller: Caller, name: str, target: str) -> None:
    answer = await caller.http.post(f"/api/userdata/workflows%2F{name}.json/move/workflows%2F{target}.json")
    assert answer.status_code == 200, answer.text


async def call(caller: Caller, name: str, *, key: str | None = None, **inputs: Any) -> httpx.Response:
    """Run a workflow at its own endpoint."""
    headers = {} if key is None else {"Idempotency-Key": key}
    return await caller.http.post(f"{WORKFLOWS}/{name}/jobs", json=inputs, headers=headers)


def faults_of(error: dict[str, Any]) -> list[tuple[str, str | None]]:
    """Give what is wrong: code, and the input or output that it is about."""
    return [(one["code"], one["input"] or one["output"]) for one in error["details"]["errors"]]
