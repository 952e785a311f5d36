"""Clients that others made, run as people run them, and a server for them."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import MakeServer, ServerProcess

_SECONDS = 400
_PROGRAMS = Path(__file__).parent / "programs"
RunProgram = Callable[..., Any]
Comfy = Callable[..., Any]


@pytest.fixture(scope="module")
def server(clients_dir: Path, tmp_path_factory: pytest.TempPathFactory, make_server: MakeServer) -> Iterator[Any]:
    """A server with the user ann, who has a port without keys, too."""
    folder = tmp_path_factory.mktemp("clients") / "data"
    with make_server(folder) as started:
        started.add_user("ann")
        assert started.stop() == 0
        started.options = ["--local-ports=ann=0"]
        started.start()
        yield started


@pytest.fixture(scope="module")
def key(server: ServerProcess) -> str:
    return server.key_of("ann")


@pytest.fixture(scope="module")
def local_url(server: ServerProcess) -> str:
    """The address that is ann without a key."""
    ((_, url),) = json.loads((server.data_dir / "server.json").read_bytes())["local_urls"]
    return url


@pytest.fixture
def run_program(clients_dir: Path, tmp_path: Path) -> RunProgram:
    """Run one of the programs on packages of npm and give the JSON that it prints."""
    (tmp_path / "node_modules").symlink_to(clients_dir / "node_modules")

    def run(name: str, *arguments: str) -> Any:
        program = Path(shutil.copy(_PROGRAMS / name, tmp_path))
        return json.loads(_output_of(["node", program.name, *arguments], tmp_path, dict(os.environ)))

    return run


@pytest.fixture
def comfy(clients_dir: Path, tmp_path: Path, server: ServerProcess, key: str) -> Comfy:
    """Run comfy-cli against the server as if it were Comfy Cloud, in a home of its own, and give what it answers.

    Where it `exits` with another code than 0 that is its error.
    """
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("COMFY", "XDG_"))},
        "HOME": str(tmp_path),
        "COMFY_CLOUD_BASE_URL": server.url,
        "COMFY_CLOUD_API_KEY": key,
        "COMFY_NO_WATCH": "1",
        "DO_NOT_TRACK": "1",
    }

    def run(*arguments: str, exits: int = 0) -> Any:
        command = [
            str(clients_dir / "venv" / "bin" / "comfy"),
            "--skip-prompt",
            "--json",
            "--where",
            "cloud",
            *arguments,
        ]
        answer = json.loads(_output_of(command, tmp_path, environment, exits))
        return answer["data"] if exits == 0 else answer["error"]

    return run


def _output_of(command: list[str], folder: Path, environment: dict[str, str], exits: int = 0) -> str:
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=_SECONDS, check=False
    )
    assert done.returncode == exits, f"{done.stderr}\n{done.stdout}"
    return done.stdout
