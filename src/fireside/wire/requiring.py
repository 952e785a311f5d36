"""What a submit asks of its worker, the same in all dialects that have a place for it."""

from collections.abc import Mapping
from typing import Annotated

from msgspec import Meta

from fireside.domain.workers import BYTES_PER_GB, WorkerWish

VRAM = "vram_gb"
_MOST_GB = 10_000

Require = Annotated[
    dict[
        Annotated[str, Meta(min_length=1, max_length=100)],
        Annotated[str, Meta(max_length=100)] | Annotated[float, Meta(gt=0, le=_MOST_GB)],
    ],
    Meta(
        max_length=20,
        description="Labels that the worker must have, with their values, which are texts; and as `vram_gb`, a number,"
        " how many GB of video memory its device must have at least (of 10^9 bytes, in all and not just free).",
    ),
]


def check_require(require: Mapping[str, str | float]) -> None:
    """Raise `ValueError` for a number that is no memory, and for memory that is no number."""
    for name, value in require.items():
        if name == VRAM and isinstance(value, str):
            raise ValueError(f"`require.{VRAM}` is a number of GB, such as 16, and no text")
        if name != VRAM and not isinstance(value, str):
            raise ValueError(f'the label `{name}` in `require` must have a text as its value, such as "{value:g}"')


def wish_of(require: Mapping[str, str | float]) -> WorkerWish:
    """Read what has been checked."""
    labels = {name: value for name, value in require.items() if isinstance(value, str)}
    vram = require.get(VRAM, 0.0)
    assert not isinstance(vram, str)
    return WorkerWish(labels=labels, vram_bytes=round(vram * BYTES_PER_GB))
