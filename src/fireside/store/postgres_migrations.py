"""Bringing a PostgreSQL's schema up to date while other servers are at work on it.

A migration is a transaction in which no other server writes, which is well for what takes a moment. One whose first
line begins with `-- online` is for what takes long on a large table: its statements run one by one and outside of a
transaction, so that whoever writes goes on. It may be broken off after each of them, and in the midst of an index, so
all of it can be repeated; docs/decisions/0015 says how it is written. An UPDATE there is of a few rows that are not
what they shall be, and is repeated until there are none: others write in between.
"""

import re
import time
from collections.abc import Sequence
from typing import Any, LiteralString, cast

from fireside.store.postgres_link import RawConnection
from fireside.store.queries import missing_migrations

# Advisory locks of one database share their numbers with everybody in it; the first half spells "fire".
WRITE_ALONE: LiteralString = "SELECT pg_advisory_xact_lock(1718186597, 1)"
_TRY_TO_MIGRATE: LiteralString = "SELECT pg_try_advisory_lock(1718186597, 2)"
_STOP_MIGRATING: LiteralString = "SELECT pg_advisory_unlock(1718186597, 2)"
_TURN_SECONDS = 0.05
_ONLINE = "-- online"
_COMMENT = re.compile(r"--.*")
_INDEX_MADE = re.compile(r"CREATE (?:UNIQUE )?INDEX CONCURRENTLY IF NOT EXISTS (\w+)")


def migrate(raw: RawConnection, migrations: Sequence[tuple[int, str]]) -> None:
    """Apply the migrations that the database has not seen, one server at a time."""
    _wait_for_our_turn(raw)
    try:
        raw.execute("CREATE TABLE IF NOT EXISTS schema_version (version integer PRIMARY KEY)")
        ((present,),) = raw.execute("SELECT coalesce(max(version), 0) FROM schema_version").fetchall()
        for version, script in missing_migrations(migrations, present):
            if is_online(script):
                for statement in statements_of(script):
                    _run_online(raw, statement)
                _record(raw, version)
                continue
            with raw.transaction():
                raw.execute(WRITE_ALONE)
                raw.execute(cast("LiteralString", script))
                _record(raw, version)
    finally:
        if not raw.closed:
            raw.execute(_STOP_MIGRATING)


def is_online(script: str) -> bool:
    """Tell whether others may write while the migration runs."""
    return script.startswith(_ONLINE)


def statements_of(script: str) -> list[str]:
    """Take an online migration apart; no semicolon stands in a text there."""
    return [part.strip() for part in _COMMENT.sub("", script).split(";") if part.strip()]


def _wait_for_our_turn(raw: RawConnection) -> None:
    # Who waits inside a statement has a snapshot, and an index that is made meanwhile waits for all who have one.
    while not _one(raw, _TRY_TO_MIGRATE):
        time.sleep(_TURN_SECONDS)


def _run_online(raw: RawConnection, statement: str) -> None:
    made = _INDEX_MADE.match(statement)
    if made is not None and _is_half_made(raw, made[1]):
        raw.execute(cast("LiteralString", f"DROP INDEX CONCURRENTLY IF EXISTS {made[1]}"))
    if statement.startswith("UPDATE"):
        while _is_any_changed(raw, statement):
            pass
        return
    raw.execute(cast("LiteralString", statement))


def _is_any_changed(raw: RawConnection, statement: str) -> bool:
    with raw.transaction():
        raw.execute(WRITE_ALONE)
        return raw.execute(cast("LiteralString", statement)).rowcount > 0


def _is_half_made(raw: RawConnection, index: str) -> bool:
    """Tell whether somebody was broken off while making the index, which is then there and of no use."""
    return _one(raw, "SELECT count(*) FROM pg_index WHERE indexrelid = to_regclass($1) AND NOT indisvalid", index) > 0


def _record(raw: RawConnection, version: int) -> None:
    raw.execute("INSERT INTO schema_version VALUES ($1)", [str(version)])


def _one(raw: RawConnection, query: LiteralString, *values: str) -> Any:
    ((value,),) = raw.execute(query, values).fetchall()
    return value
