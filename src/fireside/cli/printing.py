"""How commands print: results on standard output, everything else on standard error.

Texts of others are printed as plain text, so that nothing in a name or an error message commands the terminal.
"""

import shutil
import sys
from datetime import UTC, datetime

from rich.console import Console
from rich.table import Table
from rich.text import Text

_WIDTH_WHEN_PIPED = 200
_SECONDS_END = 100_000_000_000


def say(message: str) -> None:
    """Tell the person at the terminal something that is not the command's result."""
    print("\n".join(plain(line) for line in message.splitlines()), file=sys.stderr, flush=True)


def give(result: str) -> None:
    """Print a result, at once: whoever started us may wait for it."""
    print(result, flush=True)


def program_name() -> str:
    """Name the program as the person can call it again: by its path where it is not on PATH."""
    called = sys.argv[0]
    return "fireside" if shutil.which("fireside") == shutil.which(called) else called


def print_table(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    """Print rows under their heads, as wide as the terminal; the first column is never cut."""
    console = Console(width=None if sys.stdout.isatty() else _WIDTH_WHEN_PIPED, highlight=False)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for number, head in enumerate(heads):
        table.add_column(head, no_wrap=number == 0)
    for row in rows:
        table.add_row(*(Text(plain(cell)) for cell in row))
    console.print(table)


def plain(text: str) -> str:
    """Put a text of somebody else on one line, without control characters."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def local_time(at: datetime | None) -> str:
    """Write a time as a person here reads it; a time that has not come is a dash."""
    return "-" if at is None else at.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def time_of_unix(value: float) -> datetime:
    """Read a Unix time in seconds or milliseconds: which of them depends on who asked the server."""
    return datetime.fromtimestamp(value / 1000 if value >= _SECONDS_END else value, UTC)
