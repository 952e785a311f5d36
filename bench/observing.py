"""What it costs a job that its use is counted, that it is measured and logged, and that it is traced.

    python -m bench.observing [--jobs N] [--rounds N] [--folder DIR]

The store alone, on SQLite and without HTTP: sixteen callers submit jobs, and then have them assigned, started and
ended, each a commit.
The plain way has none of these; ways alternate, the best round counts. Counted is the processor's time, in all threads,
so that what others do on the machine matters little. Traces are looked up and put into the form in which they are sent;
only their way over the network is left out. Ends with 1 when any of them triples what a job costs.
"""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import structlog
from bench.measuring import ms, parser_of, print_table, ratio, work_folder

from fireside.accounts.accounts import Accounts
from fireside.config import Config
from fireside.domain.ids import JobId, UserId, WorkerId
from fireside.domain.jobs import Job
from fireside.domain.lifecycle import Verb, advance
from fireside.server.job_log import log_move
from fireside.server.meters import Meters
from fireside.store.database import Rows, Transaction
from fireside.store.records import Ending, JobBody, NewJob, NodeRecord, TimelineEntry
from fireside.store.sqlite import SqliteDatabase
from fireside.store.store import Store
from fireside.traces.context import received
from fireside.traces.otlp import encode
from fireside.traces.spans import Span
from fireside.traces.tracer import Tracer

SHORT = ("--jobs=320", "--rounds=3")
CALLERS = 16
WORKER = WorkerId("gpu-1")
RESOURCE = {"service.name": "fireside"}
BODY = JobBody(
    graph=b'{"1":{"class_type":"EmptyImage"},"2":{"class_type":"SaveImage"}}', extra_data=b"{}", outputs=("2",)
)
TOLD = {"nodes": [], "began": [("1", 0.0), ("2", 0.1)], "uploads": [("2", 0.2, 0.01, 1000)], "computed": 0.3}
SUBMIT, REST = "submit", "assign, start, end"
PLAIN, USED, METERED, TRACED = "none of them", "use is counted", "measured and logged", "traced"
_MOST_TIMES = 3.0
_USAGE = "count_usage"
Answer = TypeVar("Answer")


class _Encoding:
    """A way for spans that ends before the network."""

    has_room = True

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[bytes]] = set()
        self._waiting: list[Span] = []

    def add(self, spans: Sequence[Span]) -> None:
        """Put spans into the form in which they are sent, once there is a batch."""
        self._waiting += spans
        if len(self._waiting) >= 512:
            task = asyncio.create_task(asyncio.to_thread(encode, self._waiting, RESOURCE))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            self._waiting = []

    def drop(self, count: int) -> None:
        """Complain: here nothing should be lost."""
        raise RuntimeError(f"{count} spans are lost")

    async def start(self) -> None:
        """Begin."""

    async def stop(self) -> None:
        """Wait for what is under way."""
        await asyncio.gather(*self._tasks)

    async def check(self) -> str:
        """Say that all is well."""
        return ""


class _Side:
    """A store of its own, that does one of these things or none."""

    def __init__(self, store: Store, user_id: UserId, *, is_traced: bool) -> None:
        self.store = store
        self._user_id = user_id
        self._is_traced = is_traced
        self.jobs: list[Job] = []

    async def submit(self, count: int) -> None:
        """Queue jobs."""
        self.jobs = [
            job
            for some in await asyncio.gather(*(self._submit(count // CALLERS) for _ in range(CALLERS)))
            for job in some
        ]

    async def _submit(self, count: int) -> list[Job]:
        return [await self.store.add_job(self._new(), datetime.now(UTC), max_queued=None) for _ in range(count)]

    def _new(self) -> NewJob:
        timeline = [received(datetime.now(UTC), None)] if self._is_traced else []
        return NewJob(id=JobId(uuid4()), user_id=self._user_id, body=BODY, timeline=timeline)

    async def finish(self, _: int) -> None:
        """Have the jobs assigned, started and ended."""
        share = len(self.jobs) // CALLERS
        await asyncio.gather(*(self._finish(self.jobs[n * share : (n + 1) * share]) for n in range(CALLERS)))

    async def _finish(self, jobs: Sequence[Job]) -> None:
        for queued in jobs:
            assigned = advance(queued, Verb.ASSIGN, datetime.now(UTC), worker_id=WORKER)
            job = await self.store.change_job(
                queued, assigned, timeline=[TimelineEntry(kind="assigned", at=assigned.changed_at)]
            )
            started = advance(job, Verb.START, datetime.now(UTC), lease=job.lease)
            job = await self.store.change_job(
                job, started, timeline=[TimelineEntry(kind="started", at=started.changed_at)]
            )
            ended = advance(job, Verb.SUCCEED, datetime.now(UTC) + timedelta(milliseconds=1), lease=job.lease)
            told = TOLD if self._is_traced else {"nodes": [], "began": TOLD["began"]}
            timeline = [
                TimelineEntry(kind="cached", at=started.changed_at, data=told),
                TimelineEntry(kind="succeeded", at=ended.changed_at),
            ]
            await self.store.finish_job(job, ended, (), _ending, timeline=timeline)


def _ending(_: Sequence[NodeRecord]) -> Ending:
    return Ending()


class _Skipping:
    """A transaction that leaves out what counts use."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def run(self, query: str, params: Mapping[str, Any], *, expect: int | None = None) -> Rows:
        """Run a query that is not about use."""
        return () if query.startswith(_USAGE) else self._tx.run(query, params, expect=expect)


class _Sqlite(SqliteDatabase):
    """SQLite that counts use while it is told to."""

    is_counting = True

    async def decide(self, change: Callable[[Transaction], Answer]) -> Answer:
        """Decide in a transaction, which counts or not."""
        return await super().decide(change if self.is_counting else lambda tx: change(_Skipping(tx)))


async def measure(folder: Path, jobs: int, rounds: int) -> list[str]:
    """Do all ways in turns, print what they leave of the rate, and say what does not hold."""
    folder.mkdir(parents=True, exist_ok=True)
    database = _Sqlite(folder / "store.db")
    await database.start()
    first = Store(database)
    user = await Accounts(first, _now, Config()).first_start()
    assert user is not None
    sides = {
        way: _Side(Store(database), user.user.id, is_traced=way == TRACED) for way in (PLAIN, USED, METERED, TRACED)
    }
    meters = Meters()
    for side in sides.values():
        # In a server somebody always watches.
        side.store.watch(_look_on)

    def measure_and_log(before: Job | None, after: Job, *_: object) -> None:
        meters.job_moved(before, after)
        log_move(before, after)

    sides[METERED].store.watch(measure_and_log)
    tracer = Tracer(sides[TRACED].store, _Encoding(), _now)
    await tracer.start()

    best: dict[tuple[str, str], float] = {}

    async def do(what: str, way: str, work: Callable[[int], Awaitable[None]]) -> None:
        database.is_counting = way != PLAIN
        begun = time.process_time()
        await work(jobs)
        await tracer.settle()
        used = (time.process_time() - begun) / jobs
        best[what, way] = min(best.get((what, way), used), used)

    try:
        for _ in range(rounds):
            for way, side in sides.items():
                await do(SUBMIT, way, side.submit)
                await do(REST, way, side.finish)
    finally:
        await tracer.stop()
        await database.close()
    return _print(best)


def _print(best: Mapping[tuple[str, str], float]) -> list[str]:
    rows = [
        (f"{what}, {way}", ms(best[what, way]), ratio(best[what, way], best[what, PLAIN]))
        for what in (SUBMIT, REST)
        for way in (PLAIN, USED, METERED, TRACED)
    ]
    print_table("observing jobs: the processor's time for one", ("ms", "x none"), rows)
    dear = [(what, way) for what, way in best if best[what, way] > _MOST_TIMES * best[what, PLAIN]]
    return [f"{what}, {way}: more than {_MOST_TIMES:g} times as much" for what, way in dear]


def _look_on(*_: object) -> None:
    pass


def _now() -> datetime:
    return datetime.now(UTC)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print, and judge."""
    parser = parser_of("observing", __doc__)
    parser.add_argument("--jobs", type=int, default=1600, help="jobs of each round")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args(arguments)
    with work_folder(options.folder) as folder, (folder / "log").open("w") as log:
        structlog.configure(
            processors=[structlog.processors.add_log_level, structlog.processors.JSONRenderer()],
            wrapper_class=structlog.make_filtering_bound_logger("info"),
            logger_factory=structlog.PrintLoggerFactory(log),
        )
        broken = asyncio.run(measure(folder / "data", options.jobs, options.rounds))
    if broken:
        sys.exit("\n".join(broken))


if __name__ == "__main__":
    main()
