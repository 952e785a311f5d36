"""ComfyUI's own `script_examples`, unchanged but for the address, the name of the model and the size of the picture.

They know no key, so they talk to a local port; a real ComfyUI runs their workflow on its tiny model.
"""

import json
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import MakeServer

pytestmark = [pytest.mark.once, pytest.mark.timeout(600)]

_SECONDS = 400.0
_CHANGES = {
    "v1-5-pruned-emaonly.safetensors": "tiny_sd15.ckpt",
    '"width": 512': '"width": 64',
    '"height": 512': '"height": 64',
    '"steps": 20': '"steps": 2',
}
_TOLD = "\nprint(json.dumps({node: [list(one[:4]) for one in made] for node, made in images.items()}))\n"
_PNG = list(b"\x89PNG")


@pytest.fixture(scope="module")
def local_url(
    make_server: MakeServer, tmp_path_factory: pytest.TempPathFactory, comfyui_dir: Path, comfyui_python: Path
) -> Iterator[str]:
    options = (
        f"--comfyui-dir={comfyui_dir}", f"--comfyui-python={comfyui_python}",
        "--gpus=cpu", "--comfyui-arguments=--disable-api-nodes", "--local-ports=ann=0",
    )  # fmt: skip
    with make_server(tmp_path_factory.mktemp("examples") / "data", *options) as server:
        server.add_user("ann")
        ((_, url),) = json.loads((server.data_dir / "server.json").read_bytes())["local_urls"]
        yield url
        assert server.stop() == 0


@pytest.fixture
def run_example(local_url: str, comfyui_dir: Path, clients_dir: Path, tmp_path: Path) -> Any:
    """Run one of the examples, and give what it prints when `more` is added to it."""

    def run(name: str, more: str = "") -> str:
        script = (comfyui_dir / "script_examples" / name).read_text("utf-8")
        for said, meant in {**_CHANGES, "127.0.0.1:8188": local_url.removeprefix("http://")}.items():
            assert said in script, said
            script = script.replace(said, meant)
        (tmp_path / name).write_text(script + more)
        done = subprocess.run(
            [str(clients_dir / "venv" / "bin" / "python"), name],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def _get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=90) as answer:
        return json.loads(answer.read())


def test_the_basic_example_queues_a_prompt(run_example: Any, local_url: str) -> None:
    before = set(_get(f"{local_url}/history"))

    run_example("basic_api_example.py")

    deadline = time.monotonic() + _SECONDS
    while not (ended := set(_get(f"{local_url}/history")) - before):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    (entry,) = [_get(f"{local_url}/history/{prompt_id}")[prompt_id] for prompt_id in ended]
    assert entry["status"]["status_str"] == "success"
    assert entry["prompt"][2]["6"]["inputs"]["text"] == "masterpiece best quality man"


def test_the_websocket_example_waits_for_its_pictures_and_fetches_them(run_example: Any) -> None:
    images = json.loads(run_example("websockets_api_example.py", _TOLD))

    assert images == {"9": [_PNG]}


def test_the_example_without_files_is_sent_its_pictures_over_the_websocket(run_example: Any) -> None:
    images = json.loads(run_example("websockets_api_example_ws_images.py", _TOLD))

    assert images == {"save_image_websocket_node": [_PNG]}
