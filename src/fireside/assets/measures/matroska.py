"""Matroska and WebM: elements within elements (RFC 8794, RFC 9559); ids and sizes are as long as they need to be."""

import struct
from dataclasses import dataclass

from fireside.assets.measures.looks import Look, Measures, Reader, of_edges, seconds_of

_SEGMENT, _INFO, _TRACKS, _TRACK, _VIDEO, _CLUSTER = 0x18538067, 0x1549A966, 0x1654AE6B, 0xAE, 0xE0, 0x1F43B675
_SCALE, _DURATION, _WIDTH, _HEIGHT = 0x2AD7B1, 0x4489, 0xB0, 0xBA
_PARENTS = frozenset({_SEGMENT, _INFO, _TRACKS, _TRACK, _VIDEO})
_VALUES = frozenset({_SCALE, _DURATION, _WIDTH, _HEIGHT})
_NANOSECONDS = 1_000_000_000
_USUAL_SCALE = 1_000_000
_LONGEST_NUMBER = 8


@dataclass(frozen=True, slots=True)
class _Element:
    id: int
    begin: int
    size: int | None


def film() -> Reader:
    """Read elements, and what is within those that matter, up to the first pictures or the end."""
    values: dict[int, bytes] = {}
    at = 0
    while (element := _element((yield Look(at=at, count=16)), at)) is not None and element.id != _CLUSTER:
        at = element.begin
        if element.id in _PARENTS:
            continue
        if element.size is None:
            break
        if element.id in _VALUES and element.size <= _LONGEST_NUMBER:
            # The first track with pictures counts.
            values.setdefault(element.id, (yield Look(at=at, count=element.size)))
        at += element.size
    return _measures(values)


def _measures(values: dict[int, bytes]) -> Measures | None:
    numbers = {name: int.from_bytes(value) for name, value in values.items()}
    edges = of_edges(numbers.get(_WIDTH, 0), numbers.get(_HEIGHT, 0))
    scale = numbers.get(_SCALE, _USUAL_SCALE)
    duration = seconds_of(_float(values.get(_DURATION, b"")) * scale, _NANOSECONDS)
    if edges is None and duration is None:
        return None
    return Measures(width=edges and edges.width, height=edges and edges.height, duration=duration)


def _element(header: bytes, at: int) -> _Element | None:
    """Read the id and the size of an element; the size of one that is written while it grows is not known."""
    id_bytes = _length(header[:1])
    size_bytes = _length(header[id_bytes : id_bytes + 1])
    if not id_bytes or not size_bytes or len(header) < id_bytes + size_bytes:
        return None
    mask = (1 << 7 * size_bytes) - 1
    size = int.from_bytes(header[id_bytes : id_bytes + size_bytes]) & mask
    begin = at + id_bytes + size_bytes
    return _Element(int.from_bytes(header[:id_bytes]), begin, None if size == mask else size)


def _length(first: bytes) -> int:
    """Say how many bytes a number has: one more than its first byte has leading zeros; 0 for none."""
    return 9 - first[0].bit_length() if first and first[0] else 0


def _float(value: bytes) -> float:
    if len(value) not in (4, 8):
        return 0.0
    (number,) = struct.unpack(">f" if len(value) == 4 else ">d", value)
    return number
