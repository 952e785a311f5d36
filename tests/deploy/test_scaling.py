"""The pool of the chart, from no worker to as many as there is work for, and back; only the cluster is not there.

The test does what KEDA does, by its rule for `scalingStrategy: default`: it asks the trigger's address for the figure,
and starts as many jobs as that is more than those that run. Whatever ends does so by itself.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from tests.deploy.platforms import Object, rendered
from tests.faults.far import FarWorker, Place, status, submit, until

pytestmark = [pytest.mark.fault, pytest.mark.once, pytest.mark.timeout(600)]

_TOKEN = "a-token-of-metrics-0123456789abcdef"
_VALUES: dict[str, Any] = {
    "blobs": {"url": "s3://fireside/files"},
    "workers": {"pools": [{"name": "cpu", "maxReplicas": 2, "idleSeconds": 1}]},
}


@dataclass
class Keda:
    """What KEDA would do with a ScaledJob, on this machine."""

    scaled: Object
    place: Place
    pods: list[FarWorker] = field(default_factory=list[FarWorker])

    def figure(self) -> int | None:
        """Ask as the trigger says; None while no server has counted."""
        (trigger,) = self.scaled["spec"]["triggers"]
        path = urlsplit(trigger["metadata"]["url"]).path
        assert httpx.get(f"{self.place.server.url}{path}").status_code == httpx.codes.UNAUTHORIZED
        answer = httpx.get(f"{self.place.server.url}{path}", headers={"Authorization": f"Bearer {_TOKEN}"})
        return answer.json()[trigger["metadata"]["valueLocation"]] if answer.status_code == 200 else None

    def scale(self) -> int:
        """Start what is missing, and say how many that were."""
        running = sum(pod.process is not None and pod.process.poll() is None for pod in self.pods)
        missing = max(0, min(self.figure() or 0, self.scaled["spec"]["maxReplicaCount"]) - running)
        for _ in range(missing):
            self._start()
        return missing

    def _start(self) -> None:
        (container,) = self.scaled["spec"]["jobTargetRef"]["template"]["spec"]["containers"]
        command, *words = container["args"]
        assert command == "worker"
        pod = FarWorker(
            self.place.tmp_path / f"pod-{len(self.pods) + 1}",
            environment={"FIRESIDE_WORKER_TOKEN": self.place.token()},
        )
        self.pods.append(pod)
        self.place.workers.append(pod)
        elsewhere = ("--server=", "--data-dir=", "--model-cache-dir=")
        pod.start(*(word for word in words if not word.startswith(elsewhere)), f"--server={self.place.server.url}")


@pytest.fixture
def keda(start_server: Any, tmp_path: Path) -> Iterator[Keda]:
    objects = rendered(_VALUES)
    (scaled,) = [one for one in objects if one["kind"] == "ScaledJob"]
    (server,) = [one for one in objects if one["kind"] == "Deployment"]
    (container,) = server["spec"]["template"]["spec"]["containers"]
    pools = next(one["value"] for one in container["env"] if one["name"] == "FIRESIDE_POOLS")
    place = Place(start_server("--workers=0", f"--pools={pools}", FIRESIDE_METRICS_TOKEN=_TOKEN), tmp_path)
    yield Keda(scaled, place)
    for worker in place.workers:
        worker.close()


def test_a_pool_of_the_chart_has_as_many_workers_as_there_is_work_for_and_none_when_there_is_none(keda: Keda) -> None:
    # One, for the servers to learn what it can run; it finds nothing to do.
    until(lambda: keda.scale() == 1, keda.place.logs)
    assert keda.pods[0].wait() == 0
    until(lambda: keda.figure() == 0, keda.place.logs)
    assert keda.scale() == 0

    client = keda.place.server.client()
    jobs = [submit(client, number, seconds=1.0, pool="cpu") for number in range(3)]
    until(lambda: keda.figure() == 2, keda.place.logs)
    assert keda.scale() == 2

    def is_done() -> bool:
        keda.scale()
        return all(status(client, job_id) == "completed" for job_id in jobs)

    until(is_done, keda.place.logs)
    until(lambda: keda.figure() == 0, keda.place.logs)
    assert all(pod.wait() == 0 for pod in keda.pods)
    assert not keda.place.admin("GET", "/admin/api/workers")["workers"]
