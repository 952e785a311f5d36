"""The lock of a data folder: one server at a time, wherever its database is."""

import fcntl
import os
from pathlib import Path

from fireside.store.database import StoreLocked


def lock_folder(folder: Path) -> int:
    """Take the folder until the descriptor that this gives is closed, or we die; raises `StoreLocked`."""
    # Not inherited by children, and freed by the kernel however we end.
    descriptor = os.open(folder / "store.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise StoreLocked(
            f"another Fireside server uses {folder}: stop it, or give this one another data folder"
        ) from error
    return descriptor
