"""Workers and servers on hosts of their own: some beside us, one behind a router, and each of them can be cut off."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.faults.cluster import Cluster, cluster_over, leads
from tests.faults.far import LOST_AFTER_SECONDS, FarWorker, Place, attempts, ends, status, submit, until
from tests.faults.network import Network, NoNetworks, network_of_hosts
from tests.faults.router import router_for
from tests.postgres_server import running_server

pytestmark = [pytest.mark.fault, pytest.mark.network, pytest.mark.timeout(600)]


@pytest.fixture
def network() -> Iterator[Network]:
    try:
        with network_of_hosts() as network:
            yield network
    except NoNetworks as why:
        if os.environ.get("CI"):
            pytest.fail(str(why))
        pytest.skip(str(why))


@pytest.fixture
def place(network: Network, start_server: Any, tmp_path: Path) -> Iterator[Place]:
    server = start_server("--workers=0", f"--worker-lost-after={LOST_AFTER_SECONDS}", f"--host={network.ours}")
    place = Place(server, tmp_path)
    yield place
    for worker in place.workers:
        worker.close()


@pytest.fixture
def router(network: Network, place: Place) -> Iterator[None]:
    """Let the host behind the router reach the server."""
    with router_for(network, [place.server.port.number]):
        yield


@pytest.fixture
def cluster(network: Network, tmp_path: Path) -> Iterator[Cluster]:
    """A database and a bus on our host, for servers on others."""
    with running_server() as postgres:
        postgres.let_in(network.ours, network.addresses)
        postgres.stop()
        postgres.start()
        with cluster_over(tmp_path, postgres, network.ours) as cluster:
            yield cluster


def worker_on(place: Place, network: Network, host: str) -> FarWorker:
    worker = FarWorker(place.tmp_path / host, network.on(host))
    place.workers.append(worker)
    worker.start(f"--server={place.server.url}", f"--token={place.token()}", f"--name={host}")
    place.becomes(host, "ready")
    return worker


@pytest.mark.usefixtures("router")
def test_a_worker_behind_a_router_does_jobs_and_survives_a_restart_of_the_server(
    place: Place, network: Network, databases: Any
) -> None:
    worker_on(place, network, "far")
    client = place.server.client()
    ends(place, client, submit(client))
    job_id = submit(client, 2, seconds=5.0)
    until(lambda: status(client, job_id) == "in_progress", place.logs)

    place.server.kill()
    place.server.start()

    ends(place, client, job_id)
    assert attempts(place, databases, job_id) == [(1, "succeeded")]


@pytest.mark.usefixtures("router")
def test_a_job_of_a_worker_that_is_cut_off_runs_elsewhere_and_what_the_first_one_reports_then_is_refused(
    place: Place, network: Network, databases: Any
) -> None:
    near = worker_on(place, network, "near")
    client = place.server.client()
    job_id = submit(client, seconds=6.0)
    until(lambda: status(client, job_id) == "in_progress", place.logs)
    worker_on(place, network, "far")

    network.cable("near", plugged=False)
    ended = ends(place, client, job_id)
    network.cable("near", plugged=True)

    until(lambda: f"dropped a job that is not ours any more job_id={job_id}" in near.log(), place.logs)
    place.becomes("near", "ready")
    assert ends(place, client, job_id) == ended
    ends(place, client, submit(client, 2))
    outcomes = [outcome for _, outcome in attempts(place, databases, job_id)]
    assert outcomes[0] == "queued"
    assert outcomes.count("succeeded") == 1


def test_a_worker_whose_host_vanishes_is_replaced_and_comes_back_without_a_word(place: Place, network: Network) -> None:
    worker = worker_on(place, network, "near")
    network.cable("near", plugged=False)
    place.becomes("near", "away")

    worker.tell(signal.SIGKILL)
    worker.wait()
    worker.start()
    network.cable("near", plugged=True)

    place.becomes("near", "ready")
    client = place.server.client()
    ends(place, client, submit(client))


def test_a_leader_whose_host_vanishes_loses_the_lead_and_another_one_hands_out(
    cluster: Cluster, network: Network
) -> None:
    first = cluster.server(f"--host={network.address('a')}", before=network.on("a"))
    assert cluster.leader() is first
    second = cluster.server(f"--host={network.address('b')}", before=network.on("b"))
    second.worker("near", before=network.on("near"))
    client = second.server.client()
    ends(second, client, submit(client))

    network.cable("a", plugged=False)

    until(lambda: leads(second), cluster.logs)
    ends(second, client, submit(client, 2))
    until(lambda: "this server does not lead any more" in first.server.log(), cluster.logs)
    network.cable("a", plugged=True)
    client = first.server.client()
    ends(first, client, submit(client, 3))
