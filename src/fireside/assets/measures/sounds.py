"""How long sound plays, by the headers of WAV and FLAC. MP3 and Ogg say it nowhere but at their end, if at all."""

import struct

from fireside.assets.measures.looks import Look, Measures, Reader, seconds_of

_UNKNOWN = 0xFFFFFFFF  # so programs write that do not know the end when they begin


def wav() -> Reader:
    """Step over chunks until the samples; how many bytes a second has stands before them."""
    at = 12
    channels = sample_rate = bytes_a_second = 0
    while True:
        kind, size = struct.unpack("<4sI", (yield Look(at=at, count=8)))
        if kind == b"fmt ":
            channels, sample_rate, bytes_a_second = struct.unpack("<HII", (yield Look(at=at + 10, count=10)))
        if kind == b"data":
            is_known = size != _UNKNOWN
            return _sound(seconds_of(size, bytes_a_second) if is_known else None, sample_rate, channels)
        at += 8 + size + size % 2


def flac() -> Reader:
    """Read the block that comes first: 20 bits of rate, 3 of channels, 5 of depth, 36 of samples."""
    bits = int.from_bytes((yield Look(at=18, count=8)))
    sample_rate = bits >> 44
    return _sound(seconds_of(bits & (1 << 36) - 1, sample_rate), sample_rate, (bits >> 41 & 7) + 1)


def _sound(duration: float | None, sample_rate: int, channels: int) -> Measures | None:
    if not sample_rate or not channels:
        return None
    return Measures(duration=duration, sample_rate=sample_rate, channels=channels)
