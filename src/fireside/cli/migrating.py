"""`fireside migrate`: a store that goes over to another database."""

import asyncio
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cyclopts import App
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars

from fireside.cli.doctor import count_anew, print_findings
from fireside.cli.errors import USAGE, CommandFailed
from fireside.cli.printing import give
from fireside.cli.settings import takes_some_settings
from fireside.config import Config, load_config
from fireside.store.moving import Progress
from fireside.upkeep.moving import Moved, move_to_postgres

migrate = App(name="migrate", help="Take a store over to another database.")


@migrate.command(name="sqlite-to-postgres")
@takes_some_settings("data_dir", "database_url")
def sqlite_to_postgres(flags: Mapping[str, Any]) -> int:
    """Copy the whole store of a data folder into an empty PostgreSQL, as a whole or not at all.

    No server may run on the folder meanwhile; afterwards it is started with the same folder, where the files and the
    key stay, and with database_url. The file of SQLite is put aside.
    """
    config = load_config(flags)
    if not config.database_url:
        raise CommandFailed("name an empty PostgreSQL with --database-url or FIRESIDE_DATABASE_URL", USAGE)
    return asyncio.run(_migrate(config))


async def _migrate(config: Config) -> int:
    with _bar() as bar:
        moved = await move_to_postgres(Path(config.data_dir), config.database_url, bar)
    give(_told(moved))
    # Held against what was copied, as `fireside doctor --counters` does.
    return print_findings([finding async for finding in count_anew(config)])


def _told(moved: Moved) -> str:
    return (
        f"{moved.rows} rows of {moved.tables} tables are in the database; start servers with database_url from now on."
        f" What they were copied from is {moved.former}"
    )


@contextmanager
def _bar() -> Generator[Progress]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bars(*columns, console=Console(stderr=True)) as bars:
        task = bars.add_task("rows", total=None)

        def show(table: str, done: int, total: int) -> None:
            bars.update(task, description=table, completed=done, total=total)

        yield show
