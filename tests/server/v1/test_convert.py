"""Converting an editor's workflow over HTTP, and submitting what comes of it."""

from typing import Any

import pytest
from tests.graphs.editor.building import node, wired, workflow
from tests.server.v1.house import Caller

# A conversion knows no store.
pytestmark = pytest.mark.once


def _picture(**more: Any) -> dict[str, Any]:
    nodes = [
        node(1, "EmptyImage", out=("IMAGE",), values=[8, 8, 1, 0], **more),
        node(2, "Reroute", wired("", "*", 1), out=("*",)),
        node(3, "SaveImage", wired("images", "IMAGE", 2), values=["converted"]),
        node(4, "Note", values=["not in the graph"]),
    ]
    return workflow(*nodes, links=[(1, 1, 0, 2, 0, "IMAGE"), (2, 2, 0, 3, 0, "IMAGE")])


async def test_what_conversion_answers_can_be_submitted_as_it_is(ann: Caller) -> None:
    answer = await ann.http.post("/api/workflows/convert", json=_picture())

    assert answer.status_code == 200, answer.text
    assert answer.json()["prompt"]["3"]["inputs"] == {"images": ["1", 0], "filename_prefix": "converted"}
    assert answer.json()["warnings"] == []
    submitted = await ann.http.post("/api/prompt", content=answer.content)
    assert submitted.status_code == 200, submitted.text


async def test_a_submit_of_an_editors_workflow_names_the_conversion(ann: Caller) -> None:
    answer = await ann.http.post("/api/prompt", json={"prompt": _picture()})

    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == answer.json()["code"] == "workflow_format_ui"
    assert "POST /api/workflows/convert" in answer.json()["error"]["details"]


@pytest.mark.parametrize(
    ("body", "kind", "told"),
    [
        ('{"nodes": [', "invalid_json", "not JSON"),
        ('{"1": {"class_type": "EmptyImage"}}', "invalid_workflow", "API format already"),
        ('{"nodes": [{"id": 1, "type": "Unheard"}]}', "missing_node_type", "'Unheard'"),
    ],
)
async def test_a_refusal_says_what_is_missing(ann: Caller, body: str, kind: str, told: str) -> None:
    answer = await ann.http.post("/api/workflows/convert", content=body)

    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == kind
    assert told in answer.text


async def test_a_workflow_may_be_too_large(ann: Caller) -> None:
    deep: Any = []
    for _ in range(70):
        deep = [deep]

    answer = await ann.http.post("/api/workflows/convert", json=_picture(flags=deep))

    assert answer.status_code == 413
    assert "deeper than 64" in answer.text
