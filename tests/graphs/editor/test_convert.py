"""What becomes of an editor's workflow, looked at one thing at a time; the nodes are some of ComfyUI's own."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.graphs.editor import cases
from tests.graphs.editor.building import node, subgraph, uuid_of, wired, workflow

from fireside.domain.errors import TooLarge
from fireside.graphs.editor.convert import Converted, Surroundings, convert_workflow
from fireside.graphs.errors import InvalidGraph
from fireside.graphs.limits import GraphLimits

OBJECT_INFO: Mapping[str, Any] = {
    **json.loads((Path(__file__).parent / "core_nodes.json").read_text()),
    **cases.DEFINITIONS,
}
NOON = datetime(2026, 3, 4, 12, 5, 6, tzinfo=UTC)


def convert(value: Any, **changes: Any) -> Converted:
    limits = GraphLimits(max_nodes=changes.pop("max_nodes", 1000), max_depth=changes.pop("max_depth", 64))
    given: dict[str, Any] = {"object_info": OBJECT_INFO, "now": NOON, "choose": lambda options: options[-1], **changes}
    return convert_workflow(value, Surroundings(limits=limits, **given))


def graph_of(value: Any, **changes: Any) -> dict[str, Any]:
    """The graph, without titles."""
    return {node_id: entry["inputs"] for node_id, entry in convert(value, **changes).graph.items()}


def test_a_workflow_becomes_its_nodes_with_values_by_name_and_links() -> None:
    converted = convert(cases.plain())

    assert converted.graph["4"] == {
        "class_type": "KSampler",
        "inputs": {
            "seed": 7,
            "steps": 20,
            "cfg": 8,
            "sampler_name": "euler",
            "scheduler": "normal",
            "denoise": 1,
            "model": ["1", 0],
            "positive": ["2", 0],
            "negative": ["2", 0],
            "latent_image": ["3", 0],
        },
        "_meta": {"title": "KSampler"},
    }
    assert list(converted.graph) == ["1", "2", "3", "4", "5", "6"]
    assert converted.warnings == []


@pytest.mark.parametrize(
    "build",
    [
        *(cases.new_schema_with_native_reroutes, cases.old_schema_with_native_reroutes, cases.reroute_nodes_in_a_row),
        *(cases.bypassed_in_a_row, cases.notes, cases.an_old_sampler, cases.bypassed_of_an_unknown_class),
    ],
)
def test_what_only_the_editor_sees_changes_nothing(build: cases.Build) -> None:
    assert graph_of(build()) == graph_of(cases.plain())


def test_what_a_muted_node_gave_is_not_there() -> None:
    made = graph_of(cases.muted())

    assert "2" not in made
    assert {"positive", "negative"}.isdisjoint(made["4"])


def test_a_bypassed_node_passes_nothing_on_where_no_type_fits() -> None:
    assert "images" not in graph_of(cases.bypassed_where_no_type_fits())["6"]


def test_a_primitive_sets_every_widget_that_it_is_linked_to() -> None:
    made = graph_of(cases.primitives())

    assert (made["3"]["width"], made["3"]["height"], made["4"]["seed"]) == (768, 768, 99)
    assert (made["4"]["sampler_name"], made["2"]["text"]) == ("dpmpp_2m", "a dog")
    assert graph_of(cases.primitive_without_a_value())["3"]["width"] == 512


def test_a_widget_made_an_input_still_counts_among_the_values() -> None:
    made = graph_of(cases.converted_widget_with_its_value_still_there())

    assert made["4"]["steps"] == ["20", 0]
    assert made["4"]["cfg"] == 8


def test_values_that_are_not_there_are_those_of_the_definition() -> None:
    made = graph_of(cases.too_few_values())

    assert made["3"] == {"width": 512, "height": 512, "batch_size": 1}
    assert (made["4"]["steps"], made["4"]["cfg"], made["4"]["sampler_name"]) == (12, 8.0, "euler")


def test_buttons_and_players_have_a_place_among_the_values_and_none_in_the_graph() -> None:
    made = graph_of(cases.uploads_and_players())

    assert made["1"] == {"image": "cat.png"}
    assert made["2"] == {"image": "cat.png", "channel": "alpha"}
    assert made["3"] == {"audio": "a.mp3"}
    assert made["4"] == {"audio": ["3", 0], "filename_prefix": "audio/x"}


def test_values_may_be_saved_by_name() -> None:
    values = {"batch_size": 3, "width": 64, "videopreview": {"hidden": False}}

    assert graph_of(workflow(node(1, "EmptyLatentImage", values=values)))["1"] == {
        "width": 64,
        "height": 512,
        "batch_size": 3,
    }


def test_names_win_where_the_list_can_not_be_counted_off() -> None:
    by_name = {"width": 8, "height": 16, "batch_size": 2}
    made = node(1, "EmptyLatentImage", values=[0, 8, 16, 2], widgets_values_named=by_name)

    assert graph_of(workflow(made))["1"] == by_name


def test_a_widget_of_an_unknown_type_is_one_if_the_file_says_so() -> None:
    odd = {"input": {"required": {"first": ["STRING"], "curvy": ["NODE_PACKS_OWN", {}], "last": ["INT"]}}}
    made = node(1, "Odd", wired("curvy", "NODE_PACKS_OWN", widget=True), values=["a", {"x": 1}, 5])

    assert graph_of(workflow(made), object_info={"Odd": odd})["1"] == {"first": "a", "curvy": {"x": 1}, "last": 5}


def test_a_list_is_wrapped_so_that_it_is_no_link() -> None:
    assert graph_of(cases.odd_declarations())["1"] == {
        "number": 5,
        "many": {"__value__": ["a", "b"]},
        "flag": False,
        "text": "text",
    }


def test_choices_bring_their_own_inputs() -> None:
    made = graph_of(cases.choices_that_bring_inputs())

    assert made["1"] == {"mode": "video", "mode.fps": 24, "mode.codec": "h264", "end": "after"}
    assert made["2"] == {"mode": "picture", "mode.format": "png", "end": "after"}
    assert made["3"] == {"mode": "other", "mode.source": ["1", 0], "end": "after"}


def test_a_subgraph_is_its_nodes_and_each_use_has_its_own_values() -> None:
    made = graph_of(cases.two_uses_of_a_subgraph())

    assert made["20:1"] == {"text": "outside", "clip": ["1", 1]}
    assert (made["21:1"]["text"], made["20:2"]["width"], made["21:2"]["width"]) == ("elsewhere", 640, 320)
    assert (made["4"]["positive"], made["4"]["negative"]) == (["20:1", 0], ["21:1", 0])


def test_a_subgraph_may_be_fed_muted_and_bypassed() -> None:
    fed = graph_of(cases.a_subgraph_fed_from_outside())
    assert (fed["20:1"]["text"], fed["20:2"]["width"]) == (["30", 0], ["31", 0])

    off = graph_of(cases.a_muted_and_a_bypassed_subgraph())
    assert not [node_id for node_id in off if ":" in node_id]
    assert set(off["4"]) & {"positive", "negative", "latent_image"} == set()


def test_what_goes_straight_through_a_subgraph_is_what_went_in() -> None:
    straight = [(1, -10, 0, -20, 0, "LATENT")]
    through = subgraph("Through", links=straight, inputs=[("a", "LATENT")], outputs=[("b", "LATENT")])
    nodes = [
        node(1, "EmptyLatentImage", out=("LATENT",), values=[8, 8, 1]),
        node(2, uuid_of("Through"), wired("a", "LATENT", 1), out=("LATENT",)),
        node(3, "VAEDecode", wired("samples", "LATENT", 2)),
    ]
    links = [(1, 1, 0, 2, 0, "LATENT"), (2, 2, 0, 3, 0, "LATENT")]

    assert graph_of(workflow(*nodes, links=links, definitions={"subgraphs": [through]}))["3"]["samples"] == ["1", 0]


def test_values_set_on_the_outside_reach_the_innermost_subgraph() -> None:
    made = graph_of(cases.nested_subgraphs())

    assert (made["20:5:1"]["text"], made["21:5:1"]["text"]) == ("from the top", "in the middle")
    assert made["20:5:2"]["width"] == 800


def test_old_lists_of_shown_widgets_are_carried_over() -> None:
    made = graph_of(cases.old_proxies())
    assert made["20:2"] == {"width": 640, "height": 480, "batch_size": 3}
    assert made["20:1"]["text"] == "by proxy"

    assert graph_of(cases.a_proxied_primitive())["20:2"]["batch_size"] == 5
    assert graph_of(cases.a_value_kept_apart())["20:1"]["text"] == "kept apart"


def test_a_group_node_is_its_nodes() -> None:
    made = graph_of(cases.a_group_node())

    assert made["20:1"] == {"width": 128, "height": 256, "batch_size": 2}
    assert made["20:2"] == {
        "seed": 42,
        "steps": 30,
        "cfg": 5,
        "sampler_name": "dpmpp_2m",
        "scheduler": "karras",
        "denoise": 0.5,
        "model": ["1", 0],
        "positive": ["20:0", 0],
        "negative": ["2", 0],
        "latent_image": ["20:1", 0],
    }
    assert made["5"]["samples"] == ["20:2", 0]


def test_a_group_keeps_what_the_editor_loses_when_it_opens_one() -> None:
    made = graph_of(cases.a_group_with_all_kinds_of_nodes())

    assert made["20:1"] == {"width": ["30", 0], "height": 128, "batch_size": 9}
    assert (made["20:2"]["image"], made["20:4"]["image"]) == ("dog.png", ["20:2", 0])
    assert (made["20:5"]["clip"], made["20:5"]["text"]) == (["1", 1], "from the group")
    assert made["20:6"] == {
        "lora_name": "b.safetensors",
        "strength_model": 0.5,
        "strength_clip": 0.25,
        "clip": ["1", 1],
    }
    assert (made["6"]["images"], made["5"]["samples"]) == (["20:4", 0], ["20:1", 0])
    assert made["21:1"] == {"width": 64, "height": 256, "batch_size": 1}


def test_set_and_get_nodes_are_a_link() -> None:
    nodes = [
        node(1, "EmptyLatentImage", out=("LATENT",), values=[8, 8, 1]),
        node(2, "SetNode", wired("LATENT", "LATENT", 1), out=("*",), values=["shared"]),
        node(3, "GetNode", out=("LATENT",), values=["shared"]),
        node(4, "VAEDecode", wired("samples", "LATENT", 2)),
    ]
    links = [(1, 1, 0, 2, 0, "LATENT"), (2, 3, 0, 4, 0, "LATENT")]

    assert graph_of(workflow(*nodes, links=links))["4"]["samples"] == ["1", 0]


def test_texts_are_what_the_editor_would_submit() -> None:
    made = cases.plain()
    made["nodes"][1]["widgets_values"] = ["a {red|green} cat // not a dog"]
    made["nodes"][5]["widgets_values"] = ["%date:yyyy-MM-dd_hh-mm-ss%/%KSampler.sampler_name%_%width%"]
    converted = convert(made)

    assert converted.graph["2"]["inputs"]["text"] == "a green cat "
    assert converted.graph["6"]["inputs"]["filename_prefix"] == "2026-03-04_12-05-06/euler_%width%"
    assert [(one.node_id, "'text'" in one.message) for one in converted.warnings] == [("2", True)]


def test_what_only_an_open_editor_can_give_is_told() -> None:
    scene = {"input": {"required": {"model_file": [["a.glb"]], "image": ["LOAD_3D", {}], "width": ["INT", {}]}}}
    made = node(1, "Load3D", values=["a.glb", "", "", "", "", 64])

    converted = convert(workflow(made), object_info={"Load3D": scene})

    assert converted.graph["1"]["inputs"] == {"model_file": "a.glb", "image": "", "width": 64}
    assert [one.node_id for one in converted.warnings] == ["1"]
    assert "'image'" in converted.warnings[0].message


def test_classes_that_are_not_known_are_named_with_their_nodes() -> None:
    inner = subgraph("Inner", node(7, "NodeOfAPack"))
    nodes = [node(1, "NodeOfAPack"), node(2, "Another"), node(3, "OnlyBypassed", mode=4), node(4, uuid_of("Inner"))]

    with pytest.raises(InvalidGraph) as refusal:
        convert(workflow(*nodes, definitions={"subgraphs": [inner]}))

    assert refusal.value.type == "missing_node_type"
    assert "'NodeOfAPack', 'Another'" in refusal.value.message
    assert refusal.value.extra_info["missing"] == {"NodeOfAPack": ["1", "4:7"], "Another": ["2"]}


def test_parts_of_the_file_that_are_not_in_it_are_no_classes_of_a_worker() -> None:
    inner = subgraph("Inner", node(7, uuid_of("Gone")))
    nodes = [node(1, uuid_of("Gone"), mode=4), node(2, "workflow>Lost"), node(3, "Another"), node(4, uuid_of("Inner"))]

    with pytest.raises(InvalidGraph) as refusal:
        convert(workflow(*nodes, definitions={"subgraphs": [inner]}))

    assert refusal.value.type == "invalid_workflow"
    told = f"no definition of the group 'Lost' (node 2), the subgraph '{uuid_of('Gone')}' (node 4:7);"
    assert told in refusal.value.message


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ([], "a list of `nodes`"),
        ({"1": {"class_type": "KSampler"}}, "in API format already"),
        ({}, "a list of `nodes`"),
        ({"nodes": [5]}, "a node of the workflow is no object"),
        ({"nodes": [{"type": "KSampler"}]}, "has no id"),
        ({"nodes": [{"id": True, "type": "KSampler"}]}, "has no id"),
        ({"nodes": [{"id": 3}]}, "the node 3 of the workflow has no type"),
        ({"nodes": [], "links": [[1, 2]]}, "a link of the workflow is not"),
        ({"nodes": [], "links": [{"id": 1}]}, "a link of the workflow is not"),
        ({"nodes": [], "definitions": {"subgraphs": [{"nodes": []}]}}, "has no id"),
        ({"nodes": [], "definitions": {"subgraphs": ["x"]}}, "no object"),
        (
            {"nodes": [], "definitions": {"subgraphs": [{"id": "x", "name": "Empty"}]}},
            "the subgraph 'Empty' has no list",
        ),
        (
            {"nodes": [node(1, "workflow>Empty")], "extra": {"groupNodes": {"Empty": {"links": []}}}},
            "the group 'Empty' has no list of `nodes`",
        ),
        (workflow(node(3, "EmptyImage"), node("3", "PreviewAny")), "two nodes of the workflow have the id 3"),
        (
            workflow(definitions={"subgraphs": [subgraph("In", node(5, "EmptyImage"), node(5, "EmptyImage"))]}),
            "two nodes of the subgraph 'In' have the id 5",
        ),
    ],
)
def test_what_is_no_workflow_is_refused_with_the_place(value: Any, told: str) -> None:
    with pytest.raises(InvalidGraph) as refusal:
        convert(value)

    assert refusal.value.type == "invalid_workflow"
    assert told in refusal.value.details


def test_a_workflow_of_which_nothing_runs_is_refused() -> None:
    with pytest.raises(InvalidGraph, match="muted or bypassed"):
        convert(workflow(node(1, "KSampler", mode=2)))


def test_links_that_lead_back_to_themselves_are_refused() -> None:
    rerouted = [node(n, "Reroute", wired("", "*", n), out=("*",)) for n in (1, 2)]
    decoder = node(3, "VAEDecode", wired("samples", "LATENT", 3))
    links = [(1, 2, 0, 1, 0, "*"), (2, 1, 0, 2, 0, "*"), (3, 2, 0, 3, 0, "*")]

    with pytest.raises(InvalidGraph, match="back to themselves"):
        convert(workflow(*rerouted, decoder, links=links))


def test_a_subgraph_that_contains_itself_is_refused() -> None:
    inner = subgraph("Self", node(1, uuid_of("Self")))

    with pytest.raises(InvalidGraph) as refusal:
        convert(workflow(node(1, uuid_of("Self")), definitions={"subgraphs": [inner]}))

    assert "contains itself" in refusal.value.details


def test_a_file_that_unfolds_to_too_many_nodes_is_refused_at_once() -> None:
    levels = [subgraph(f"L{n}", *(node(m, uuid_of(f"L{n + 1}")) for m in range(10))) for n in range(30)]
    levels.append(subgraph("L30", node(1, "EmptyImage")))

    with pytest.raises(TooLarge, match="unfolds to more than 1000"):
        convert(workflow(node(1, uuid_of("L0")), definitions={"subgraphs": levels}))


def test_limits_hold() -> None:
    many = [wired(f"input{n}", "INT") for n in range(1001)]
    with pytest.raises(TooLarge, match="more than 1000 inputs"):
        convert(workflow(node(1, "EmptyImage", *many)))
    shown = node(1, uuid_of("Prompt"), properties={"proxyWidgets": [["1", "text"]] * 1001})
    with pytest.raises(TooLarge, match="more than 1000 widgets"):
        convert(cases.two_uses_of_a_subgraph() | {"nodes": [shown]})
    with pytest.raises(TooLarge, match="has 2 nodes"):
        convert(workflow(node(1, "EmptyImage"), node(2, "EmptyImage")), max_nodes=1)

    chain = [subgraph(f"L{n}", node(1, uuid_of(f"L{n + 1}"))) for n in range(20)]
    with pytest.raises(TooLarge, match="nested deeper than 12"):
        convert(workflow(node(1, uuid_of("L0")), definitions={"subgraphs": [*chain, subgraph("L20")]}), max_depth=12)


def test_a_way_that_many_come_is_gone_once() -> None:
    count = 9000
    row = [node(n, "Reroute", wired("", "*", n), out=("*",)) for n in range(1, count)]
    ends = [node(count + n, "VAEDecode", wired("samples", "LATENT", count + n)) for n in range(count)]
    links = [(n, n - 1, 0, n, 0, "*") for n in range(1, count)]
    links += [(count + n, count - 1, 0, count + n, 0, "LATENT") for n in range(count)]

    made = graph_of(workflow(node(0, "EmptyLatentImage", out=("LATENT",)), *row, *ends, links=links), max_nodes=20_000)

    assert {str(entry["samples"]) for node_id, entry in made.items() if node_id != "0"} == {"['0', 0]"}


@pytest.mark.parametrize("text", ["/*" * 500_000, "//" * 500_000, "{" * 500_000, "{a|" * 200_000, "\\" * 500_000])
def test_a_prompt_of_openings_without_ends_is_read_once(text: str) -> None:
    nodes = [node(1, "CLIPTextEncode", values=[text])]

    assert isinstance(graph_of(workflow(*nodes))["1"]["text"], str)


def test_a_long_row_of_reroutes_is_followed() -> None:
    count = 5000
    row = [node(n, "Reroute", wired("", "*", n), out=("*",)) for n in range(1, count)]
    links = [(n, n - 1, 0, n, 0, "*") for n in range(1, count + 1)]
    ends = [node(0, "EmptyLatentImage", out=("LATENT",)), node(count, "VAEDecode", wired("samples", "LATENT", count))]

    assert graph_of(workflow(*ends, *row, links=links), max_nodes=10_000)[str(count)]["samples"] == ["0", 0]
