"""The program as people run it, and one server for the tests that need one."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.databases import Databases, data_dir_of

Run = Callable[..., "subprocess.CompletedProcess[str]"]
_SECONDS = 400


def _run(*arguments: str, cwd: Path, databases: Databases, **environment: str) -> "subprocess.CompletedProcess[str]":
    chosen = databases.environment(data_dir_of(arguments, cwd))
    clean = {name: value for name, value in os.environ.items() if not name.startswith("FIRESIDE_")}
    return subprocess.run(
        [sys.executable, "-m", "fireside", *arguments],
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        cwd=cwd,
        env=clean | chosen | environment,
        check=False,
    )


@pytest.fixture
def fireside(databases: Databases, tmp_path: Path) -> Run:
    """Run the program in a folder of the test."""

    def run(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        return _run(*arguments, cwd=tmp_path, databases=databases, **environment)

    return run


@pytest.fixture(scope="module")
def data_dir(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The data folder of a server that runs, with one worker."""
    folder = tmp_path_factory.mktemp("server") / "data"
    started = _run(
        "up",
        "--background",
        "--port=0",
        "--label=site=home",
        f"--data-dir={folder}",
        cwd=folder.parent,
        databases=databases,
    )
    assert started.returncode == 0, started.stderr
    (folder / "banner.txt").write_text(started.stdout)
    yield folder
    stopped = _run("down", f"--data-dir={folder}", cwd=folder.parent, databases=databases)
    assert stopped.returncode == 0, stopped.stderr
