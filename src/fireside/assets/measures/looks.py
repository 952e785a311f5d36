"""What a reader of headers asks for, and what it may find."""

import math
from collections.abc import Generator
from dataclasses import dataclass
from typing import Literal

Kind = Literal["image", "video", "audio"]
_MOST_EDGE = 2**24


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Some bytes to be read: `count` of them from `at`. Fewer come where the file ends."""

    at: int
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """What a header says; a part that it does not say is None. `duration` is in seconds."""

    width: int | None = None
    height: int | None = None
    duration: float | None = None
    sample_rate: int | None = None
    channels: int | None = None


Reader = Generator[Look, bytes, Measures | None]


def of_edges(width: int, height: int) -> Measures | None:
    """Give the measures of a picture; None for edges that no picture has."""
    return Measures(width=width, height=height) if is_edge(width) and is_edge(height) else None


def is_edge(length: int) -> bool:
    """Whether a picture may be so many pixels wide or high."""
    return 0 < length <= _MOST_EDGE


def seconds_of(units: float, units_a_second: float) -> float | None:
    """Give a duration in seconds, to the millisecond; None when the header does not know it."""
    if units_a_second <= 0:
        return None
    seconds = units / units_a_second
    return round(seconds, 3) if math.isfinite(seconds) and seconds > 0 else None
