"""A store that was filled for the benches is a store as any other: its schema, its counters, its lists."""

import asyncio
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from bench.fill import Target, fill, main
from tests.postgres_server import PostgresServer

from fireside.domain.jobs import JobState
from fireside.domain.listing import JobFilter, JobSort, Window
from fireside.domain.outputs import Media
from fireside.store.store import Store

# Each test says itself which database it is about.
pytestmark = pytest.mark.sqlite
JOBS = 9000
_INDEXES = "SELECT indexname, indexdef FROM pg_indexes ORDER BY 1"
_CONSTRAINTS = (
    "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid), convalidated FROM pg_constraint ORDER BY 1, 2"
)


@pytest.fixture
def empty_url(postgres_server: PostgresServer) -> Iterator[str]:
    with postgres_server.database() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgres"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Target:
    if request.param == "postgres":
        return Target(database_url=request.getfixturevalue("empty_url"))
    return Target(data_dir=tmp_path / "data")


def _schema(target: Target) -> Sequence[Any]:
    if target.data_dir is None:
        with psycopg.connect(target.database_url) as raw:
            return [raw.execute(query).fetchall() for query in (_INDEXES, _CONSTRAINTS)]
    with closing(sqlite3.connect(target.data_dir / "fireside.db")) as raw:
        return raw.execute("SELECT type, name, sql FROM sqlite_master ORDER BY 1, 2").fetchall()


async def _total(store: Store, wanted: JobFilter) -> int:
    user = await store.user_named("ann")
    assert user is not None
    return (await store.list_jobs(user.id, wanted, Window(limit=1))).total


async def test_the_counters_of_everybody_are_right(target: Target) -> None:
    await fill(target, jobs=JOBS, user="ann")

    async with target.store() as store:
        users = await store.users()
        assert len(users) == 91
        assert [await store.miscounted(user.id) for user in users] == [0] * len(users)


async def test_the_shares_of_the_statuses_are_exact(target: Target) -> None:
    await fill(target, jobs=JOBS, user="ann")

    async with target.store() as store:
        assert await _total(store, JobFilter()) == JOBS
        assert await _total(store, JobFilter(states=frozenset({JobState.SUCCEEDED}))) == 0.93 * JOBS
        assert await _total(store, JobFilter(states=frozenset({JobState.FAILED, JobState.EXPIRED}))) == 0.03 * JOBS
        assert await _total(store, JobFilter(states=frozenset({JobState.CANCELED}))) == 0.02 * JOBS
        for media in (Media.IMAGE, Media.VIDEO, Media.AUDIO):
            assert await _total(store, JobFilter(media=media)) > 0.01 * JOBS


async def test_every_page_holds_what_its_order_says(target: Target) -> None:
    await fill(target, jobs=JOBS, user="ann")

    async with target.store() as store:
        user = await store.user_named("ann")
        assert user is not None
        for sort, key in ((JobSort.CREATE_TIME, "created_at"), (JobSort.RUN_TIME, "run_time")):
            window = Window(sort=sort, limit=1000)
            pages = [
                await store.list_jobs(user.id, JobFilter(), replace(window, offset=offset))
                for offset in range(0, JOBS, 1000)
            ]
            jobs = [job for page in pages for job in page.jobs]
            assert len({job.id for job in jobs}) == JOBS
            values = [getattr(job, key) for job in jobs]
            assert values == sorted(values, reverse=True)


async def test_the_schema_is_the_one_before(target: Target) -> None:
    async with target.store():
        before = _schema(target)

    await fill(target, jobs=1000, user="ann")

    assert _schema(target) == before


async def test_a_second_fill_goes_behind_the_first(target: Target) -> None:
    await fill(target, jobs=1000, user="ann")
    await fill(target, jobs=500, user="ann")

    async with target.store() as store:
        user = await store.user_named("ann")
        assert user is not None
        assert await store.miscounted(user.id) == 0
        page = await store.list_jobs(user.id, JobFilter(), Window(limit=1500))
        assert page.total == len({job.id for job in page.jobs}) == 1500
        counts = await store.queue_counts(user.id)
        active = JobFilter(states=frozenset(state for state in JobState if state in ("queued", "running")))
        assert counts.queued + counts.held == (await store.list_jobs(user.id, active, Window())).total


def _start(start_server: Callable[..., Any], target: Target) -> Any:
    # The workers that hold jobs are not there; they are given up only long after the test.
    more = {"FIRESIDE_WORKER_LOST_AFTER": "3600", "FIRESIDE_DATABASE_URL": target.database_url}
    return start_server("--workers=0", **more)


def test_a_server_lists_it_and_the_doctor_finds_nothing(
    target: Target, start_server: Callable[..., Any], tmp_path: Path
) -> None:
    asyncio.run(fill(target, jobs=JOBS, user="ann"))

    server = _start(start_server, target)

    client = server.client(server.key_of("ann"))
    page = client.get("/api/jobs?status=completed&output_type=video&limit=5").raise_for_status().json()
    assert page["pagination"]["total"] > len(page["jobs"]) == 5
    assert {job["preview_output"]["mediaType"] for job in page["jobs"]} == {"images"}
    assert client.get(f"/api/jobs/{page['jobs'][0]['id']}").raise_for_status().json()["status"] == "completed"
    running = client.get("/api/jobs?status=in_progress").raise_for_status().json()
    assert running["pagination"]["total"] == 18
    environment = os.environ | ({"FIRESIDE_DATABASE_URL": target.database_url} if target.database_url else {})
    command = [sys.executable, "-m", "fireside.cli.main", "doctor", "--counters", f"--data-dir={server.data_dir}"]
    told = subprocess.run(command, env=environment, capture_output=True, text=True, check=False).stdout
    assert "ann's are right" in told
    assert "were wrong" not in told


def test_a_number_of_jobs_below_one_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--data-dir", str(tmp_path), "--jobs", "0"])

    assert "--jobs must be at least 1" in capsys.readouterr().err
