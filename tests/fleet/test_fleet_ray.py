"""`fireside fleet ray` on Ray's own local cluster of several nodes: workers come with nodes and are replaced with them.

The cluster's autoscaler is played: it sees what waits for room, and a node is there then.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import MakeServer, ServerProcess
from tests.faults.far import status, submit, until

cluster_utils: Any = pytest.importorskip("ray.cluster_utils", reason="Ray has no wheel here")

pytestmark = [pytest.mark.fault, pytest.mark.once]
TOKEN = "let-the-launcher-read"
_PATIENCE_SECONDS = 240
_NODE = {"object_store_memory": 80 * 1024**2}
_GPU_NODE = {"num_cpus": 1, "num_gpus": 1, "wait": False, **_NODE}


@pytest.fixture(scope="module")
def server(make_server: MakeServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    folder = tmp_path_factory.mktemp("ray") / "data"
    pools = {"FIRESIDE_POOLS": "gpu=0..2", "FIRESIDE_METRICS_TOKEN": TOKEN}
    with make_server(folder, "--workers=0", **pools) as server:
        yield server


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A cluster whose head takes no agents."""
    # Not below pytest's folders: the path of a socket must be short.
    folder = tempfile.mkdtemp(prefix="fireside-ray-")
    head = {"num_cpus": 0, "include_dashboard": False, **_NODE}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_TMPDIR", folder)
        # Where nodes and agents put their folders, those of nodes that are lost included.
        patch.setenv("TMPDIR", folder)
        cluster = cluster_utils.Cluster(initialize_head=True, head_node_args=head)
        yield cluster
        cluster.shutdown()
    shutil.rmtree(folder, ignore_errors=True)


class Launcher:
    """The command, as somebody runs it beside the cluster."""

    def __init__(self, log: Path, server: ServerProcess, address: str) -> None:
        self._log = log
        with server._admin() as admin:
            token = admin.post("/admin/api/worker-tokens", json={"reusable": True}).raise_for_status().json()["token"]
        clean = {name: value for name, value in os.environ.items() if not name.startswith("FIRESIDE_")}
        with log.open("ab") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "fireside", "fleet", "ray", "--pool=gpu", f"--server={server.url}",
                 f"--address={address}", "--calm-seconds=0.1"],
                stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True,
                env=clean | {"FIRESIDE_METRICS_TOKEN": TOKEN, "FIRESIDE_WORKER_TOKEN": token},
            )  # fmt: skip

    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


@pytest.fixture
def launcher(server: ServerProcess, cluster: Any, tmp_path: Path) -> Iterator[Launcher]:
    launcher = Launcher(tmp_path / "launcher.log", server, cluster.address)
    yield launcher
    launcher.close()


def agents_of(server: ServerProcess) -> list[int]:
    """The pids of agents on nodes of this machine."""
    found: list[int] = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if f"--server={server.url}\0" in (line := path.read_text()) and "--transient" in line:
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found


def test_workers_come_with_nodes_are_replaced_when_one_is_lost_and_go_with_the_work(
    server: ServerProcess, cluster: Any, launcher: Launcher
) -> None:
    client = server.client()

    def workers() -> int:
        return client.get("/admin/api/pools/gpu").raise_for_status().json()["workers"]

    # The first worker, to learn from, waits for a node; and with it everybody who submits.
    first = cluster.add_node(**_GPU_NODE)
    cluster.add_node(**_GPU_NODE)
    until(lambda: client.get("/api/object_info").status_code == 200, launcher.log)
    jobs = [submit(client, number, seconds=300.0) for number in range(2)]
    until(lambda: all(status(client, job) == "in_progress" for job in jobs), launcher.log)
    before = set(agents_of(server))
    assert workers() == 2

    cluster.remove_node(first, allow_graceful=False)

    until(lambda: len(before & set(agents_of(server))) == 1, launcher.log)
    cluster.add_node(**_GPU_NODE)
    until(lambda: set(agents_of(server)) - before and workers() == 2, launcher.log)
    until(lambda: all(status(client, job) == "in_progress" for job in jobs), launcher.log)
    for job in jobs:
        client.post(f"/api/jobs/{job}/cancel").raise_for_status()
    until(lambda: not agents_of(server), launcher.log)
    launcher.process.terminate()
    assert launcher.process.wait(_PATIENCE_SECONDS) == 0, launcher.log()
