"""The exam of `Database`: what every seam to a database promises, whatever is asked of it."""

import asyncio
import threading
from datetime import UTC, datetime
from typing import Any

import pytest

from fireside.domain.errors import BadRequest, Unavailable
from fireside.store.database import Database, DatabaseError, Rows, Statement, Transaction, Unexpected, Violated

NOW = datetime(2026, 1, 2, tzinfo=UTC)


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


async def names(database: Database) -> list[str]:
    (rows,) = await database.read([Statement("users")])
    return [row["name"] for row in rows]


async def test_a_refused_change_leaves_its_neighbours_and_none_of_itself(database: Database) -> None:
    changes = [[add_user(f"user-{n}")] for n in range(20)]
    changes[7] = [add_user("half"), Statement("require_term", {"term": 5}, expect=1)]
    changes[13] = [add_user("other half"), add_user("user-0")]

    answers = await asyncio.gather(*(database.write(change) for change in changes), return_exceptions=True)

    assert isinstance(answers[7], Unexpected)
    assert answers[7].query == "require_term"
    assert isinstance(answers[13], Violated)
    assert answers[13].constraint == "user.name"
    assert await names(database) == [f"user-{n}" for n in range(20) if n not in (7, 13)]


async def test_a_text_that_cannot_be_kept_is_the_callers_mistake_and_nobody_elses(database: Database) -> None:
    answers = await asyncio.gather(
        *(database.write([add_user(name)]) for name in ("ann", "nul \0", "bob")), return_exceptions=True
    )

    assert isinstance(answers[1], BadRequest)
    assert "NUL" in answers[1].message
    assert await names(database) == ["ann", "bob"]
    with pytest.raises(BadRequest, match="NUL"):
        await database.read([Statement("user_by_name", {"name": "ann\0"})])


async def test_whatever_a_decision_raises_reaches_its_caller_and_undoes_it(database: Database) -> None:
    def change(tx: Transaction) -> Rows:
        tx.run("add_user", add_user("ann").params)
        raise LookupError("no")

    with pytest.raises(LookupError):
        await database.decide(change)
    with pytest.raises(DatabaseError):
        await database.write([add_user("bob"), Statement("user_by_id", {"wrong": 1})])

    assert await names(database) == []


async def test_a_caller_that_goes_harms_nobody_and_before_its_turn_is_not_written_for(database: Database) -> None:
    complaints: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, complaint: complaints.append(complaint))
    entered, go_on = threading.Event(), threading.Event()

    def wait(tx: Transaction) -> Rows:
        entered.set()
        assert go_on.wait(60)
        return tx.run("add_user", add_user("ann").params)

    in_its_turn = asyncio.create_task(database.decide(wait))
    assert await asyncio.to_thread(entered.wait, 60)
    before_its_turn = asyncio.create_task(database.write([add_user("bob")]))
    staying = asyncio.create_task(database.write([add_user("eve")]))
    await asyncio.sleep(0)

    in_its_turn.cancel()
    before_its_turn.cancel()
    await asyncio.wait([in_its_turn, before_its_turn])
    go_on.set()
    await staying

    assert await names(database) == ["ann", "eve"]
    assert complaints == []


async def test_queries_read_together_see_one_state(database: Database) -> None:
    async def write() -> None:
        for n in range(30):
            await database.write([add_user(f"user-{n}")])

    writing = asyncio.create_task(write())
    while not writing.done():
        first, *_, last = await database.read(
            [Statement("users"), *([Statement("check_read")] * 20), Statement("users")]
        )
        assert first == last
    await writing


async def test_a_closed_database_refuses_at_once(database: Database) -> None:
    await database.close()

    with pytest.raises(Unavailable):
        await database.read([Statement("users")])
    with pytest.raises(Unavailable):
        await database.write([add_user("ann")])


async def test_what_was_asked_before_the_close_is_written(database: Database) -> None:
    writing = [asyncio.ensure_future(database.write([add_user(f"user-{n}")])) for n in range(9)]
    await asyncio.sleep(0)

    await database.close()

    assert len(await asyncio.gather(*writing)) == 9
