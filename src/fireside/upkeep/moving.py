"""From one machine's SQLite to a PostgreSQL: the whole store, while no server runs on it."""

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path

from fireside.domain.errors import FiresideError
from fireside.store.folder_lock import lock_folder
from fireside.store.moving import Progress, copy_to_postgres, require_unused_postgres
from fireside.store.postgres import PostgresDatabase
from fireside.store.sqlite import SqliteDatabase

_FILE, _MOVED = "fireside.db", "fireside.db.moved"


class CannotMove(FiresideError):
    """The store cannot be moved as things are; the message says why, and what to do."""

    code = "cannot_move"


@dataclass(frozen=True, slots=True)
class Moved:
    """What was moved, and where the file is now that it came from."""

    rows: int
    tables: int
    former: Path


async def move_to_postgres(data_dir: Path, url: str, on_progress: Progress) -> Moved:
    """Copy the store of a data folder into an empty database, and put its file aside.

    It is copied as a whole or not at all, and can then be begun again. Raises `CannotMove`, `StoreLocked` where a
    server runs on it, and what databases raise.
    """
    path = data_dir / _FILE
    if not path.is_file():
        raise CannotMove(f"there is no {path}; name the data folder of a server with --data-dir")
    if (data_dir / _MOVED).exists():
        raise CannotMove(f"there is a {data_dir / _MOVED} of a former move; remove it or put it elsewhere")
    await _bring_up_to_date(path)
    holder = lock_folder(data_dir, f"fireside migrate, process {os.getpid()}")
    try:
        await asyncio.to_thread(require_unused_postgres, url)
        target = PostgresDatabase(url)
        await target.start()
        await target.close()
        counts = await asyncio.to_thread(copy_to_postgres, path, url, on_progress)
        # A server that is started without the setting must not go on with what is old.
        path.replace(data_dir / _MOVED)
    finally:
        os.close(holder)
    return Moved(sum(counts.values()), len(counts), data_dir / _MOVED)


async def _bring_up_to_date(path: Path) -> None:
    """Have the file of the newest schema, with nothing left in its log."""
    source = SqliteDatabase(path, holder=f"fireside migrate, process {os.getpid()}")
    await source.start()
    await source.close()
