"""The lock of a data folder: one server at a time, wherever its database is.

The file says who holds it, for whoever is refused; that it is locked is the kernel's knowledge, not the file's.
"""

import fcntl
import os
from pathlib import Path

from fireside.store.database import StoreLocked

_MOST_BYTES = 1000


def lock_folder(folder: Path, holder: str = "") -> int:
    """Take the folder until the descriptor that this gives is closed, or we die; raises `StoreLocked`.

    `holder` says who we are; without a word, our process.
    """
    # Not inherited by children, and freed by the kernel however we end.
    descriptor = os.open(folder / "store.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        who = os.pread(descriptor, _MOST_BYTES, 0).decode(errors="replace").strip() or "a process"
        os.close(descriptor)
        raise StoreLocked(
            f"another Fireside server uses {folder}: {who}; stop it, or give this one another data folder"
        ) from error
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{holder or f'process {os.getpid()}'}\n".encode(), 0)
    return descriptor


def require_unlocked(folder: Path) -> None:
    """Raise `StoreLocked` where somebody uses the folder now."""
    if folder.is_dir():
        os.close(lock_folder(folder))
