from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fireside.domain.assets import Folder
from fireside.domain.errors import BadRequest
from fireside.graphs.definitions import NodeDefinitions
from fireside.graphs.files import FileReference, file_values, parse_file_value
from fireside.graphs.limits import GraphLimits
from fireside.graphs.parse import parse_graph

HASH = "blake3:" + "0a" * 32


def values_in(definitions: NodeDefinitions, *nodes: Mapping[str, Any]) -> list[tuple[str, Folder]]:
    numbered = {str(number): node for number, node in enumerate(nodes)}
    return file_values(parse_graph(numbered, GraphLimits(max_nodes=10, max_depth=10)), definitions)


def load(image: Any, class_type: str = "Load") -> dict[str, Any]:
    return {"class_type": class_type, "inputs": {"image": image}}


def test_file_values_are_found_as_they_are_written(definitions: NodeDefinitions) -> None:
    found = values_in(definitions, load("a.png"), load("sub/b.png [output]"), load("c.png", "LoadOutput"))

    assert found == [("a.png", Folder.INPUT), ("sub/b.png [output]", Folder.INPUT), ("c.png", Folder.OUTPUT)]


def test_each_file_is_found_once_per_folder(definitions: NodeDefinitions) -> None:
    found = values_in(definitions, load("a.png"), load("a.png"), load("a.png", "LoadOutput"))

    assert found == [("a.png", Folder.INPUT), ("a.png", Folder.OUTPUT)]


def test_a_wrapped_list_is_several_files(definitions: NodeDefinitions) -> None:
    found = values_in(definitions, load({"__value__": ["a.png", 5, "b.png"]}), load({"__value__": "c.png"}))

    assert [value for value, _ in found] == ["a.png", "b.png", "c.png"]


@pytest.mark.parametrize("image", [["1", 0], 5, None, {}, True])
def test_links_and_other_values_are_no_files(definitions: NodeDefinitions, image: Any) -> None:
    assert values_in(definitions, load(image)) == []


def test_nodes_that_take_no_files_name_none(definitions: NodeDefinitions) -> None:
    nodes = [{"class_type": "Nowhere", "inputs": {"image": "a.png"}}, {}, {"class_type": []}, load("a.png", "Blur")]

    assert values_in(definitions, *nodes) == []


@pytest.mark.parametrize(
    ("value", "folder", "subfolder", "name"),
    [
        ("cat.png", "input", "", "cat.png"),
        ("a/b/cat.png", "input", "a/b", "cat.png"),
        ("a\\b\\cat.png", "input", "a/b", "cat.png"),
        ("cat.png [output]", "output", "", "cat.png"),
        ("cat.png [input]", "input", "", "cat.png"),
        ("cat.png [temp]", "temp", "", "cat.png"),
        ("cat.png [other]", "input", "", "cat.png [other]"),
        ("cat.png[output]", "input", "", "cat.png[output]"),
        ("cat [input] [output]", "output", "", "cat [input]"),
        ("ä 😀.png", "input", "", "ä 😀.png"),
        ("..cat", "input", "", "..cat"),
    ],
)
def test_a_value_says_folder_subfolder_and_name(value: str, folder: str, subfolder: str, name: str) -> None:
    assert parse_file_value(value, default_type="input") == FileReference(
        type=Folder(folder), subfolder=subfolder, name=name
    )


def test_a_value_without_a_folder_is_in_the_default_one() -> None:
    assert parse_file_value("a.png", default_type="output").type is Folder.OUTPUT
    assert parse_file_value("a.png [input]", default_type=Folder.OUTPUT).type is Folder.INPUT


def test_a_hash_names_its_bytes() -> None:
    assert parse_file_value(HASH, default_type="input").hash == "0a" * 32
    assert parse_file_value(HASH + " [output]", default_type="input").hash == "0a" * 32
    assert parse_file_value("a.png", default_type="input").hash is None


@pytest.mark.parametrize(
    "value",
    [
        "",
        " [output]",
        "/",
        "/etc/passwd",
        "//host/share",
        "C:/x.png",
        "C:\\x.png",
        "\\x.png",
        "..",
        ".",
        "../x.png",
        "a/../x.png",
        "a/./x.png",
        "a//x.png",
        "a/",
        "..\\x.png",
        "a\\..\\x.png",
        ".. /x.png",
        "../x.png [output]",
        "x\0.png",
        "x\n.png",
        "x\x7f.png",
        "x\ud800.png",
        "x" * 5000,
        "blake3:",
        "blake3:" + "0" * 63,
        "blake3:" + "A" * 64,
        "blake3:" + "0" * 64 + "/../x",
    ],
)
def test_whatever_could_mean_another_place_is_refused(value: str) -> None:
    with pytest.raises(BadRequest):
        parse_file_value(value, default_type="input")


@given(st.text(st.sampled_from("./\\ a:\0[]input"), max_size=30) | st.text(max_size=30))
def test_what_is_taken_stays_inside_its_folder(value: str) -> None:
    try:
        reference = parse_file_value(value, default_type="input")
    except BadRequest:
        return
    parts = [*reference.subfolder.split("/"), reference.name] if reference.subfolder else [reference.name]
    assert not any(part in {"", ".", ".."} or "/" in part or "\\" in part or "\0" in part for part in parts)
