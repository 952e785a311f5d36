"""Fill a store of either kind with very many realistic jobs of one user, and others' beside them.

    python -m bench.fill --data-dir DIR | --database-url URL --jobs N [--user NAME]

The user is created if missing, and has the jobs behind those that they have already. Others have a fifth as many
together. Everything goes through the production schema: rows first, indexes and counters after them. No server may run
on the folder; servers on the database wait. What is not filled: the bytes of outputs, which no list shows.
"""

import argparse
import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.histories import WORKERS, History, JobMaker
from bench.loading import Loader, postgres_loader, sqlite_loader
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from fireside.accounts.accounts import FIRST_USER
from fireside.domain.accounts import Role
from fireside.domain.ids import UserId
from fireside.store.database import Database
from fireside.store.postgres import PostgresDatabase
from fireside.store.sqlite import SqliteDatabase
from fireside.store.store import Store
from fireside.store.times import from_time

DATABASE_FILE = "fireside.db"
_OTHERS_SHARE = 5
_JOBS_OF_ANOTHER = 2000
_LASTS = timedelta(days=365)
_ENDED_SINCE = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The store to fill."""

    data_dir: Path | None = None
    database_url: str = ""

    def database(self) -> Database:
        """Give the database as servers use it."""
        if self.data_dir is None:
            return PostgresDatabase(self.database_url)
        return SqliteDatabase(self.data_dir / DATABASE_FILE)

    def loader(self) -> AbstractContextManager[Loader]:
        """Give what fills it."""
        if self.data_dir is None:
            return postgres_loader(self.database_url)
        return sqlite_loader(self.data_dir / DATABASE_FILE)

    @asynccontextmanager
    async def store(self) -> AsyncGenerator[Store]:
        """Open it as servers do."""
        database = self.database()
        await database.start()
        try:
            yield Store(database)
        finally:
            await database.close()


async def fill(target: Target, *, jobs: int, user: str = FIRST_USER) -> None:
    """Put that many jobs of the user into a store, and those of others; shows how far it is."""
    others = max(1, min(1000, jobs // _OTHERS_SHARE // 20))
    shares = {user: jobs} | {f"user-{number:04}": jobs // _OTHERS_SHARE // others for number in range(1, others + 1)}
    async with target.store() as store:
        users = {await _user(store, name): count for name, count in shares.items() if count}
    with _progress() as progress:
        await asyncio.to_thread(_load, target, users, progress)
        await _count(target, users, progress)


async def _user(store: Store, name: str) -> UserId:
    user = await store.user_named(name)
    if user is None:
        role = Role.ADMIN if name == FIRST_USER else Role.MEMBER
        user = await store.add_user(name, role, datetime.now(UTC))
    return user.id


def _load(target: Target, users: Mapping[UserId, int], progress: Progress) -> None:
    rows = progress.add_task("jobs", total=sum(users.values()))
    with target.loader() as loader:
        for user_id, jobs in sorted(users.items()):
            running = WORKERS if jobs == max(users.values()) else 0
            _load_history(loader, user_id, jobs, running, progress, rows)
        indexes = progress.add_task("indexes", total=None)
        for name in loader.rebuild():
            progress.update(indexes, description=f"indexes: {name}", advance=1)
        progress.update(indexes, description="indexes: on disk")
    progress.remove_task(indexes)


def _load_history(loader: Loader, user_id: UserId, jobs: int, running: int, progress: Progress, rows: TaskID) -> None:
    place, created_at = loader.latest(user_id)
    ends_at = datetime.now(UTC) - _ENDED_SINCE
    history = History(
        user_id=user_id,
        jobs=jobs,
        running=running,
        first=place + 1,
        begins_at=max(created_at, from_time(ends_at - _LASTS)),
        ends_at=from_time(ends_at),
    )
    maker = JobMaker(history)
    for columns in maker.chunks():
        loader.add(columns)
        progress.advance(rows, len(columns["pk"]))
    loader.complete(history, maker.made)


async def _count(target: Target, users: Mapping[UserId, int], progress: Progress) -> None:
    counting = progress.add_task("counters", total=len(users) + 1)
    async with target.store() as store:
        for user_id in users:
            await store.recount(user_id)
            progress.advance(counting)
        progress.update(counting, description="counters: blocks")
        await store.promote_large_histories()
        progress.advance(counting)


def _progress() -> Progress:
    return Progress(TextColumn("{task.description:32}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())


def target_of(options: argparse.Namespace) -> Target:
    """Say which store the arguments `data_dir` and `database_url` mean."""
    return Target(data_dir=options.data_dir, database_url=options.database_url or "")


def main(arguments: Sequence[str] | None = None) -> None:
    """Fill."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.fill", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--data-dir", type=Path, help="data folder of a server that keeps its store in SQLite")
    where.add_argument("--database-url", help="postgresql:// URL of a server's database")
    parser.add_argument("--jobs", type=int, required=True, help="how many jobs the user gets")
    parser.add_argument("--user", default=FIRST_USER, help="whose jobs they are")
    options = parser.parse_args(arguments)
    if options.jobs < 1:
        parser.error("--jobs must be at least 1")
    asyncio.run(fill(target_of(options), jobs=options.jobs, user=options.user))


if __name__ == "__main__":
    main()
