from datetime import UTC, datetime

import msgspec
import pytest
from tests.jobs.workshop import Workshop

from fireside.domain.errors import NoDefinitions
from fireside.store.records import DefinitionSet

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def definitions(runtime: str, **classes: str) -> DefinitionSet:
    """Classes by name, each described by its category alone."""
    body = {
        name: {"input": {"required": {}}, "output": [], "name": name, "category": category}
        for name, category in classes.items()
    }
    return DefinitionSet(hash=(runtime * 64)[:64], runtime=runtime, body=msgspec.json.encode(body))


async def test_where_no_worker_ever_was_nothing_is_known(shop: Workshop) -> None:
    with pytest.raises(NoDefinitions):
        await shop.desk.definitions.definitions()


async def test_what_several_kinds_of_runtime_know_is_known_together(shop: Workshop) -> None:
    await shop.store.save_definitions(definitions("b", Both="of b", OnlyB="of b"), NOW)
    await shop.store.save_definitions(definitions("a", Both="of a", OnlyA="of a"), NOW)

    info = await shop.desk.definitions.object_info()

    assert {name: node["category"] for name, node in info.items()} == {
        "Both": "of a", "OnlyA": "of a", "OnlyB": "of b",
    }  # fmt: skip
    assert len(await shop.desk.definitions.definitions()) == 3


async def test_what_is_published_later_is_known_after_a_refresh(shop: Workshop) -> None:
    await shop.store.save_definitions(definitions("a", First=""), NOW)
    assert len(await shop.desk.definitions.definitions()) == 1
    await shop.store.save_definitions(definitions("b", Second=""), NOW)

    await shop.desk.definitions.refresh()

    assert len(await shop.desk.definitions.definitions()) == 2


async def test_numbers_that_are_no_json_hide_no_node(shop: Workshop) -> None:
    body = b'{"Odd": {"input": {"required": {"x": ["FLOAT", {"max": Infinity}]}}, "output": [], "name": "Odd"}}'
    await shop.store.save_definitions(DefinitionSet(hash="a" * 64, runtime="a", body=body), NOW)

    assert list(await shop.desk.definitions.object_info()) == ["Odd"]
