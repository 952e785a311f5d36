"""What a ComfyUI prints: its end in memory, and the last megabytes in a file."""

import contextlib
from pathlib import Path
from typing import IO

_FILE_BYTES = 4 * 1024 * 1024
_TAIL_BYTES = 64 * 1024


class Log:
    """A log that never grows beyond two files of 4 MiB; the older one ends in `.old`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._tail = bytearray()
        self._file: IO[bytes] | None = None
        self._size = 0

    def write(self, text: bytes) -> None:
        """Add to it; a disk that is full loses the file's part of it, not ours."""
        self._tail += text
        del self._tail[:-_TAIL_BYTES]
        with contextlib.suppress(OSError):
            file = self._open()
            file.write(text)
            self._size += len(text)

    def tail(self, lines: int) -> str:
        """Give the last lines; of a line that was drawn over and over, what is seen at last."""
        text = self._tail.decode("utf-8", "replace").replace("\r\n", "\n")
        drawn = (line.rstrip("\r").rpartition("\r")[2].rstrip() for line in text.split("\n"))
        return "\n".join([line for line in drawn if line][-lines:])

    def forget(self) -> None:
        """Begin the tail anew, for another process."""
        self._tail.clear()

    def close(self) -> None:
        """Close the file; writing opens it again."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _open(self) -> IO[bytes]:
        if self._file is not None and self._size > _FILE_BYTES:
            self.close()
            self._path.replace(self._path.with_name(self._path.name + ".old"))
        if self._file is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._path.open("ab", buffering=0)
            self._size = self._file.tell()
        return self._file
