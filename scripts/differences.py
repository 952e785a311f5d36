"""Measure how far the builtin nodes' pixels are from a real ComfyUI's, and write it into docs/runtimes.md.

`python -m scripts.differences`, after `make comfyui`. What stands between `<!-- measured: differences -->` and
`<!-- end -->` is written here and by nobody else; tests/runtimes/beside measures again and compares.
"""

import os
import re
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from tests.runtimes.beside.corpus import cases, paint_corpus
from tests.runtimes.beside.differences import Ours, Row, compare
from tests.runtimes.beside.real_comfyui import running_comfyui
from tests.runtimes.beside.sheets import filled_sheets

DOCUMENT = Path(__file__).parents[1] / "docs" / "runtimes.md"
_PART = re.compile(r"(<!-- measured: differences -->\n).*?(<!-- end -->)", re.DOTALL)
_HEAD = ("node", "options", "pictures", "largest", "mean", "equal")


def main() -> None:
    """Measure and write."""
    home = Path(os.environ.get("COMFYUI_FOR_TESTS") or Path.home() / ".cache" / "fireside" / "comfyui")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "inputs").mkdir()
        inputs = paint_corpus(folder / "inputs")
        python = home / "venv" / "bin" / "python"
        with (
            running_comfyui(home / "ComfyUI", python, folder / "comfyui", folder / "inputs") as comfyui,
            Ours(folder / "ours") as ours,
        ):
            rows = compare(list(filled_sheets(cases(), nodes=150)), comfyui, ours, inputs)
    text = DOCUMENT.read_text("utf-8")
    DOCUMENT.write_text(_PART.sub(lambda part: f"{part[1]}{table_of(rows)}\n{part[2]}", text), "utf-8")


def table_of(rows: Iterable[Row]) -> str:
    """Print the rows as a table."""
    lines = [" | ".join(_HEAD), " | ".join("---" for _ in _HEAD)]
    for row in rows:
        mean = f"{row.mean:.6f}".rstrip("0").rstrip(".")
        # Rounded down, so that 100 % is said of equal pictures alone.
        equal = "100 %" if row.differing == 0 else f"{int(row.equal * 1e6) / 1e4:.4f} %"
        lines.append(f"`{row.node}` | {row.options} | {row.pictures} | {row.largest} | {mean} | {equal}")
    return "\n".join(f"| {line} |" for line in lines)


def documented_rows(table: str | None = None) -> list[Row]:
    """Read the rows of the document, or of a printed table: node, options and the largest difference."""
    if table is None:
        found = _PART.search(DOCUMENT.read_text("utf-8"))
        table = found[0] if found else ""
    cells = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if line.startswith("| `")
    ]
    return [
        Row(node.strip("`"), options, int(pictures), largest=int(largest))
        for node, options, pictures, largest, *_ in cells
    ]


if __name__ == "__main__":
    sys.exit(main())
