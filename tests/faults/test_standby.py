"""Several servers on one PostgreSQL: one hands out jobs, and when it is gone another one does."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from tests.faults.cluster import Cluster, cluster_over, leads
from tests.faults.far import ends, status, submit, until
from tests.postgres_server import PostgresServer

pytestmark = [pytest.mark.fault, pytest.mark.timeout(300)]


@pytest.fixture
def cluster(tmp_path: Path, postgres_server: PostgresServer) -> Iterator[Cluster]:
    with cluster_over(tmp_path, postgres_server) as cluster:
        yield cluster


def attempts_at(cluster: Cluster, job_id: str) -> list[str]:
    """Say how each attempt at a job ended."""
    with psycopg.connect(cluster.database_url) as raw:
        rows = raw.execute(
            "SELECT outcome FROM job_attempt JOIN job ON job.pk = job_pk WHERE job.id = %s"
            " ORDER BY job_attempt.attempt",
            (job_id,),
        ).fetchall()
    return [row[0] for row in rows]


def test_a_standby_hands_out_jobs_when_the_leader_is_killed_and_what_runs_is_done_once(cluster: Cluster) -> None:
    first = cluster.server()
    assert cluster.leader() is first
    second = cluster.server()
    second.worker("gpu-1")
    client = second.server.client()
    running, waiting = submit(client, 1, seconds=2.0), submit(client, 2)
    until(lambda: status(client, running) == "in_progress", cluster.logs)
    for place in (first, second):
        until(lambda place=place: place.listed("gpu-1")["jobs"] == [running], cluster.logs)
    assert not leads(second)

    first.server.kill()

    ends(second, client, waiting)
    ends(second, client, running)
    assert cluster.leader() is second
    assert [attempts_at(cluster, job).count("succeeded") for job in (running, waiting)] == [1, 1]


def test_nothing_is_requeued_by_a_bus_that_is_away_or_a_leader_that_stops_meanwhile(cluster: Cluster) -> None:
    first, second = cluster.server(), cluster.server()
    leader, other = (first, second) if cluster.leader() is first else (second, first)
    other.worker("gpu-1")
    client = other.server.client()
    running = submit(client, 1, seconds=6.0)
    until(lambda: status(client, running) == "in_progress", cluster.logs)

    cluster.bus.kill()
    cluster.bus.start()
    assert leader.server.stop() == 0

    ends(other, client, running)
    ends(other, client, submit(client, 2))
    assert cluster.leader() is other
    assert attempts_at(cluster, running) == ["succeeded"]
