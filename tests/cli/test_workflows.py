"""Workflow files, and the changes that the command line asks of them."""

from pathlib import Path
from typing import Any

import pytest

from fireside.cli.errors import USAGE, CommandFailed
from fireside.cli.workflows import InputPlace, WorkflowFile, parse_change, read_workflow, set_input, value_of_text

GRAPH: dict[str, Any] = {"1": {"class_type": "LoadImage", "inputs": {}}, "3.0": {"class_type": "X"}}


def test_a_workflow_in_api_format_is_read_bare_or_wrapped(tmp_path: Path) -> None:
    path = tmp_path / "w.json"
    path.write_text('{"1": {"class_type": "A"}}')
    assert read_workflow(path) == WorkflowFile({"1": {"class_type": "A"}}, is_editor_format=False)

    path.write_text('{"prompt": {"1": {"class_type": "A"}}, "client_id": "x"}')
    assert read_workflow(path) == WorkflowFile({"1": {"class_type": "A"}}, is_editor_format=False)


def test_a_workflow_of_the_editors_is_known_as_one(tmp_path: Path) -> None:
    path = tmp_path / "w.json"
    path.write_text('{"nodes": [], "links": []}')

    assert read_workflow(path).is_editor_format


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "is not JSON"),
        ("", "is not JSON"),
        ("\udcff", "is not JSON"),
        ("[]", "is no workflow"),
        ("{}", "is no workflow"),
        ('{"1": {"inputs": {}}}', "no class_type"),
        ('{"1": 5}', "no class_type"),
    ],
)
def test_a_file_that_is_no_workflow_is_refused_with_the_reason(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "w.json"
    path.write_bytes(content.encode("utf-8", "surrogateescape"))

    with pytest.raises(CommandFailed, match=message) as refusal:
        read_workflow(path)
    assert refusal.value.exit_code == USAGE


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match="cannot read"):
        read_workflow(tmp_path / "none.json")


@pytest.mark.parametrize(
    ("text", "place", "value"),
    [
        ("1.image=cat.png", InputPlace("1", "image"), "cat.png"),
        ("1.images.image0=a=b", InputPlace("1", "images.image0"), "a=b"),
        ("3.0.text=", InputPlace("3.0", "text"), ""),
    ],
)
def test_a_change_names_a_node_an_input_and_a_value(text: str, place: InputPlace, value: str) -> None:
    assert parse_change(GRAPH, text) == (place, value)


@pytest.mark.parametrize("text", ["1.image", "image=cat", "9.image=cat", "1=cat", "=", ".image=x"])
def test_a_change_of_nothing_is_refused(text: str) -> None:
    with pytest.raises(CommandFailed) as refusal:
        parse_change(GRAPH, text)
    assert refusal.value.exit_code == USAGE


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", 5),
        ("-0.5", -0.5),
        ("true", True),
        ('"5"', "5"),
        ('["4", 0]', ["4", 0]),
        ("cat.png", "cat.png"),
        ("a cat, asleep", "a cat, asleep"),
        ("", ""),
    ],
)
def test_a_value_is_json_where_it_is_json_and_text_elsewhere(text: str, value: Any) -> None:
    assert value_of_text(text) == value


def test_an_input_is_set_also_on_a_node_without_any() -> None:
    graph: dict[str, Any] = {"3.0": {"class_type": "X"}}

    set_input(graph, InputPlace("3.0", "text"), 5)

    assert graph == {"3.0": {"class_type": "X", "inputs": {"text": 5}}}
