"""A small set of node definitions with every kind of input, and ways to submit a graph against it."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import msgspec
import pytest

from fireside.graphs.definitions import NodeDefinitions
from fireside.graphs.errors import InvalidGraph
from fireside.graphs.limits import GraphLimits
from fireside.graphs.parse import parse_graph
from fireside.graphs.validate import ValidGraph, validate_graph

LIMITS = GraphLimits(max_nodes=50_001, max_depth=64)
MANY = [f"model-{number}" for number in range(21)]


def node(inputs: Mapping[str, Any], output: Sequence[Any] = (), *, optional: Any = None, out: bool = False) -> Any:
    groups = {"required": inputs} | ({} if optional is None else {"optional": optional})
    return {"input": groups, "output": list(output), "output_node": out, "name": "", "category": "test"}


AUTOGROW = {"template": {"input": {"required": {"image": ["IMAGE", {}]}}, "prefix": "image", "min": 1, "max": 3}}
OBJECT_INFO: dict[str, Any] = {
    "Image": node({}, ["IMAGE", "MASK"]),
    "Blur": node({"image": ["IMAGE"]}, ["IMAGE"]),
    "Mix": node({"first": ["IMAGE"], "second": ["IMAGE"]}, ["IMAGE"]),
    "Save": node({"images": ["IMAGE", {"tooltip": "what to save"}]}, out=True),
    "Load": node({"image": [[], {"image_upload": True}]}, ["IMAGE"]),
    "LoadVideo": node({"file": ["COMBO", {"options": [], "video_upload": True}]}, ["VIDEO"]),
    "LoadAudio": node({"audio": [[], {"audio_upload": True}]}, ["AUDIO"]),
    "LoadLatent": node({"latent": [[]]}, ["LATENT"]),
    "LoadModel": node({"model_file": [[], {"file_upload": True}]}, ["MESH"]),
    "LoadOutput": node({"image": ["COMBO", {"image_upload": True, "image_folder": "output", "remote": {}}]}, ["IMAGE"]),
    "Numbers": node(
        {},
        ["INT", "FLOAT"],
        optional={
            "count": ["INT", {"min": 1, "max": 10}],
            "strength": ["FLOAT", {"min": 0.0, "max": 1.0}],
            "text": ["STRING", {"multiline": True}],
            "flag": ["BOOLEAN", {}],
            "long": ["STRING", {"min": 3}],
        },
        out=True,
    ),
    "Choices": node(
        {},
        [["a", "b"]],
        optional={
            "method": [["a", "b"], {"default": "a"}],
            "modern": ["COMBO", {"options": ["a", "b"]}],
            "several": ["COMBO", {"options": ["a", "b"], "multiselect": True}],
            "older": ["COMBO", {"options": ["a", "b"], "multi_select": True}],
            "elsewhere": ["COMBO", {"options": ["a"], "remote": {"route": "/x"}}],
            "empty": [[], {}],
            "model": [MANY, {}],
        },
        out=True,
    ),
    "Any": node({"value": ["*", {}]}, ["*"], out=True),
    "Match": node({}, ["COMFY_MATCHTYPE_V3"], optional={"value": ["COMFY_MATCHTYPE_V3", {}]}),
    "Union": node({"value": ["INT,FLOAT", {}]}, ["STRING,INT"], out=True),
    "Grow": node({"images": ["COMFY_AUTOGROW_V3", AUTOGROW]}, out=True),
    "Format": node(
        {
            "format": [
                "COMFY_DYNAMICCOMBO_V3",
                {
                    "options": [
                        {"key": "auto", "inputs": {}},
                        {"key": "mp4", "inputs": {"required": {"quality": ["INT", {"min": 0, "max": 9}]}}},
                    ]
                },
            ]
        },
        out=True,
    ),
    "Slot": node(
        {"slot": ["COMFY_DYNAMICSLOT_V3", {"slotType": "IMAGE", "inputs": {"required": {"size": ["INT", {}]}}}]},
        out=True,
    ),
    "Newer": node({"rows": ["COMFY_DYNAMICGROUP_V3", {"template": {"max": 2}}]}, out=True),
}

Validate = Callable[..., ValidGraph]
Refuse = Callable[..., InvalidGraph]
Faults = Callable[..., list[Mapping[str, Any]]]


@pytest.fixture(scope="session")
def definitions() -> NodeDefinitions:
    return NodeDefinitions.parse(msgspec.json.encode(OBJECT_INFO))


@pytest.fixture
def validate(definitions: NodeDefinitions) -> Validate:
    """Submit a graph."""

    def submit(graph: Any, *, targets: Sequence[str] | None = None, known_files: Collection[str] = ()) -> ValidGraph:
        return validate_graph(parse_graph(graph, LIMITS), definitions, targets=targets, known_files=known_files)

    return submit


@pytest.fixture
def refuse(validate: Validate) -> Refuse:
    """Submit a graph that is refused as a whole."""

    def submit(graph: Any, **options: Any) -> InvalidGraph:
        with pytest.raises(InvalidGraph) as refused:
            validate(graph, **options)
        return refused.value

    return submit


@pytest.fixture
def faults(refuse: Refuse) -> Faults:
    """Submit one output node that is refused, and give what is wrong with it."""

    def submit(class_type: str, inputs: Mapping[str, Any], **others: Any) -> list[Mapping[str, Any]]:
        graph = {"1": {"class_type": class_type, "inputs": inputs}, **others}
        return refuse(graph).node_errors["1"]["errors"]

    return submit


@pytest.fixture
def image() -> dict[str, Any]:
    """A node that gives an image and a mask."""
    return {"class_type": "Image", "inputs": {}}
