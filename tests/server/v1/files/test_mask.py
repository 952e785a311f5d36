"""`POST /api/upload/mask`: the alpha of one picture put onto another."""

import json
from io import BytesIO
from typing import Any

import httpx
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from tests.server.v1.files.house import House


def png(image: Image.Image, **options: Any) -> bytes:
    buffer = BytesIO()
    image.save(buffer, format="PNG", **options)
    return buffer.getvalue()


@pytest.fixture
def original() -> bytes:
    text = PngInfo()
    text.add_text("prompt", '{"1": {}}')
    text.add_itxt("title", "猫")
    return png(Image.new("RGB", (40, 30), (200, 100, 50)), pnginfo=text)


@pytest.fixture
def mask() -> bytes:
    return png(Image.new("RGBA", (40, 30), (9, 9, 9, 7)))


async def send(house: House, mask: bytes, original_ref: Any, name: str = "mask.png", **fields: str) -> httpx.Response:
    said = original_ref if isinstance(original_ref, str) else json.dumps(original_ref)
    return await house.ada.program.post(
        "/api/upload/mask", files={"image": (name, mask)}, data={"original_ref": said, **fields}
    )


async def test_the_original_gets_the_masks_alpha_and_keeps_its_texts(
    house: House, original: bytes, mask: bytes
) -> None:
    await house.ada.upload(original, "photo.png")

    answer = await send(house, mask, {"filename": "photo.png", "type": "input"})

    assert answer.status_code == 200
    assert answer.json().items() >= {"name": "mask.png", "subfolder": "", "type": "input"}.items()
    with Image.open(BytesIO((await house.ada.view("mask.png")).content)) as made:
        assert (made.format, made.getpixel((3, 3))) == ("PNG", (200, 100, 50, 7))
        assert made.info["prompt"] == '{"1": {}}'
        assert made.info["title"] == "猫"
    assert (await house.ada.view("photo.png")).content == original


async def test_the_answer_tells_what_was_masked(house: House, original: bytes, mask: bytes) -> None:
    await house.ada.upload(original, "photo.png")

    metadata = (await send(house, mask, {"filename": "photo.png", "type": "input"})).json()["metadata"]

    assert metadata["is_mask"] is True
    assert (await house.ada.view(metadata["original_hash"])).content == original


async def test_only_the_masked_picture_is_kept_of_the_two(house: House, original: bytes, mask: bytes) -> None:
    await house.ada.upload(original, "photo.png")
    await send(house, mask, {"filename": "photo.png", "type": "input"})

    assert len(house.bytes_kept()) == 2


async def test_a_mask_that_is_a_file_of_its_own_stays(house: House, original: bytes, mask: bytes) -> None:
    await house.ada.upload(original, "photo.png")
    await house.ada.upload(mask, "alone.png")
    await send(house, mask, {"filename": "photo.png", "type": "input"})

    assert (await house.ada.view("alone.png")).content == mask


@pytest.mark.parametrize(
    "reference",
    [
        {"filename": "photo.png", "subfolder": "sub", "type": "temp"},
        {"filename": "photo.png [temp]", "subfolder": "sub"},
        {"filename": "sub/photo.png [temp]"},
    ],
)
async def test_the_original_is_found_however_it_is_named(
    house: House, original: bytes, mask: bytes, reference: dict[str, str]
) -> None:
    await house.ada.upload(original, "photo.png", type="temp", subfolder="sub")

    assert (await send(house, mask, reference)).status_code == 200


async def test_an_original_without_a_type_is_an_output(house: House, original: bytes, mask: bytes) -> None:
    await house.ada.upload(original, "photo.png", type="output")

    assert (await send(house, mask, {"filename": "photo.png"})).status_code == 200


async def test_the_masked_picture_goes_where_the_form_says(house: House, original: bytes, mask: bytes) -> None:
    await house.ada.upload(original, "photo.png")

    answer = await send(house, mask, {"filename": "photo.png", "type": "input"}, type="output", subfolder="clipspace")

    assert answer.json().items() >= {"name": "mask.png", "subfolder": "clipspace", "type": "output"}.items()


@pytest.mark.parametrize(
    "reference",
    [
        "", "not json", "[]", "{}", "null", '"photo.png"', "{" * 5000,
        {"filename": ""}, {"filename": 5}, {"filename": "photo.png", "type": "elsewhere"},
        {"filename": "unknown.png", "type": "input"}, {"filename": "../photo.png", "type": "input"},
        {"filename": "photo.png", "type": "input", "subfolder": ".."}, '{"filename": "\\ud800"}',
        {"filename": "bobs.png", "type": "input"},
    ],
)  # fmt: skip
async def test_an_original_that_is_not_there_is_refused_and_leaves_nothing(
    house: House, original: bytes, mask: bytes, reference: Any
) -> None:
    await house.bob.upload(original, "bobs.png")
    kept = house.bytes_kept()

    answer = await send(house, mask, reference)

    assert answer.status_code == 400
    assert {type(answer.json()[key]) for key in ("code", "message")} == {str}
    assert house.bytes_kept() == kept


async def test_a_mask_needs_its_original(house: House, mask: bytes) -> None:
    answer = await house.ada.program.post("/api/upload/mask", files={"image": ("mask.png", mask)})

    assert (answer.status_code, house.bytes_kept()) == (400, [])
    assert "original_ref" in answer.json()["message"]


@pytest.mark.parametrize(
    "mask",
    [b"hello", png(Image.new("RGBA", (30, 40))), png(Image.new("1", (16_000, 5_000)))],
    ids=["none", "size", "bomb"],
)
async def test_a_mask_that_does_not_fit_is_refused_and_leaves_nothing(
    house: House, original: bytes, mask: bytes
) -> None:
    await house.ada.upload(original, "photo.png")
    kept = house.bytes_kept()

    assert (await send(house, mask, {"filename": "photo.png", "type": "input"})).status_code == 400
    assert house.bytes_kept() == kept


async def test_an_original_that_is_no_picture_is_refused(house: House, mask: bytes) -> None:
    await house.ada.upload(b"hello", "photo.txt")

    answer = await send(house, mask, {"filename": "photo.txt", "type": "input"})

    assert (answer.status_code, answer.json()["code"]) == (400, "not_a_picture")


async def test_a_name_that_is_taken_is_not_overwritten_by_a_mask(house: House, original: bytes, mask: bytes) -> None:
    await house.ada.upload(original, "photo.png")

    answer = await send(house, mask, {"filename": "photo.png", "type": "input"}, name="photo.png")

    assert answer.json()["name"] == "photo (1).png"
    assert (await house.ada.view("photo.png")).content == original
