"""The office of `bench.scheduler` as one SVG picture: four panels of bars, one bar for each policy.

The ground is white whatever the reader's theme, so that the colors keep their contrast.
"""

from collections.abc import Iterator, Mapping
from html import escape

_PANELS = (
    ("jobs finished", "#0b7a4b", "{:,.0f}", 1.0),
    ("time lost to loading", "#c26a00", "{:.1f} %", 100.0),
    ("wait of interactive users, p95", "#1558b0", "{:,.0f} s", 1.0),
    ("Jain's index of those who flood", "#6b4ea0", "{:.2f}", 1.0),
)
_NAMES, _PANEL, _GAP = 130, 205, 16
_TOP, _ROW, _BAR = 56, 30, 18
_STYLE = "font-family:system-ui,sans-serif;font-size:12px"


def draw(found: Mapping[str, tuple[float, float, float, float]]) -> str:
    """Draw jobs, share of loading, wait and Jain's index of each policy."""
    width = _NAMES + len(_PANELS) * (_PANEL + _GAP)
    height = _TOP + _ROW * len(found) + 10
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" style="{_STYLE}">'
    title = "Eight workers, two hours, four users who flood and five who wait for each picture: means over seeds"
    parts = [_text(8, 18, title), *_rows(found)]
    for number in range(len(_PANELS)):
        parts += _panel(number, [values[number] for values in found.values()])
    ground = f'<rect width="{width}" height="{height}" fill="#fff"/>'
    return "\n".join([head, f"<title>{title}</title>", ground, *parts, "</svg>", ""])


def _rows(names: Mapping[str, object]) -> Iterator[str]:
    for row, name in enumerate(names):
        yield _text(_NAMES - 8, _TOP + _ROW * row + 14, name, "end")


def _panel(number: int, values: list[float]) -> Iterator[str]:
    words, color, form, factor = _PANELS[number]
    left = _NAMES + number * (_PANEL + _GAP)
    # Beyond twice the second largest a bar would leave nothing of the others to see.
    most = min(max(values), 2 * sorted(values)[-2]) or 1.0
    yield _text(left, _TOP - 12, words)
    for row, value in enumerate(values):
        top = _TOP + _ROW * row
        length = (_PANEL - 60) * min(value / most, 1.0)
        yield f'<rect x="{left}" y="{top}" width="{length:.1f}" height="{_BAR}" fill="{color}"/>'
        yield _text(left + length + 5, top + 14, form.format(factor * value) + (" …" if value > most else ""))


def _text(left: float, top: float, words: str, anchor: str = "start") -> str:
    return f'<text x="{left:.1f}" y="{top:.1f}" text-anchor="{anchor}" fill="#333">{escape(words)}</text>'
