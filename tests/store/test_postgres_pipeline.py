"""Statements that go to PostgreSQL together: how often we wait, and that nothing gets lost or stuck on the way."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import psycopg
import pytest

from fireside.domain.errors import BadRequest
from fireside.store.database import DatabaseError, Rows, Statement, Transaction, Unexpected, Violated
from fireside.store.postgres import PostgresDatabase, prepare
from fireside.store.postgres_pipeline import Answer, Pipeline

IS_IDLE = """
SELECT state FROM pg_stat_activity
WHERE application_name = 'fireside' AND datname = current_database() AND state <> 'idle'
"""
ECHO = "SELECT :value::bytea AS value"
NOTE = "INSERT INTO schema_version VALUES (:version::integer)"
NOTED = "SELECT version FROM schema_version WHERE version > 1000000 ORDER BY version"


@pytest.fixture
async def database(url: str) -> AsyncIterator[PostgresDatabase]:
    database = PostgresDatabase(url)
    for name, text in {"echo": ECHO, "note": NOTE, "noted": NOTED}.items():
        database._queries[name] = prepare(text)
    await database.start()
    yield database
    await database.close()


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many statements went each time that we waited."""
    sent: list[int] = []
    exchange = Pipeline.exchange

    def counted(pipeline: Pipeline, asked: Sequence[Answer]) -> None:
        sent.append(len(asked))
        exchange(pipeline, asked)

    monkeypatch.setattr(Pipeline, "exchange", counted)
    return sent


def note(number: int, expect: int | None = 1) -> Statement:
    return Statement("note", {"version": 1_000_000 + number}, expect=expect)


async def noted(database: PostgresDatabase) -> list[int]:
    (rows,) = await database.read([Statement("noted")])
    return [row["version"] - 1_000_000 for row in rows]


@pytest.mark.parametrize("before", [[], [Statement("echo", {"value": b"1"})]])
async def test_a_query_that_the_database_does_not_understand_is_an_error_wherever_it_stands(
    database: PostgresDatabase, before: list[Statement]
) -> None:
    database._queries["misspelled"] = prepare("SELECT value FROM nowhere")
    asked = [*before, Statement("misspelled"), Statement("noted")]

    with pytest.raises(DatabaseError, match="nowhere"):
        await database.read(asked)
    with pytest.raises(DatabaseError, match="nowhere"):
        await database.write([note(1), *asked])

    assert await noted(database) == []


async def test_a_change_waits_once_for_its_statements_and_once_for_its_commit(
    database: PostgresDatabase, sent: list[int]
) -> None:
    await database.write([note(n) for n in range(1, 6)])

    # With the begin and the lock between servers.
    assert sent == [7, 1]


async def test_who_looks_at_rows_waits_for_them_and_for_what_was_asked_before(
    database: PostgresDatabase, sent: list[int]
) -> None:
    def change(tx: Transaction) -> list[int]:
        tx.run("note", note(1).params)
        found = [len(tx.run("noted", {}))]
        tx.run("note", note(2).params)
        rows = tx.run("noted", {})
        tx.run("note", note(3).params)
        return [*found, len(rows)]

    assert await database.decide(change) == [1, 2]
    assert sent == [4, 3, 1]


async def test_queries_read_together_wait_once(database: PostgresDatabase, sent: list[int]) -> None:
    first, second = await database.read([Statement("check_read"), Statement("check_read")])

    assert first == second
    assert sent == [3]


async def test_what_is_larger_than_what_lies_on_the_way_gets_through_in_both_directions(
    database: PostgresDatabase,
) -> None:
    values = [bytes([n]) * (2 << 20) for n in range(12)]

    results = await database.read([Statement("echo", {"value": value}) for value in values])

    assert [rows[0]["value"] for rows in results] == values


@pytest.mark.parametrize(
    ("refused", "error"), [([note(4), note(4)], Violated), ([note(4, expect=2), note(5), note(5)], Unexpected)]
)
async def test_what_was_refused_first_is_told_and_neighbours_keep_what_they_did(
    database: PostgresDatabase, refused: list[Statement], error: type[Exception]
) -> None:
    answers = await asyncio.gather(
        database.write([note(1)]),
        database.write([note(2), *refused, note(6)]),
        database.write([note(3)]),
        return_exceptions=True,
    )

    assert [type(answer) for answer in answers] == [list, error, list]
    assert await noted(database) == [1, 3]


async def test_what_a_change_asked_for_before_it_gave_up_is_not_done(database: PostgresDatabase) -> None:
    def change(tx: Transaction) -> Rows:
        for _ in range(2):
            # Would be refused if it were sent, and what follows with it.
            tx.run("note", note(1).params)
        raise BadRequest("no")

    answers = await asyncio.gather(
        *(database.decide(change) for _ in range(2)), database.write([note(2)]), return_exceptions=True
    )

    assert [type(answer) for answer in answers] == [BadRequest, BadRequest, list]
    assert await noted(database) == [2]


async def test_a_change_that_stands_still_is_idle_to_the_server_which_ends_those(
    database: PostgresDatabase, url: str
) -> None:
    def change(tx: Transaction) -> str:
        assert not tx.run("noted", {})
        with psycopg.connect(url) as other:
            ((state,),) = other.execute(IS_IDLE).fetchall()
        return state

    assert await database.decide(change) == "idle in transaction"
