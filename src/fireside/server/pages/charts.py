"""Charts as numbers for the templates: shapes in a field of 1000 by 100, and what stands beside it. Pure.

A field is stretched to the room there is, so nothing that is read stands in it: scales are text around it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 1000, 100
_GAP = 0.15
_LEAST_PERCENT = 0.5
_STEPS = (2, 4, 6, 8, 10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One bar, and what it says."""

    x: float
    width: float
    y: float
    height: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """What the height of a field means: the value at its top, and the words for top, middle and bottom."""

    top: float
    words: tuple[str, str, str]


def scale_of(values: Sequence[float], *, at_least: float = 0) -> Scale:
    """Choose a round value that is not below any, and whose half is round as well."""
    largest = max([*values, at_least])
    unit = 1.0
    while unit * _STEPS[-1] < largest:
        unit *= 10
    while 0 < largest <= unit * _STEPS[-1] / 10:
        unit /= 10
    top = next(step * unit for step in _STEPS if step * unit >= largest) if largest else float(_STEPS[0])
    return Scale(top=top, words=(_word(top), _word(top / 2), "0"))


def bars(values: Sequence[float], texts: Sequence[str], scale: Scale) -> list[Bar]:
    """Give a bar for each value; what is there and small stays visible."""
    step = WIDTH / max(1, len(values))
    made: list[Bar] = []
    for number, (value, text) in enumerate(zip(values, texts, strict=True)):
        height = max(HEIGHT * value / scale.top, 1.0) if value else 0.0
        made.append(
            Bar(
                x=round(number * step + step * _GAP / 2, 2),
                width=round(step * (1 - _GAP), 2),
                y=round(HEIGHT - height, 2),
                height=round(height, 2),
                text=text,
            )
        )
    return made


def stack(values: Sequence[float], whole: float) -> list[tuple[float, float]]:
    """Give begin and width, in percent, of parts that stand side by side; what is there and small stays visible."""
    made: list[tuple[float, float]] = []
    begin = 0.0
    for value in values:
        width = min(100 - begin, max(100 * value / whole, _LEAST_PERCENT)) if value > 0 < whole else 0.0
        made.append((round(begin, 2), round(width, 2)))
        begin += width
    return made


def silhouette(values: Sequence[float | None], scale: Scale) -> str:
    """Give the path of an area of steps; where nothing is known there is a gap."""
    step = WIDTH / max(1, len(values))
    parts: list[str] = []
    is_drawing = False
    for number, value in enumerate(values):
        left, right = round(number * step, 2), round((number + 1) * step, 2)
        if value is None:
            parts += [f"V{HEIGHT}Z"] if is_drawing else []
        else:
            parts += [] if is_drawing else [f"M{left} {HEIGHT}"]
            parts.append(f"V{round(HEIGHT - HEIGHT * value / scale.top, 2)}H{right}")
        is_drawing = value is not None
    return "".join([*parts, f"V{HEIGHT}Z"] if is_drawing else parts)


def _word(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:,.3g}"
