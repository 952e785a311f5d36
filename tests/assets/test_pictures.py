import struct
import zlib
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from fireside.assets.pictures import (
    NotAPicture,
    PictureLimits,
    PictureTooLarge,
    apply_mask,
    extract_channel,
    inspect_picture,
    make_preview,
)
from fireside.domain.errors import BadRequest

LIMITS = PictureLimits()


def png_chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png_claiming(width: int, height: int, *more: bytes) -> bytes:
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(more) + png_chunk(b"IDAT", b"x") + png_chunk(b"IEND", b"")


def saved(path: Path, image: Image.Image, **options: object) -> Path:
    image.save(path, **options)  # type: ignore[arg-type]
    return path


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    text = PngInfo()
    text.add_text("prompt", '{"1": {}}')
    text.add_itxt("title", "猫")
    return saved(tmp_path / "photo.png", Image.new("RGBA", (40, 30), (200, 100, 50, 128)), pnginfo=text)


async def test_a_picture_tells_its_size_format_and_alpha(photo: Path) -> None:
    info = await inspect_picture(photo, LIMITS)

    assert (info.width, info.height, info.format, info.frames, info.has_alpha) == (40, 30, "png", 1, True)


@pytest.mark.parametrize("kind", ["jpeg", "webp", "gif", "bmp", "tiff"])
async def test_the_usual_formats_are_taken(tmp_path: Path, kind: str) -> None:
    info = await inspect_picture(saved(tmp_path / "p", Image.new("RGB", (64, 48)), format=kind), LIMITS)

    assert (info.width, info.height, info.format, info.has_alpha) == (64, 48, kind, False)


@pytest.mark.parametrize("size", [(1, 1), (7, 3), (1, 900)])
async def test_the_smallest_photographs_are_taken(tmp_path: Path, size: tuple[int, int]) -> None:
    info = await inspect_picture(saved(tmp_path / "p", Image.new("RGB", size), format="jpeg"), LIMITS)

    assert (info.width, info.height) == size


async def test_a_file_cut_short_is_refused(tmp_path: Path, photo: Path) -> None:
    noise = Image.effect_noise((300, 300), 80).convert("RGB")
    for kind in ("png", "jpeg", "webp", "bmp", "tiff"):
        whole = saved(tmp_path / "whole", noise, format=kind).read_bytes()
        cut = tmp_path / f"cut.{kind}"
        cut.write_bytes(whole[: len(whole) // 2])
        with pytest.raises(NotAPicture):
            await inspect_picture(cut, LIMITS)


@pytest.mark.parametrize("content", [b"", b"hello", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"GIF89a<script>"])
async def test_what_is_no_picture_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "none"
    path.write_bytes(content)

    with pytest.raises(NotAPicture):
        await inspect_picture(path, LIMITS)


@pytest.mark.parametrize(
    ("width", "height", "told"),
    [(100_000, 100_000, "pixels"), (16385, 1, "16384"), (8193, 8192, "67108864"), (12_000, 8_000, "67108864")],
)
async def test_a_header_that_claims_too_much_is_refused_unread(
    tmp_path: Path, width: int, height: int, told: str
) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(png_claiming(width, height))

    with pytest.raises(PictureTooLarge, match=told):
        await inspect_picture(path, LIMITS)


async def test_a_small_file_of_very_many_pixels_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path / "black.png", Image.new("1", (16_000, 5_000)))

    with pytest.raises(PictureTooLarge, match="67108864"):
        await extract_channel(path, "rgb", tmp_path / "out.png")
    assert not (tmp_path / "out.png").exists()


async def test_a_file_of_too_many_bytes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    with path.open("wb") as file:
        file.truncate(60_000_000)

    with pytest.raises(PictureTooLarge, match="52428800"):
        await inspect_picture(path, LIMITS)


async def test_a_text_that_unpacks_to_very_much_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "text.png"
    path.write_bytes(png_claiming(1, 1, png_chunk(b"zTXt", b"k\0\0" + zlib.compress(bytes(50_000_000)))))

    with pytest.raises(NotAPicture):
        await inspect_picture(path, LIMITS)


async def test_very_many_frames_are_not_counted(tmp_path: Path) -> None:
    buffer = BytesIO()
    frames = [Image.new("P", (1, 1), color) for color in range(2)]
    frames[0].putpalette([0, 0, 0, 255, 255, 255])
    frames[1].putpalette([0, 0, 0, 255, 255, 255])
    frames[0].save(buffer, format="GIF", save_all=True, append_images=frames[1:])
    start = buffer.getvalue()[:-1]
    frame = b"\x2c" + bytes(8) + b"\0" + b"\x02\x02\x44\x01\0"
    path = tmp_path / "many.gif"
    path.write_bytes(start + frame * 1_000_000 + b";")

    assert (await inspect_picture(path, LIMITS)).frames == 2


async def test_rgb_has_no_alpha(tmp_path: Path, photo: Path) -> None:
    await extract_channel(photo, "rgb", tmp_path / "out.png")

    with Image.open(tmp_path / "out.png") as made:
        assert (made.format, made.mode, made.getpixel((0, 0))) == ("PNG", "RGB", (200, 100, 50))


@pytest.mark.parametrize("channel", ["a", "alpha"])
async def test_alpha_stands_alone(tmp_path: Path, photo: Path, channel: str) -> None:
    await extract_channel(photo, channel, tmp_path / "out.png")  # type: ignore[arg-type]

    with Image.open(tmp_path / "out.png") as made:
        assert (made.mode, made.getpixel((0, 0))) == ("RGBA", (0, 0, 0, 128))


async def test_a_mask_gives_its_alpha_and_the_texts_stay(tmp_path: Path, photo: Path) -> None:
    mask = saved(tmp_path / "mask.png", Image.new("RGBA", (40, 30), (9, 9, 9, 7)))
    await apply_mask(photo, mask, tmp_path / "out.png")

    with Image.open(tmp_path / "out.png") as made:
        assert made.getpixel((0, 0)) == (200, 100, 50, 7)
        assert made.info["prompt"] == '{"1": {}}'
        assert made.info["title"] == "猫"


async def test_a_masked_picture_has_the_bytes_that_comfyui_writes(tmp_path: Path) -> None:
    original = saved(tmp_path / "photo.png", Image.effect_mandelbrot((64, 48), (-2.0, -1.2, 1.0, 1.2), 50))
    mask = saved(tmp_path / "mask.png", Image.radial_gradient("L").resize((64, 48)).convert("LA"))
    await apply_mask(original, mask, tmp_path / "out.png")

    with Image.open(original) as picture, Image.open(mask) as covering, BytesIO() as theirs:
        masked = picture.convert("RGBA")
        masked.putalpha(covering.convert("RGBA").getchannel("A"))
        masked.save(theirs, "PNG", compress_level=4)
        assert (tmp_path / "out.png").read_bytes() == theirs.getvalue()


async def test_a_mask_of_another_size_is_refused(tmp_path: Path, photo: Path) -> None:
    mask = saved(tmp_path / "mask.png", Image.new("RGBA", (30, 40)))

    with pytest.raises(BadRequest, match="30 x 40"):
        await apply_mask(photo, mask, tmp_path / "out.png")


@pytest.mark.parametrize("kind", ["webp", "jpeg"])
async def test_a_preview_is_encoded_anew_and_shrunk(photo: Path, kind: str) -> None:
    made = await make_preview(photo, kind, 80, longest_edge=20)  # type: ignore[arg-type]

    with Image.open(BytesIO(made)) as image:
        assert (image.format, image.size) == (kind.upper(), (20, 15))
