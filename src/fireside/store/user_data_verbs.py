"""The store's verbs about what the editor keeps for its user: files by path, and settings by name.

Limits come with the call and are held against what is there within the same change, so that no two writers at once get
past them.
"""

from collections.abc import Mapping, Sequence

from fireside.domain.ids import UserId
from fireside.domain.user_files import MAX_PATH_BYTES, FilePath, UserFile
from fireside.store.database import Statement, Transaction
from fireside.store.records import UserDataLimits
from fireside.store.refusals import FileExists, FilesBlocked, UserDataFull
from fireside.store.rows import user_file_of
from fireside.store.verbs import Verbs

_BEHIND_ALL = "\U0010ffff" * (MAX_PATH_BYTES // 4 + 1)


class UserDataVerbs(Verbs):
    """Files and settings of users."""

    async def save_user_file(self, file: UserFile, *, overwrite: bool, limits: UserDataLimits) -> UserFile:
        """Record a file at its path; one that was there keeps the time it was made.

        Raises `FileExists` for a path that is taken, unless `overwrite`; `FilesBlocked` where a folder is taken for a
        file or the other way round; and `UserDataFull` beyond the limits.
        """
        return await self._database.decide(lambda tx: _save(tx, file, overwrite=overwrite, limits=limits))

    async def move_user_file(
        self, user_id: UserId, source: FilePath, target: FilePath, *, overwrite: bool
    ) -> UserFile | None:
        """Give a file another path; None when there is no such file. Raises as `save_user_file`."""
        return await self._database.decide(lambda tx: _move(tx, user_id, source, target, overwrite=overwrite))

    async def remove_user_file(self, user_id: UserId, path: FilePath) -> bool:
        """Forget a file; whether there was one."""
        return await self._database.decide(lambda tx: _remove(tx, user_id, path) is not None)

    async def set_interface(self, file: UserFile, interface: bytes | None) -> UserFile | None:
        """Say beside a file what its workflow takes and gives; None when it is not there any more with these bytes.

        It stays when the file is overwritten, goes where the file is moved, and goes with the file.
        """
        params = {"user_id": file.user_id, "path": file.path.text, "hash": str(file.hash), "interface": interface}
        (rows,) = await self._database.write([Statement("set_interface", params)])
        return user_file_of(rows[0]) if rows else None

    async def user_file(self, user_id: UserId, path: FilePath) -> UserFile | None:
        """Read a file's record."""
        row = await self._one("user_file", {"user_id": user_id, "path": path.text})
        return user_file_of(row) if row else None

    async def user_files(
        self, user_id: UserId, folder: str, *, recurse: bool, limit: int, after: str = ""
    ) -> Sequence[UserFile]:
        """List files by path: those of a folder, or all below it; `after` is the whole path of the last one known.

        The cost is that of what is listed, however many files there are elsewhere.
        """
        begin, until = _span(folder)
        params = {"user_id": user_id, "limit": limit}
        if recurse:
            rows = await self._all("user_files_below", params | {"after": max(after, begin), "until": until})
        else:
            rows = await self._all("user_files_in_folder", params | {"after": after, "folder": folder})
        return [user_file_of(row) for row in rows]

    async def has_user_folder(self, user_id: UserId, folder: str) -> bool:
        """Whether there is a file somewhere below the folder; the root is always there."""
        return not folder or bool(await self.user_files(user_id, folder, recurse=True, limit=1))

    async def user_settings(self, user_id: UserId) -> Mapping[str, bytes]:
        """Read all settings of a user: JSON by name."""
        return {row["name"]: row["value"] for row in await self._all("user_settings", {"user_id": user_id})}

    async def user_setting(self, user_id: UserId, name: str) -> bytes | None:
        """Read a setting of a user, which is JSON; None when it was never made."""
        row = await self._one("user_setting", {"user_id": user_id, "name": name})
        return row["value"] if row else None

    async def save_user_settings(self, user_id: UserId, values: Mapping[str, bytes], *, limits: UserDataLimits) -> None:
        """Write these settings, all or none, and leave the others; raises `UserDataFull` beyond the limits."""
        await self._database.decide(lambda tx: _save_settings(tx, user_id, values, limits))


def _save(tx: Transaction, file: UserFile, *, overwrite: bool, limits: UserDataLimits) -> UserFile:
    before = _at(tx, file.user_id, file.path)
    if before is not None and not overwrite:
        raise _exists(file.path)
    if before is None:
        _check_place(tx, file.user_id, file.path)
    files = 0 if before else 1
    grown_bytes = file.size_bytes - (before.size_bytes if before else 0)
    _count(tx, file.user_id, files, grown_bytes, limits)
    return _write(tx, file)


def _move(tx: Transaction, user_id: UserId, source: FilePath, target: FilePath, *, overwrite: bool) -> UserFile | None:
    moved = _at(tx, user_id, source)
    if moved is None or source == target:
        return moved
    if _at(tx, user_id, target) is not None:
        if not overwrite:
            raise _exists(target)
        _remove(tx, user_id, target)
    _remove(tx, user_id, source)
    _check_place(tx, user_id, target)
    _count(tx, user_id, 1, moved.size_bytes)
    return _write(
        tx,
        UserFile(
            user_id=user_id,
            path=target,
            hash=moved.hash,
            size_bytes=moved.size_bytes,
            created_at=moved.created_at,
            modified_at=moved.modified_at,
            interface=moved.interface,
        ),
    )


def _remove(tx: Transaction, user_id: UserId, path: FilePath) -> UserFile | None:
    rows = tx.run("remove_user_file", {"user_id": user_id, "path": path.text})
    if not rows:
        return None
    removed = user_file_of(rows[0])
    _count(tx, user_id, -1, -removed.size_bytes)
    return removed


def _write(tx: Transaction, file: UserFile) -> UserFile:
    params = {
        "user_id": file.user_id,
        "path": file.path.text,
        "folder": file.path.folder,
        "hash": str(file.hash),
        "size_bytes": file.size_bytes,
        "created_at": file.created_at,
        "modified_at": file.modified_at,
        "interface": file.interface,
    }
    (row,) = tx.run("save_user_file", params, expect=1)
    return user_file_of(row)


def _check_place(tx: Transaction, user_id: UserId, path: FilePath) -> None:
    """See to it that the tree could lie in a file system: no name is a file and a folder."""
    for folder in path.ancestors:
        if tx.run("user_file", {"user_id": user_id, "path": folder}):
            raise FilesBlocked(f"{folder} is a file, so nothing can be put into it.")
    begin, until = _span(path.text)
    if tx.run("user_files_below", {"user_id": user_id, "after": begin, "until": until, "limit": 1}):
        raise FilesBlocked(f"{path.text} is a folder, so no file can be put there.")


def _count(
    tx: Transaction, user_id: UserId, files: int, grown_bytes: int, limits: UserDataLimits | None = None
) -> None:
    params = {"user_id": user_id, "files": files, "bytes": grown_bytes}
    (total,) = tx.run("change_user_file_total", params) or tx.run("begin_user_file_total", params, expect=1)
    if limits is None:
        return
    if files > 0 and total["files"] > limits.entries:
        raise UserDataFull(f"You have {limits.entries} files, which is as many as are kept; remove some first.")
    if grown_bytes > 0 and total["bytes"] > limits.size_bytes:
        raise UserDataFull(f"Your files would have more than {limits.size_bytes} bytes in all; remove some first.")


def _save_settings(tx: Transaction, user_id: UserId, values: Mapping[str, bytes], limits: UserDataLimits) -> None:
    (before,) = tx.run("user_settings_total", {"user_id": user_id}, expect=1)
    for name, value in values.items():
        tx.run("save_user_setting", {"user_id": user_id, "name": name, "value": value}, expect=1)
    (total,) = tx.run("user_settings_total", {"user_id": user_id}, expect=1)
    if limits.entries < total["settings"] > before["settings"]:
        raise UserDataFull(f"You would have more than {limits.entries} settings, which is as many as are kept.")
    if limits.size_bytes < total["bytes"] > before["bytes"]:
        raise UserDataFull(f"Your settings would have more than {limits.size_bytes} bytes in all.")


def _at(tx: Transaction, user_id: UserId, path: FilePath) -> UserFile | None:
    rows = tx.run("user_file", {"user_id": user_id, "path": path.text})
    return user_file_of(rows[0]) if rows else None


def _span(folder: str) -> tuple[str, str]:
    """Give what lies before and behind all paths below a folder; `0` follows the slash in every encoding we keep."""
    return (f"{folder}/", f"{folder}0") if folder else ("", _BEHIND_ALL)


def _exists(path: FilePath) -> FileExists:
    return FileExists(f"{path.text} exists already; choose another name, or allow to overwrite it.")
