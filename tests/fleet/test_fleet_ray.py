"""`fireside fleet ray` on Ray's own local cluster, whose real autoscaler brings and takes nodes as agents need them.

Only the machines are played, by the node provider that Ray tests its autoscaler with.
"""

import json
import os
import shutil
import signal
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
_STORE = {"object_store_memory": 80 * 1024**2}
_HEAD = "ray.head.default"
# Of a node that the provider knows it is told by its name who it is, the first one included.
_HEAD_ID = "f" * 51 + "00000"


def _autoscaling(gcs_address: str) -> dict[str, Any]:
    """What `example.yaml` beside the provider says, which the wheel lacks; with nodes of one GPU, two at most."""
    nothing = ("file_mounts", "auth", "docker")
    no_commands = ("initialization", "setup", "head_setup", "worker_setup", "head_start_ray", "worker_start_ray")
    return {
        "cluster_name": "fireside",
        "max_workers": 2,
        "idle_timeout_minutes": 0.05,
        "upscaling_speed": 1.0,
        "provider": {
            "type": "fake_multinode",
            "gcs_address": gcs_address,
            "use_node_id_as_ip": True,
            "disable_node_updaters": True,
            "disable_launch_config_check": True,
        },
        "available_node_types": {
            _HEAD: {"resources": {}, "node_config": {}, "max_workers": 0},
            "gpu": {"resources": {"CPU": 1, "GPU": 1, **_STORE}, "node_config": {}, "min_workers": 0, "max_workers": 2},
        },
        "head_node_type": _HEAD,
        "cluster_synced_files": [],
        "file_mounts_sync_continuously": False,
        "rsync_exclude": [],
        "rsync_filter": [],
        **{name: {} for name in nothing},
        **{f"{name}_commands": [] for name in no_commands},
    }


@pytest.fixture(scope="module")
def server(make_server: MakeServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    folder = tmp_path_factory.mktemp("ray") / "data"
    pools = {"FIRESIDE_POOLS": "gpu=0..2", "FIRESIDE_METRICS_TOKEN": TOKEN}
    with make_server(folder, "--workers=0", **pools) as server:
        yield server


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A cluster whose head takes no agents, and whose autoscaler looks each second."""
    # Not below pytest's folders: the path of a socket must be short.
    folder = tempfile.mkdtemp(prefix="fireside-ray-")
    head = {
        "num_cpus": 0, "include_dashboard": False, "no_monitor": True,
        "env_vars": {"RAY_OVERRIDE_NODE_ID_FOR_TESTING": _HEAD_ID}, **_STORE,
    }  # fmt: skip
    surroundings = {
        "RAY_TMPDIR": folder,
        # Where nodes and agents put their folders, those of nodes that are lost included.
        "TMPDIR": folder,
        "RAY_FAKE_CLUSTER": "1",
        "AUTOSCALER_UPDATE_INTERVAL_S": "1",
        "AUTOSCALER_HEARTBEAT_TIMEOUT_S": "5",
        "AUTOSCALER_METRIC_PORT": "0",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in surroundings.items():
            patch.setenv(name, value)
        cluster = cluster_utils.Cluster(initialize_head=True, head_node_args=head)
        # Only now that the port is known, which the kernel chose.
        path = Path(folder, "autoscaling.json")
        path.write_text(json.dumps(_autoscaling(cluster.gcs_address)))
        cluster.head_node._ray_params.autoscaling_config = str(path)
        cluster.head_node.start_monitor()
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
                 f"--address={address}", "--calm-seconds=0.1",
                 "--model-cache-bytes=4321"],
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
            line = path.read_text().split("\0")
            if {f"--server={server.url}", "--transient", "--model-cache-bytes=4321"} <= set(line):
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found


def raylet_of(agent: int) -> int:
    """The pid of the node that an agent is on: its parent's parent."""
    parent = agent
    for _ in range(2):
        parent = int(Path(f"/proc/{parent}/stat").read_text().rpartition(")")[2].split()[1])
    assert "raylet" in Path(f"/proc/{parent}/comm").read_text()
    return parent


def nodes_of(cluster: Any) -> list[str]:
    """The nodes that are alive, without the head."""
    alive = [node["NodeID"] for node in cluster.global_state.node_table() if node["Alive"]]
    return [node for node in alive if node != _HEAD_ID]


def test_nodes_come_for_the_workers_of_a_pool_are_replaced_when_one_is_lost_and_go_with_the_work(
    server: ServerProcess, cluster: Any, launcher: Launcher
) -> None:
    client = server.client()

    def workers() -> int:
        return client.get("/admin/api/pools/gpu").raise_for_status().json()["workers"]

    def why() -> str:
        logs = Path(os.environ["RAY_TMPDIR"]).glob("ray/session_latest/logs/monitor.*")
        return launcher.log() + "".join(path.read_text(errors="replace")[-4000:] for path in logs)

    assert not nodes_of(cluster)
    # The first worker, to learn from, waits for a node; and with it everybody who submits.
    until(lambda: client.get("/api/object_info").status_code == 200, why)
    jobs = [submit(client, number, seconds=300.0) for number in range(2)]
    until(lambda: all(status(client, job) == "in_progress" for job in jobs), why)
    before, nodes = set(agents_of(server)), set(nodes_of(cluster))
    assert workers() == len(before) == len(nodes) == 2

    os.kill(raylet_of(min(before)), signal.SIGKILL)

    until(lambda: len(before & set(agents_of(server))) == 1, why)
    until(lambda: set(nodes_of(cluster)) - nodes and set(agents_of(server)) - before and workers() == 2, why)
    until(lambda: all(status(client, job) == "in_progress" for job in jobs), why)
    behind = submit(client, 3, seconds=0.1)
    for job in jobs:
        client.post(f"/api/jobs/{job}/cancel").raise_for_status()
    until(lambda: status(client, behind) == "completed", why)
    until(lambda: not agents_of(server) and not nodes_of(cluster), why)
    launcher.process.terminate()
    assert launcher.process.wait(_PATIENCE_SECONDS) == 0, launcher.log()
