"""`fireside fleet processes` beside a real server: its workers come with the work, are replaced, and go."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import MakeServer, ServerProcess
from tests.faults.far import status, submit, until

pytestmark = [pytest.mark.fault, pytest.mark.once]
TOKEN = "let-the-launcher-read"
_PATIENCE_SECONDS = 240


class Launcher:
    """The command, in a folder of its own."""

    def __init__(self, folder: Path, server: ServerProcess) -> None:
        self.folder = folder
        with server._admin() as admin:
            token = admin.post("/admin/api/worker-tokens", json={"reusable": True}).raise_for_status().json()["token"]
        clean = {name: value for name, value in os.environ.items() if not name.startswith("FIRESIDE_")}
        with folder.with_suffix(".log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "fireside", "fleet", "processes", "--pool=gpu", f"--server={server.url}",
                 "--calm-seconds=0.1", "--model-cache-bytes=4321", f"--data-dir={folder}"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                env=clean | {"FIRESIDE_METRICS_TOKEN": TOKEN, "FIRESIDE_WORKER_TOKEN": token},
            )  # fmt: skip

    def agents(self) -> set[int]:
        """The pids of agents and what belongs to them, whoever their parent is by now."""
        found: set[int] = set()
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                if f"--data-dir={self.folder}/" in path.read_text():
                    found.add(int(path.parent.name))
            except OSError:
                continue
        return found

    def log(self) -> str:
        return self.folder.with_suffix(".log").read_text(errors="replace")

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


@pytest.fixture(scope="module")
def server(make_server: MakeServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    folder = tmp_path_factory.mktemp("pools") / "data"
    pools = {"FIRESIDE_POOLS": "gpu=0..2", "FIRESIDE_METRICS_TOKEN": TOKEN}
    with make_server(folder, "--workers=0", **pools) as server:
        yield server


@pytest.fixture
def launcher(server: ServerProcess, tmp_path: Path) -> Iterator[Launcher]:
    launcher = Launcher(tmp_path / "fleet", server)
    yield launcher
    launcher.close()


def pool(server: ServerProcess) -> dict[str, Any]:
    return server.client().get("/admin/api/pools/gpu").raise_for_status().json()


def settings_of(launcher: Launcher, number: int) -> set[str]:
    """The words of the command that runs the agent of this number."""
    own = f"--data-dir={launcher.folder}/{number}"
    for pid in launcher.agents():
        words = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
        if own in words:
            return set(words)
    raise AssertionError(f"there is no agent {number}")


def test_workers_come_with_the_work_are_replaced_when_they_die_and_go_with_it_or_with_the_launcher(
    server: ServerProcess, launcher: Launcher
) -> None:
    client = server.client()
    # Of a pool that nobody has seen a worker of there is one, to learn from; without work it goes again.
    until(lambda: client.get("/api/object_info").status_code == 200, launcher.log)
    until(lambda: not launcher.agents(), launcher.log)
    jobs = [submit(client, number, seconds=300.0) for number in range(2)]
    until(lambda: all(status(client, job) == "in_progress" for job in jobs), launcher.log)
    before = launcher.agents()
    assert pool(server)["workers"] == 2
    for number in (1, 2):
        assert settings_of(launcher, number) >= {
            "--model-cache-bytes=4321",
            f"--model-cache-dir={launcher.folder}/models",
        }

    os.kill(victim := min(before), signal.SIGKILL)

    until(lambda: victim not in launcher.agents() and launcher.agents() - before, launcher.log)
    until(lambda: all(status(client, job) == "in_progress" for job in jobs), launcher.log)
    for job in jobs:
        client.post(f"/api/jobs/{job}/cancel").raise_for_status()
    until(lambda: not launcher.agents(), launcher.log)
    again = submit(client, 5, seconds=300.0)
    until(launcher.agents, launcher.log)

    launcher.process.kill()

    until(lambda: not launcher.agents(), launcher.log)
    client.post(f"/api/jobs/{again}/cancel").raise_for_status()


def test_a_launcher_that_is_told_to_stop_lets_its_workers_finish(server: ServerProcess, launcher: Launcher) -> None:
    client = server.client()
    until(lambda: client.get("/api/object_info").status_code == 200, launcher.log)
    job = submit(client, 6, seconds=2.0)
    until(lambda: status(client, job) == "in_progress", launcher.log)

    launcher.process.terminate()

    assert launcher.process.wait(_PATIENCE_SECONDS) == 0
    assert status(client, job) == "completed"
    assert not launcher.agents()


def test_two_launchers_of_a_pool_share_what_it_should_have_and_one_alone_has_all(
    server: ServerProcess, launcher: Launcher, tmp_path: Path
) -> None:
    client, other = server.client(), Launcher(tmp_path / "other", server)

    def why() -> str:
        return launcher.log() + other.log()

    try:
        until(lambda: client.get("/api/object_info").status_code == 200, why)
        until(lambda: pool(server)["launchers"] == 2 and not launcher.agents() and not other.agents(), why)
        before = why().count("agent starts")
        jobs = [submit(client, number, seconds=300.0) for number in (7, 8)]
        until(lambda: all(status(client, job) == "in_progress" for job in jobs), why)
        assert (pool(server)["workers"], bool(launcher.agents()), bool(other.agents())) == (2, True, True)
        assert why().count("agent starts") == before + 2, why()

        other.process.kill()

        until(lambda: pool(server)["launchers"] == 1 and pool(server)["workers"] == 2, why)
        until(lambda: all(status(client, job) == "in_progress" for job in jobs), why)
        assert not other.agents()
        for job in jobs:
            client.post(f"/api/jobs/{job}/cancel").raise_for_status()
    finally:
        other.close()
