"""The server of a data folder on this machine: whether it runs, and how to reach it as its admin.

A server that runs answers on its admin socket; `server.json` names it. Nothing but an answer on the socket counts as
running: the file of a server that was killed stays, and its pid may be somebody else's by now.
"""

import os
import socket
from pathlib import Path

import msgspec

from fireside.app import SERVER_FILE, ServerFile
from fireside.client.connection import Address
from fireside.server.listening import ADMIN_SOCKET

_CONNECT_SECONDS = 2.0


def running_server(data_dir: Path) -> ServerFile | None:
    """Find the server that runs on this data folder and is ready."""
    try:
        server = msgspec.json.decode((data_dir / SERVER_FILE).read_bytes(), type=ServerFile)
    except (OSError, msgspec.MsgspecError):
        return None
    return server if _answers(admin_address(data_dir)) else None


def admin_address(data_dir: Path) -> Address:
    """Say where the server of a data folder takes its admin's requests."""
    return Address(socket=data_dir / ADMIN_SOCKET)


def is_alive(pid: int) -> bool:
    """Whether there is such a process that has not ended."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return not _is_collected(pid)


def _is_collected(pid: int) -> bool:
    """Whether it is a zombie, or one that its parent collects this moment."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text("ascii", errors="replace")
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] in "ZXx"


def _answers(address: Address) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(_CONNECT_SECONDS)
        try:
            connection.connect(address.socket_path or "")
        except OSError:
            return False
    return True
