"""`POST /api/upload/image`: what is taken, under which name, and what is refused without a trace."""

import asyncio
from io import BytesIO
from typing import Any

import httpx
import pytest
from blake3 import blake3
from PIL import Image
from tests.server.v1.files.house import House, OpenHouse

FORM = {"Content-Type": "multipart/form-data; boundary=edge"}


def part(disposition: bytes, content: bytes) -> bytes:
    return b"--edge\r\nContent-Disposition: form-data; " + disposition + b"\r\n\r\n" + content + b"\r\n"


async def send(house: House, *parts: bytes, end: bytes = b"--edge--\r\n") -> httpx.Response:
    return await house.ada.program.post("/api/upload/image", content=b"".join(parts) + end, headers=FORM)


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    buffer = BytesIO()
    image.save(buffer, format=kind, **options)
    return buffer.getvalue()


def where(answer: httpx.Response) -> tuple[str, str, str]:
    """The three that ComfyUI answers with."""
    told = answer.json()
    return told["name"], told["subfolder"], told["type"]


async def test_an_upload_is_told_with_its_asset(house: House, picture: bytes) -> None:
    told = (await house.ada.upload(picture, "a.png", subfolder="b")).json()["asset"]

    asset = (await house.ada.program.get(f"/api/assets/{told['id']}")).json()
    assert told == {name: asset[name] for name in told}
    assert told["hash"] == told["asset_hash"] == f"blake3:{blake3(picture).hexdigest()}"
    assert (told["name"], told["size"], told["mime_type"]) == ("a.png", len(picture), "image/png")
    assert told["tags"] == ["input"]


async def test_an_upload_without_a_type_is_an_input_under_its_name(house: House, picture: bytes) -> None:
    answer = await house.ada.upload(picture, "a.png")

    assert (answer.status_code, where(answer)) == (200, ("a.png", "", "input"))
    assert (await house.ada.view("a.png")).content == picture


@pytest.mark.parametrize("folder", ["input", "output", "temp"])
async def test_a_file_goes_into_the_folder_and_subfolder_it_names(house: House, picture: bytes, folder: str) -> None:
    answer = await house.ada.upload(picture, "a.png", type=folder, subfolder="deep/er")

    assert where(answer) == ("a.png", "deep/er", folder)
    assert (await house.ada.view("a.png", type=folder, subfolder="deep/er")).content == picture
    assert (await house.ada.view("a.png", type=folder)).status_code == 404


@pytest.mark.parametrize("subfolder", ["", "."])
async def test_an_empty_type_and_subfolder_mean_the_default(house: House, picture: bytes, subfolder: str) -> None:
    answer = await house.ada.upload(picture, "a.png", type="", subfolder=subfolder)

    assert where(answer) == ("a.png", "", "input")


async def test_fields_count_wherever_they_stand(house: House, picture: bytes) -> None:
    image, kind = part(b'name="image"; filename="a.png"', picture), part(b'name="type"', b"temp")

    before, after = await send(house, kind, image), await send(house, image, kind)

    assert where(before) == where(after) == ("a.png", "", "temp")


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("a.mp4", b"\0\0\0\x18ftypisom" + bytes(20), "video/mp4"),
        ("a.wav", b"RIFF\0\0\0\0WAVEfmt ", "audio/wav"),
        ("a.glb", b"glTF\x02\0\0\0", "application/octet-stream"),
        ("a.txt", b"hello", "application/octet-stream"),
        ("a", b"", "application/octet-stream"),
        ("raw.nef", b"II*\0" + bytes(100), "image/tiff"),
    ],
)
async def test_files_of_every_kind_are_taken(house: House, name: str, content: bytes, kind: str) -> None:
    assert (await house.ada.upload(content, name)).status_code == 200

    seen = await house.ada.view(name)
    assert (seen.content, seen.headers["content-type"]) == (content, kind)


@pytest.mark.parametrize("kind", ["jpeg", "webp", "gif", "bmp", "tiff", "avif"])
async def test_pictures_of_every_kind_are_taken_whatever_their_ending_says(house: House, kind: str) -> None:
    content = encoded(Image.new("RGB", (32, 32), (9, 99, 199)), kind)

    assert (await house.ada.upload(content, "a.png")).status_code == 200
    assert (await house.ada.view("a.png")).headers["content-type"] == f"image/{kind}"


async def test_equal_bytes_keep_the_name_and_other_bytes_get_the_next(house: House) -> None:
    names = [
        (await house.ada.upload(content, "a.txt")).json()["name"] for content in (b"1", b"1", b"2", b"3", b"2", b"1")
    ]

    assert names == ["a.txt", "a.txt", "a (1).txt", "a (2).txt", "a (1).txt", "a.txt"]
    assert (await house.ada.view("a (1).txt")).content == b"2"


@pytest.mark.parametrize(
    ("said", "names"), [("true", "a.txt"), ("1", "a.txt"), ("false", "a (1).txt"), ("yes", "a (1).txt")]
)
async def test_only_true_and_1_overwrite(house: House, said: str, names: str) -> None:
    await house.ada.upload(b"old", "a.txt")

    answer = await house.ada.upload(b"new", "a.txt", overwrite=said)

    assert answer.json()["name"] == names
    assert (await house.ada.view(names)).content == b"new"


async def test_each_has_a_space_of_their_own(house: House) -> None:
    await house.ada.upload(b"hers", "a.txt")

    answer = await house.bob.upload(b"his", "a.txt")

    assert answer.json()["name"] == "a.txt"
    assert (await house.ada.view("a.txt")).content == b"hers"
    assert (await house.bob.view("a.txt")).content == b"his"


@pytest.mark.parametrize(
    "name",
    ["ä 猫 (1).txt", "a..b.txt", "...", " a.txt ", "a%2Fb.txt", "-rf", "CON", "a;b'c.txt", "x" * 255, "é" * 127],
)
async def test_an_odd_name_is_kept(house: House, name: str) -> None:
    answer = await send(house, part(f'name="image"; filename="{name}"'.encode(), b"odd"))

    assert answer.json()["name"] == name
    assert (await house.ada.view(name)).content == b"odd"


@pytest.mark.parametrize(
    "name",
    [
        b"..", b".", b"", b"../a", b"a/b", b"/etc/passwd", rb"..\\..\\a", rb"a\\b", b"a\0b", b"a\x07b", b"a\x7fb",
        b"\xff", b"x" * 256, "é".encode() * 128, b"a.png [input]", b"a [temp]", b"blake3:" + b"0" * 64, b"blake3:x",
    ],
)  # fmt: skip
async def test_a_name_that_leads_elsewhere_is_refused_and_said_why(house: House, name: bytes) -> None:
    answer = await send(house, part(b'name="image"; filename="' + name + b'"', b"x"))

    assert answer.status_code == 400
    assert len(answer.json()["message"]) > 10
    assert house.bytes_kept() == []


@pytest.mark.parametrize(
    "subfolder", ["..", "a/../b", "../../x", "a\0b", "x" * 256, "/".join("x" * 17), "C:/x", "blake3:"]
)
async def test_a_subfolder_that_leads_elsewhere_is_refused(house: House, subfolder: str) -> None:
    answer = await house.ada.upload(b"x", "a.txt", subfolder=subfolder)

    assert answer.status_code == 400
    assert house.bytes_kept() == []


@pytest.mark.parametrize("subfolder", ["/a//b\\c/", "./a/./b/c/."])
async def test_a_subfolder_is_answered_as_it_can_be_asked_for(house: House, subfolder: str) -> None:
    answer = await house.ada.upload(b"x", "a.txt", subfolder=subfolder)

    assert answer.json()["subfolder"] == "a/b/c"
    assert (await house.ada.view("a.txt", subfolder="a/b/c")).status_code == 200


@pytest.mark.statement(136)
@pytest.mark.parametrize(
    "parts",
    [
        (),
        (part(b'name="type"', b"input"),),
        (part(b'name="image"', b"no file"),),
        (part(b'name="file"; filename="a.txt"', b"x"),),
        (part(b'name="image"; filename="a.txt"', b"x"), part(b'name="type"', b"elsewhere")),
        (part(b'name="image"; filename="a.txt"', b"x"), part(b'name="type"', b"input"), part(b'name="type"', b"temp")),
        (part(b'name="image"; filename="a.txt"', b"x"), part(b'name="subfolder"', b"\xff")),
    ],
    ids=["empty", "no file", "a field", "another part", "unknown type", "two types", "no text"],
)
async def test_a_form_that_is_not_as_it_should_be_leaves_nothing(house: House, parts: tuple[bytes, ...]) -> None:
    answer = await send(house, *parts)

    assert answer.status_code == 400
    assert {type(answer.json()[key]) for key in ("code", "message")} == {str}
    assert house.bytes_kept() == []


async def test_two_files_in_a_form_are_told_to_come_one_by_one_and_leave_nothing(house: House) -> None:
    answer = await send(house, *(part(b'name="image"; filename="a.txt"', content) for content in (b"x", b"y")))

    assert answer.status_code == 400
    assert answer.json()["message"] == "The form has more than one file: send one in each request."
    assert house.bytes_kept() == []


@pytest.mark.parametrize(
    ("content", "status"), [(b"\x89PNG", 400), (b"x" * (1024 * 1024 + 1), 413)], ids=["no text", "too long"]
)
async def test_a_file_without_a_name_is_told_to_come_with_one(house: House, content: bytes, status: int) -> None:
    answer = await send(house, part(b'name="image"', content))

    assert answer.status_code == status
    assert "send the file with a file name" in answer.json()["message"]


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        (b"filename*=UTF-8''%e2%82%ac.txt", "\u20ac.txt"),
        (b"filename*=utf-8'en'a%20b.txt", "a b.txt"),
        (b"Filename* = \"UTF-8''%e2%82%ac.txt\"", "\u20ac.txt"),
        (b"filename=\"e.txt\"; filename*=UTF-8''%e2%82%ac.txt", "\u20ac.txt"),
        (b"filename*=UTF-8''%e2%82%ac.txt; filename=\"e.txt\"", "\u20ac.txt"),
        (b"filename=\"e.txt\"; filename*=iso-8859-1''%e9.txt", "e.txt"),
        (b'filename="e.txt"; filename*=nonsense', "e.txt"),
        (b"filename=\"e; filename*=UTF-8''x\"", "e; filename*=UTF-8''x"),
    ],
)
async def test_a_name_in_the_extended_form_is_the_one_that_counts(house: House, disposition: bytes, name: str) -> None:
    answer = await send(house, part(b'name="image"; ' + disposition, b"x"))

    assert (answer.status_code, where(answer)) == (200, (name, "", "input"))


@pytest.mark.parametrize("name", [b"%ff.txt", b"..%2Fa.txt", b"%00"])
async def test_a_name_in_the_extended_form_is_looked_at_as_any_other(house: House, name: bytes) -> None:
    answer = await send(house, part(b"name=\"image\"; filename*=UTF-8''" + name, b"x"))

    assert answer.status_code == 400
    assert house.bytes_kept() == []


async def test_a_form_cut_off_after_its_file_leaves_nothing(house: House) -> None:
    answer = await send(house, part(b'name="image"; filename="a.txt"', b"x"), end=b"--edge\r\n")

    assert answer.status_code == 400
    assert house.bytes_kept() == []


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "multipart/form-data"])
async def test_what_is_no_form_is_refused(house: House, kind: str) -> None:
    answer = await house.ada.program.post("/api/upload/image", content=b"{}", headers={"Content-Type": kind})

    assert answer.status_code == 400


@pytest.mark.parametrize("content", [b"", b"hello", b"<html></html>", b"\x89PNG\r\n\x1a\n" + bytes(50), b"GIF89a"])
@pytest.mark.parametrize("name", ["a.png", "A.JPG", "a.webp"])
async def test_a_picture_that_is_none_is_refused_and_leaves_nothing(house: House, content: bytes, name: str) -> None:
    answer = await house.ada.upload(content, name)

    assert (answer.status_code, answer.json()["code"]) == (400, "not_a_picture")
    assert house.bytes_kept() == []


async def test_a_picture_cut_short_is_refused_and_leaves_nothing(house: House, picture: bytes) -> None:
    answer = await house.ada.upload(picture[:-20], "a.png")

    assert (answer.status_code, answer.json()["code"]) == (400, "not_a_picture")
    assert house.bytes_kept() == []


@pytest.mark.parametrize("name", ["bomb.png", "bomb.bin"])
@pytest.mark.parametrize("size", [(16_000, 5_000), (16_385, 1)], ids=["pixels", "edge"])
async def test_a_small_file_of_very_many_pixels_is_refused_whatever_its_name(
    house: House, size: tuple[int, int], name: str
) -> None:
    bomb = encoded(Image.new("1", size))
    assert len(bomb) < 20_000

    answer = await house.ada.upload(bomb, name)

    assert (answer.status_code, answer.json()["code"]) == (400, "picture_too_large")
    assert house.bytes_kept() == []


async def test_a_picture_of_too_many_bytes_is_refused_where_another_file_is_not(open_house: OpenHouse) -> None:
    house = await open_house(max_picture_bytes=1000)
    noise = encoded(Image.effect_noise((60, 60), 90))
    assert len(noise) > 1000

    answer = await house.ada.upload(noise, "a.png")

    assert (answer.status_code, answer.json()["code"]) == (400, "picture_too_large")
    assert "1000" in answer.json()["message"]
    assert house.bytes_kept() == []
    assert (await house.ada.upload(b"x" * 2000, "a.bin")).status_code == 200


async def test_a_file_of_too_many_bytes_is_refused(open_house: OpenHouse) -> None:
    house = await open_house(max_upload_bytes=1000)

    assert (await house.ada.upload(b"x" * 1001, "a.bin")).status_code == 413
    assert house.bytes_kept() == []
    assert (await house.ada.upload(b"x" * 1000, "a.bin")).status_code == 200


async def test_a_refused_upload_spares_the_bytes_of_others(house: House) -> None:
    await house.bob.upload(b"shared", "b.txt")

    assert (await house.ada.upload(b"shared", "..")).status_code == 400

    assert (await house.bob.view("b.txt")).content == b"shared"


async def test_uploads_and_refusals_of_equal_bytes_at_once_lose_nobodys_file(house: House) -> None:
    names = ["good.txt", ".."] * 12
    answers = await asyncio.gather(*(house.ada.upload(b"the same", name) for name in names))

    taken = [answer for answer, name in zip(answers, names, strict=True) if name == "good.txt"]
    assert {answer.status_code for answer in taken} <= {200, 503}
    assert {answer.status_code for answer in answers if answer not in taken} == {400}
    record = await house.input_of(house.ada, "good.txt")
    assert (record is not None) == any(answer.status_code == 200 for answer in taken)
    assert record is None or await house.services.blobs.stat(record.hash) is not None


async def test_uploading_needs_a_caller(house: House, picture: bytes) -> None:
    answer = await house.stranger.post("/api/upload/image", files={"image": ("a.png", picture)})

    assert answer.status_code == 401
    assert house.bytes_kept() == []
