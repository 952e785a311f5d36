"""A server without workers of its own, and workers in processes and data folders of their own."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

_PATIENCE_SECONDS = 240.0
_LOOK_SECONDS = 0.05
# A worker that has to wait for the processor is not to be taken for a dead one.
LOST_AFTER_SECONDS = 6


def _graph(number: int, seconds: float) -> dict[str, Any]:
    return {
        "1": {"class_type": "EmptyImage", "inputs": {"width": 16, "height": 16, "batch_size": 1, "color": number}},
        "2": {"class_type": "FiresideSleep", "inputs": {"image": ["1", 0], "seconds": seconds, "steps": 20}},
        "3": {"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": f"far/{number}"}},
    }


def until(what: Callable[[], Any], why: Callable[[], str] = str) -> Any:
    """Wait until something is so; what cannot be asked now is asked again."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        try:
            if found := what():
                return found
        except httpx.TransportError:
            pass
        except httpx.HTTPStatusError as error:
            if error.response.status_code != 503:
                raise
        time.sleep(_LOOK_SECONDS)
    raise AssertionError(f"it has not come to that within {_PATIENCE_SECONDS:.0f} s:\n{why()}")


@dataclass
class FarWorker:
    """A worker's data folder, and the process that runs in it."""

    folder: Path
    before: Sequence[str] = ()
    environment: dict[str, str] = field(default_factory=dict[str, str])
    options: Sequence[str] = ()
    """What it is started with each time."""
    process: "subprocess.Popen[bytes] | None" = None

    def start(self, *options: str) -> None:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("FIRESIDE_")}
        command = [*self.before, sys.executable, "-m", "fireside.cli.main", "worker", f"--data-dir={self.folder}"]
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                [*command, *self.options, *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=clean | self.environment,
                start_new_session=True,
            )

    def tell(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def wait(self) -> int:
        assert self.process is not None
        return self.process.wait(_PATIENCE_SECONDS)

    def close(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    @property
    def log_path(self) -> Path:
        return self.folder.with_suffix(".log")

    def log(self) -> str:
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""


@dataclass
class Place:
    """A server without workers of its own, and its admin."""

    server: Any
    tmp_path: Path
    workers: list[FarWorker] = field(default_factory=list[FarWorker])

    def worker(self, name: str = "gpu-1", *options: str, before: Sequence[str] = (), **environment: str) -> FarWorker:
        """Let a worker join, by a command that may stand before, and wait until it takes jobs."""
        worker = FarWorker(self.tmp_path / name, before, environment, options)
        self.workers.append(worker)
        worker.environment["FIRESIDE_WORKER_TOKEN"] = self.token()
        worker.start(f"--server={self.server.url}", f"--name={name}")
        self.becomes(name, "ready")
        del worker.environment["FIRESIDE_WORKER_TOKEN"]
        return worker

    def token(self, **more: Any) -> str:
        return self.admin("POST", "/admin/api/worker-tokens", json=more)["token"]

    def admin(self, method: str, path: str, **more: Any) -> Any:
        with self.server._admin() as admin:
            answer = admin.request(method, path, **more).raise_for_status()
        return answer.json() if answer.content else None

    def listed(self, name: str) -> dict[str, Any]:
        found = self.admin("GET", "/admin/api/workers")["workers"]
        return next((one for one in found if one["id"] == name), {"state": "unknown"})

    def becomes(self, name: str, state: str) -> dict[str, Any]:
        until(lambda: self.listed(name)["state"] == state, self.logs)
        return self.listed(name)

    def logs(self) -> str:
        return "\n".join([f"{self.server.log()[-2000:]}", *(worker.log()[-2000:] for worker in self.workers)])


def submit(client: httpx.Client, number: int = 1, seconds: float = 0.0, **labels: str) -> str:
    """Queue a job, for a worker with these labels."""
    body = {"prompt": _graph(number, seconds), "extra_data": {"fireside": {"require": labels}}}
    return client.post("/api/prompt", json=body).raise_for_status().json()["prompt_id"]


def status(client: httpx.Client, job_id: str) -> str:
    return client.get(f"/api/jobs/{job_id}").raise_for_status().json()["status"]


def ends(place: Place, client: httpx.Client, job_id: str) -> dict[str, Any]:
    """Wait for the job's end, and see that its picture is there."""
    until(lambda: status(client, job_id) not in ("pending", "in_progress"), place.logs)
    job = client.get(f"/api/jobs/{job_id}").raise_for_status().json()
    assert job["status"] == "completed", job.get("execution_error")
    (image,) = job["outputs"]["3"]["images"]
    assert client.get("/api/view", params=image, follow_redirects=True).content.startswith(b"\x89PNG")
    return job


def attempts(place: Place, databases: Any, job_id: str) -> list[tuple[Any, ...]]:
    assert place.server.stop() == 0
    with databases.raw(place.server.data_dir) as execute:
        rows = execute(
            "SELECT job.id, job_attempt.attempt, outcome FROM job_attempt JOIN job ON job.pk = job_pk"
            " ORDER BY job_attempt.attempt"
        )
    return [tuple(row[1:]) for row in rows if str(row[0]) == job_id]
