import pytest

from fireside.blobs.sniff import is_inline_safe, sniff_content_type

MP4 = b"\0\0\0\x20ftyp"


@pytest.mark.parametrize(
    ("head", "content_type"),
    [
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
        (b"RIFF\0\0\0\0WAVEfmt ", "audio/wav"),
        (MP4 + b"avif", "image/avif"),
        (MP4 + b"isom", "video/mp4"),
        (MP4 + b"qt  ", "video/quicktime"),
        (MP4 + b"M4A ", "audio/mp4"),
        (b"\x1aE\xdf\xa3\x01\0\0\0\0\0\0\x1fB\x82\x84webm", "video/webm"),
        (b"\x1aE\xdf\xa3\x01\0\0\0\0\0\0\x1fB\x82\x88matroska", "video/x-matroska"),
        (b"OggS\0\x02", "audio/ogg"),
        (b"fLaC", "audio/flac"),
        (b"ID3\x04", "audio/mpeg"),
        (b"\xff\xfb\x90\x64", "audio/mpeg"),
        (b"BM" + bytes(12) + b"\x28\0\0\0", "image/bmp"),
        (b"II*\0", "image/tiff"),
        (b"glTF\x02", "model/gltf-binary"),
        (b"%PDF-1.7", "application/pdf"),
        (b"PK\x03\x04", "application/zip"),
        (b"\x10\0\0\0\0\0\0\0{}", "application/vnd.safetensors"),
        (b'{"a": 1}', "text/plain"),
        ("naïve".encode()[:3], "text/plain"),
        (b"\0\1\2\3", "application/octet-stream"),
    ],
)
def test_bytes_tell_what_they_are(head: bytes, content_type: str) -> None:
    assert sniff_content_type(head, "file") == content_type


def test_a_name_only_tells_kinds_of_text_apart() -> None:
    assert sniff_content_type(b'{"a": 1}', "graph.JSON") == "application/json"
    assert sniff_content_type(b"hello", "picture.png") == "text/plain"


@pytest.mark.parametrize("name", ["x.html", "x.svg", "x.js", "x.png"])
@pytest.mark.parametrize(
    "head", [b"<!doctype html><script>", b"<svg xmlns='http://www.w3.org/2000/svg'>", b"<?xml version='1.0'?>", b"x=1"]
)
def test_nothing_a_browser_would_run_is_named_or_shown(head: bytes, name: str) -> None:
    assert not is_inline_safe(sniff_content_type(head, name))
    assert sniff_content_type(head, name) == "text/plain"


def test_a_polyglot_is_what_its_first_bytes_are() -> None:
    assert sniff_content_type(b"GIF89a/*<script>alert(1)</script>*/=1", "x.html") == "image/gif"


@pytest.mark.parametrize("content_type", ["text/html", "image/svg+xml", "text/javascript", "application/pdf", ""])
def test_types_off_the_list_are_not_shown(content_type: str) -> None:
    assert not is_inline_safe(content_type)
