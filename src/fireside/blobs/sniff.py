"""What bytes are, told from the bytes alone, because names and declared types are the word of a stranger.

Nothing a browser would run is ever named here: HTML, SVG and scripts are `text/plain` or `application/octet-stream`.
A polyglot gets the type of its first bytes; the headers of its answer (`server.content`) make the rest harmless.
"""

import json
from collections.abc import Callable

OCTET_STREAM = "application/octet-stream"

_INLINE_SAFE = frozenset(
    {
        "audio/flac", "audio/mp4", "audio/mpeg", "audio/ogg", "audio/wav",
        "image/avif", "image/bmp", "image/gif", "image/jpeg", "image/png", "image/tiff", "image/webp",
        "video/mp4", "video/ogg", "video/quicktime", "video/webm", "video/x-matroska",
    }
)  # fmt: skip
_STARTS: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"fLaC", "audio/flac"),
    (b"ID3", "audio/mpeg"),
    (b"glTF", "model/gltf-binary"),
    (b"%PDF-", "application/pdf"),
    (b"PK\x03\x04", "application/zip"),
    (b"PK\x05\x06", "application/zip"),
    (b"\x1f\x8b", "application/gzip"),
)
_RIFF = {b"WEBP": "image/webp", b"WAVE": "audio/wav", b"AVI ": "video/x-msvideo"}
_MP4_BRANDS = {
    b"avif": "image/avif", b"avis": "image/avif", b"qt  ": "video/quicktime", b"M4A ": "audio/mp4",
    b"M4B ": "audio/mp4",
    b"heic": "image/heic", b"heix": "image/heic", b"mif1": "image/heif",
}  # fmt: skip
_PLAIN_TEXT_CONTROLS = frozenset(b"\t\n\f\r\x1b")


def sniff_content_type(head: bytes, name: str) -> str:
    """Name the content type of a file from its first bytes; `name` only tells kinds of plain text apart."""
    for start, content_type in _STARTS:
        if head.startswith(start):
            return content_type
    for sniff in (_riff, _mp4, _matroska, _ogg, _bmp, _mp3, _safetensors):
        if (found := sniff(head)) is not None:
            return found
    return _text(head, name)


def is_inline_safe(content_type: str) -> bool:
    """Tell whether a browser may show this type in place: pictures, video and sound that cannot carry a script."""
    return content_type in _INLINE_SAFE


def _riff(head: bytes) -> str | None:
    return _RIFF.get(head[8:12]) if head.startswith(b"RIFF") else None


def _mp4(head: bytes) -> str | None:
    return _MP4_BRANDS.get(head[8:12], "video/mp4") if head[4:8] == b"ftyp" else None


def _matroska(head: bytes) -> str | None:
    if not head.startswith(b"\x1aE\xdf\xa3"):
        return None
    return "video/webm" if b"webm" in head[:64] else "video/x-matroska"


def _ogg(head: bytes) -> str | None:
    if not head.startswith(b"OggS"):
        return None
    return "video/ogg" if b"\x80theora" in head[:256] else "audio/ogg"


def _bmp(head: bytes) -> str | None:
    # Two letters are too little: the reserved words must be zero and the header's length a known one.
    known = head.startswith(b"BM") and head[6:10] == bytes(4) and head[14:18] in _BMP_HEADERS
    return "image/bmp" if known else None


def _mp3(head: bytes) -> str | None:
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE6 != 0xE2:  # eleven bits of sync, layer III
        return None
    is_valid = head[1] & 0x18 != 0x08 and head[2] & 0xF0 != 0xF0 and head[2] & 0x0C != 0x0C
    return "audio/mpeg" if is_valid else None


def _safetensors(head: bytes) -> str | None:
    length = int.from_bytes(head[:8], "little")
    is_header = len(head) > 8 and 2 <= length <= 100_000_000 and head[8:9] == b"{"
    return "application/vnd.safetensors" if is_header else None


def _text(head: bytes, name: str) -> str:
    if not _is_text(head):
        return OCTET_STREAM
    ending = name.lower().rpartition(".")[2]
    return "application/json" if ending == "json" and _looks_like_json(head) else "text/plain"


def _is_text(head: bytes) -> bool:
    if any(byte < 0x20 and byte not in _PLAIN_TEXT_CONTROLS for byte in head):
        return False
    try:
        head.decode()
    except UnicodeDecodeError as error:
        return error.end == len(head) and error.reason == "unexpected end of data"  # cut in the middle of a letter
    return True


def _looks_like_json(head: bytes) -> bool:
    begin = head.lstrip()
    if begin[:1] in (b"{", b"["):
        return True
    loads: Callable[[bytes], object] = json.loads
    try:
        loads(head)
    except ValueError:
        return False
    return True


_BMP_HEADERS = frozenset(length.to_bytes(4, "little") for length in (12, 40, 52, 56, 64, 108, 124))
