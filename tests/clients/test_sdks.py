"""The official SDKs of the API v2, unchanged: with the builtin runtime, and with a real ComfyUI."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from tests.conftest import MakeServer, ServerProcess

pytestmark = [pytest.mark.once, pytest.mark.timeout(600)]

_PROGRAMS = Path(__file__).parent / "programs"
_SECONDS = 400
PICTURE = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108020000009077"
    "53de0000000c4944415478da63f8ffff3f0005fe02fe0def46b80000000049454e44ae426082"
)
INVERT: dict[str, Any] = {
    "1": {"class_type": "LoadImage", "inputs": {"image": ""}},
    "2": {"class_type": "ImageInvert", "inputs": {"image": ["1", 0]}},
    "3": {"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": "sdk"}},
}
EMPTY = {"class_type": "EmptyImage", "inputs": {"width": 8, "height": 8, "batch_size": 1, "color": 0}}
SAVE = {"class_type": "SaveImage", "inputs": {"images": ["9", 0], "filename_prefix": "slow"}}


def _nap(number: int) -> dict[str, Any]:
    """Make a graph of its own that takes about a second."""
    empty = {"width": 8, "height": 8, "batch_size": 1, "color": number}
    return {
        "1": {"class_type": "EmptyImage", "inputs": empty},
        "9": {"class_type": "FiresideSleep", "inputs": {"image": ["1", 0], "seconds": 1.0, "steps": 5}},
        "3": SAVE,
    }


BUILTIN: dict[str, Any] = {
    "slow": {
        "1": EMPTY,
        "9": {"class_type": "FiresideSleep", "inputs": {"image": ["1", 0], "seconds": 3600.0, "steps": 10_000}},
        "3": SAVE,
    },
    "failing": {
        "1": EMPTY,
        "9": {"class_type": "FiresideFail", "inputs": {"image": ["1", 0], "message": "boom", "how": "raise"}},
        "3": SAVE,
    },
    "nap": _nap,
}


def _sampling(*, steps: int, seed: int = 1) -> dict[str, Any]:
    inputs = {"model": ["4", 0], "positive": ["6", 0], "negative": ["6", 0], "latent_image": ["5", 0], "seed": seed}
    how = {"steps": steps, "cfg": 2.0, "sampler_name": "euler", "scheduler": "normal", "denoise": 1.0}
    return {
        "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "tiny_sd15.ckpt"}},
        "5": {"class_type": "EmptyLatentImage", "inputs": {"width": 64, "height": 64, "batch_size": 1}},
        "6": {"class_type": "CLIPTextEncode", "inputs": {"clip": ["4", 1], "text": "a tiny red cube"}},
        "7": {"class_type": "KSampler", "inputs": inputs | how},
        "9": {"class_type": "VAEDecode", "inputs": {"samples": ["7", 0], "vae": ["4", 2]}},
        "3": SAVE,
    }


COMFYUI: dict[str, Any] = {
    "slow": _sampling(steps=10_000),
    # Latents of sixteen channels, where the model has four.
    "failing": {
        "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "tiny_sd15.ckpt"}},
        "5": {"class_type": "EmptySD3LatentImage", "inputs": {"width": 64, "height": 64, "batch_size": 1}},
        "9": {"class_type": "VAEDecode", "inputs": {"samples": ["5", 0], "vae": ["4", 2]}},
        "3": SAVE,
    },
    "nap": lambda number: _sampling(steps=12, seed=number),
}
ERRORS = {
    "bytes": "HashMismatch",
    "hash": "BlobNotFound",
    "format": "WorkflowFormatUi",
    "missing": "MissingAsset",
    "editor": "WorkflowFormatUi",
    "reuse": "IdempotencyKeyReuse",
    "job": "NotFound",
    "key": "Unauthorized",
}
# So few that each program meets a full queue only where it means to.


def _graphs(of_worker: dict[str, Any]) -> str:
    # Runtimes remember what they made, so that each nap is one that nobody has taken before.
    first = uuid4().int % 0xFF0000
    naps = [of_worker["nap"](first + number) for number in range(8)]
    graphs = {name: of_worker[name] for name in ("slow", "failing")}
    return json.dumps({"picture": PICTURE.hex(), "run": str(uuid4()), "invert": INVERT, "naps": naps, **graphs})


class Programs:
    """Runs the programs against a server, as people run theirs."""

    def __init__(self, clients_dir: Path, folder: Path) -> None:
        self._clients_dir = clients_dir
        self._folder = folder
        (folder / "node_modules").symlink_to(clients_dir / "node_modules")

    def run(self, name: str, server: ServerProcess, graphs: str, key: str = "") -> dict[str, Any]:
        """Run one as the owner of the key or as a new user, and give the JSON that it prints."""
        key = key or server.add_user(_new_name())
        program = shutil.copy(_PROGRAMS / name, self._folder)
        python = str(self._clients_dir / "venv" / "bin" / "python")
        command = ["node", program, graphs, key] if name.endswith(".mjs") else [python, program, graphs]
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("COMFY", "PYTHON"))}
        done = subprocess.run(
            command,
            cwd=self._folder,
            env={**clean, "COMFY_BASE_URL": server.url, "COMFY_API_KEY": key},
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        assert done.returncode == 0, f"{done.stderr}\n{done.stdout}\n{server.log()[-3000:]}"
        return json.loads(done.stdout)


@pytest.fixture
def programs(clients_dir: Path, tmp_path: Path) -> Programs:
    return Programs(clients_dir, tmp_path)


@pytest.fixture(scope="module")
def builtin(clients_dir: Path, tmp_path_factory: pytest.TempPathFactory, make_server: MakeServer) -> Iterator[Any]:
    with make_server(tmp_path_factory.mktemp("sdks") / "data") as server:
        yield server


@pytest.fixture(scope="module")
def comfyui(
    clients_dir: Path,
    tmp_path_factory: pytest.TempPathFactory,
    make_server: MakeServer,
    comfyui_dir: Path,
    comfyui_python: Path,
) -> Iterator[Any]:
    flags = [f"--comfyui-dir={comfyui_dir}", f"--comfyui-python={comfyui_python}", "--gpus=cpu"]
    with make_server(tmp_path_factory.mktemp("sdks") / "data", *flags) as server:
        yield server


def _check(told: dict[str, Any]) -> None:
    assert told["uploads"] == [True, True, False]
    assert [told["events"][0], told["events"][-1]] in (["queued", "succeeded"], ["running", "succeeded"])
    assert told["output"] == ["image", "image/png", True, True]
    assert told["bytes"] == [True, True, "89504e47"]
    assert told["address"] == [True, True]
    assert told["rehydrated"] == ["succeeded", True]
    assert told["workflow"] == ["api", "photo.png"]
    assert told["of_an_output"] == "succeeded"
    waiting, slow, ended = told["cancel"]
    # The worker may have stopped before the answer is written.
    assert (waiting, slow in ("canceling", "canceled"), ended) == ("canceled", True, "canceled")
    code, node_id, class_type, *is_told = told["failed"]
    assert (code, node_id, is_told) == ("node_execution_error", "9", [True, True])
    assert class_type in ("FiresideFail", "VAEDecode")
    assert told["invalid"] == ["InvalidWorkflow", ["1"], True]
    assert told["deleted"] == "NotFound"


def _check_python(told: dict[str, Any]) -> None:
    _check(told)
    assert told["metadata"]
    assert told["times"]
    assert told["listed"] == [["canceled", "canceled", "succeeded"], True]
    assert told["errors"] == ERRORS | {"labels": "ComfyError"}


def _check_queue(told: dict[str, Any]) -> None:
    assert told["statuses"] == ["succeeded"] * 4
    assert told["refused"] == ["QueueFull", True]


def _check_typescript(told: dict[str, Any]) -> None:
    _check(told)
    assert told["errors"] == ERRORS


@pytest.mark.parametrize("program", ["sdk_sync.py", "sdk_async.py"])
def test_the_python_sdk_on_builtin(programs: Programs, builtin: ServerProcess, program: str) -> None:
    _check_python(programs.run(program, builtin, _graphs(BUILTIN)))


def test_the_typescript_sdk_on_builtin(programs: Programs, builtin: ServerProcess) -> None:
    _check_typescript(programs.run("sdk.mjs", builtin, _graphs(BUILTIN)))


@pytest.mark.parametrize("program", ["sdk_sync.py", "sdk_async.py"])
def test_the_python_sdk_on_a_real_comfyui(programs: Programs, comfyui: ServerProcess, program: str) -> None:
    _check_python(programs.run(program, comfyui, _graphs(COMFYUI)))


def test_the_typescript_sdk_on_a_real_comfyui(programs: Programs, comfyui: ServerProcess) -> None:
    _check_typescript(programs.run("sdk.mjs", comfyui, _graphs(COMFYUI)))


def _named() -> str:
    declared = {
        "inputs": [
            {"name": "photo", "node": "1", "input": "image"},
            {"name": "prefix", "node": "3", "input": "filename_prefix"},
        ],
        "outputs": [{"name": "picture", "node": "3"}],
    }
    saved = {**INVERT, "extra": {"fireside": declared}}
    return json.dumps({"picture": PICTURE.hex(), "saved": saved, "inputs": {"prefix": "by-name"}})


def _check_named(told: dict[str, Any]) -> None:
    assert told.pop("name").startswith("by-name_")
    assert told == {
        "statuses": ["succeeded", "succeeded"],
        "named": True,
        "inputs": {"prefix": "by-name"},
        "bytes": "89504e47",
    }


def test_a_saved_workflow_runs_by_name_beside_the_sdk(programs: Programs, builtin: ServerProcess) -> None:
    _check_named(programs.run("sdk_named.py", builtin, _named()))


def test_a_saved_workflow_runs_by_name_on_a_real_comfyui(programs: Programs, comfyui: ServerProcess) -> None:
    _check_named(programs.run("sdk_named.py", comfyui, _named()))


@pytest.mark.statement(160)
@pytest.mark.parametrize("program", ["sdk_queue.py", "sdk_queue_async.py", "sdk_queue.mjs"])
def test_an_sdk_waits_while_the_queue_is_full_and_gets_in(
    programs: Programs, builtin: ServerProcess, program: str
) -> None:
    _check_queue(programs.run(program, builtin, _graphs(BUILTIN), _key_for_one_in_the_queue(builtin, BUILTIN)))


@pytest.mark.parametrize("program", ["sdk_queue.py", "sdk_queue_async.py", "sdk_queue.mjs"])
def test_an_sdk_waits_while_the_queue_of_a_real_comfyui_is_full_and_gets_in(
    programs: Programs, comfyui: ServerProcess, program: str
) -> None:
    _check_queue(programs.run(program, comfyui, _graphs(COMFYUI), _key_for_one_in_the_queue(comfyui, COMFYUI)))


def _key_for_one_in_the_queue(server: ServerProcess, graphs: dict[str, Any]) -> str:
    """Make a user who may have one job waiting, and of whom so many have ended lately that refusals last a second."""
    name = _new_name()
    key = server.add_user(name, max_queued=100)
    client = server.client(key)
    answers = [client.post("/api/prompt", json={"prompt": graphs["slow"]}).raise_for_status() for _ in range(61)]
    for answer in reversed(answers):
        client.post(f"/api/jobs/{answer.json()['prompt_id']}/cancel").raise_for_status()
    server.change_user(name, max_queued=1)
    return key


def _new_name() -> str:
    return f"u{uuid4().hex[:8]}"
