"""Reuse of a real diffusion: the second submit does not run, and a changed model file is noticed."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import MakeServer, ServerProcess
from tests.fleet.test_comfyui_workers import comfyui_pids, diffusion, submit, until

from fireside.processes.leftovers import start_time

pytestmark = [pytest.mark.fault, pytest.mark.once]
ENDED = ("succeeded", "failed", "canceled", "expired")


@pytest.fixture(scope="module")
def server(
    make_server: MakeServer, tmp_path_factory: pytest.TempPathFactory, comfyui_dir: Path, comfyui_python: Path
) -> Iterator[ServerProcess]:
    options = (
        f"--comfyui-dir={comfyui_dir}", f"--comfyui-python={comfyui_python}", "--gpus=cpu", "--reuse",
        "--comfyui-arguments=--disable-api-nodes",
    )  # fmt: skip
    with make_server(tmp_path_factory.mktemp("comfyui") / "data", *options) as server:
        yield server
        children = comfyui_pids(server.data_dir)
        server.stop()
        until(lambda: not any(start_time(pid) for pid in children))


def test_the_second_diffusion_is_the_first_ones_bytes(server: ServerProcess) -> None:
    client = server.client()

    def shown(job_id: str) -> dict[str, Any]:
        job: dict[str, Any] = client.get(f"/api/v2/jobs/{job_id}").json()
        return job

    def ended(job_id: str) -> dict[str, Any]:
        until(lambda: shown(job_id)["status"] in ENDED)
        return shown(job_id)

    first = ended(submit(client, diffusion(seed=77)))
    second = shown(submit(client, diffusion(seed=77)))
    other = ended(submit(client, diffusion(seed=78)))

    assert [one["status"] for one in (first, second, other)] == ["succeeded"] * 3
    assert second["fireside"]["reused_from"] == first["id"]
    assert [one["hash"] for one in second["outputs"]] == [one["hash"] for one in first["outputs"]]
    assert [one["hash"] for one in other["outputs"]] != [one["hash"] for one in first["outputs"]]
    assert other["metrics"]["execution_ms"] > 0
