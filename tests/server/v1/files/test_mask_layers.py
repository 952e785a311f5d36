"""`GET /api/files/mask-layers`: what a mask editor saved together."""

import json

import pytest
from tests.server.v1.files.house import House

LAYERS = {
    "mask": "clipspace-mask-1700000000001.png",
    "paint": "clipspace-paint-1700000000001.png",
    "painted": "clipspace-painted-1700000000001.png",
    "painted_masked": "clipspace-painted-masked-1700000000001.png",
}


async def save_layers(house: House, picture: bytes, **fields: str) -> None:
    for name in LAYERS.values():
        await house.ada.upload(picture, name, **fields)


@pytest.mark.parametrize("layer", LAYERS)
async def test_any_layer_names_all_of_them(house: House, picture: bytes, layer: str) -> None:
    await save_layers(house, picture)
    await house.ada.upload(picture, "clipspace-mask-1700000000002.png")

    for filename in (LAYERS[layer], f"{LAYERS[layer]} [input]"):
        answer = await house.ada.program.get("/api/files/mask-layers", params={"filename": filename})
        assert (answer.status_code, answer.json()) == (200, LAYERS)


async def test_layers_in_the_editors_folder_are_found_without_naming_it(house: House, picture: bytes) -> None:
    await save_layers(house, picture, subfolder="clipspace")

    for params in ({}, {"subfolder": "clipspace"}):
        answer = await house.ada.program.get("/api/files/mask-layers", params={"filename": LAYERS["mask"], **params})
        assert answer.json() == {layer: f"clipspace/{name}" for layer, name in LAYERS.items()}
    assert (await house.ada.view(answer.json()["paint"])).content == picture


async def test_a_layer_that_is_not_there_is_null(house: House, picture: bytes) -> None:
    await house.ada.upload(picture, LAYERS["painted"])

    answer = await house.ada.program.get("/api/files/mask-layers", params={"filename": LAYERS["painted"]})

    assert answer.json() == {**dict.fromkeys(LAYERS), "painted": LAYERS["painted"]}


@pytest.mark.parametrize("name", ["photo.png", "clipspace-mask-.png", "clipspace-other-1.png", "xclipspace-mask-1.png"])
async def test_a_file_that_is_no_layer_has_none(house: House, picture: bytes, name: str) -> None:
    await house.ada.upload(picture, name)

    answer = await house.ada.program.get("/api/files/mask-layers", params={"filename": name})

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_anothers_layers_are_not_there(house: House, picture: bytes) -> None:
    await save_layers(house, picture)

    answer = await house.bob.program.get("/api/files/mask-layers", params={"filename": LAYERS["mask"]})

    assert answer.status_code == 404


async def test_a_mask_that_is_uploaded_tells_which_layer_it_is(house: House, picture: bytes) -> None:
    for name in (LAYERS["paint"], LAYERS["painted"]):
        await house.ada.upload(picture, name)
    original = {"original_ref": json.dumps({"filename": LAYERS["painted"], "type": "input"})}

    layer, other = [
        (await house.ada.program.post("/api/upload/mask", files={"image": (name, picture)}, data=original)).json()
        for name in (LAYERS["painted_masked"], "mine.png")
    ]

    assert layer["metadata"]["mask_type"] == other["metadata"]["mask_type"] == "painted_masked"
    assert layer["metadata"]["related_files"] == {"paint": LAYERS["paint"], "painted": LAYERS["painted"]}
    assert "related_files" not in other["metadata"]
