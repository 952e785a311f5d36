import json
from pathlib import Path
from typing import Any

import pytest
from tests.runtimes.golden.ask_comfyui import comparable

from fireside.runtimes.builtin.definitions import definitions_of
from fireside.runtimes.builtin.nodes import NODES

REAL: dict[str, Any] = json.loads((Path(__file__).parent / "golden" / "object_info.json").read_text("utf-8"))
OURS: dict[str, Any] = json.loads(definitions_of(NODES.values()))
DEMOS = {"FiresideFail", "FiresideJoinLines", "FiresideSleep", "FiresideSplitLines", "FiresideSwitch"}


def test_the_classes_are_comfyuis_and_demos_of_our_own() -> None:
    assert OURS.keys() - REAL.keys() == DEMOS


@pytest.mark.parametrize("name", REAL)
def test_a_class_is_declared_byte_for_byte_as_comfyui_does(name: str) -> None:
    # As text, because the order of keys is the order of the editor's widgets.
    assert json.dumps(comparable(name, OURS[name])) == json.dumps(REAL[name])


@pytest.mark.parametrize("name", NODES)
def test_a_class_says_what_it_is_for(name: str) -> None:
    assert NODES[name].summary.endswith(".")
    assert NODES[name].name == name


@pytest.mark.parametrize("name", sorted(DEMOS))
def test_a_demo_is_described_to_clients_too(name: str) -> None:
    assert OURS[name]["description"] == NODES[name].summary


def test_a_class_that_takes_lists_says_so() -> None:
    assert [name for name, entry in OURS.items() if entry.get("is_input_list")] == ["FiresideJoinLines"]


def test_the_order_of_declaration_does_not_change_the_bytes() -> None:
    assert definitions_of(reversed(NODES.values())) == definitions_of(NODES.values())
