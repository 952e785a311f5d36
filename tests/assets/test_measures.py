"""What headers say of pictures, films and sound: real files of each format, and damaged ones; none is ever unpacked."""

import json
import struct
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from fireside.assets.library import Library
from fireside.assets.measures.looks import Look, Measures, Reader
from fireside.assets.measures.reading import MEASURED_TYPES, READERS, read_metadata
from fireside.blobs.sniff import sniff_content_type

MEDIA = Path(__file__).parent / "media"
EDGES = {"kind": "image", "width": 70, "height": 50}
PICTURES: dict[str, dict[str, Any]] = {
    "PNG": {"format": "PNG"},
    "GIF": {"format": "GIF"},
    "BMP": {"format": "BMP"},
    "TIFF": {"format": "TIFF"},
    "JPEG": {"format": "JPEG"},
    "progressive JPEG": {"format": "JPEG", "progressive": True, "exif": b"Exif\0\0" + bytes(9000)},
    "WebP": {"format": "WEBP"},
    "WebP without loss": {"format": "WEBP", "lossless": True},
    "extended WebP": {"format": "WEBP", "exif": b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0"},
    "AVIF": {"format": "AVIF"},
}
FILMS = {
    "late_header.mp4": {"kind": "video", "width": 48, "height": 32, "duration": 1.0},
    "early_header.mp4": {"kind": "video", "width": 48, "height": 32, "duration": 1.0},
    "fragments.mp4": {"kind": "video", "width": 48, "height": 32},
    "film.mov": {"kind": "video", "width": 48, "height": 32, "duration": 1.0},
    "film.webm": {"kind": "video", "width": 48, "height": 32, "duration": 1.0},
    "film.mkv": {"kind": "video", "width": 48, "height": 32, "duration": 1.0},
    "live.webm": {"kind": "video", "width": 48, "height": 32},
    "stereo.wav": {"kind": "audio", "duration": 0.5, "sample_rate": 8000, "channels": 2},
    "sound.m4a": {"kind": "audio", "duration": 0.628},
    "mono.flac": {"kind": "audio", "duration": 0.5, "sample_rate": 8000, "channels": 1},
}


def made(**saving: Any) -> bytes:
    buffer = BytesIO()
    Image.new("RGB", (70, 50), (200, 100, 50)).save(buffer, **saving)
    return buffer.getvalue()


async def metadata_of(library: Library, content: bytes, content_type: str | None = None) -> Any:
    blob = await library.blobs.write_bytes(content, limit_bytes=None)
    said = content_type or sniff_content_type(blob.head, "")
    with_head = await read_metadata(library.blobs, blob.hash, said, blob.head)
    assert await read_metadata(library.blobs, blob.hash, said) == with_head
    return None if with_head is None else json.loads(with_head)


def followed(reader: Reader, content: bytes) -> Measures | None:
    look: Look = next(reader)
    try:
        for _ in range(len(content) + 2):  # each look is farther on
            look = reader.send(content[look.at : look.at + look.count])
    except StopIteration as stop:
        return stop.value
    raise AssertionError("it never ends")


@pytest.mark.parametrize("name", PICTURES)
async def test_a_picture_says_how_large_it_is(library: Library, name: str) -> None:
    assert await metadata_of(library, made(**PICTURES[name])) == EDGES


async def test_a_picture_whose_texts_come_first_is_asked_nothing_more(library: Library) -> None:
    content = made(format="JPEG", exif=b"Exif\0\0" + bytes(60_000), comment=b"c" * 60_000)

    assert content.index(b"\xff\xc0") > 100_000
    assert await metadata_of(library, content) == EDGES


@pytest.mark.parametrize("name", FILMS)
async def test_films_and_sound_say_how_long_they_play(library: Library, name: str) -> None:
    assert await metadata_of(library, (MEDIA / name).read_bytes()) == FILMS[name]


@pytest.mark.parametrize("content_type", ["text/plain", "application/octet-stream", "audio/mpeg", "audio/ogg"])
async def test_other_files_say_nothing(library: Library, content_type: str) -> None:
    assert await metadata_of(library, b"ID3 and no more", content_type) is None


async def test_bytes_that_are_gone_say_nothing(library: Library) -> None:
    blob = await library.blobs.write_bytes((MEDIA / "late_header.mp4").read_bytes(), limit_bytes=None)
    await library.blobs.delete(blob.hash)

    assert await read_metadata(library.blobs, blob.hash, "video/mp4") is None


@pytest.mark.parametrize("name", PICTURES)
async def test_a_picture_that_ends_within_its_header_says_nothing(library: Library, name: str) -> None:
    whole = made(**PICTURES[name])
    sniffed = sniff_content_type(whole[:4096], "")

    assert await metadata_of(library, whole[:9], sniffed) is None


def _png_of(width: int, height: int) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", width, height) + bytes(100)


@pytest.mark.parametrize(("width", "height"), [(0, 5), (5, 0), (2**24 + 1, 5), (5, 2**32 - 1)])
async def test_edges_that_no_picture_has_are_not_told(library: Library, width: int, height: int) -> None:
    assert await metadata_of(library, _png_of(5, 5)) == {"kind": "image", "width": 5, "height": 5}
    assert await metadata_of(library, _png_of(width, height)) is None


@pytest.mark.parametrize("name", sorted(MEASURED_TYPES))
@settings(max_examples=30)
@given(content=st.binary(max_size=200), start=st.integers(0, 40))
def test_whatever_bytes_say_a_reader_ends_with_measures_or_an_error_that_is_caught(
    name: str, content: bytes, start: int
) -> None:
    reader: Callable[[], Reader] = READERS[name]
    try:
        found = followed(reader(), bytes(start) + content)
    except (struct.error, IndexError, ValueError):
        return
    assert found is None or isinstance(found, Measures)


@pytest.mark.parametrize("name", FILMS)
@settings(max_examples=30)
@given(places=st.lists(st.tuples(st.integers(0, 1500), st.integers(0, 255)), min_size=1, max_size=8))
def test_a_film_with_damage_anywhere_is_no_trouble(name: str, places: list[tuple[int, int]]) -> None:
    content = bytearray((MEDIA / name).read_bytes())
    for at, value in places:
        content[at % len(content)] = value
    try:
        followed(READERS[sniff_content_type((MEDIA / name).read_bytes()[:4096], "")](), bytes(content))
    except (struct.error, IndexError, ValueError):
        return
