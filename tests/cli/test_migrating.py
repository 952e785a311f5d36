"""A store that goes from SQLite to PostgreSQL: what clients see is the same, and goes on."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cli.test_backups import GRAPH, content, fill, fireside
from tests.conftest import StartServer
from tests.postgres_server import PostgresServer

pytestmark = [pytest.mark.once, pytest.mark.sqlite]


@pytest.fixture
def empty(postgres_server: PostgresServer) -> Iterator[str]:
    with postgres_server.database(template="template0") as url:
        yield url


def migrate(data_dir: Path, url: str) -> tuple[int, str]:
    done = fireside("migrate", "sqlite-to-postgres", f"--data-dir={data_dir}", FIRESIDE_DATABASE_URL=url)
    return done.returncode, " ".join((done.stdout + done.stderr).split())


def test_a_store_is_the_same_on_postgres_and_goes_on(start_server: StartServer, empty: str) -> None:
    server = start_server(FIRESIDE_DATABASE_URL="")
    folder, ann, admin = server.data_dir, server.add_user("ann", max_running=2), server.key_of("admin")
    with server.client(ann) as http:
        fill(http)
        http.post("/admin/api/pause", headers={"X-API-Key": admin}, json={"user": None}).raise_for_status()
        waiting = http.post("/api/prompt", json={"prompt": GRAPH}).raise_for_status().json()["prompt_id"]
        before = content(http)
    assert "another Fireside server uses" in migrate(folder, empty)[1]
    server.stop()

    code, said = migrate(folder, empty)

    assert (code, "ok counters ann's are right" in said) == (0, True), said
    assert not (folder / "fireside.db").exists()
    server.environment["FIRESIDE_DATABASE_URL"] = empty
    server.start()
    with server.client(ann) as http:
        assert content(http) == before
        http.post("/admin/api/resume", headers={"X-API-Key": admin}, json={"user": None}).raise_for_status()
        again = http.post("/api/prompt", json={"prompt": GRAPH}).raise_for_status().json()["prompt_id"]
        for job in (waiting, again):
            while http.get(f"/api/v2/jobs/{job}").json()["status"] in ("queued", "running"):
                http.get(f"/api/v2/jobs/{job}/events")
        listed = http.get("/api/jobs").json()
        assert [(job["id"], job["status"]) for job in listed["jobs"]][:2] == [
            (again, "completed"),
            (waiting, "completed"),
        ]
        assert listed["pagination"]["total"] == 3
    assert server.add_user("bob") != ann
