"""Files of boxes within boxes (ISO/IEC 14496-12): MP4, QuickTime, and the pictures AVIF and HEIC."""

import struct
from collections.abc import Generator
from dataclasses import dataclass

from fireside.assets.measures.looks import Look, Measures, Reader, of_edges, seconds_of

_TO_THE_END = 0
_LARGE = 1
_FULL_BOX_BYTES = 4


@dataclass(frozen=True, slots=True)
class _Box:
    kind: bytes
    begin: int
    end: int


def picture() -> Reader:
    """Find the largest extent that the file tells of; the parts of a picture made of tiles have their own."""
    largest: Measures | None = None
    for box in (yield from _path(b"meta", b"iprp", b"ipco")):
        for extent in (yield from _children(box, b"ispe")):
            body = yield Look(at=extent.begin + _FULL_BOX_BYTES, count=8)
            largest = _larger(largest, of_edges(*struct.unpack(">II", body)))
    return largest


def film() -> Reader:
    """Read how long the film is, and the size of its largest track."""
    largest: Measures | None = None
    duration: float | None = None
    for movie in (yield from _children(_Box(b"", 0, _TO_THE_END), b"moov", most=1)):
        for header in (yield from _children(movie, b"mvhd", most=1)):
            duration = yield from _duration(header)
        for track in (yield from _children(movie, b"trak")):
            for header in (yield from _children(track, b"tkhd", most=1)):
                body = yield Look(at=header.end - 8, count=8)
                width, height = struct.unpack(">II", body)
                largest = _larger(largest, of_edges(width >> 16, height >> 16))  # 16 bits of each are a fraction
    if largest is None and duration is None:
        return None
    return Measures(
        width=largest.width if largest else None, height=largest.height if largest else None, duration=duration
    )


def _duration(header: _Box) -> Generator[Look, bytes, float | None]:
    body = yield Look(at=header.begin, count=32)
    scale, units = struct.unpack_from(">IQ", body, 20) if body[0] == 1 else struct.unpack_from(">II", body, 12)
    return seconds_of(units, scale)


def _path(*kinds: bytes) -> Generator[Look, bytes, list[_Box]]:
    """Find the boxes at the end of a path of kinds."""
    boxes = [_Box(b"", 0, _TO_THE_END)]
    for kind in kinds:
        found: list[_Box] = []
        for box in boxes:
            inner = _Box(box.kind, box.begin + _FULL_BOX_BYTES, box.end) if box.kind == b"meta" else box
            found += yield from _children(inner, kind, most=1)
        boxes = found
    return boxes


def _children(parent: _Box, kind: bytes, *, most: int = 64) -> Generator[Look, bytes, list[_Box]]:
    """List the boxes of a kind right within another; up to the end of the file where the parent has no end."""
    found: list[_Box] = []
    at = parent.begin
    while len(found) < most and (parent.end == _TO_THE_END or at + 8 <= parent.end):
        header = yield Look(at=at, count=16)
        if len(header) < 8:
            break
        (size,), begin = struct.unpack_from(">I", header), at + 8
        if size == _LARGE:
            (size,), begin = struct.unpack_from(">Q", header, 8), at + 16
        end = parent.end if size == _TO_THE_END else at + size
        if header[4:8] == kind:
            found.append(_Box(kind, begin, end))
        if size == _TO_THE_END or end < begin:
            break
        at = end
    return found


def _larger(one: Measures | None, other: Measures | None) -> Measures | None:
    if one is None or other is None:
        return one or other
    return max(one, other, key=lambda measures: (measures.width or 0) * (measures.height or 0))
