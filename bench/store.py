"""How fast the store submits, with and without its counters and webhooks, on both databases; and jobs become JSON.

    python -m bench.store [--submits N] [--databases sqlite postgres] [--rounds N] [--folder DIR]

Submits are durable, into a history that is large enough to be counted in blocks, of a workflow that is too: all
counters there are. Where webhooks are allowed, the user has none. The plain way is a transaction for each insert of one
row. Ways alternate, the best round counts.
Ends with 1 when counters leave less than two fifths of the rate, sixteen callers on SQLite reach less than 1,500 a
second, or 1,000 jobs take 3 ms as JSON.
"""

import asyncio
import sys
from collections.abc import Awaitable, Generator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import msgspec
import psycopg
from bench.fill import DATABASE_FILE, Target, fill
from bench.histories import WORKFLOWS
from bench.listing_results import DATABASES
from bench.measuring import Work, best_of, ms, parser_of, print_table, ratio, work_folder
from bench.postgres import running_postgres
from bench.submit import bare_table

from fireside.accounts.accounts import FIRST_USER
from fireside.domain.accounts import User
from fireside.domain.ids import JobId
from fireside.domain.listing import JobFilter, Window
from fireside.server.v1.rendering import SECOND, entry_of
from fireside.store.database import Rows, Statement
from fireside.store.postgres import PostgresDatabase
from fireside.store.records import JobBody, NewJob, StagedInput
from fireside.store.sqlite import SqliteDatabase
from fireside.store.store import Store
from fireside.store.threaded import ThreadedDatabase

SHORT = ("--submits=480", "--rounds=3")
NOW = datetime(2026, 1, 1, tzinfo=UTC)
CALLERS = 16
BODY = JobBody(
    graph=b'{"1":' + b" " * 4000 + b"}",
    extra_data=b"{}",
    outputs=("9",),
    inputs=(StagedInput(value="photo.png", hash=("a" * 64), size_bytes=1_000_000),),  # type: ignore[arg-type]
)
PLAIN, ONE, ALL = "plain insert, one transaction each", "1 caller", f"{CALLERS} callers"
_HISTORY = 120_000
_JSON_ROWS, _JSON_ROUNDS = 1000, 50
_KEPT_RATE, _LEAST_PER_SECOND, _MOST_JSON_SECONDS = 0.4, 1500, 0.003
_BARE_INSERT = "INSERT INTO bare_job (id, user_id, state, body) VALUES (%s, 1, 'queued', %s)"
_BARE_TABLE = """
CREATE TABLE bare_job (
    pk bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, id bytea UNIQUE, user_id integer, state text, body bytea
);
CREATE INDEX bare_job_of_user ON bare_job (user_id, pk);
"""


class _Counting(ThreadedDatabase):
    """A database whose changes count nothing while it is told so."""

    is_counting = True

    async def write(self, change: Sequence[Statement]) -> list[Rows]:
        """Make a change, with or without the statements of the counters."""
        return await super().write([one for one in change if self.is_counting or not one.query.startswith("tally_")])


class _Sqlite(_Counting, SqliteDatabase):
    """SQLite that counts or not."""


class _Postgres(_Counting, PostgresDatabase):
    """PostgreSQL that counts or not."""


async def measure_sqlite(folder: Path, submits: int, rounds: int) -> list[str]:
    """Measure on SQLite, the JSON too, and say what does not hold."""
    data_dir = folder / "sqlite"
    await fill(Target(data_dir=data_dir), jobs=_HISTORY)
    database = _Sqlite(data_dir / DATABASE_FILE)
    await database.start()
    try:
        store, user = await _store_of(database)
        with closing(bare_table(folder / "plain.db")) as raw:
            sql = "INSERT INTO job (id, user_id, state, body) VALUES (?, 1, 'queued', ?)"

            async def plain() -> None:
                for _ in range(submits):
                    raw.execute(sql, (uuid4().bytes, BODY.graph))

            rates = await _rates(database, user, plain, submits, rounds)
        broken = _print(rates, "sqlite")
        if rates[ALL] < _LEAST_PER_SECOND:
            broken.append(f"sqlite, {ALL}: only {rates[ALL]:,.0f} submits a second")
        return broken + await _measure_json(store, user)
    finally:
        await database.close()


async def measure_postgres(folder: Path, submits: int, rounds: int) -> list[str]:
    """Measure on PostgreSQL, and say what does not hold."""
    with running_postgres(folder / "postgres") as server:
        url = server.own_url("submits")
        await fill(Target(database_url=url), jobs=_HISTORY)
        database = _Postgres(url)
        await database.start()
        try:
            _, user = await _store_of(database)
            with _bare_postgres(server.own_url("plain")) as raw:

                async def plain() -> None:
                    for _ in range(submits):
                        raw.execute(_BARE_INSERT, (uuid4().bytes, BODY.graph), prepare=True)

                return _print(await _rates(database, user, plain, submits, rounds), "postgres")
        finally:
            await database.close()


@contextmanager
def _bare_postgres(url: str) -> Generator["psycopg.Connection[tuple[object, ...]]"]:
    with psycopg.connect(url, autocommit=True) as raw:
        raw.execute(_BARE_TABLE)
        yield raw


async def _store_of(database: _Counting) -> tuple[Store, User]:
    store = Store(database)
    user = await store.user_named(FIRST_USER)
    assert user is not None
    return store, user


async def _rates(database: _Counting, user: User, plain: Work, submits: int, rounds: int) -> Mapping[str, float]:
    store, telling = Store(database), Store(database, has_webhooks=True)

    async def one(count: int, store: Store = store) -> None:
        for _ in range(count):
            new = NewJob(id=JobId(uuid4()), user_id=user.id, body=BODY, workflow_id=WORKFLOWS[0])
            await store.add_job(new, NOW, max_queued=None)

    async def together(store: Store = store) -> None:
        await asyncio.gather(*(one(submits // CALLERS, store) for _ in range(CALLERS)))

    async def uncounted(work: Awaitable[None]) -> None:
        database.is_counting = False
        await work
        database.is_counting = True

    ways: dict[str, Work] = {
        PLAIN: plain,
        ONE: lambda: one(submits),
        _uncounted(ONE): lambda: uncounted(one(submits)),
        _with_webhooks(ONE): lambda: one(submits, telling),
        ALL: together,
        _uncounted(ALL): lambda: uncounted(together()),
        _with_webhooks(ALL): lambda: together(telling),
    }
    return {way: submits / seconds for way, seconds in (await best_of(rounds, ways)).items()}


def _uncounted(way: str) -> str:
    return f"{way}, without counters"


def _with_webhooks(way: str) -> str:
    return f"{way}, webhooks allowed"


def _print(rates: Mapping[str, float], name: str) -> list[str]:
    rows = [(way, f"{rate:,.0f}", ratio(rate, rates[PLAIN])) for way, rate in rates.items()]
    print_table(f"store: submits on {name}, durable", ("a second", "x plain"), rows)
    kept = {way: rates[way] / rates[_uncounted(way)] for way in (ONE, ALL)}
    print_table("rate that counters leave", ("x without",), [(way, f"{rate:.2f}") for way, rate in kept.items()])
    told = [(way, ratio(rates[_with_webhooks(way)], rates[way])) for way in (ONE, ALL)]
    print_table("rate that webhooks leave which nobody has", ("x without",), told)
    return [f"{name}, {way}: counters leave {rate:.2f} of the rate" for way, rate in kept.items() if rate < _KEPT_RATE]


async def _measure_json(store: Store, user: User) -> list[str]:
    jobs = (await store.list_jobs(user.id, JobFilter(), Window(limit=_JSON_ROWS, offset=_HISTORY // 2))).jobs
    encoder = msgspec.json.Encoder()

    async def encode() -> None:
        encoder.encode([entry_of(job, SECOND) for job in jobs])

    seconds = (await best_of(_JSON_ROUNDS, {"encode": encode}))["encode"]
    print_table("jobs as JSON", ("ms",), [(f"{len(jobs):,} jobs", ms(seconds))])
    return [] if seconds < _MOST_JSON_SECONDS else [f"{len(jobs):,} jobs take {ms(seconds)} ms as JSON"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print, and judge."""
    parser = parser_of("store", __doc__)
    parser.add_argument("--submits", type=int, default=1600, help="submits of each round")
    parser.add_argument("--databases", nargs="+", choices=DATABASES, default=list(DATABASES))
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args(arguments)
    broken: list[str] = []
    with work_folder(options.folder) as folder:
        for name in options.databases:
            measure = measure_sqlite if name == "sqlite" else measure_postgres
            broken += asyncio.run(measure(folder, options.submits, options.rounds))
    if broken:
        sys.exit("\n".join(broken))


if __name__ == "__main__":
    main()
