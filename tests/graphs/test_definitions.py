from typing import Any

import msgspec
import pytest

from fireside.domain.assets import Folder
from fireside.domain.errors import BadRequest
from fireside.graphs.definitions import (
    NodeDefinitions,
    blank_input_files,
    decode_object_info,
    fill_input_files,
)


def parse(object_info: Any) -> NodeDefinitions:
    return NodeDefinitions.parse(msgspec.json.encode(object_info))


def test_a_node_is_read_with_its_inputs_and_outputs() -> None:
    entry = {
        "input": {"required": {"a": ["INT", {"min": 0}]}, "optional": {"b": [["x"], {}], "a": ["FLOAT"]}},
        "output": ["IMAGE", ["x", "y"]],
        "output_node": True,
    }

    node = parse({"Node": entry}).get("Node")

    assert node is not None
    assert [(one.name, one.type, one.required) for one in node.inputs] == [("a", "INT", True), ("b", ["x"], False)]
    assert (node.outputs, node.is_output) == (("IMAGE", ["x", "y"]), True)


@pytest.mark.parametrize(
    "entry",
    [
        {},
        {"input": None, "output": None, "output_node": None},
        {"input": [], "output": {}, "output_node": "yes"},
        {"input": {"required": None, "optional": []}},
        {"input": {"hidden": {"unique_id": "UNIQUE_ID"}}},
    ],
)
def test_an_entry_that_says_little_is_a_node_without_inputs(entry: Any) -> None:
    node = parse({"Node": entry}).get("Node")

    assert node is not None
    assert (node.inputs, node.outputs, node.is_output) == ((), (), False)


@pytest.mark.parametrize(
    ("spec", "kind"),
    [
        ("IMAGE", "IMAGE"),
        (["IMAGE"], "IMAGE"),
        (["IMAGE", None], "IMAGE"),
        (["IMAGE", "text"], "IMAGE"),
        (["IMAGE", {}, "more"], "IMAGE"),
        ([], "*"),
        ([None], "*"),
        ([{"a": 1}], "*"),
        (None, "*"),
        (5, "*"),
        ({"type": "IMAGE"}, "*"),
    ],
)
def test_odd_declarations_are_read_as_what_they_say(spec: Any, kind: str) -> None:
    node = parse({"Node": {"input": {"required": {"x": spec}}}}).get("Node")

    assert node is not None
    assert (node.inputs[0].type, dict(node.inputs[0].options)) == (kind, {})


def test_one_output_may_stand_without_a_list() -> None:
    node = parse({"Node": {"output": "IMAGE"}}).get("Node")

    assert node is not None
    assert node.outputs == ("IMAGE",)


def test_entries_that_are_no_nodes_are_left_out() -> None:
    definitions = parse({"Node": {}, "Broken": None, "Text": "x"})

    assert [node.name for node in definitions] == ["Node"]
    assert len(definitions) == 1


@pytest.mark.parametrize("name", [None, 5, [], {}, "Other"])
def test_only_known_names_are_found(name: Any) -> None:
    assert parse({"Node": {}}).get(name) is None


def test_what_pythons_own_json_lets_through_is_read() -> None:
    body = b'{"Node": {"max": Infinity, "min": NaN, "step": 1e999, "text": "\\ud800", "ok": 0.5}}'

    assert decode_object_info(body) == {"Node": {"max": None, "min": None, "step": None, "text": "?", "ok": 0.5}}


def test_an_open_limit_limits_nothing() -> None:
    body = b'{"Node": {"input": {"required": {"x": ["FLOAT", {"max": Infinity}]}}}}'
    node = NodeDefinitions.parse(body).get("Node")

    assert node is not None
    assert node.inputs[0].options == {"max": None}


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{", b"\xff", b"[" * 200_000])
def test_what_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(BadRequest):
        NodeDefinitions.parse(body)


def declared(spec: Any, name: str = "image", class_name: str = "Node") -> dict[str, Any]:
    return {class_name: {"input": {"required": {name: spec}, "optional": {"n": ["INT", {}]}}, "output": []}}


@pytest.mark.parametrize(
    ("spec", "blank"),
    [
        ([["a.png"], {"image_upload": True}], [[], {"image_upload": True}]),
        ([["a.png"], {"image_upload": True, "default": "a.png"}], [[], {"image_upload": True}]),
        ([["a.mp4"], {"video_upload": True}], [[], {"video_upload": True}]),
        ([["a.wav"], {"audio_upload": True}], [[], {"audio_upload": True}]),
        ([["a.glb"], {"file_upload": True}], [[], {"file_upload": True}]),
        ([["a.webp"], {"animated_image_upload": True}], [[], {"animated_image_upload": True}]),
        (
            ["COMBO", {"options": ["a.png"], "image_upload": True}],
            ["COMBO", {"options": [], "image_upload": True}],
        ),
        (
            ["COMBO", {"remote": {"route": "/x"}, "image_upload": True}],
            ["COMBO", {"remote": {"route": "/x"}, "image_upload": True}],
        ),
        (
            [
                "COMFY_DYNAMICCOMBO_V3",
                {"options": [{"key": "k", "inputs": {"required": {"i": [["a"], {"image_upload": True}]}}}]},
            ],
            [
                "COMFY_DYNAMICCOMBO_V3",
                {"options": [{"key": "k", "inputs": {"required": {"i": [[], {"image_upload": True}]}}}]},
            ],
        ),
        (
            ["COMFY_AUTOGROW_V3", {"template": {"input": {"required": {"i": [["a"], {"image_upload": True}]}}}}],
            ["COMFY_AUTOGROW_V3", {"template": {"input": {"required": {"i": [[], {"image_upload": True}]}}}}],
        ),
    ],
)
def test_lists_of_input_files_are_blanked(spec: Any, blank: Any) -> None:
    object_info = declared(spec)
    before = msgspec.json.encode(object_info)

    assert blank_input_files(object_info) == declared(blank)
    assert msgspec.json.encode(object_info) == before


def test_the_latent_loader_lists_files_without_saying_so() -> None:
    blanked = blank_input_files(declared([["a.latent"]], "latent", "LoadLatent"))

    assert blanked == declared([[]], "latent", "LoadLatent")


@pytest.mark.parametrize(
    "spec",
    [
        [["model.safetensors"], {"default": "model.safetensors"}],
        [["a"], {"image_upload": False}],
        ["STRING", {"image_upload": True}],
        "IMAGE",
        [],
        None,
    ],
)
def test_all_other_lists_stay(spec: Any) -> None:
    object_info = declared(spec) | {"Odd": None, "Other": {"input": []}}

    assert blank_input_files(object_info) == object_info


def test_the_callers_files_fill_the_lists_of_their_kind() -> None:
    names = ["b.PNG", "a.png", "c.mp4", "d.wav", "e.glb"]

    def offered(**options: Any) -> list[str]:
        filled = fill_input_files(declared([[], options]), names)
        return filled["Node"]["input"]["required"]["image"][0]

    assert offered(image_upload=True) == ["a.png", "b.PNG"]
    assert offered(video_upload=True) == ["c.mp4"]
    assert offered(audio_upload=True) == ["c.mp4", "d.wav"]
    assert offered(file_upload=True) == sorted(names)
    assert offered(image_upload=True, image_folder="output") == []
    assert offered() == []


def test_blanking_takes_out_what_filling_put_in() -> None:
    object_info = declared([[], {"image_upload": True}])

    assert blank_input_files(fill_input_files(object_info, ["a.png"])) == object_info


@pytest.mark.parametrize(
    ("folder", "found"),
    [("output", Folder.OUTPUT), ("temp", Folder.TEMP), ("elsewhere", Folder.INPUT), (5, Folder.INPUT)],
)
def test_a_file_input_says_in_which_folder_its_files_are(folder: Any, found: Folder) -> None:
    node = parse(declared([[], {"image_upload": True, "image_folder": folder}])).get("Node")

    assert node is not None
    assert node.inputs[0].file_folder is found
