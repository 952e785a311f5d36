"""The data folder of a worker that has joined: who it is, and that no second process is it.

`worker.json` is the worker's credential and readable for its user alone. The lock is the kernel's, so a process that is
killed holds nothing.
"""

import fcntl
import os
import secrets
from pathlib import Path

import msgspec

_FILE = "worker.json"
_LOCK = "worker.lock"
_SECRET_PREFIX = "fsw_"  # noqa: S105 - the public part of every secret
_SECRET_BYTES = 32
# What a server keeps in its folder, and a worker never does.
_OF_SERVERS = ("fireside.db", "secret_key", "server.json")


class CannotWork(Exception):
    """This worker cannot begin, or go on; the message says why and what to do."""


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """Who the worker is: `worker_id` is empty until a server has let it in."""

    server_url: str
    secret: str
    worker_id: str = ""


class WorkerHome:
    """One folder, held by this process from `open` to its end."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock: int | None = None

    def open(self) -> None:
        """Take the folder; raises `CannotWork` when another process has it, or it is something else."""
        if any((self.folder / name).exists() for name in _OF_SERVERS):
            raise CannotWork(
                f"{self.folder} is the data folder of a server; give the worker one of its own (--data-dir)"
            )
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock = os.open(self.folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise CannotWork(f"cannot use {self.folder}: {error.strerror}") from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(lock)
            raise CannotWork(
                f"a worker runs in {self.folder} already; another one needs a folder of its own (--data-dir)"
            ) from error
        self._lock = lock

    def close(self) -> None:
        """Let go of the folder; idempotent."""
        lock, self._lock = self._lock, None
        if lock is not None:
            os.close(lock)

    def identity(self) -> Identity | None:
        """Read who this worker is; None before it was ever asked to join."""
        try:
            return msgspec.json.decode((self.folder / _FILE).read_bytes(), type=Identity)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.MsgspecError) as error:
            raise CannotWork(
                f"cannot read {self.folder / _FILE}: {error}; remove the file and join again with --server and --token"
            ) from error

    def remember(self, identity: Identity) -> None:
        """Keep who this worker is; on disk when this returns."""
        part = self.folder / f"{_FILE}.part"
        part.unlink(missing_ok=True)
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(identity)))
            file.flush()
            os.fsync(file.fileno())
        part.replace(self.folder / _FILE)

    def forget(self) -> None:
        """Forget who this worker was: the next start joins anew."""
        (self.folder / _FILE).unlink(missing_ok=True)


def new_secret() -> str:
    """Make a credential."""
    return _SECRET_PREFIX + secrets.token_urlsafe(_SECRET_BYTES)
