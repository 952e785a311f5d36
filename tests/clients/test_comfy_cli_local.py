"""comfy-cli from PyPI in local mode, at a local port: it has no key to show."""

import json
import os
import subprocess
from pathlib import Path

import httpx
from tests.conftest import ServerProcess

GRAPH = {
    "1": {"class_type": "EmptyImage", "inputs": {"width": 8, "height": 8, "batch_size": 1, "color": 255}},
    "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "by_cli"}},
}


def test_it_runs_a_workflow_and_says_where_its_picture_is(
    clients_dir: Path, server: ServerProcess, local_url: str, tmp_path: Path
) -> None:
    (tmp_path / "workflow.json").write_text(json.dumps(GRAPH))
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("COMFY", "XDG_"))}
    command = [str(clients_dir / "venv" / "bin" / "comfy"), "--skip-prompt", "--json", "--where", "local"]

    done = subprocess.run(
        [*command, "run", "--workflow", "workflow.json", "--wait"],
        cwd=tmp_path,
        env=kept | {"HOME": str(tmp_path), "COMFY_LOCAL_URL": local_url, "COMFY_NO_WATCH": "1", "DO_NOT_TRACK": "1"},
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )

    assert done.returncode == 0, f"{done.stderr}\n{done.stdout}"
    told = json.loads(done.stdout)["data"]
    (address,) = told["outputs"]
    assert told["status"] == "completed"
    assert address.startswith(local_url)
    assert httpx.get(address).content.startswith(b"\x89PNG")
