"""Backups: a folder with a copy of the database, of the files it refers to, and of the secret key.

The database is copied first and the files after it, so that each file the copy knows is there; what a backup has
already is not copied again. `manifest.json` is written last and makes the folder a backup. Restoring goes the other
way: files first and the database last, so that one that was interrupted can be begun again.
"""

import os
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from blake3 import blake3

import fireside
from fireside.accounts.server_keys import SECRET_KEY_FILE
from fireside.blobs.base import Blobs, HashMismatch
from fireside.blobs.local import LocalBlobs
from fireside.blobs.opening import open_blobs
from fireside.config import Config
from fireside.domain.errors import FiresideError, NotFound
from fireside.domain.ids import BlobHash
from fireside.store.copies import copy_sqlite, dump_postgres, load_postgres, require_empty_postgres
from fireside.store.folder_lock import require_unlocked
from fireside.store.postgres import PostgresDatabase
from fireside.store.sqlite import SqliteDatabase
from fireside.store.store import Store

Progress = Callable[[int, int], None]
"""Hears how many files of how many are done."""
_FORMAT = 1
_MANIFEST, _FILES, _BLOBS = "manifest.json", "files.txt", "blobs"
_SQLITE, _POSTGRES = "fireside.db", "database.pgdump"
_AT_ONCE = 500


class BackupError(FiresideError):
    """A backup cannot be made or used; the message says why, and what to do."""

    code = "backup_error"


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`manifest.json`: what a backup holds. The hashes are blake3 of the database's copy and of the list of files."""

    format: int
    version: str
    made_at: datetime
    database: str
    database_hash: str
    files: int
    bytes: int
    files_hash: str
    damaged: list[BlobHash] = []
    """Files whose bytes are others than were stored, and that are therefore not in the backup."""


async def back_up(config: Config, folder: Path, on_progress: Progress) -> Manifest:
    """Bring a backup up to date with a server that may run; raises `BackupError`, and what stores and blobs raise."""
    data_dir = Path(config.data_dir)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if any(folder.iterdir()) and not any((folder / name).exists() for name in (_MANIFEST, _BLOBS)):
        raise BackupError(f"{folder} holds other things than a backup; give an empty folder, or an older backup")
    (folder / _MANIFEST).unlink(missing_ok=True)
    source, target = open_blobs(config, data_dir), LocalBlobs(folder / _BLOBS)
    listed: dict[BlobHash, int] = {}
    damaged: set[BlobHash] = set()
    if config.database_url:
        database = _POSTGRES
        # Twice, as the archive cannot be asked: what was removed while it was made is there, and what was added.
        async with _opened(PostgresDatabase(config.database_url)) as store:
            listed |= await _copied(store, source, target, damaged, on_progress)
            await dump_postgres(config.database_url, folder / database)
            listed |= await _copied(store, source, target, damaged, on_progress)
    else:
        database = _SQLITE
        if not (data_dir / database).is_file():
            raise BackupError(f"there is no {data_dir / database}; name the data folder of a server with --data-dir")
        copy_sqlite(data_dir / database, folder / database)
        async with _opened(SqliteDatabase(folder / database)) as store:
            listed |= await _copied(store, source, target, damaged, on_progress)
        (folder / "store.lock").unlink(missing_ok=True)
    await _remove_others(target, listed)
    for name in (SECRET_KEY_FILE, "fireside.toml"):
        _copy_if_there(data_dir / name, folder / name)
    text = "".join(f"{blob_hash} {size}\n" for blob_hash, size in sorted(listed.items()))
    _write(folder / _FILES, text.encode())
    manifest = Manifest(
        format=_FORMAT,
        version=fireside.__version__,
        made_at=datetime.now(UTC),
        database=database,
        database_hash=_hash_of(folder / database),
        files=len(listed),
        bytes=sum(listed.values()),
        files_hash=_hash_of(folder / _FILES),
        damaged=sorted(damaged),
    )
    _write(folder / _MANIFEST, msgspec.json.format(msgspec.json.encode(manifest)))
    return manifest


async def restore(config: Config, folder: Path, on_progress: Progress) -> Manifest:
    """Fill an empty data folder, and an empty database, from a backup; raises `BackupError`, and what stores raise."""
    manifest = read_manifest(folder)
    data_dir = Path(config.data_dir)
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    require_unlocked(data_dir)
    _require_room(config, manifest, data_dir)
    _require_key(folder / SECRET_KEY_FILE, data_dir / SECRET_KEY_FILE)
    source, target = LocalBlobs(folder / _BLOBS), open_blobs(config, data_dir)
    lines = (folder / _FILES).read_text().splitlines()
    for number, line in enumerate(lines, 1):
        blob_hash = BlobHash(line.partition(" ")[0])
        if await _copy(source, target, blob_hash) is None:
            raise BackupError(f"the backup lacks the file {blob_hash}; take another one")
        on_progress(number, len(lines))
    for name in (SECRET_KEY_FILE, "fireside.toml"):
        if not (data_dir / name).exists():
            _copy_if_there(folder / name, data_dir / name)
    if manifest.database == _POSTGRES:
        await load_postgres(config.database_url, folder / _POSTGRES)
    else:
        part = data_dir / f"{_SQLITE}.part"
        copy_sqlite(folder / _SQLITE, part)
        part.replace(data_dir / _SQLITE)
    return manifest


def read_manifest(folder: Path) -> Manifest:
    """Read what a backup holds, and compare it with what is there; raises `BackupError`."""
    try:
        manifest = msgspec.json.decode((folder / _MANIFEST).read_bytes(), type=Manifest)
    except FileNotFoundError as error:
        raise BackupError(f"{folder} is no backup, or one that was not finished: it has no {_MANIFEST}") from error
    except msgspec.DecodeError as error:
        raise BackupError(f"{folder / _MANIFEST}: {error}; a newer Fireside may have made it") from error
    if manifest.format != _FORMAT or manifest.database not in (_SQLITE, _POSTGRES):
        raise BackupError(f"{folder} was made by a newer Fireside ({manifest.version}); restore it with that one")
    for name, known in ((manifest.database, manifest.database_hash), (_FILES, manifest.files_hash)):
        if not (folder / name).is_file() or _hash_of(folder / name) != known:
            raise BackupError(f"{folder / name} is not what {_MANIFEST} says; take another backup")
    return manifest


def _require_room(config: Config, manifest: Manifest, data_dir: Path) -> None:
    if manifest.database == _POSTGRES:
        if not config.database_url:
            raise BackupError("the backup is of a PostgreSQL: name an empty database in FIRESIDE_DATABASE_URL")
        require_empty_postgres(config.database_url)
    elif config.database_url:
        raise BackupError("the backup is of a SQLite: restore it without database_url")
    elif (data_dir / _SQLITE).exists():
        raise BackupError(f"{data_dir} has a {_SQLITE} already; give a data folder without")


def _require_key(saved: Path, present: Path) -> None:
    if saved.exists() and present.exists() and saved.read_bytes() != present.read_bytes():
        raise BackupError(f"{present} is another key than the backup's: remove it, or give another data folder")


@asynccontextmanager
async def _opened(database: SqliteDatabase | PostgresDatabase) -> AsyncGenerator[Store]:
    await database.start()
    try:
        yield Store(database)
    finally:
        await database.close()


async def _copied(
    store: Store, source: Blobs, target: Blobs, damaged: set[BlobHash], on_progress: Progress
) -> dict[BlobHash, int]:
    """Copy what the store refers to and the target has not; answer the sizes of all of it, and note what is damaged."""
    used = [blob_hash async for blob_hash in _used(store, source)]
    sizes: dict[BlobHash, int] = {}
    for number, blob_hash in enumerate(used, 1):
        try:
            if (size := await _copy(source, target, blob_hash)) is not None:
                sizes[blob_hash] = size
        except HashMismatch:
            damaged.add(blob_hash)
        on_progress(number, len(used))
    return sizes


async def _used(store: Store, blobs: Blobs) -> AsyncIterator[BlobHash]:
    after: str | None = ""
    while after is not None:
        page = await blobs.list_blobs(after, limit=_AT_ONCE)
        unused = await store.unused_blobs({blob.hash for blob in page.blobs})
        for blob in page.blobs:
            if blob.hash not in unused:
                yield blob.hash
        after = page.next_after


async def _copy(source: Blobs, target: Blobs, blob_hash: BlobHash) -> int | None:
    """Copy a blob that is not there yet, which compares its bytes with its hash; None when it is gone."""
    found = await target.stat(blob_hash)
    if found is not None:
        return found.size_bytes
    try:
        written = await target.write(source.read(blob_hash), limit_bytes=None, expected=blob_hash)
    except NotFound:
        return None
    return written.size_bytes


async def _remove_others(blobs: Blobs, wanted: dict[BlobHash, int]) -> None:
    after: str | None = ""
    while after is not None:
        page = await blobs.list_blobs(after, limit=_AT_ONCE)
        for blob in page.blobs:
            if blob.hash not in wanted:
                await blobs.delete(blob.hash)
        after = page.next_after


def _copy_if_there(source: Path, target: Path) -> None:
    if source.exists():
        _write(target, source.read_bytes())


def _write(path: Path, content: bytes) -> None:
    part = path.with_name(f"{path.name}.part")
    with os.fdopen(os.open(part, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def _hash_of(path: Path) -> str:
    return blake3(max_threads=1).update_mmap(path).hexdigest()
