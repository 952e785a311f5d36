from typing import Any

import msgspec
import pytest
from tests.jobs.workshop import Workshop
from tests.publishing import one_class, publish

from fireside.domain.errors import NoDefinitions


def classes(**categories: str) -> bytes:
    """Classes by name, each described by its category alone."""
    body = {
        name: {"input": {"required": {}}, "output": [], "name": name, "category": category}
        for name, category in categories.items()
    }
    return msgspec.json.encode(body)


def loading(*names: str, **more: Any) -> bytes:
    return msgspec.json.encode(one_class("Load", checkpoint=[list(names), {"tooltip": "t"}], **more))


async def test_where_no_worker_ever_was_nothing_is_known(shop: Workshop) -> None:
    with pytest.raises(NoDefinitions):
        await shop.desk.definitions.definitions()


async def test_what_several_kinds_of_workers_know_is_known_together(shop: Workshop) -> None:
    await publish(shop.store, classes(Both="of b", OnlyB="of b"), worker="b", runtime="b")
    await publish(shop.store, classes(Both="of a", OnlyA="of a"), worker="a", runtime="a")

    info = await shop.desk.definitions.object_info()

    assert {name: node["category"] for name, node in info.items()} == {
        "Both": "of a", "OnlyA": "of a", "OnlyB": "of b",
    }  # fmt: skip
    assert len(await shop.desk.definitions.definitions()) == 3


async def test_lists_of_models_are_united_and_nothing_else_is_touched(shop: Workshop) -> None:
    await publish(shop.store, loading("a", "c", seed=["INT", {}]), worker="1", runtime="1")
    await publish(shop.store, loading("b", "c", seed=["FLOAT", {}]), worker="2", runtime="2")

    declared = (await shop.desk.definitions.object_info())["Load"]["input"]["required"]

    assert declared == {"checkpoint": [["a", "c", "b"], {"tooltip": "t"}], "seed": ["INT", {}]}
    (known,) = [node for node in await shop.desk.definitions.definitions() if node.name == "Load"]
    assert known.inputs[0].choices == ["a", "c", "b"]


async def test_lists_of_the_newer_form_are_united_too(shop: Workshop) -> None:
    for name in ("a", "b"):
        body = msgspec.json.encode(one_class("Load", of=["COMBO", {"options": [name], "tooltip": "t"}]))
        await publish(shop.store, body, worker=name, runtime=name)

    declared = (await shop.desk.definitions.object_info())["Load"]["input"]["required"]

    assert declared == {"of": ["COMBO", {"options": ["a", "b"], "tooltip": "t"}]}


async def test_what_newer_nodes_leave_null_is_said_in_words_as_the_contract_has_it(shop: Workshop) -> None:
    node = {
        "input": {"required": {}},
        "output": [],
        "name": "New",
        "display_name": None,
        "output_tooltips": [None, "t"],
    }
    old = {"input": {"required": {}}, "output": [], "name": "Old"}
    await publish(shop.store, msgspec.json.encode({"New": node, "Old": old}))

    info = await shop.desk.definitions.object_info()

    assert (info["New"]["display_name"], info["New"]["output_tooltips"]) == ("New", ["", "t"])
    assert info["Old"] == old


async def test_lists_of_input_files_are_nobodys(shop: Workshop) -> None:
    for name in ("a", "b"):
        body = msgspec.json.encode(one_class("Load", image=[[f"{name}.png"], {"image_upload": True}]))
        await publish(shop.store, body, worker=name, runtime=name)

    declared = (await shop.desk.definitions.object_info())["Load"]["input"]["required"]

    assert declared == {"image": [[], {"image_upload": True}]}


async def test_what_is_alike_in_two_kinds_is_kept_once(shop: Workshop) -> None:
    await publish(shop.store, classes(Same="x", A="a"), worker="a")
    await publish(shop.store, classes(Same="x", B="b"), worker="b")

    a, b = (await shop.desk.definitions.fleet()).kinds.values()

    assert a.nodes.entries["Same"] is b.nodes.entries["Same"]


async def test_what_is_published_later_is_known_after_a_refresh(shop: Workshop) -> None:
    await publish(shop.store, classes(First=""), worker="a")
    before = await shop.desk.definitions.object_info()
    await publish(shop.store, classes(Second=""), worker="b")

    await shop.desk.definitions.refresh()
    after = await shop.desk.definitions.object_info()
    await shop.desk.definitions.refresh()

    assert (set(before), set(after)) == ({"First"}, {"First", "Second"})
    assert await shop.desk.definitions.object_info() is after


async def test_models_are_those_of_all_workers_the_larger_of_two_sizes(shop: Workshop) -> None:
    await publish(shop.store, worker="a", models={"vae": {"x": 1, "y": 2}, "empty": {}})
    await publish(shop.store, worker="b", models={"vae": {"x": 3}, "clip": {"z": 4}})

    models = (await shop.desk.definitions.fleet()).models

    assert models == {"clip": {"z": 4}, "empty": {}, "vae": {"x": 3, "y": 2}}


@pytest.mark.parametrize(
    "odd", [b"{}", b'{"Odd": 5}', b'{"Odd": {"input": 7}}', b'{"Odd": {"input": {"required": {"a": 0}}}}']
)
async def test_odd_classes_of_one_kind_hide_none_of_the_others(shop: Workshop, odd: bytes) -> None:
    await publish(shop.store, odd, worker="a", runtime="a")
    await publish(shop.store, classes(Odd="", Plain=""), worker="b", runtime="b")

    assert {"Odd", "Plain"} <= set(await shop.desk.definitions.object_info())


async def test_numbers_that_are_no_json_hide_no_node(shop: Workshop) -> None:
    body = b'{"Odd": {"input": {"required": {"x": ["FLOAT", {"max": Infinity}]}}, "output": [], "name": "Odd"}}'
    await publish(shop.store, body)

    assert list(await shop.desk.definitions.object_info()) == ["Odd"]
