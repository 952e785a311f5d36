"""The child process: executes one task after another and tells its events on a pipe.

A second thread reads what the worker asks, so that an interrupt is heard while a node computes; when the worker is
gone, so is this process. Everything that nodes print goes to the log, never into the pipe.
"""

import importlib.metadata
import os
import platform
import queue
import resource
import signal
import sys
import threading
import warnings
from collections.abc import Callable
from contextlib import suppress
from io import BufferedReader
from pathlib import Path
from typing import Any, BinaryIO

from blake3 import blake3
from PIL import Image, ImageFile

import fireside
from fireside.runtimes.base import Failed, RunEvent, RuntimeInfo, Task
from fireside.runtimes.builtin import messages
from fireside.runtimes.builtin.cache import Cache
from fireside.runtimes.builtin.definitions import definitions_of
from fireside.runtimes.builtin.executor import Executor
from fireside.runtimes.builtin.nodes import NODES

# The kernel's out-of-memory killer takes this process before the worker and everything else.
_VICTIM_SCORE = "900"


class _Desk:
    """Tasks that wait or run, each with the flag that stops it."""

    def __init__(self) -> None:
        self._stops: dict[str, threading.Event] = {}
        self._waiting: queue.SimpleQueue[Task] = queue.SimpleQueue()

    def add(self, task: Task) -> None:
        self._stops[task.task_id] = threading.Event()
        self._waiting.put(task)

    def interrupt(self, task_id: str) -> None:
        stop = self._stops.get(task_id)
        if stop is not None:
            stop.set()

    def next(self) -> tuple[Task, threading.Event]:
        task = self._waiting.get()
        return task, self._stops[task.task_id]

    def close(self, task: Task) -> None:
        self._stops.pop(task.task_id, None)


def main() -> None:
    """Say what this runtime is, then execute until the worker is gone."""
    # The worker hears these as well and decides what they mean for the job.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    requests, answers = _take_pipes()
    settings = messages.decode_settings(_read(requests))
    _limit(settings.memory_bytes)
    _set_up_pillow()
    desk = _Desk()
    threading.Thread(target=_listen, args=(requests, desk), name="requests", daemon=True).start()
    _write(answers, messages.encode(_info()))
    executor = Executor(NODES, Cache(settings.cache_bytes))
    while True:
        task, stop = desk.next()
        _execute(executor, task, stop, lambda event, task=task: _tell(answers, task, event))
        desk.close(task)


def _take_pipes() -> tuple[BufferedReader, BinaryIO]:
    requests = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return requests, answers


def _limit(memory_bytes: int | None) -> None:
    if memory_bytes is not None:
        resource.setrlimit(resource.RLIMIT_DATA, (memory_bytes, memory_bytes))
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(_VICTIM_SCORE, "ascii")


def _set_up_pillow() -> None:
    # Pillow only warns of pictures up to twice its own limit.
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    # As in ComfyUI, a file that breaks off early gives what there is of it.
    ImageFile.LOAD_TRUNCATED_IMAGES = True


def _read(requests: BufferedReader) -> bytes:
    prefix = requests.read(messages.LENGTH_BYTES)
    body = requests.read(messages.length_of(prefix))
    if len(prefix) < messages.LENGTH_BYTES or len(body) < messages.length_of(prefix):
        raise EOFError
    return body


def _listen(requests: BufferedReader, desk: _Desk) -> None:
    try:
        while True:
            match messages.decode_request(_read(requests)):
                case messages.Execute(task=task):
                    desk.add(task)
                case messages.Interrupt(task_id=task_id):
                    desk.interrupt(task_id)
    finally:
        # Not sys.exit: that would wait for the node that computes in the main thread.
        os._exit(0)


def _execute(executor: Executor, task: Task, stop: threading.Event, tell: Callable[[RunEvent], None]) -> None:
    try:
        executor.execute(task, stop, tell)
    except messages.TooLongError as error:
        tell(Failed(node_id="", node_type="", exception_type="ValueError", exception_message=str(error)))


def _tell(answers: BinaryIO, task: Task, event: RunEvent) -> None:
    _write(answers, messages.encode_event(task.task_id, event))


def _write(answers: BinaryIO, frame: bytes) -> None:
    rest = memoryview(frame)
    while rest:
        rest = rest[answers.write(rest) :]


def _snapshot() -> dict[str, Any]:
    """Say what runs; of our own nodes by their source, which may change without a new version."""
    hasher = blake3()
    for path in sorted(Path(__file__).parent.rglob("*.py")):
        hasher.update(path.read_bytes())
    packages = {name: importlib.metadata.version(name) for name in ("numpy", "pillow")}
    nodes = {"version": fireside.__version__, "source": hasher.hexdigest(length=16)}
    return {"fireside": nodes, "python": platform.python_version(), "packages": packages}


def _info() -> RuntimeInfo:
    page_bytes = os.sysconf("SC_PAGE_SIZE")
    total, free = os.sysconf("SC_PHYS_PAGES") * page_bytes, os.sysconf("SC_AVPHYS_PAGES") * page_bytes
    return RuntimeInfo(
        kind="builtin",
        version=fireside.__version__,
        definitions=definitions_of(NODES.values()),
        snapshot=_snapshot(),
        devices=(
            {
                "name": "cpu",
                "type": "cpu",
                "index": None,
                "vram_total": total,
                "vram_free": free,
                "torch_vram_total": total,
                "torch_vram_free": free,
            },
        ),
        system={
            "os": os.name,
            "ram_total": total,
            "ram_free": free,
            "comfyui_version": "",
            "python_version": f"{sys.version.split()[0]} ({platform.python_implementation()})",
            "pytorch_version": "",
            "embedded_python": False,
            "argv": [],
        },
    )


if __name__ == "__main__":
    main()
