"""The release before and this code side by side during an upgrade: one PostgreSQL, one bus, and workers of both.

The former release is taken from the repository's own history, and runs with the packages of today.
"""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from tests.faults.cluster import Cluster, cluster_over, leads
from tests.faults.far import Place, ends, status, submit, until
from tests.postgres_server import PostgresServer

pytestmark = [pytest.mark.fault, pytest.mark.timeout(600)]
REPOSITORY = Path(__file__).parents[2]
# Its tag, and its commit for clones that have none.
FORMER = ("v0.1.0", "a28bc192b8afd9dafeada7123e7079edacf856ca")


def _git(*arguments: str) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(["git", "-C", str(REPOSITORY), *arguments], capture_output=True, check=False)


@pytest.fixture(scope="module")
def former(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The folder of the former release's packages."""
    for name in FORMER:
        archive = _git("archive", name, "src")
        if archive.returncode == 0:
            folder = tmp_path_factory.mktemp("former")
            subprocess.run(["tar", "-x", "-C", str(folder)], input=archive.stdout, check=True)
            return str(folder / "src")
    reason = f"this clone has no {' or '.join(FORMER)}: git fetch --tags, and --unshallow for a shallow one"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture
def cluster(tmp_path: Path, postgres_server: PostgresServer) -> Iterator[Cluster]:
    with cluster_over(tmp_path, postgres_server, template="template0") as cluster:
        yield cluster


def version_of(cluster: Cluster) -> int:
    with psycopg.connect(cluster.database_url) as raw:
        row = raw.execute("SELECT max(version) FROM schema_version").fetchone()
    assert row is not None
    return row[0]


def knows(place: Place, path: str) -> bool:
    """Whether a server has a route."""
    return path in httpx.get(f"{place.server.url}/openapi.json", timeout=90).json()["paths"]


def seen(client: httpx.Client, job: str) -> dict[str, Any]:
    """What a server says of a job, in every dialect, and of the file that it made."""
    listed = [one for one in client.get("/api/jobs").raise_for_status().json()["jobs"] if one["id"] == job]
    detail = client.get(f"/api/jobs/{job}").raise_for_status().json()
    (image,) = detail["outputs"]["3"]["images"]
    return {
        "listed": listed[0]["status"],
        "outputs": detail["outputs"],
        "history": client.get(f"/history/{job}").raise_for_status().json()[job]["status"]["completed"],
        "v2": client.get(f"/api/v2/jobs/{job}").raise_for_status().json()["status"],
        "file": client.get("/api/view", params=image, follow_redirects=True).content,
        "assets": sorted(one["id"] for one in client.get("/api/assets").raise_for_status().json()["assets"]),
    }


def test_the_release_before_and_this_one_serve_one_database_during_an_upgrade(cluster: Cluster, former: str) -> None:
    old = cluster.server(PYTHONPATH=former)
    old.worker("old", "--label=made=old", PYTHONPATH=former)
    ann = old.server.add_user("ann")
    before, running = old.server.client(ann), old.server.client(ann)
    first = submit(before, 1, made="old")
    ends(old, before, first)
    # Under way on an old worker, for an old server, while the schema is changed under both.
    second = submit(running, 2, seconds=4.0, made="old")
    until(lambda: status(running, second) == "in_progress", cluster.logs)
    schema = version_of(cluster)

    new = cluster.server()
    after = new.server.client(ann)
    new.worker("new", "--label=made=new")

    assert version_of(cluster) > schema
    assert (knows(old, "/admin/api/pools"), knows(new, "/admin/api/pools")) == (False, True)
    assert (leads(old), leads(new)) == (True, False)
    ends(new, after, second)
    # Each through the one, for a worker of either, told by the other.
    through_old = [submit(before, 3, made="old"), submit(before, 4, made="new")]
    through_new = [submit(after, 5, made="old"), submit(after, 6, made="new")]
    for job in through_old:
        ends(new, after, job)
    for job in through_new:
        ends(old, before, job)
    for job in (first, second, *through_old, *through_new):
        assert seen(before, job) == seen(after, job)
    long = submit(before, 7, seconds=300.0, made="old")
    until(lambda: status(after, long) == "in_progress", cluster.logs)
    after.post(f"/api/jobs/{long}/cancel").raise_for_status()
    until(lambda: status(before, long) == "cancelled", cluster.logs)

    old.server.stop()

    until(lambda: leads(new), cluster.logs)
    for made in ("old", "new"):
        ends(new, after, submit(after, 8, made=made))
    assert seen(after, first)["listed"] == "completed"
