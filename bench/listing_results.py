"""What `bench.listing` has found: kept in a file, printed side by side, and judged."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

import msgspec
from bench.measuring import middle, ms, print_table, ratio
from bench.pages import PAGES

ALIVE = "/healthz"
DATABASES = ("sqlite", "postgres")
IN_MEMORY = "in memory"
_WIDTH = 22
_TIMES, _MORE_SECONDS = 1.5, 0.002
_MOST_SECONDS = {"sqlite": 0.005, "postgres": 0.010}

Taken = dict[tuple[str, int], list[list[float]]]
"""Seconds of the calls of each round, by page and size of the history."""


class Figure(msgspec.Struct, frozen=True):
    """What a page took: the median of a round's calls, in the round where it was least, and what 99 of 100 kept to."""

    p50: float
    p99: float

    @classmethod
    def of(cls, rounds: Sequence[Sequence[float]]) -> Self:
        """Sum up the rounds."""
        calls = sorted(seconds for taken in rounds for seconds in taken)
        return cls(p50=min(middle(taken) for taken in rounds), p99=calls[min(len(calls) - 1, len(calls) * 99 // 100)])


class Results(msgspec.Struct):
    """Figures by way, page and size; and how many jobs each page was cut from, by page and size."""

    figures: dict[str, dict[str, dict[int, Figure]]] = {}
    totals: dict[str, dict[int, int]] = {}

    @classmethod
    def read(cls, path: Path | None) -> Self:
        """Read what was kept, if there is such a file."""
        if path is None or not path.exists():
            return cls()
        return msgspec.json.decode(path.read_bytes(), type=cls)

    def write(self, path: Path | None) -> None:
        """Keep it for a later run."""
        if path is not None:
            path.write_bytes(msgspec.json.format(msgspec.json.encode(self)))

    def note(self, way: str, taken: Taken) -> None:
        """Add what was measured, instead of what was there."""
        for (page, jobs), rounds in taken.items():
            self.figures.setdefault(way, {}).setdefault(page, {})[jobs] = Figure.of(rounds)

    def sizes(self, way: str) -> list[int]:
        """Give the sizes that a way was measured at."""
        return sorted({jobs for found in self.figures.get(way, {}).values() for jobs in found})

    def medians(self, way: str, jobs: int) -> list[float]:
        """Give what each page took at a size, the cheapest first."""
        pages = (found for page, found in self.figures.get(way, {}).items() if page != ALIVE)
        return sorted(found[jobs].p50 for found in pages if jobs in found)


def print_results(results: Results) -> None:
    """Print each way's figures, and how much more the largest history takes than the smallest."""
    for way, pages in results.figures.items():
        sizes = results.sizes(way)
        columns = [f"{jobs:,}" for jobs in sizes]
        ratios = [f"x {sizes[0]:,}"] if len(sizes) > 1 else []
        rows = [(page, *_cells(found, sizes)) for page, found in pages.items()]
        print_table(f"{way}, ms (p50 p99)", [*columns, *ratios], rows, width=_WIDTH)


def _cells(found: Mapping[int, Figure], sizes: Sequence[int]) -> list[str]:
    cells = [f"{ms(found[jobs].p50)} {ms(found[jobs].p99):>9}" if jobs in found else "" for jobs in sizes]
    if len(sizes) > 1 and sizes[0] in found and sizes[-1] in found:
        cells.append(ratio(found[sizes[-1]].p50, found[sizes[0]].p50))
    return cells


def violations(results: Results) -> list[str]:
    """Say which figures are above what they must keep to."""
    broken: list[str] = []
    for database in DATABASES:
        for page in PAGES:
            broken += _grown(f"{database} HTTP", page.name, results)
            for jobs, figure in results.figures.get(f"{database} store", {}).get(page.name, {}).items():
                if figure.p50 > _MOST_SECONDS[database]:
                    broken.append(f"{database} store, {page.name}: {ms(figure.p50)} ms at {jobs:,} jobs")
    return broken


def _grown(way: str, page: str, results: Results) -> list[str]:
    found = results.figures.get(way, {}).get(page, {})
    if len(found) < 2:
        return []
    small, large = found[min(found)].p50, found[max(found)].p50
    if large <= max(_TIMES * small, small + _MORE_SECONDS):
        return []
    return [f"{way}, {page}: {ms(large)} ms at {max(found):,} jobs, {ms(small)} ms at {min(found):,}"]
