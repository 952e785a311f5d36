"""A free port of this machine for a program that opens it itself, and only later."""

import contextlib
import socket
import sys


class Port:
    """A port on 127.0.0.1 that the kernel chose.

    On Linux it stays reserved while a program that asks for this very port (with SO_REUSEADDR, as servers do) may
    open it; elsewhere somebody else may be quicker, and the start is tried again with another one.
    """

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(("127.0.0.1", 0))
        self.number: int = self._socket.getsockname()[1]
        if not sys.platform.startswith("linux"):
            self.free()

    def free(self) -> None:
        """Let anybody have it; idempotent."""
        with contextlib.suppress(OSError):
            self._socket.close()
