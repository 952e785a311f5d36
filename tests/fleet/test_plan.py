"""Which workers the settings ask for, and what is said of settings that cannot be."""

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from fireside.config import Config, ConfigError
from fireside.fleet import plan
from fireside.fleet.plan import PlannedWorker, plan_workers
from fireside.wire.tickets import BuiltinSpec, ComfyFolderSpec, ComfyUrlSpec

STATS = {"system": {"comfyui_version": "0.3.75"}, "devices": []}


@pytest.fixture
def comfyui(tmp_path: Path) -> str:
    """A folder that looks like a ComfyUI, with a Python beside it."""
    folder = tmp_path / "ComfyUI"
    (folder / "comfy").mkdir(parents=True)
    (folder / "main.py").write_text("")
    (folder / "comfy" / "cli_args.py").write_text("")
    return str(folder)


@pytest.fixture
async def address() -> AsyncIterator[str]:
    """Where something answers as a ComfyUI does when it is asked what it is."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        body = msgspec.json.encode(STATS)
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        writer.write(head.encode() + b"Connection: close\r\n\r\n" + body)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def folders(**settings: Any) -> list[ComfyFolderSpec]:
    """Plan, and give the workers' runtimes, which must all be of a folder."""
    runtimes = [worker.runtime for worker in await plan_workers(Config(**settings))]
    assert all(isinstance(runtime, ComfyFolderSpec) for runtime in runtimes)
    return [runtime for runtime in runtimes if isinstance(runtime, ComfyFolderSpec)]


async def test_without_any_comfyui_the_workers_have_the_builtin_runtime() -> None:
    workers = await plan_workers(Config(workers=2))

    assert [(worker.id, worker.runtime) for worker in workers] == [
        ("local-1", BuiltinSpec()),
        ("local-2", BuiltinSpec()),
    ]


async def test_no_workers_are_no_workers(comfyui: str) -> None:
    assert await plan_workers(Config(workers=0, comfyui_dir=(comfyui,))) == []


async def test_each_gpu_of_each_folder_gets_its_workers(comfyui: str) -> None:
    found = await folders(comfyui_dir=(comfyui, comfyui), gpus=("0", "1"), workers=2)

    assert [(spec.gpu, spec.cpu) for spec in found] == [("0", False), ("0", False), ("1", False), ("1", False)] * 2
    assert {spec.directory for spec in found} == {comfyui}


@pytest.mark.parametrize(("gpu", "cpu"), [("cpu", True), ("any", False)])
async def test_a_word_stands_for_no_gpu_and_one_for_any(comfyui: str, gpu: str, cpu: bool) -> None:
    (found,) = await folders(comfyui_dir=(comfyui,), gpus=(gpu,))

    assert (found.gpu, found.cpu) == ("", cpu)


async def test_what_is_set_for_comfyui_comes_to_its_workers(comfyui: str, tmp_path: Path) -> None:
    (tmp_path / "paths.yaml").write_text("")
    (found,) = await folders(
        comfyui_dir=(comfyui,), comfyui_arguments="--lowvram --reserve-vram '1.5'", comfyui_python=sys.executable,
        comfyui_model_paths=(str(tmp_path / "paths.yaml"),), comfyui_preview_method="taesd", start_seconds=7,
    )  # fmt: skip

    assert found.arguments == ("--lowvram", "--reserve-vram", "1.5")
    assert (found.python, found.preview_method, found.start_seconds) == (sys.executable, "taesd", 7)
    assert found.model_paths == (str(tmp_path / "paths.yaml"),)


async def test_an_address_gets_one_worker(address: str) -> None:
    (worker,) = await plan_workers(Config(comfyui_url=(address,), workers=3, label=("gpu=a100", "site=")))

    assert worker == PlannedWorker(id=worker.id, runtime=ComfyUrlSpec(url=address), labels={"gpu": "a100", "site": ""})


async def test_an_address_that_is_named_twice_is_refused(address: str) -> None:
    with pytest.raises(ConfigError, match="comfyui_url: one is named twice"):
        await plan_workers(Config(comfyui_url=(address, address)))


async def test_everything_that_is_wrong_is_told_together(
    comfyui: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan, "_ANSWER_SECONDS", 0.1)
    with pytest.raises(ConfigError) as refusal:
        await plan_workers(
            Config(
                comfyui_dir=(comfyui, str(tmp_path / "nowhere")),
                comfyui_url=("localhost:8188", "http://127.0.0.1:1"),
                gpus=("0", "cpu", "zero", "0"),
                label=("fast", "gpu=a", "gpu=b"),
            )
        )

    told = str(refusal.value).splitlines()
    for beginning in (
        f"comfyui_dir: {tmp_path / 'nowhere'} is no ComfyUI", "comfyui_url: 'localhost:8188' is no URL",
        "comfyui_url: No ComfyUI answers at http://127.0.0.1:1", "gpus: 'cpu' and 'any' stand alone",
        "gpus: 'zero' is neither", "gpus: one is named twice", "label: 'fast' is not key=value",
        "label: gpu has two values",
    ):  # fmt: skip
        assert any(line.startswith(beginning) for line in told), beginning


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"gpus": ("0",)}, "gpus: there is no comfyui_dir"),
        ({"comfyui_arguments": "'open"}, "comfyui_arguments: "),
    ],
)
async def test_what_cannot_be_is_refused(settings: Any, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        await plan_workers(Config(**settings))


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"comfyui_python": "/no/such/python"}, "is no Python"),
        ({"comfyui_arguments": "--port 1"}, "--port cannot be given"),
        ({"comfyui_model_paths": ("/no/paths.yaml",)}, "There is no file /no/paths.yaml"),
    ],
)
async def test_what_a_comfyui_cannot_be_started_with_is_refused(comfyui: str, settings: Any, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        await plan_workers(Config(comfyui_dir=(comfyui,), **settings))
