"""People who submit without a pause: each again until it is accepted, and then until it has ended.

Every submit has an idempotency key of its own, so that one whose answer was lost is not done twice.
"""

import itertools
import threading
import time
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import httpx
from tests.faults.far import until

_PEOPLE = 6
_PAUSE_SECONDS = 0.05
_PATIENCE_SECONDS = 240.0
_ENDED = ("completed", "failed", "cancelled")


class Load:
    """What was submitted, and how it ended."""

    def __init__(self) -> None:
        # Of its own, also beside another load of the same people.
        self._name = f"load-{uuid4().hex[:8]}"
        self._numbers = itertools.count()
        self._stopped = threading.Event()
        self._trouble = threading.Event()
        self.ends: dict[str, str] = {}

    def goes_on(self, more: int = 5) -> None:
        """Wait until so many jobs more have ended."""
        enough = len(self.ends) + more
        until(lambda: len(self.ends) >= enough, lambda: f"{len(self.ends)} jobs have ended")

    def is_in_trouble(self) -> None:
        """Wait until somebody has not got an answer, or no good one, from now on."""
        self._trouble.clear()
        assert self._trouble.wait(_PATIENCE_SECONDS)

    def stop(self) -> None:
        self._stopped.set()

    def run(self, client: httpx.Client) -> None:
        while not self._stopped.is_set():
            name = f"{self._name}-{next(self._numbers)}"
            job_id = self._again(lambda name=name: _submitted(client, name))
            self.ends[job_id] = self._again(lambda job_id=job_id: _end(client, job_id))

    def _again(self, ask: Callable[[], str | None]) -> str:
        """Ask until there is an answer; a server or a database that is away is asked again."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < deadline:
            try:
                if answer := ask():
                    return answer
            except (httpx.TransportError, _Away):
                self._trouble.set()
            time.sleep(_PAUSE_SECONDS)
        raise AssertionError(f"there was no answer within {_PATIENCE_SECONDS:.0f} s")


class _Away(Exception):
    """The server says that it cannot answer now."""


def _submitted(client: httpx.Client, name: str) -> str | None:
    body = {"workflow": _graph(name), "metadata": {"name": name}}
    answer = client.post("/api/v2/jobs", json=body, headers={"Idempotency-Key": name})
    if answer.status_code != 422:
        return _said(answer)["id"]
    assert answer.json()["error"]["code"] == "idempotency_key_reuse", answer.text
    (found,) = _said(client.get("/api/v2/jobs", params={"metadata[name]": name}))["jobs"]
    return found["id"]


def _end(client: httpx.Client, job_id: str) -> str | None:
    status = _said(client.get(f"/api/jobs/{job_id}"))["status"]
    return status if status in _ENDED else None


def _said(answer: httpx.Response) -> Any:
    if answer.status_code == 503:
        raise _Away
    return answer.raise_for_status().json()


def _graph(name: str) -> dict[str, Any]:
    return {
        "1": {"class_type": "EmptyImage", "inputs": {"width": 8, "height": 8, "batch_size": 1, "color": 0}},
        "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": name}},
    }


@contextmanager
def load_of(clients: Sequence[httpx.Client]) -> Generator[Load]:
    """Let people submit from before the block begins until it ends, and everything of theirs come to its end."""
    load = Load()
    with ThreadPoolExecutor(_PEOPLE) as pool:
        runs = [pool.submit(load.run, client) for client, _ in zip(itertools.cycle(clients), range(_PEOPLE))]
        try:
            load.goes_on()
            yield load
            load.goes_on()
        finally:
            load.stop()
    for run in runs:
        run.result()
