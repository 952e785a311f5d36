"""The blueprints that workers' node packs bring along."""

import pytest
from tests.server.v1.files.house import House, OpenHouse
from tests.server.v1.files.test_system import publish

DATA = '{"nodes": [], "definitions": {"subgraphs": []}}'


@pytest.mark.parametrize("base", ["/api", ""])
async def test_blueprints_are_listed_without_and_given_with_what_is_in_them(house: House, base: str) -> None:
    await publish(house, subgraphs=[("custom_nodes.pack", "Upscale", DATA)])

    listed = (await house.ada.program.get(f"{base}/global_subgraphs")).json()
    ((name, entry),) = listed.items()
    given = await house.ada.program.get(f"{base}/global_subgraphs/{name}")

    assert entry == {"source": "custom_node", "name": "Upscale", "info": {"node_pack": "custom_nodes.pack"}}
    assert given.json() == entry | {"data": DATA}
    assert (await house.ada.program.get(f"{base}/global_subgraphs/unknown")).status_code == 404


async def test_equal_blueprints_of_several_workers_are_one(house: House) -> None:
    one, other = ("custom_nodes.a", "X", DATA), ("custom_nodes.b", "X", DATA)
    await publish(house, runtime="first", subgraphs=[one])
    await publish(house, runtime="second", subgraphs=[("custom_nodes.a", "X", "{}"), other])

    listed = (await house.ada.program.get("/api/global_subgraphs")).json()
    data = [(await house.ada.program.get(f"/api/global_subgraphs/{name}")).json()["data"] for name in listed]

    assert sorted(entry["info"]["node_pack"] for entry in listed.values()) == ["custom_nodes.a", "custom_nodes.b"]
    assert data == [DATA, DATA]


@pytest.mark.statement(4)
async def test_strangers_are_shown_blueprints_only_where_the_operator_says_so(open_house: OpenHouse) -> None:
    closed, opened = await open_house("closed"), await open_house("opened", v1_public_models=True)
    for house in (closed, opened):
        await publish(house, subgraphs=[("custom_nodes.pack", "Upscale", DATA)])
    (name,) = (await closed.ada.program.get("/api/global_subgraphs")).json()

    assert (await closed.stranger.get("/api/global_subgraphs")).json() == {}
    assert (await closed.stranger.get(f"/api/global_subgraphs/{name}")).status_code == 404
    assert set((await opened.stranger.get("/api/global_subgraphs")).json()) == {name}
    assert (await opened.stranger.get(f"/api/global_subgraphs/{name}")).json()["data"] == DATA
