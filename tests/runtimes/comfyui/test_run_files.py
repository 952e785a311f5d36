from typing import Any

import pytest

from fireside.domain.errors import BadRequest
from fireside.graphs.definitions import NodeDefinitions
from fireside.runtimes.comfyui.file_inputs import FileInput, file_inputs, nodes_that_name, rewrite_files
from fireside.runtimes.comfyui.file_items import FileItem, Found, annotated_path, find_file_items, kept_item

DEFINITIONS = NodeDefinitions.parse(
    b"""{
    "LoadImage": {"input": {"required": {"image": [[], {"image_upload": true}]}}, "output": ["IMAGE"]},
    "Text": {"input": {"required": {"text": ["STRING", {}]}}, "output": ["STRING"]}
    }"""
)


def load(value: Any) -> dict[str, Any]:
    return {"class_type": "LoadImage", "inputs": {"image": value}}


@pytest.mark.parametrize(
    "value",
    [
        {"filename": "a.png", "subfolder": "", "type": "output"},
        {"filename": "a.png", "subfolder": ""},
        {"filename": "a.png", "type": "output", "format": "video/mp4"},
        {"filename": "a.png", "subfolder": None, "type": "output"},
    ],
)
def test_a_file_item_is_known_by_its_shape(value: dict[str, Any]) -> None:
    assert list(find_file_items({"any key": [value]})) == [Found(FileItem("output", "", "a.png"), "any key", 0)]


@pytest.mark.parametrize(
    "value",
    [
        {"filename": "a.png"},
        {"filename": "", "type": "output"},
        {"filename": 5, "type": "output"},
        {"filename": "a.png", "type": "elsewhere"},
        "a.png",
        True,
        None,
    ],
)
def test_other_things_are_no_files(value: Any) -> None:
    assert list(find_file_items({"images": [value], "animated": value})) == []


def test_a_text_that_is_shown_is_no_file() -> None:
    assert list(find_file_items({"text": ["temp/a.png", "mesh.glb"]})) == []


def test_files_further_inside_and_names_of_models_are_found() -> None:
    inside = {"deep": [{"filename": "a.png", "type": "temp"}]}
    found = list(find_file_items({"result": [inside, "3d/mesh.glb", "output/x.txt"]}))

    assert found == [
        Found(FileItem("temp", "", "a.png"), "result", None),
        Found(FileItem("output", "3d", "mesh.glb"), "result", None, is_certain=False),
        Found(FileItem("output", "", "x.txt"), "result", None, is_certain=False),
    ]


@pytest.mark.parametrize(
    ("subfolder", "filename", "kept"),
    [
        ("", "a.png", ("", "a.png")),
        ("sub", "a.png", ("sub", "a.png")),
        ("", "sub\\a.png", ("sub", "a.png")),
        ("x", ".\\..\\sub\\\\a.png", ("x/sub", "a.png")),
        ("x\\y", "sub/a.png", ("x/y/sub", "a.png")),
        ("", "C:\\sub\\a.png", ("C_/sub", "a.png")),
        ("", "blake3:00ff_00001_.png", ("", "blake3_00ff_00001_.png")),
        ("blake3:", "a:b.png", ("blake3_", "a:b.png")),
    ],
)
def test_a_file_is_kept_under_a_name_that_leads_to_it(subfolder: str, filename: str, kept: tuple[str, str]) -> None:
    assert kept_item(FileItem("temp", subfolder, filename)) == FileItem("temp", *kept)


@pytest.mark.parametrize(
    "filename", ["..", "\\", "a\nb.png", "\n\\a.png", "\ud800.png", "a" * 256, "x\\" * 17 + "a.png"]
)
def test_a_name_that_cannot_be_kept_is_refused(filename: str) -> None:
    with pytest.raises(BadRequest):
        kept_item(FileItem("output", "", filename))


@pytest.mark.parametrize(
    ("value", "folder", "path"),
    [
        ("a.png", "input", "a.png"),
        ("sub/a.png [output]", "output", "sub/a.png"),
        ("a.png [temp]", "temp", "a.png"),
        ("a.png [input]", "input", "a.png"),
        ("blake3:00ff", "input", "blake3:00ff"),
        ("a [b].png", "input", "a [b].png"),
    ],
)
def test_a_value_is_read_as_comfyui_reads_it(value: str, folder: str, path: str) -> None:
    found = annotated_path(value)
    assert (found[0], str(found[1])) == (folder, path)


@pytest.mark.parametrize(
    "value", ["", "/a.png", "../a.png", "a/../b", "a//b", "./a", "a\0b", "a/ [output]", "[output]"]
)
def test_a_value_that_may_lead_elsewhere_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="is not the name of a file"):
        annotated_path(value)


def test_only_files_of_needed_nodes_count() -> None:
    graph = {"1": load("a.png"), "2": {"class_type": "Text", "inputs": {"text": ["1", 0]}}, "3": load("b.png")}

    assert list(file_inputs(graph, ["2"], DEFINITIONS)) == [FileInput("1", "LoadImage", "image", "a.png")]


def test_several_files_in_one_input_are_all_found_and_rewritten() -> None:
    graph = {"1": load({"__value__": ["a.png", "b.png"]})}

    assert [found.value for found in file_inputs(graph, ["1"], DEFINITIONS)] == ["a.png", "b.png"]
    assert rewrite_files(graph, {"b.png": "new.png"}, DEFINITIONS) == {"1": load({"__value__": ["a.png", "new.png"]})}


def test_a_text_that_equals_a_files_name_is_not_rewritten() -> None:
    graph = {"1": load("a.png"), "2": {"class_type": "Text", "inputs": {"text": "a.png"}}}

    assert rewrite_files(graph, {"a.png": "new.png"}, DEFINITIONS) == {**graph, "1": load("new.png")}
    assert graph["1"] == load("a.png")


def test_whatever_names_a_file_is_told_apart_by_it() -> None:
    graph = {"1": load({"__value__": ["a.png"]}), "2": {"class_type": "Other", "inputs": {"x": {"y": ["a.png"]}}}}

    assert nodes_that_name(graph, ["a.png"]) == {"1": {"a.png"}, "2": {"a.png"}}
    assert nodes_that_name(graph, []) == {}
