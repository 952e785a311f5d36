"""Whole servers over one PostgreSQL: what one remembers, the other knows."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.postgres_server import PostgresServer

StartServer = Callable[..., Any]
GRAPH = {"1": {"class_type": "EmptyImage", "inputs": {"width": 8, "height": 8, "batch_size": 1, "color": 0}},
         "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "x"}}}  # fmt: skip


@pytest.fixture
def empty_url(postgres_server: PostgresServer) -> Iterator[str]:
    with postgres_server.database(template="template0") as url:
        yield url


def test_a_server_knows_the_users_and_jobs_of_another_on_its_database(
    start_server: StartServer, empty_url: str
) -> None:
    first = start_server("--workers=1", name="first", FIRESIDE_DATABASE_URL=empty_url)
    key = first.add_user("ann")
    submitted = first.client(key).post("/api/prompt", json={"prompt": GRAPH}).raise_for_status().json()["prompt_id"]

    with pytest.raises(AssertionError, match=r"another server leads on this database.* set nats_url for all of them"):
        start_server("--workers=0", name="beside", FIRESIDE_DATABASE_URL=empty_url)
    first.stop()
    second = start_server("--workers=0", name="second", FIRESIDE_DATABASE_URL=empty_url)

    page = second.client(key).get("/api/jobs").raise_for_status().json()
    assert [job["id"] for job in page["jobs"]] == [submitted]
    assert second.client(key).get("/readyz").json()["store"] is True
    assert not (first.data_dir / "fireside.db").exists()


def test_a_database_that_cannot_be_reached_ends_the_start_and_hides_the_password(start_server: StartServer) -> None:
    with pytest.raises(AssertionError, match="cannot reach the database") as failed:
        start_server("--workers=0", FIRESIDE_DATABASE_URL="postgresql://ann:hush@127.0.0.1:9/fireside")

    assert "hush" not in str(failed.value)
