"""The example of the README, run as it stands there, against a server started as the README says."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.databases import Databases, data_dir_of

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "src" / "fireside" / "examples"
_SECONDS = 400
_SCRIPT = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def _run(command: list[str], cwd: Path, chosen: dict[str, str]) -> str:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("FIRESIDE_")}
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=_SECONDS, cwd=cwd, env=clean | chosen, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _fireside(*arguments: str, cwd: Path, chosen: dict[str, str]) -> str:
    return _run([sys.executable, "-m", "fireside.cli.main", *arguments], cwd, chosen)


@pytest.fixture
def folder(databases: Databases, tmp_path: Path) -> Iterator[Path]:
    """A folder with a photograph in it, where a server runs."""
    shutil.copy(EXAMPLES / "cat.png", tmp_path / "photo.png")
    chosen = databases.environment(data_dir_of([], tmp_path))
    (tmp_path / "banner").write_text(_fireside("up", "--background", "--port=0", cwd=tmp_path, chosen=chosen))
    yield tmp_path
    _fireside("down", cwd=tmp_path, chosen=chosen)


def _example(folder: Path) -> str:
    """Give the README's script with the address and the key of the server that runs."""
    (script,) = _SCRIPT.findall((ROOT / "README.md").read_text("utf-8"))
    server: dict[str, Any] = json.loads((folder / "fireside-data" / "server.json").read_text())
    (key,) = re.findall(r"fsk_[\w-]+", (folder / "banner").read_text())
    script, replaced = re.subn(r"(?m)^URL=.*$", f"URL={server['url']}", script)
    assert replaced == 1
    script, replaced = re.subn(r"(?m)^KEY=.*$", f"KEY={key}", script)
    assert replaced == 1
    return script


@pytest.mark.skipif(shutil.which("curl") is None, reason="the README's example calls curl")
def test_the_example_uploads_runs_lists_and_downloads(folder: Path) -> None:
    printed = _run(["sh", "-eu", "-c", _example(folder)], folder, {})

    assert '"completed"' in printed
    assert (folder / "result.png").read_bytes().startswith(b"\x89PNG")
