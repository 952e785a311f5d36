import json
from pathlib import Path
from typing import Any

import pytest

from fireside.runtimes.builtin.definitions import definitions_of
from fireside.runtimes.builtin.nodes import NODES

REAL: dict[str, Any] = json.loads((Path(__file__).parent / "golden" / "object_info.json").read_text("utf-8"))
OURS: dict[str, Any] = json.loads(definitions_of(NODES.values()))
DEMOS = {"FiresideFail", "FiresideJoinLines", "FiresideSleep", "FiresideSplitLines", "FiresideSwitch"}


def plain(declared: list[Any]) -> tuple[Any, dict[str, Any]]:
    """One form of an input's declaration: combos are written in two ways, tooltips are prose."""
    kind, options = declared[0], dict(declared[1]) if len(declared) > 1 else {}
    options.pop("tooltip", None)
    if kind == "COMBO":
        options.pop("multiselect", None)
        kind = options.pop("options")
    return kind, options


def test_the_classes_are_comfyuis_and_demos_of_our_own() -> None:
    assert OURS.keys() - REAL.keys() == DEMOS


@pytest.mark.parametrize("name", REAL)
@pytest.mark.parametrize("group", ["required", "optional"])
def test_inputs_are_declared_as_comfyui_does(name: str, group: str) -> None:
    ours, real = OURS[name]["input"].get(group, {}), REAL[name]["input"].get(group, {})

    assert list(ours) == list(real)
    assert {entry: plain(declared) for entry, declared in ours.items()} == {
        entry: plain(declared) for entry, declared in real.items()
    }


@pytest.mark.parametrize("name", REAL)
@pytest.mark.parametrize("fact", ["input_order", "output", "output_is_list", "output_name", "category", "output_node"])
def test_a_class_is_described_as_comfyui_does(name: str, fact: str) -> None:
    assert OURS[name][fact] == REAL[name][fact]


@pytest.mark.parametrize("name", REAL)
def test_a_class_is_called_as_comfyui_calls_it(name: str) -> None:
    assert OURS[name]["display_name"] == (REAL[name]["display_name"] or name)


@pytest.mark.parametrize("name", REAL)
def test_hidden_inputs_are_comfyuis(name: str) -> None:
    assert OURS[name]["input"].get("hidden") == REAL[name]["input"].get("hidden")


@pytest.mark.parametrize("name", OURS)
def test_a_class_says_what_it_is_for(name: str) -> None:
    assert OURS[name]["description"].endswith(".")
    assert OURS[name]["name"] == name


def test_the_order_of_declaration_does_not_change_the_bytes() -> None:
    assert definitions_of(reversed(NODES.values())) == definitions_of(NODES.values())
