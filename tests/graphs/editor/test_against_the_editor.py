"""Held against the official editor: small workflows, and all templates whose nodes a real ComfyUI has, as they come and
with nodes muted, bypassed and robbed of values at random."""

import json
import random
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.graphs.editor.cases import CASES, DEFINITIONS
from tests.graphs.editor.comparing import differences
from tests.graphs.editor.official_editor import OfficialEditor, open_editor
from tests.runtimes.beside.real_comfyui import running_comfyui

from fireside.graphs.editor.convert import Surroundings, convert_workflow
from fireside.graphs.editor.workflow import Frontend
from fireside.graphs.errors import InvalidGraph
from fireside.graphs.limits import GraphLimits

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]
LEAST_CONVERTED = 134
LIMITS = GraphLimits(max_nodes=20_000, max_depth=64)


@pytest.fixture(scope="module")
def object_info(comfyui_dir: Path, comfyui_python: Path, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    """The nodes of a real ComfyUI, those of partners included, and some of our own with what it has none of."""
    folder = tmp_path_factory.mktemp("comfyui")
    options = ("--disable-all-custom-nodes",)
    with running_comfyui(comfyui_dir, comfyui_python, folder, folder / "inputs", options) as comfyui:
        return comfyui.object_info() | DEFINITIONS


@pytest.fixture(scope="module")
def editor(editor_packages: Path, object_info: Mapping[str, Any]) -> Iterator[OfficialEditor]:
    with open_editor(editor_packages, object_info) as opened:
        yield opened


@pytest.fixture(scope="module")
def surroundings(object_info: Mapping[str, Any]) -> Surroundings:
    return Surroundings(
        object_info=object_info, limits=LIMITS, now=datetime.now(UTC), choose=lambda options: options[0]
    )


@pytest.fixture(scope="module")
def templates(editor_packages: Path) -> dict[str, Any]:
    """The official templates by name; the other files beside them are their lists."""
    folder = editor_packages / "comfyui_workflow_templates_json" / "templates"
    read = {path.stem: json.loads(path.read_bytes()) for path in sorted(folder.glob("*.json"))}
    return {name: content for name, content in read.items() if isinstance(content, dict) and "nodes" in content}


@pytest.fixture(scope="module")
def known_templates(templates: dict[str, Any], object_info: Mapping[str, Any]) -> dict[str, Any]:
    return {name: template for name, template in templates.items() if not missing_classes(template, object_info)}


def missing_classes(workflow: dict[str, Any], object_info: Mapping[str, Any]) -> set[str]:
    """The classes of nodes that take part and that the ComfyUI does not have."""
    subgraphs = {one["id"]: one for one in workflow.get("definitions", {}).get("subgraphs", [])}
    left, missing = [workflow], set[str]()
    while left:
        for node in left.pop()["nodes"]:
            if node.get("mode", 0) in {2, 4} or Frontend.knows(node["type"]):
                continue
            if node["type"] in subgraphs:
                left.append(subgraphs[node["type"]])
            elif node["type"] not in object_info:
                missing.add(node["type"])
    return missing


def disturbed(workflow: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    """Mute, bypass and wake nodes, and take values away."""
    changed = json.loads(json.dumps(workflow))
    for graph in (changed, *changed.get("definitions", {}).get("subgraphs", [])):
        for node in graph["nodes"]:
            node["mode"] = chance.choices([node.get("mode", 0), 4, 2], [80, 14, 6])[0]
            values = node.get("widgets_values")
            if isinstance(values, list) and chance.random() < 0.15:
                node["widgets_values"] = values[: chance.randint(0, len(values))]
            node.pop("widgets_values_named", None)
    return changed


@pytest.mark.parametrize("name", CASES)
def test_a_small_workflow_becomes_what_the_editor_makes_of_it(
    editor: OfficialEditor, surroundings: Surroundings, name: str
) -> None:
    workflow = CASES[name]()

    official = editor.convert(workflow)

    assert official
    assert differences(official, convert_workflow(workflow, surroundings).graph) == []


def test_every_template_with_known_nodes_becomes_what_the_editor_makes_of_it(
    editor: OfficialEditor, surroundings: Surroundings, known_templates: dict[str, Any]
) -> None:
    found = {
        name: differences(editor.convert(template), convert_workflow(template, surroundings).graph)
        for name, template in known_templates.items()
    }

    assert {name: told for name, told in found.items() if told} == {}
    assert len(found) >= LEAST_CONVERTED


def test_disturbed_templates_become_what_the_editor_makes_of_them(
    editor: OfficialEditor,
    surroundings: Surroundings,
    known_templates: dict[str, Any],
    object_info: Mapping[str, Any],
) -> None:
    chance = random.Random(20)
    found: dict[str, list[str]] = {}
    for name in chance.sample(sorted(known_templates), 50):
        workflow = disturbed(known_templates[name], chance)
        if not missing_classes(workflow, object_info):
            found[name] = differences(editor.convert(workflow), convert_workflow(workflow, surroundings).graph)

    assert {name: told for name, told in found.items() if told} == {}
    assert len(found) > 40


def test_every_other_template_is_refused_with_the_nodes_that_are_missing(
    surroundings: Surroundings, templates: dict[str, Any], known_templates: dict[str, Any]
) -> None:
    others = {name: template for name, template in templates.items() if name not in known_templates}
    for template in others.values():
        with pytest.raises(InvalidGraph) as refusal:
            convert_workflow(template, surroundings)

        assert refusal.value.type == "missing_node_type"
        assert set(refusal.value.extra_info["missing"]) == missing_classes(template, surroundings.object_info)
    assert others
