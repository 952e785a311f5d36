"""Small workflows, each for something that the editor does with a file; held against the official editor elsewhere."""

from collections.abc import Callable
from typing import Any

from tests.graphs.editor.building import new_workflow, node, subgraph, uuid_of, wired, workflow

Build = Callable[[], dict[str, Any]]
SAMPLER = ("MODEL", "CONDITIONING", "CONDITIONING", "LATENT")


def _sampler(node_id: int, model: int | None, text: int | None, latent: int | None, **more: Any) -> dict[str, Any]:
    given: dict[str, Any] = {"values": [7, "randomize", 20, 8, "euler", "normal", 1], "out": ("LATENT",), **more}
    inputs = given.pop("extra", ())
    return node(
        node_id,
        "KSampler",
        wired("model", "MODEL", model),
        wired("positive", "CONDITIONING", text),
        wired("negative", "CONDITIONING", text),
        wired("latent_image", "LATENT", latent),
        *inputs,
        **given,
    )


def _loader(node_id: int, **more: Any) -> dict[str, Any]:
    return node(node_id, "CheckpointLoaderSimple", out=("MODEL", "CLIP", "VAE"), values=["a.safetensors"], **more)


def _text(node_id: int, clip: int | None, text: str = "a cat", **more: Any) -> dict[str, Any]:
    given: dict[str, Any] = {"values": [text], "out": ("CONDITIONING",), **more}
    return node(node_id, "CLIPTextEncode", wired("clip", "CLIP", clip), **given)


def _latent(node_id: int, **more: Any) -> dict[str, Any]:
    given: dict[str, Any] = {"out": ("LATENT",), "values": [512, 512, 1], **more}
    return node(node_id, "EmptyLatentImage", **given)


def _decoder(node_id: int, samples: int | None, vae: int | None) -> dict[str, Any]:
    return node(node_id, "VAEDecode", wired("samples", "LATENT", samples), wired("vae", "VAE", vae), out=("IMAGE",))


def _saver(node_id: int, images: int | None, prefix: str = "a", **more: Any) -> dict[str, Any]:
    return node(node_id, "SaveImage", wired("images", "IMAGE", images), values=[prefix], **more)


_LINKS = [
    (1, 1, 0, 4, 0, "MODEL"),
    (2, 1, 1, 2, 0, "CLIP"),
    (3, 2, 0, 4, 1, "CONDITIONING"),
    (4, 2, 0, 4, 2, "CONDITIONING"),
    (5, 3, 0, 4, 3, "LATENT"),
    (6, 4, 0, 5, 0, "LATENT"),
    (7, 1, 2, 5, 1, "VAE"),
    (8, 5, 0, 6, 0, "IMAGE"),
]


def _whole() -> list[dict[str, Any]]:
    sampler = _sampler(4, 1, 3, 5)
    sampler["inputs"][2]["link"] = 4
    return [_loader(1), _text(2, 2), _latent(3), sampler, _decoder(5, 6, 7), _saver(6, 8)]


def plain() -> dict[str, Any]:
    return workflow(*_whole(), links=_LINKS)


def new_schema_with_native_reroutes() -> dict[str, Any]:
    made = new_workflow(*_whole(), links=_LINKS)
    made["reroutes"] = [
        {"id": 1, "pos": [1, 1], "linkIds": [1]},
        {"id": 2, "parentId": 1, "pos": [2, 2], "linkIds": [1]},
    ]
    made["links"][0]["parentId"] = 2
    return made


def old_schema_with_native_reroutes() -> dict[str, Any]:
    extra = {"reroutes": [{"id": 1, "pos": [1, 1], "linkIds": [8]}], "linkExtensions": [{"id": 8, "parentId": 1}]}
    return workflow(*_whole(), links=_LINKS, extra=extra)


def reroute_nodes_in_a_row() -> dict[str, Any]:
    row = [node(n, "Reroute", wired("", "*", n), out=("*",)) for n in (20, 21, 22)]
    links = [(20, 1, 0, 20, 0, "MODEL"), (21, 20, 0, 21, 0, "*"), (22, 21, 0, 22, 0, "*"), (1, 22, 0, 4, 0, "MODEL")]
    return workflow(*_whole(), *row, links=[*links, *_LINKS[1:]])


def reroute_from_nowhere() -> dict[str, Any]:
    row = node(20, "Reroute", wired("", "*"), out=("*",))
    return workflow(*_whole(), row, links=[(1, 20, 0, 4, 0, "MODEL"), *_LINKS[1:]])


def _lora(node_id: int, model: int | None, clip: int | None, mode: int = 0) -> dict[str, Any]:
    inputs = [wired("model", "MODEL", model), wired("clip", "CLIP", clip)]
    return node(node_id, "LoraLoader", *inputs, out=("MODEL", "CLIP"), values=["l.safetensors", 1, 1], mode=mode)


def bypassed_in_a_row() -> dict[str, Any]:
    links = [
        (20, 1, 0, 20, 0, "MODEL"),
        (21, 1, 1, 20, 1, "CLIP"),
        (22, 20, 0, 21, 0, "MODEL"),
        (23, 20, 1, 21, 1, "CLIP"),
        (1, 21, 0, 4, 0, "MODEL"),
        (2, 21, 1, 2, 0, "CLIP"),
    ]
    return workflow(*_whole(), _lora(20, 20, 21, 4), _lora(21, 22, 23, 4), links=[*links, *_LINKS[2:]])


def bypassed_where_no_type_fits() -> dict[str, Any]:
    nodes = _whole()
    nodes[4]["mode"] = 4
    return workflow(*nodes, links=_LINKS)


def bypassed_of_an_unknown_class() -> dict[str, Any]:
    made = node(20, "NobodyHasThis", wired("x", "VAE"), wired("image", "IMAGE", 8), out=("IMAGE",), mode=4)
    return workflow(
        *_whole()[:5], made, _saver(6, 9), links=[*_LINKS[:7], (8, 5, 0, 20, 1, "IMAGE"), (9, 20, 0, 6, 0, "IMAGE")]
    )


def muted() -> dict[str, Any]:
    nodes = _whole()
    nodes[1]["mode"] = 2
    return workflow(*nodes, links=_LINKS)


def primitives() -> dict[str, Any]:
    width = wired("width", "INT", 20, widget=True)
    height = wired("height", "INT", 21, widget=True)
    seed = wired("seed", "INT", 22, widget=True)
    name = wired("sampler_name", "COMBO", 23, widget=True)
    text = wired("text", "STRING", 24, widget=True)
    nodes = _whole()
    nodes[2]["inputs"] = [width, height]
    nodes[3]["inputs"] += [seed, name]
    nodes[1]["inputs"] += [text]
    links = [
        (20, 20, 0, 3, 0, "INT"),
        (21, 20, 0, 3, 1, "INT"),
        (22, 21, 0, 4, 4, "INT"),
        (23, 22, 0, 4, 5, "COMBO"),
        (24, 23, 0, 2, 1, "STRING"),
    ]
    made = [
        node(20, "PrimitiveNode", out=("INT",), values=[768, "fixed"], outputs=[_out("INT", "width")]),
        node(21, "PrimitiveNode", out=("INT",), values=[99, "increment"], outputs=[_out("INT", "seed")]),
        node(22, "PrimitiveNode", out=("COMBO",), values=["dpmpp_2m", "fixed", ""]),
        node(23, "PrimitiveNode", out=("STRING",), values=["a dog"]),
    ]
    return workflow(*nodes, *made, links=[*_LINKS, *links])


def _out(kind: str, widget: str) -> dict[str, Any]:
    return {"name": kind, "type": kind, "links": [], "widget": {"name": widget}}


def primitive_without_a_value() -> dict[str, Any]:
    nodes = _whole()
    nodes[2]["inputs"] = [wired("width", "INT", 20, widget=True)]
    return workflow(*nodes, node(20, "PrimitiveNode", out=("INT",)), links=[*_LINKS, (20, 20, 0, 3, 0, "INT")])


def converted_widget_with_its_value_still_there() -> dict[str, Any]:
    nodes = _whole()
    nodes[3]["inputs"].append(wired("steps", "INT", 20, widget=True))
    made = node(20, "PrimitiveInt", out=("INT",), values=[33, "fixed"])
    return workflow(*nodes, made, links=[*_LINKS, (20, 20, 0, 4, 4, "INT")])


def an_old_sampler() -> dict[str, Any]:
    nodes = _whole()
    nodes[3]["widgets_values"] = [7, True, 20, 8, "sample_euler", "normal", 1]
    return workflow(*nodes, links=_LINKS)


def too_few_values() -> dict[str, Any]:
    nodes = _whole()
    nodes[3]["widgets_values"] = [7, "randomize", 12]
    nodes[2].pop("widgets_values")
    return workflow(*nodes, links=_LINKS)


def too_many_values() -> dict[str, Any]:
    nodes = _whole()
    nodes[5]["widgets_values"] = ["prefix", "what was this"]
    return workflow(*nodes, links=_LINKS)


def values_that_are_null() -> dict[str, Any]:
    nodes = _whole()
    nodes[1]["widgets_values"] = [None]
    nodes[3]["widgets_values"] = [7, "fixed", None, 8, None, "normal", 1]
    return workflow(*nodes, links=_LINKS)


def uploads_and_players() -> dict[str, Any]:
    picture = node(1, "LoadImage", out=("IMAGE", "MASK"), values=["cat.png", "image"])
    mask = node(2, "LoadImageMask", out=("MASK",), values=["cat.png", "alpha", "image"])
    sound = node(3, "LoadAudio", out=("AUDIO",), values=["a.mp3", None, ""])
    saver = node(4, "SaveAudio", wired("audio", "AUDIO", 1), values=["audio/x"])
    return workflow(picture, mask, sound, saver, links=[(1, 3, 0, 4, 0, "AUDIO")])


def notes() -> dict[str, Any]:
    made = [node(20, "Note", values=["read me"]), node(21, "MarkdownNote", values=["# read me"])]
    return workflow(*_whole(), *made, links=_LINKS)


def texts_with_comments() -> dict[str, Any]:
    nodes = _whole()
    nodes[1]["widgets_values"] = ["a {cat} // not a dog\n/* at\nall */ on a \\{mat\\}, {on{ly}}"]
    nodes[5]["widgets_values"] = ["out/%KSampler.seed%_%Sampler.steps%_%nothing.here%_%width%_%a%"]
    nodes[3]["properties"] = {"Node name for S&R": "KSampler"}
    nodes[3]["title"] = "Sampler"
    return workflow(*nodes, links=_LINKS)


def _prompting() -> dict[str, Any]:
    text = node(
        1,
        "CLIPTextEncode",
        wired("clip", "CLIP", 1),
        wired("text", "STRING", 2, widget=True),
        out=("CONDITIONING",),
        values=["inside"],
    )
    latent = _latent(2)
    latent["inputs"] = [wired("width", "INT", 3, widget=True)]
    return subgraph(
        "Prompt",
        text,
        latent,
        links=[
            (1, -10, 0, 1, 0, "CLIP"),
            (2, -10, 1, 1, 1, "STRING"),
            (3, -10, 2, 2, 0, "INT"),
            (4, 1, 0, -20, 0, "CONDITIONING"),
            (5, 2, 0, -20, 1, "LATENT"),
        ],
        inputs=[("clip", "CLIP"), ("text", "STRING"), ("width", "INT")],
        outputs=[("CONDITIONING", "CONDITIONING"), ("LATENT", "LATENT")],
    )


def _instance(node_id: int, clip: int | None, **more: Any) -> dict[str, Any]:
    given: dict[str, Any] = {"values": ["outside", 640], **more}
    return node(node_id, uuid_of("Prompt"), wired("clip", "CLIP", clip), out=("CONDITIONING", "LATENT"), **given)


_INSTANCE_LINKS = [
    (1, 1, 0, 4, 0, "MODEL"),
    (2, 1, 1, 20, 0, "CLIP"),
    (3, 20, 0, 4, 1, "CONDITIONING"),
    (4, 21, 0, 4, 2, "CONDITIONING"),
    (5, 20, 1, 4, 3, "LATENT"),
    *_LINKS[5:],
    (9, 1, 1, 21, 0, "CLIP"),
]


def _with_instances(*instances: dict[str, Any], **more: Any) -> dict[str, Any]:
    whole = _whole()
    nodes = [whole[0], *whole[3:], *instances]
    return workflow(*nodes, links=_INSTANCE_LINKS, definitions={"subgraphs": [_prompting()]}, **more)


def two_uses_of_a_subgraph() -> dict[str, Any]:
    return _with_instances(_instance(20, 2), _instance(21, 9, values=["elsewhere", 320]))


def a_muted_and_a_bypassed_subgraph() -> dict[str, Any]:
    return _with_instances(_instance(20, 2, mode=2), _instance(21, 9, mode=4))


def a_subgraph_fed_from_outside() -> dict[str, Any]:
    fed = _instance(20, 2)
    fed["inputs"] += [wired("text", "STRING", 30, widget=True), wired("width", "INT", 31, widget=True)]
    text = node(30, "PrimitiveStringMultiline", out=("STRING",), values=["fed"])
    width = node(31, "PrimitiveInt", out=("INT",), values=[128, "fixed"])
    made = _with_instances(fed, _instance(21, 9))
    for origin in (text, width):
        origin["outputs"][0]["links"] = [origin["id"]]
    made["nodes"] += [text, width]
    made["links"] += [[30, 30, 0, 20, 1, "STRING"], [31, 31, 0, 20, 2, "INT"]]
    return made


def old_proxies() -> dict[str, Any]:
    inner = _prompting()
    proxies = [["2", "width"], ["2", "height"], ["1", "text"], ["2", "batch_size"]]
    one = _instance(20, 2, values=[640, 480, "by proxy", 3], properties={"proxyWidgets": proxies})
    other = _instance(21, 9, values=[320], properties={"proxyWidgets": proxies[:1]})
    made = _with_instances(one, other)
    made["definitions"]["subgraphs"] = [inner]
    return made


def a_proxied_primitive() -> dict[str, Any]:
    inner = _prompting()
    inner["nodes"].append(node(3, "PrimitiveNode", out=("INT",), values=[2, "fixed"], title="How many"))
    inner["nodes"][1]["inputs"].append(wired("batch_size", "INT", 9, widget=True))
    inner["nodes"][2]["outputs"][0]["links"] = [9]
    inner["links"].append({"id": 9, "origin_id": 3, "origin_slot": 0, "target_id": 2, "target_slot": 1, "type": "INT"})
    one = _instance(20, 2, values=[5], properties={"proxyWidgets": [["3", "value"]]})
    made = _with_instances(one, _instance(21, 9, values=[]))
    made["definitions"]["subgraphs"] = [inner]
    return made


def nested_subgraphs() -> dict[str, Any]:
    outer = subgraph(
        "Outer",
        node(
            5,
            uuid_of("Prompt"),
            wired("clip", "CLIP", 1),
            wired("text", "STRING", 2, widget=True),
            out=("CONDITIONING", "LATENT"),
            values=["in the middle", 800],
        ),
        links=[
            (1, -10, 0, 5, 0, "CLIP"),
            (2, -10, 1, 5, 1, "STRING"),
            (3, 5, 0, -20, 0, "CONDITIONING"),
            (4, 5, 1, -20, 1, "LATENT"),
        ],
        inputs=[("clip", "CLIP"), ("what", "STRING")],
        outputs=[("CONDITIONING", "CONDITIONING"), ("LATENT", "LATENT")],
    )
    uses = [
        node(n, uuid_of("Outer"), wired("clip", "CLIP", link), out=("CONDITIONING", "LATENT"), values=values)
        for n, link, values in ((20, 2, ["from the top"]), (21, 9, None))
    ]
    made = _with_instances(*uses)
    made["definitions"]["subgraphs"] = [outer, _prompting()]
    return made


def a_value_kept_apart() -> dict[str, Any]:
    kept = [
        {
            "originalEntry": ["-1", "text"],
            "reason": "missingSourceNode",
            "hostValue": "kept apart",
            "attemptedAtVersion": 1,
        }
    ]
    properties = {"proxyWidgetErrorQuarantine": kept}
    return _with_instances(_instance(20, 2, properties=properties), _instance(21, 9))


def a_group_node() -> dict[str, Any]:
    inner = [
        _text(0, None, "grouped"),
        _latent(1, values=[64, 64, 1]),
        _sampler(2, None, None, None),
    ]
    for place, one in enumerate(inner):
        one["index"] = place
        del one["id"]
    group = {
        "nodes": inner,
        "links": [[0, 0, 2, 1, 1, "CONDITIONING"], [1, 0, 2, 3, 2, "LATENT"]],
        "external": [[0, 0, "CONDITIONING"]],
    }
    use = node(
        20,
        "workflow>Sampling",
        wired("clip", "CLIP", 2),
        wired("model", "MODEL", 1),
        wired("negative", "CONDITIONING", 4),
        out=("CONDITIONING", "LATENT"),
        values=["by the group", 128, 256, 2, 42, "fixed", 30, 5, "dpmpp_2m", "karras", 0.5],
    )
    links = [
        (1, 1, 0, 20, 1, "MODEL"),
        (2, 1, 1, 20, 0, "CLIP"),
        (3, 1, 1, 2, 0, "CLIP"),
        (4, 2, 0, 20, 2, "CONDITIONING"),
        (6, 20, 1, 5, 0, "LATENT"),
        (7, 1, 2, 5, 1, "VAE"),
        (8, 5, 0, 6, 0, "IMAGE"),
    ]
    made = workflow(_loader(1), _text(2, 3), use, _decoder(5, 6, 7), _saver(6, 8), links=links)
    made["extra"] = {"groupNodes": {"Sampling": group}}
    return made


def a_group_with_all_kinds_of_nodes() -> dict[str, Any]:
    """A primitive and a reroute inside, a button among the values, an input hidden, and one made of a widget."""
    inner = [
        node(0, "PrimitiveNode", out=("INT",), values=[3, "fixed"]),
        _latent(1, values=[64, 64, 1]),
        node(2, "LoadImage", out=("IMAGE", "MASK"), values=["cat.png", "image"]),
        node(3, "Reroute", wired("", "*"), out=("IMAGE",)),
        node(4, "ImageScaleBy", wired("image", "IMAGE"), out=("IMAGE",), values=["bicubic", 2]),
        _text(5, None, "five"),
        _lora(6, None, None),
    ]
    inner[1]["inputs"] = [wired("batch_size", "INT", widget=True), wired("width", "INT", widget=True)]
    for place, one in enumerate(inner):
        one["index"] = place
    group = {
        "nodes": inner,
        "links": [[0, 0, 1, 0, 0, "INT"], [2, 0, 3, 0, 2, "IMAGE"], [3, 0, 4, 0, 3, "IMAGE"]],
        "external": [[4, 0, "IMAGE"]],
        "config": {"6": {"input": {"model": {"visible": False}}}, "2": {"output": {"1": {"visible": False}}}},
    }
    values = [9, "fixed", 128, "dog.png", "image", "lanczos", 4, "from the group", "b.safetensors", 0.5, 0.25]
    clip, text_clip = wired("clip", "CLIP", 2), wired("LoraLoader clip", "CLIP", 3)
    width = wired("width", "INT", 4)
    outputs = ("LATENT", "IMAGE", "CONDITIONING", "MODEL", "CLIP")
    use = node(20, "workflow>All", clip, text_clip, width, out=outputs, values=values)
    other = node(
        21, "workflow/All", out=outputs, values=[1, "fixed", 256, "cat.png", "image", "area", 1, "x", "a", 1, 1]
    )
    links = [
        (2, 1, 1, 20, 0, "CLIP"),
        (3, 1, 1, 20, 1, "CLIP"),
        (4, 30, 0, 20, 2, "INT"),
        (5, 20, 1, 6, 0, "IMAGE"),
        (6, 20, 0, 5, 0, "LATENT"),
        (7, 1, 2, 5, 1, "VAE"),
        (8, 5, 0, 7, 0, "IMAGE"),
        (9, 21, 1, 8, 0, "IMAGE"),
    ]
    number = node(30, "PrimitiveInt", out=("INT",), values=[96, "fixed"])
    nodes = [_loader(1), use, other, number, _decoder(5, 6, 7), _saver(6, 5), _saver(7, 8), _saver(8, 9)]
    made = workflow(*nodes, links=links)
    made["extra"] = {"groupNodes": {"All": group}}
    return made


def choices_that_bring_inputs() -> dict[str, Any]:
    first = node(1, "FiresideChooses", values=["video", 24, "fixed", "h264", "after"], out=("IMAGE",))
    second = node(2, "FiresideChooses", values=["picture", "png", "after"], out=("IMAGE",))
    third = node(3, "FiresideChooses", wired("mode.source", "IMAGE", 1), values=["other", "after"], out=("IMAGE",))
    return workflow(first, second, third, links=[(1, 1, 0, 3, 0, "IMAGE")])


def inputs_that_grow() -> dict[str, Any]:
    inputs = [wired(f"images.image{n}", "IMAGE", 1 + n) for n in range(4)]
    links = [(1 + n, 10 + n, 0, 1, n, "IMAGE") for n in range(4)]
    origins = [
        node(10 + n, "EmptyImage", values=[8, 8, 1, n], out=("IMAGE",), mode=4 if n == 1 else 0) for n in range(4)
    ]
    return workflow(node(1, "FiresideGrows", *inputs, values=["last"]), *origins, links=links)


def odd_declarations() -> dict[str, Any]:
    many = node(1, "FiresideOdd", values=[5, "fixed", ["a", "b"], False, "text"])
    return workflow(many)


CASES: dict[str, Build] = {
    build.__name__: build
    for build in (
        *(plain, new_schema_with_native_reroutes, old_schema_with_native_reroutes, reroute_nodes_in_a_row),
        *(reroute_from_nowhere, bypassed_in_a_row, bypassed_where_no_type_fits, bypassed_of_an_unknown_class, muted),
        *(primitives, primitive_without_a_value, converted_widget_with_its_value_still_there, an_old_sampler),
        *(too_few_values, too_many_values, values_that_are_null, uploads_and_players, notes, texts_with_comments),
        *(two_uses_of_a_subgraph, a_muted_and_a_bypassed_subgraph, a_subgraph_fed_from_outside, old_proxies),
        *(a_proxied_primitive, nested_subgraphs, a_value_kept_apart, a_group_node, choices_that_bring_inputs),
        *(inputs_that_grow, odd_declarations),
    )
}

DEFINITIONS: dict[str, Any] = {
    "FiresideChooses": {
        "input": {
            "required": {
                "mode": [
                    "COMFY_DYNAMICCOMBO_V3",
                    {
                        "options": [
                            {"key": "picture", "inputs": {"required": {"format": [["png", "jpg"]]}}},
                            {
                                "key": "video",
                                "inputs": {
                                    "required": {"fps": ["INT", {"default": 8, "control_after_generate": True}]},
                                    "optional": {"codec": [["vp9", "h264"]]},
                                },
                            },
                            {"key": "other", "inputs": {"required": {"source": ["IMAGE"]}}},
                        ]
                    },
                ],
                "end": ["STRING", {"default": "end"}],
            }
        },
        "input_order": {"required": ["mode", "end"]},
        "output": ["IMAGE"],
        "output_is_list": [False],
        "output_name": ["IMAGE"],
        "name": "FiresideChooses",
        "display_name": "Chooses",
        "description": "",
        "python_module": "nodes",
        "category": "test",
        "output_node": True,
    },
    "FiresideGrows": {
        "input": {
            "required": {
                "images": [
                    "COMFY_AUTOGROW_V3",
                    {"template": {"input": {"required": {"image": ["IMAGE"]}}, "prefix": "image", "min": 1, "max": 6}},
                ],
                "end": ["STRING", {"default": "end"}],
            }
        },
        "input_order": {"required": ["images", "end"]},
        "output": [],
        "output_is_list": [],
        "output_name": [],
        "name": "FiresideGrows",
        "display_name": "Grows",
        "description": "",
        "python_module": "nodes",
        "category": "test",
        "output_node": True,
    },
    "FiresideOdd": {
        "input": {
            "required": {
                "many": [["a", "b", "c"], {"multi_select": True}],
                "number": ["INT", {"default": 1, "control_after_generate": True}],
                "forced": ["STRING", {"forceInput": True}],
            },
            "optional": {
                "text": ["STRING", {"multiline": True, "dynamicPrompts": False}],
                "seed_override": ["INT", {"defaultInput": True}],
                "flag": ["BOOLEAN", {"default": True, "socketless": True}],
            },
        },
        "input_order": {"required": ["number", "many", "forced"], "optional": ["flag", "text", "seed_override"]},
        "output": [],
        "output_is_list": [],
        "output_name": [],
        "name": "FiresideOdd",
        "display_name": "Odd",
        "description": "",
        "python_module": "nodes",
        "category": "test",
        "output_node": True,
    },
}
