"""How fast a server takes workflows over HTTP: checked in full, and on disk before it answers.

    python -m bench.submit [--submits N] [--rounds N] [--folder DIR]

Beside it stand the same server's cheapest answer (`GET /healthz`), one at a time and from sixteen callers, and a bare
insert of as many bytes with a commit of its own. A job that sleeps holds the only worker, so what is submitted waits.
"""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from uuid import uuid4

import uvloop
from bench.calling import Caller, calling
from bench.measuring import best_of, ms, parser_of, print_table, ratio, work_folder
from bench.servers import Server, running_server
from bench.workflows import editor_body, sleep, submit_body

SHORT = ("--submits=320", "--rounds=3")
CALLERS = 16
ONE, ALL = "one at a time", f"{CALLERS} callers"


async def measure(server: Server, folder: Path, submits: int, rounds: int) -> None:
    """Do all ways in turns and print what they cost."""
    plain = bare_table(folder / "plain.db")
    async with calling(server, CALLERS) as callers:
        await callers[0].submit(submit_body(sleep(3600, 10)))
        best = await best_of(
            rounds,
            {
                "bare insert": lambda: insert_barely(plain, submits),
                f"GET /healthz, {ONE}": lambda: _spread(callers[:1], submits, _ask),
                f"submit, {ONE}": lambda: _spread(callers[:1], submits, _submit),
                f"GET /healthz, {ALL}": lambda: _spread(callers, submits, _ask),
                f"submit, {ALL}": lambda: _spread(callers, submits, _submit),
            },
        )
    plain.close()
    _print(best, submits)


def bare_table(path: Path) -> sqlite3.Connection:
    """Open a database as durable as ours, with one table and its two indexes."""
    raw = sqlite3.connect(path, isolation_level=None)
    raw.executescript(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
        "CREATE TABLE job (pk INTEGER PRIMARY KEY, id BLOB UNIQUE, user_id INTEGER, state TEXT, body BLOB);"
        "CREATE INDEX job_of_user ON job (user_id, pk);"
    )
    return raw


async def insert_barely(raw: sqlite3.Connection, count: int) -> None:
    """Insert rows of a submit's size, each with a commit of its own."""
    body = editor_body()
    for _ in range(count):
        raw.execute("INSERT INTO job (id, user_id, state, body) VALUES (?, 1, 'queued', ?)", (uuid4().bytes, body))


async def _spread(callers: Sequence[Caller], count: int, call: Callable[[Caller], Awaitable[object]]) -> None:
    async def work(caller: Caller) -> None:
        for _ in range(count // len(callers)):
            await call(caller)

    await asyncio.gather(*(work(caller) for caller in callers))


async def _ask(caller: Caller) -> None:
    await caller.get("/healthz")


async def _submit(caller: Caller) -> None:
    await caller.post("/api/prompt", editor_body())


def _print(best: dict[str, float], submits: int) -> None:
    each = {name: seconds / submits for name, seconds in best.items()}
    bare = each["bare insert"]
    rows = [("bare insert", ms(bare), f"{1 / bare:,.0f}", "", "1.00")]
    for how in (ONE, ALL):
        alive, ours = each[f"GET /healthz, {how}"], each[f"submit, {how}"]
        rows.append((f"GET /healthz, {how}", ms(alive), f"{1 / alive:,.0f}", "1.00", ratio(alive, bare)))
        rows.append((f"submit, {how}", ms(ours), f"{1 / ours:,.0f}", ratio(ours, alive), ratio(ours, bare)))
    print_table("submit", ("ms each", "per second", "x healthz", "x insert"), rows)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = parser_of("submit", __doc__)
    parser.add_argument("--submits", type=int, default=1600, help="submits of each round")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args(arguments)
    with work_folder(options.folder) as folder, running_server(folder / "data") as server:
        uvloop.run(measure(server, folder, options.submits, options.rounds))


if __name__ == "__main__":
    main()
