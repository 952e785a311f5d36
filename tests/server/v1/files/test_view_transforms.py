"""`GET /api/view` with `channel`, `res` and `preview`: pictures made of pictures."""

from io import BytesIO
from typing import Any

import httpx
import pytest
from PIL import Image
from tests.server.v1.files.house import House, OpenHouse

from fireside.server.v1.views_transforms import Preview, wanted_transform
from fireside.wire.v1_files import ViewQuery

# About what is made of bytes; where they lie is proven where files are uploaded and viewed.
pytestmark = pytest.mark.once


def opened(answer: httpx.Response) -> Image.Image:
    assert answer.status_code == 200
    image = Image.open(BytesIO(answer.content))
    image.load()
    return image


@pytest.fixture
async def seen(house: House, picture: bytes) -> House:
    await house.ada.upload(picture, "a.png")
    return house


@pytest.mark.statement(138)
async def test_rgb_is_a_png_without_alpha_for_key_and_session(seen: House) -> None:
    by_key = await seen.ada.program.get("/api/view", params={"filename": "a.png", "type": "input", "channel": "rgb"})

    for answer in (by_key, await seen.ada.view("a.png", channel="rgb")):
        image = opened(answer)
        assert answer.headers["content-type"] == "image/png"
        assert answer.headers["content-length"] == str(len(answer.content))
        assert (image.format, image.mode, image.getpixel((5, 5))) == ("PNG", "RGB", (200, 100, 50))


@pytest.mark.parametrize("channel", ["a", "alpha"])
async def test_alpha_stands_alone(seen: House, channel: str) -> None:
    image = opened(await seen.ada.view("a.png", channel=channel))

    assert (image.format, image.getchannel("A").getextrema()) == ("PNG", (128, 128))


async def test_res_is_a_jpeg_no_longer_than_that(house: House) -> None:
    buffer = BytesIO()
    Image.new("RGB", (800, 400), (9, 9, 9)).save(buffer, format="PNG")
    await house.ada.upload(buffer.getvalue(), "large.png")

    image = opened(await house.ada.view("large.png", res=100))

    assert (image.format, image.size) == ("JPEG", (100, 50))


async def test_res_never_makes_a_picture_larger(seen: House) -> None:
    assert opened(await seen.ada.view("a.png", res=1024)).size == (80, 60)


@pytest.mark.parametrize(
    ("preview", "kind"),
    [("webp", "WEBP"), ("webp;90", "WEBP"), ("jpeg;50", "JPEG"), ("bmp", "WEBP"), ("jpeg;x", "JPEG")],
)
async def test_a_preview_is_encoded_as_it_says(seen: House, preview: str, kind: str) -> None:
    image = opened(await seen.ada.view("a.png", preview=preview))

    assert (image.format, image.size) == (kind, (80, 60))


@pytest.mark.parametrize(
    ("preview", "channel", "wanted"),
    [
        ("jpeg;50", None, Preview("jpeg", 50)),
        ("jpeg;50", "rgb", Preview("jpeg", 50)),
        ("jpeg;50", "a", Preview("webp", 50)),
        ("webp", "rgba", Preview("webp", 90)),
        ("webp;50", "rgb", Preview("webp", 50, is_opaque=True)),
        ("jpeg;0", None, Preview("jpeg", 1)),
        ("jpeg;500", None, Preview("jpeg", 100)),
        ("jpeg;" + "9" * 9999, None, Preview("jpeg", 90)),
        ("jpeg;²", None, Preview("jpeg", 90)),
        ("jpeg;5;60", None, Preview("jpeg", 60)),
        (";;", None, Preview("webp", 90)),
    ],
)
def test_a_preview_is_read_as_comfyui_reads_it(preview: str, channel: Any, wanted: Preview) -> None:
    assert wanted_transform(ViewQuery(filename="a.png", preview=preview, channel=channel)) == wanted


@pytest.mark.parametrize(("preview", "channel", "mode"), [("webp;90", "rgb", "RGB"), ("webp;90", "rgba", "RGBA")])
async def test_a_preview_is_without_alpha_where_rgb_is_wanted(
    seen: House, preview: str, channel: str, mode: str
) -> None:
    image = opened(await seen.ada.view("a.png", preview=preview, channel=channel, res=64))

    assert (image.format, image.mode, image.size) == ("WEBP", mode, (64, 48))


async def test_a_preview_can_be_small_too(seen: House) -> None:
    assert opened(await seen.ada.view("a.png", preview="webp", res=64)).size == (64, 48)


async def test_each_wish_has_a_tag_of_its_own_and_is_made_once_for_a_client(seen: House) -> None:
    wishes: list[dict[str, Any]] = [
        {}, {"channel": "rgb"}, {"channel": "a"}, {"res": 64}, {"res": 65}, {"preview": "webp"}, {"preview": "webp;10"},
        {"preview": "webp", "channel": "rgb"},
    ]  # fmt: skip
    tags = [(await seen.ada.view("a.png", **wish)).headers["etag"] for wish in wishes]
    assert len(set(tags)) == len(tags)

    for wish, tag in zip(wishes, tags, strict=True):
        again = await seen.ada.browser.get(
            "/api/view", params={"filename": "a.png", "type": "input"} | wish, headers={"If-None-Match": tag}
        )
        assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("wish", [{"channel": "rgb"}, {"res": "64"}, {"preview": "webp"}], ids=str)
async def test_nothing_is_made_of_what_is_no_picture(house: House, wish: dict[str, str]) -> None:
    await house.ada.upload(b"<html>", "a.txt")

    answer = await house.ada.view("a.txt", **wish)

    assert (answer.status_code, answer.json()["code"]) == (400, "not_a_picture")


@pytest.mark.parametrize("wish", [{"channel": "rgb"}, {"res": "64"}, {"preview": "webp"}], ids=str)
async def test_nothing_is_made_of_a_picture_with_too_many_pixels(
    open_house: OpenHouse, picture: bytes, wish: dict[str, str]
) -> None:
    for pixels, status in ((4800, 200), (4799, 400)):
        house = await open_house(f"data-{pixels}", max_picture_pixels=pixels)
        await house.record(house.ada, "a.png", picture, "image/png")

        assert (await house.ada.view("a.png", **wish)).status_code == status


async def test_a_workers_picture_may_have_more_bytes_than_an_upload(open_house: OpenHouse, picture: bytes) -> None:
    house = await open_house(max_picture_bytes=10)
    await house.record(house.ada, "a.png", picture, "image/png")

    assert (await house.ada.view("a.png", channel="rgb")).status_code == 200


@pytest.mark.parametrize("wish", [{"channel": "rgb"}, {"res": "64"}, {"preview": "jpeg"}], ids=str)
async def test_nothing_stays_of_what_is_made(seen: House, wish: dict[str, str]) -> None:
    kept = seen.bytes_kept()

    await seen.ada.view("a.png", **wish)

    assert seen.bytes_kept() == kept


async def test_what_is_made_is_the_callers_alone(seen: House) -> None:
    assert (await seen.bob.view("a.png", channel="rgb")).status_code == 404
