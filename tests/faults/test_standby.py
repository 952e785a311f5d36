"""Several servers on one PostgreSQL: one hands out jobs, and when it is gone another one does.

All tests share the servers, each with a worker beside it, and each test begins with all of them well.
"""

import signal
from collections import Counter
from collections.abc import Iterator

import psycopg
import pytest
from tests.faults.cluster import Cluster, cluster_over, leads
from tests.faults.far import Place, ends, status, submit, until
from tests.faults.load import load_of
from tests.postgres_server import PostgresServer

pytestmark = [pytest.mark.fault, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def whole_cluster(tmp_path_factory: pytest.TempPathFactory, postgres_server: PostgresServer) -> Iterator[Cluster]:
    with cluster_over(tmp_path_factory.mktemp("cluster"), postgres_server) as cluster:
        for name in ("one", "two"):
            cluster.server().worker(name, f"--label=beside={name}")
        yield cluster


@pytest.fixture
def cluster(whole_cluster: Cluster) -> Cluster:
    whole_cluster.mend()
    return whole_cluster


@pytest.fixture
def leader(cluster: Cluster) -> Place:
    return cluster.leader()


@pytest.fixture
def standby(cluster: Cluster, leader: Place) -> Place:
    (standby,) = (place for place in cluster.places if place is not leader)
    return standby


def name_of(place: Place) -> str:
    """Name the worker beside a server."""
    (worker,) = place.workers
    return worker.folder.name


def attempts_at(cluster: Cluster, job_id: str) -> list[str | None]:
    """Say what each attempt at a job has led to so far."""
    with psycopg.connect(cluster.database_url) as raw:
        rows = raw.execute(
            "SELECT outcome FROM job_attempt JOIN job ON job.pk = job_pk WHERE job.id = %s"
            " ORDER BY job_attempt.attempt",
            (job_id,),
        ).fetchall()
    return [row[0] for row in rows]


def test_a_standby_hands_out_jobs_when_the_leader_is_killed_and_what_runs_is_done_once(
    cluster: Cluster, leader: Place, standby: Place
) -> None:
    client = standby.server.client()
    running = submit(client, 1, seconds=8.0, beside=name_of(standby))
    waiting = submit(client, 2, beside=name_of(standby))
    for place in cluster.places:
        until(lambda place=place: running in place.listed(name_of(standby))["jobs"], cluster.logs)
    until(lambda: status(client, running) == "in_progress", cluster.logs)
    assert not leads(standby)

    leader.server.kill()

    ends(standby, client, waiting)
    ends(standby, client, running)
    assert cluster.leader() is standby
    assert [attempts_at(cluster, job).count("succeeded") for job in (running, waiting)] == [1, 1]


def test_nothing_is_requeued_by_a_bus_that_is_away_for_long_or_a_leader_that_stops_meanwhile(
    cluster: Cluster, leader: Place, standby: Place
) -> None:
    client = standby.server.client()
    (worker,) = standby.workers
    # Longer than a worker may be silent.
    running = submit(client, 3, seconds=8.0, beside=name_of(standby))
    waiting = submit(client, 4, beside=name_of(standby))
    until(lambda: status(client, running) == "in_progress", cluster.logs)
    # It has been made ready: an offer that goes down with the bus is another matter.
    until(lambda: set(standby.listed(name_of(standby))["jobs"]) == {running, waiting}, cluster.logs)
    reports_lost = worker.log().count("report not delivered")

    cluster.bus.kill()
    until(lambda: worker.log().count("report not delivered") > reports_lost, cluster.logs)
    assert [status(client, job) for job in (running, waiting)] == ["in_progress", "pending"]
    cluster.bus.start()
    assert leader.server.stop() == 0

    ends(standby, client, running)
    ends(standby, client, waiting)
    assert cluster.leader() is standby
    assert [attempts_at(cluster, job) for job in (running, waiting)] == [["succeeded"], ["succeeded"]]


@pytest.mark.parametrize("at_once", [False, True], ids=["in order", "by a crash"])
def test_a_database_that_is_restarted_under_load_loses_no_job_and_has_none_twice(
    cluster: Cluster, postgres_server: PostgresServer, at_once: bool
) -> None:
    clients = [place.server.client() for place in cluster.places]
    with load_of(clients) as load:
        postgres_server.stop(at_once=at_once)
        try:
            load.is_in_trouble()
        finally:
            postgres_server.start()

    assert Counter(load.ends.values()) == {"completed": len(load.ends)}
    succeeded = {job_id: attempts_at(cluster, job_id).count("succeeded") for job_id in load.ends}
    assert succeeded == dict.fromkeys(load.ends, 1)
    assert cluster.leader()


def test_a_job_that_kills_its_worker_three_times_fails_with_the_reason_and_the_fleet_lives_on(
    cluster: Cluster, standby: Place
) -> None:
    client = standby.server.client()
    (worker,) = standby.workers
    deadly = submit(client, 5, seconds=60.0, beside=name_of(standby))
    for number in (1, 2, 3):
        until(lambda number=number: len(attempts_at(cluster, deadly)) == number, cluster.logs)
        until(lambda: status(client, deadly) == "in_progress", cluster.logs)
        worker.tell(signal.SIGKILL)
        worker.wait()
        worker.start()
        until(lambda number=number: attempts_at(cluster, deadly)[number - 1], cluster.logs)

    job = client.get(f"/api/jobs/{deadly}").raise_for_status().json()
    assert job["status"] == "failed"
    assert f"3 workers died while they ran it, the last one was {name_of(standby)}" in str(job["execution_error"])
    assert attempts_at(cluster, deadly) == ["queued", "queued", "failed"]
    ends(standby, client, submit(client, 6, beside=name_of(standby)))
