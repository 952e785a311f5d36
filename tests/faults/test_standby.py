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


def succeeded(cluster: Cluster, job_id: str) -> int:
    """Say how many attempts at a job succeeded."""
    with psycopg.connect(cluster.database_url) as raw:
        rows = raw.execute(
            "SELECT count(*) FROM job_attempt JOIN job ON job.pk = job_pk WHERE outcome = 'succeeded' AND job.id = %s",
            (job_id,),
        ).fetchall()
    return rows[0][0]


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
    assert [succeeded(cluster, job) for job in (running, waiting)] == [1, 1]
