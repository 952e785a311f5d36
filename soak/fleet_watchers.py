"""People who watch their jobs: by the websocket at one server, and by the official SDK through the proxy.

A watcher does as clients do that are made for a server which may go away: it comes again, at the next server, and then
asks for what it may have missed. What ends while its socket is open it has to be told there.
"""

import json
import threading
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import httpx
from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

_PAUSE_SECONDS = 0.2
_ASK_SECONDS = 3.0
_LISTEN_SECONDS = 1.0
_OPEN_SECONDS = 20.0
_GRACE_SECONDS = 60.0
_ENDS = frozenset({"execution_success", "execution_error", "execution_interrupted"})
_OVER = frozenset({"completed", "failed", "cancelled"})


@dataclass
class Watcher:
    """One user's websocket, and what it has heard."""

    key: str
    sockets: Sequence[str]
    """Addresses of the servers, the first one's first."""
    client: httpx.Client
    heard: Counter[str] = field(default_factory=Counter[str])
    """How often each job's end was told."""
    asked: set[str] = field(default_factory=set[str])
    """Jobs of whose end the watcher learned when it asked after it had come again."""
    pictures: int = 0
    openings: int = 0
    trouble: list[str] = field(default_factory=list[str])
    _is_open_at_end: bool = False
    _open: set[str] = field(default_factory=set[str])
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def expect(self, job_id: str) -> None:
        """Watch for the end of a job."""
        with self._lock:
            if job_id not in self.heard and job_id not in self.asked:
                self._open.add(job_id)

    @property
    def open_jobs(self) -> Sequence[str]:
        """Name the jobs whose end was not seen yet."""
        with self._lock:
            return list(self._open)

    def run(self, stopped: threading.Event) -> None:
        """Watch, at one server after the other."""
        while not stopped.is_set():
            address = self.sockets[self.openings % len(self.sockets)]
            self.openings += 1
            with (
                suppress(OSError, WebSocketException, TimeoutError, EOFError),
                connect(address, max_size=None, open_timeout=_OPEN_SECONDS, close_timeout=1) as socket,
            ):
                self._ask(stopped)
                self._listen(socket, stopped)
                self._is_open_at_end = True
            stopped.wait(_PAUSE_SECONDS)

    def settle(self) -> None:
        """Ask a last time, but not for what an open socket should have told, and name the jobs that had no end."""
        if not self._is_open_at_end:
            self._ask(threading.Event())
        self.trouble += [f"{job_id}: its owner has not seen its end" for job_id in self.open_jobs]

    def _listen(self, socket: ClientConnection, stopped: threading.Event) -> None:
        while not stopped.is_set():
            try:
                message = socket.recv(timeout=_LISTEN_SECONDS)
            except TimeoutError:
                continue
            if isinstance(message, bytes):
                self.pictures += 1
                continue
            told = json.loads(message)
            if told["type"] in _ENDS:
                job_id = told["data"]["prompt_id"]
                with self._lock:
                    self.heard[job_id] += 1
                    self._open.discard(job_id)

    def _ask(self, stopped: threading.Event) -> None:
        """Ask for the jobs whose end may have been told while nobody listened here."""
        for job_id in self.open_jobs:
            while not stopped.is_set():
                try:
                    answer = self.client.get(f"/api/jobs/{job_id}", timeout=_ASK_SECONDS)
                except httpx.TransportError:
                    answer = None
                if answer is not None and answer.is_success:
                    break
                time.sleep(_PAUSE_SECONDS)
            else:
                return
            if answer.json()["status"] in _OVER:
                with self._lock:
                    if job_id not in self.heard:
                        self.asked.add(job_id)
                    self._open.discard(job_id)


def wait_until_seen(watchers: Sequence[Watcher]) -> None:
    """Wait for the last ends to be seen, for a while."""
    deadline = time.monotonic() + _GRACE_SECONDS
    while any(one.open_jobs for one in watchers) and time.monotonic() < deadline:
        time.sleep(_PAUSE_SECONDS)
