"""The curves of `bench.listing` as one SVG picture: milliseconds over the number of jobs, both in powers of ten.

A line joins the medians over all pages; a band around it reaches from the cheapest page to the dearest. The ground is
white whatever the reader's theme, so that the colors keep their contrast.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from bench.listing_results import IN_MEMORY, Results
from bench.measuring import middle

_CURVES = (
    ("postgres plain SQL", "COUNT + OFFSET, PostgreSQL", "#c26a00"),
    ("sqlite plain SQL", "COUNT + OFFSET, SQLite", "#8f8f00"),
    (IN_MEMORY, "rebuild, filter, sort, slice", "#b3261e"),
    ("postgres HTTP", "Fireside over HTTP, PostgreSQL", "#1558b0"),
    ("sqlite HTTP", "Fireside over HTTP, SQLite", "#0b7a4b"),
)
_WIDTH, _HEIGHT = 980, 460
_LEFT, _RIGHT, _TOP, _BOTTOM = 90, 350, 40, 50
_LABEL_GAP = 17
_STYLE = "font-family:system-ui,sans-serif;font-size:13px"


@dataclass(frozen=True, slots=True)
class _Scale:
    """Where powers of ten lie on the picture."""

    low: float
    high: float
    begin: float
    end: float

    def at(self, value: float) -> float:
        """Give the place of a value."""
        return self.begin + (math.log10(value) - self.low) / (self.high - self.low) * (self.end - self.begin)

    def powers(self) -> range:
        """Give the powers of ten on it."""
        return range(math.ceil(self.low), math.floor(self.high) + 1)


@dataclass(frozen=True, slots=True)
class _Curve:
    """A way's cheapest, median and dearest page in milliseconds, by size."""

    label: str
    color: str
    points: Sequence[tuple[int, float, float, float]]


def draw(results: Results) -> str:
    """Draw what was measured."""
    curves = [curve for way, label, color in _CURVES if (curve := _curve(results, way, label, color)).points]
    sizes = [jobs for curve in curves for jobs, *_ in curve.points]
    values = [value for curve in curves for _, *three in curve.points for value in three]
    x = _Scale(math.log10(min(sizes)), math.log10(max(sizes)), _LEFT, _WIDTH - _RIGHT)
    y = _Scale(math.floor(math.log10(min(values))), math.ceil(math.log10(max(values))), _HEIGHT - _BOTTOM, _TOP)
    parts = [*_axes(x, y), *(part for curve in curves for part in _lines(curve, x, y)), *_labels(curves, y)]
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" style="{_STYLE}">'
    title = "<title>Milliseconds for a page of 100 jobs with its exact total, by the number of jobs</title>"
    return "\n".join([head, title, f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#fff"/>', *parts, "</svg>", ""])


def _curve(results: Results, way: str, label: str, color: str) -> _Curve:
    found = ((jobs, [1000 * seconds for seconds in results.medians(way, jobs)]) for jobs in results.sizes(way))
    return _Curve(label, color, [(jobs, pages[0], middle(pages), pages[-1]) for jobs, pages in found])


def _axes(x: _Scale, y: _Scale) -> Iterator[str]:
    for power in y.powers():
        at = y.at(10**power)
        yield f'<path d="M{x.begin},{at:.1f}H{x.end}" stroke="#ddd"/>'
        yield _text(x.begin - 8, at + 4, f"{10.0**power:,g} ms", "end")
    for power in x.powers():
        at = x.at(10**power)
        yield f'<path d="M{at:.1f},{y.begin}V{y.end}" stroke="#eee"/>'
        yield _text(at, y.begin + 20, f"{10**power:,}", "middle")
    yield _text((x.begin + x.end) / 2, y.begin + 40, "jobs of the user", "middle")
    yield _text(
        x.begin, _TOP - 18, "A page of 100 with its exact total: median page, and from the cheapest to the dearest"
    )


def _lines(curve: _Curve, x: _Scale, y: _Scale) -> Iterator[str]:
    low = [f"{x.at(jobs):.1f},{y.at(least):.1f}" for jobs, least, _, _ in curve.points]
    high = [f"{x.at(jobs):.1f},{y.at(most):.1f}" for jobs, _, _, most in reversed(curve.points)]
    line = [(x.at(jobs), y.at(median)) for jobs, _, median, _ in curve.points]
    yield f'<polygon points="{" ".join(low + high)}" fill="{curve.color}" fill-opacity="0.12"/>'
    points = " ".join(f"{left:.1f},{top:.1f}" for left, top in line)
    yield f'<polyline points="{points}" fill="none" stroke="{curve.color}" stroke-width="2.5"/>'
    for left, top in line:
        yield f'<circle cx="{left:.1f}" cy="{top:.1f}" r="3.5" fill="{curve.color}"/>'


def _labels(curves: Sequence[_Curve], y: _Scale) -> Iterator[str]:
    """Name each curve beside its end, none over another one's name."""
    free = float("-inf")
    for curve in sorted(curves, key=lambda curve: -curve.points[-1][2]):
        jobs, _, median, _ = curve.points[-1]
        free = max(y.at(median) + 4, free + _LABEL_GAP)
        words = f"{curve.label}: {median:,.0f} ms" if median >= 10 else f"{curve.label}: {median:.1f} ms"
        at_size = "" if jobs == max(one.points[-1][0] for one in curves) else f" at {jobs:,}"
        yield _text(_WIDTH - _RIGHT + 12, free, words + at_size, color=curve.color)


def _text(left: float, top: float, words: str, anchor: str = "start", *, color: str = "#333") -> str:
    return f'<text x="{left:.1f}" y="{top:.1f}" text-anchor="{anchor}" fill="{color}">{escape(words)}</text>'
