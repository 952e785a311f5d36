"""A PostgreSQL that goes, comes back, is full or was never there: what was accepted is kept, a refusal says why."""

import asyncio
import os
import subprocess
import traceback
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from tests.postgres_server import PASSWORD, PostgresServer, running_server

from fireside.domain.accounts import Role
from fireside.domain.errors import FiresideError, StorageFull, Unavailable
from fireside.domain.ids import JobId
from fireside.domain.listing import JobFilter, Window
from fireside.store.database import DatabaseError, Rows, Statement, Transaction
from fireside.store.postgres import PostgresDatabase, prepare
from fireside.store.records import JobBody, NewJob
from fireside.store.store import Store

NOW = datetime(2026, 1, 2, tzinfo=UTC)
QUIT = "SELECT pg_terminate_backend(pg_backend_pid()) AS quit"
# Runs at the commit, and not before.
AT_COMMIT = """
CREATE FUNCTION at_commit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {} RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON leader DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION at_commit();
"""


@pytest.fixture
async def database(url: str) -> AsyncIterator[PostgresDatabase]:
    database = PostgresDatabase(url)
    database._queries["quit"] = prepare(QUIT)
    await database.start()
    yield database
    await database.close()


def add_user(name: str) -> Statement:
    user = {
        "name": name,
        "role": "member",
        "weight": 1.0,
        "max_running": None,
        "max_queued": None,
        "max_run_seconds": None,
        "keep_jobs": None,
        "keep_days": None,
        "reuse": None,
        "now": NOW,
    }
    return Statement("add_user", user, expect=1)


async def names(database: PostgresDatabase) -> list[str]:
    (rows,) = await database.read([Statement("users")])
    return [row["name"] for row in rows]


def execute(url: str, sql: str) -> None:
    with psycopg.connect(url, autocommit=True) as raw:
        raw.execute(sql.encode())


def said(error: BaseException) -> str:
    """Everything that a log could show of it."""
    return "".join(traceback.format_exception(error))


async def test_connections_that_were_lost_between_two_requests_are_nobodys_business(
    database: PostgresDatabase, url: str
) -> None:
    await database.write([add_user("ann")])
    assert await asyncio.gather(*(names(database) for _ in range(8))) == [["ann"]] * 8

    execute(url, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'fireside'")

    assert await asyncio.gather(*(names(database) for _ in range(8))) == [["ann"]] * 8
    await database.write([add_user("bob")])


async def test_a_question_whose_connection_is_lost_is_asked_again(database: PostgresDatabase) -> None:
    asked: list[str] = []

    def question(tx: Transaction) -> Rows:
        asked.append("once")
        return tx.run("quit" if len(asked) == 1 else "check_read", {})

    assert await database.look(question) == [{"checks": 0}]
    with pytest.raises(Unavailable):
        await database.read([Statement("quit")])


async def test_a_change_whose_connection_is_lost_is_told_so_and_the_next_one_works(database: PostgresDatabase) -> None:
    answers = await asyncio.gather(
        database.write([add_user("ann")]),
        database.write([add_user("bob"), Statement("quit")]),
        return_exceptions=True,
    )

    assert [type(answer) for answer in answers] == [Unavailable, Unavailable]
    assert "nothing was changed" in str(answers[0])
    await database.write([add_user("eve")])
    assert await names(database) == ["eve"]


async def test_a_commit_whose_outcome_is_unknown_says_so(database: PostgresDatabase, url: str) -> None:
    execute(url, AT_COMMIT.format("PERFORM pg_terminate_backend(pg_backend_pid());"))

    with pytest.raises(Unavailable, match="look whether the change was made"):
        await Store(database).take_term("one", NOW)

    await database.write([add_user("ann")])


async def test_a_commit_that_fails_is_heard_by_everybody_in_it(database: PostgresDatabase, url: str) -> None:
    execute(url, AT_COMMIT.format("RAISE 'no';"))

    answers = await asyncio.gather(
        Store(database).take_term("one", NOW), database.write([add_user("ann")]), return_exceptions=True
    )

    assert [type(answer) for answer in answers] == [DatabaseError, DatabaseError]
    await database.write([add_user("bob")])
    assert await names(database) == ["bob"]


async def test_a_change_that_hides_its_failure_is_not_taken_for_done(database: PostgresDatabase) -> None:
    def change(tx: Transaction) -> str:
        for _ in range(2):
            try:
                len(tx.run("add_user", add_user("ann").params))
            except FiresideError:
                continue
        return "done"

    with pytest.raises(DatabaseError):
        await database.decide(change)

    assert await names(database) == []


@pytest.fixture
def own_server() -> Iterator[PostgresServer]:
    """A server that nobody else uses."""
    with running_server() as server:
        yield server


@pytest.mark.fault
async def test_a_server_that_crashes_refuses_until_it_is_back_and_nothing_is_lost(own_server: PostgresServer) -> None:
    with own_server.database() as url:
        database = PostgresDatabase(url)
        await database.start()
        await database.write([add_user("ann")])
        own_server.stop(at_once=True)

        with pytest.raises(Unavailable, match="cannot reach the database"):
            await names(database)
        with pytest.raises(Unavailable, match="cannot reach the database"):
            await database.write([add_user("bob")])

        own_server.start()
        await database.write([add_user("eve")])
        assert await names(database) == ["ann", "eve"]
        await database.close()


@pytest.fixture
def tiny_disk(postgres_server: PostgresServer) -> Iterator[tuple[str, Path]]:
    """A database on a real file system of 32 MiB, and a file that can be taken away to make room."""
    folder = postgres_server.folder / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=32m,mode=0700", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(command, check=False, capture_output=True).returncode != 0:
        assert "CI" not in os.environ, "CI must be able to mount a tmpfs"
        pytest.skip("mounting a small disk needs root")
    postgres_server.command(f"CREATE TABLESPACE tiny LOCATION '{folder}'")
    with postgres_server.database(more="TABLESPACE tiny") as url:
        (folder / "ballast").write_bytes(bytes(1 << 22))
        yield url, folder / "ballast"
    postgres_server.command("DROP TABLESPACE tiny")
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.mark.fault
async def test_a_full_disk_refuses_and_loses_nothing_and_room_makes_it_work_again(
    tiny_disk: tuple[str, Path],
) -> None:
    url, ballast = tiny_disk
    database = PostgresDatabase(url)
    await database.start()
    store = Store(database)
    user = await store.add_user("ann", Role.MEMBER, NOW)
    accepted: list[JobId] = []

    async def submit() -> None:
        body = JobBody(graph=os.urandom(200_000), extra_data=b"{}", outputs=())
        new = NewJob(id=JobId(uuid4()), user_id=user.id, body=body)
        await store.add_job(new, NOW, max_queued=None)
        accepted.append(new.id)

    async def fill() -> None:
        for _ in range(1000):
            await submit()

    refusals = await asyncio.gather(*(fill() for _ in range(4)), return_exceptions=True)

    assert {type(refusal) for refusal in refusals} == {StorageFull}
    ballast.unlink()
    await submit()
    assert {job.id for job in await store.jobs(accepted, user_id=user.id)} == set(accepted)
    assert (await store.list_jobs(user.id, JobFilter(), Window())).total == len(accepted) > 10
    await database.close()


# What is said


@pytest.mark.parametrize(
    "url",
    [
        "mysql://ann:hush@localhost/fireside",
        "postgresql://ann:hu/hush@localhost/fireside",
        "postgresql://ann:hush/1@localhost/fireside",
        "postgresql://ann:hu@hush@localhost/fireside",
        "postgresql://ann:12/hush@localhost/fireside",
        "postgresql://ann:%hush@localhost/fireside",
        "postgresql://ann@localhost/fireside?hush=1",
        "postgresql://[hush/fireside",
    ],
)
def test_a_url_that_cannot_be_read_is_not_repeated(url: str) -> None:
    with pytest.raises(DatabaseError, match="database_url") as refused:
        PostgresDatabase(url)

    assert "hush" not in said(refused.value)


async def test_a_wrong_password_is_refused_and_not_repeated(postgres_server: PostgresServer) -> None:
    wrong = PostgresDatabase(postgres_server.tcp_url("postgres").replace("horse", "hush"))

    with pytest.raises(
        DatabaseError, match=r"password authentication failed for user .fireside.*database_url"
    ) as refused:
        await wrong.start()

    assert "hush" not in said(refused.value)


async def test_the_right_password_opens_also_when_it_has_characters_of_urls(postgres_server: PostgresServer) -> None:
    assert "@" in PASSWORD
    with postgres_server.database() as url:
        database = PostgresDatabase(postgres_server.tcp_url(postgres_server.name_of(url)))

        await database.start()

        assert await names(database) == []
        await database.close()


@pytest.mark.parametrize("name", ["nowhere", "ascii"])
async def test_a_database_that_does_not_fit_is_refused_with_what_to_do(
    postgres_server: PostgresServer, name: str
) -> None:
    with postgres_server.database(template="template0", more="ENCODING 'SQL_ASCII'") as ascii_url:
        url = {"nowhere": postgres_server.url("nowhere"), "ascii": ascii_url}[name]

        with pytest.raises(DatabaseError, match={"nowhere": "does not exist", "ascii": "ENCODING 'UTF8'"}[name]):
            await PostgresDatabase(url).start()


async def test_a_user_who_may_not_make_tables_is_told_so(postgres_server: PostgresServer) -> None:
    postgres_server.command("CREATE ROLE guest LOGIN")
    with postgres_server.database(template="template0") as url:
        guest = PostgresDatabase(url.replace("fireside@", "guest@"))

        with pytest.raises(DatabaseError, match="let it own the database"):
            await guest.start()

    postgres_server.command("DROP ROLE guest")
