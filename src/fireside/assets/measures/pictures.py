"""The edges of pictures, by the headers of PNG, JPEG, GIF, BMP, WebP and TIFF. As stored: a rotation is not applied."""

import struct

from fireside.assets.measures.looks import Look, Measures, Reader, of_edges

_HEADER = Look(at=0, count=32)
_BMP_OF_OS2 = 12
_WEBP_START = b"\x9d\x01\x2a"
_WEBP_LOSSLESS = 0x2F
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD9)})
_JPEG_PIXELS = frozenset({0xD9, 0xDA})
_TIFF_SHORT, _TIFF_LONG = 3, 4
_TIFF_WIDTH, _TIFF_HEIGHT = 256, 257
_TIFF_ENTRY_BYTES = 12
_MOST_TIFF_ENTRIES = 256


def png() -> Reader:
    """Read the first chunk, which is the header."""
    header = yield _HEADER
    if header[12:16] != b"IHDR":
        return None
    return of_edges(*struct.unpack_from(">II", header, 16))


def gif() -> Reader:
    """Read the logical screen."""
    header = yield _HEADER
    return of_edges(*struct.unpack_from("<HH", header, 6))


def bmp() -> Reader:
    """Read the header; a picture that is stored from its top has a negative height."""
    header = yield _HEADER
    (length,) = struct.unpack_from("<I", header, 14)
    width, height = struct.unpack_from("<HH" if length == _BMP_OF_OS2 else "<ii", header, 18)
    return of_edges(width, abs(height))


def webp() -> Reader:
    """Read the first chunk: of an extended file, a lossy one or one without loss."""
    header = yield _HEADER
    kind = header[12:16]
    if kind == b"VP8X":
        return of_edges(1 + int.from_bytes(header[24:27], "little"), 1 + int.from_bytes(header[27:30], "little"))
    if kind == b"VP8 " and header[23:26] == _WEBP_START:
        width, height = struct.unpack_from("<HH", header, 26)
        return of_edges(width & 0x3FFF, height & 0x3FFF)
    if kind == b"VP8L" and header[20] == _WEBP_LOSSLESS:
        (bits,) = struct.unpack_from("<I", header, 21)
        return of_edges(1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF))
    return None


def jpeg() -> Reader:
    """Step over segments until the one that begins the picture."""
    at = 2
    while True:
        marker, kind, length = struct.unpack(">BBH", (yield Look(at=at, count=4)))
        if marker != 0xFF or kind in _JPEG_PIXELS:
            return None
        if kind in _JPEG_FRAMES:
            height, width = struct.unpack(">HH", (yield Look(at=at + 5, count=4)))
            return of_edges(width, height)
        if kind == 0xFF:  # padding
            at += 1
        else:
            at += 2 if kind in _JPEG_WITHOUT_LENGTH else 2 + length


def tiff() -> Reader:
    """Read the first directory."""
    header = yield _HEADER
    order = "<" if header.startswith(b"II") else ">"
    (directory,) = struct.unpack_from(f"{order}I", header, 4)
    (count,) = struct.unpack(f"{order}H", (yield Look(at=directory, count=2)))
    entries = yield Look(at=directory + 2, count=min(count, _MOST_TIFF_ENTRIES) * _TIFF_ENTRY_BYTES)
    return _edges_in(entries, order)


def _edges_in(entries: bytes, order: str) -> Measures | None:
    edges: dict[int, int] = {}
    for at in range(0, len(entries) - _TIFF_ENTRY_BYTES + 1, _TIFF_ENTRY_BYTES):
        tag, kind = struct.unpack_from(f"{order}HH", entries, at)
        if tag in (_TIFF_WIDTH, _TIFF_HEIGHT) and kind in (_TIFF_SHORT, _TIFF_LONG):
            (edges[tag],) = struct.unpack_from(f"{order}{'H' if kind == _TIFF_SHORT else 'I'}", entries, at + 8)
    return of_edges(edges.get(_TIFF_WIDTH, 0), edges.get(_TIFF_HEIGHT, 0))
