"""How the benches measure: both sides in turns, the best or the middle of them, and a table at the end.

Other work on the machine only ever adds, and adds to both sides; so a bench compares with a plain way in the same run
and its figures are worth most as ratios.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import structlog

Work = Callable[[], Awaitable[object]]

_NAME_WIDTH = 44
_CELL_WIDTH = 12


async def seconds_of(work: Work) -> float:
    """Time one piece of work."""
    begun = time.perf_counter()
    await work()
    return time.perf_counter() - begun


async def take_turns(rounds: int, ways: Mapping[str, Work]) -> dict[str, list[float]]:
    """Do every way once a round, and give the seconds each of them took."""
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            taken[name].append(await seconds_of(way))
    return taken


async def best_of(rounds: int, ways: Mapping[str, Work]) -> dict[str, float]:
    """Do every way once a round, and give the fewest seconds each of them took."""
    return {name: min(seconds) for name, seconds in (await take_turns(rounds, ways)).items()}


def middle(values: Sequence[float]) -> float:
    """Give the median."""
    return statistics.median(values)


def high(values: Sequence[float]) -> float:
    """Give the value that 95 of 100 do not exceed."""
    return sorted(values)[min(len(values) - 1, len(values) * 95 // 100)]


def ms(seconds: float) -> str:
    """Write a time in milliseconds."""
    return f"{seconds * 1000:,.2f}"


def ratio(ours: float, baseline: float) -> str:
    """Write how many times the baseline something is."""
    return f"{ours / baseline:,.2f}"


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], *, width: int = _CELL_WIDTH) -> None:
    """Print rows whose first cell is a name and whose others are figures."""
    print(f"\n{title:<{_NAME_WIDTH}}" + "".join(f"{column:>{width}}" for column in columns))
    for name, *figures in rows:
        print(f"{name:<{_NAME_WIDTH}}" + "".join(f"{figure:>{width}}" for figure in figures))
    sys.stdout.flush()


def hide_logs() -> None:
    """Write what the parts of a server in this process log as a server does, and to nowhere."""
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger("info"),
        logger_factory=structlog.PrintLoggerFactory(Path(os.devnull).open("w")),  # noqa: SIM115 - for the whole process
    )


def parser_of(name: str, text: str | None) -> argparse.ArgumentParser:
    """Make the parser of one bench, with what all of them take."""
    parser = argparse.ArgumentParser(
        prog=f"python -m bench.{name}", description=text, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, help="where the data goes while it runs, as the disk matters")
    return parser


@contextmanager
def work_folder(parent: Path | None) -> Generator[Path]:
    """Make a folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="fireside-bench-", dir=parent) as folder:
        yield Path(folder)
