"""What a node's function may do besides computing: tell its progress, notice a stop, read its inputs' files.

A `Scope` belongs to one run, a `Context` to one node in it.
"""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from fireside.runtimes.base import Preview, RunEvent
from fireside.runtimes.builtin.board import Board
from fireside.runtimes.builtin.pictures import Pixels, preview_of

_PREVIEW_PAUSE_SECONDS = 0.1


class Stopped(BaseException):
    """The task was interrupted. No `Exception`, so that no node takes it for an error of its own work."""


@dataclass(slots=True, kw_only=True)
class Scope:
    """What the nodes of one run share."""

    graph: Mapping[str, Any]
    inputs: Mapping[str, Path]
    extra_data: Mapping[str, Any]
    folder: Path
    stop: threading.Event
    tell: Callable[[RunEvent], None]
    board: Board
    now: datetime
    counters: dict[tuple[str, ...], int] = field(default_factory=dict[tuple[str, ...], int])
    preview_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Context:
    """One node's view of its run."""

    node_id: str
    scope: Scope

    def check_stop(self) -> None:
        """Leave the node here when the task is to stop."""
        if self.scope.stop.is_set():
            raise Stopped

    def wait(self, seconds: float) -> None:
        """Do nothing for a while, or until the task is to stop."""
        if self.scope.stop.wait(seconds):
            raise Stopped

    def step(self, value: float, maximum: float, picture: Pixels | None = None) -> None:
        """Tell that `value` of `maximum` steps are done, with a picture of the work so far [H,W,C] if there is one."""
        self.check_stop()
        self.scope.board.step(self.node_id, value, maximum)
        now = time.monotonic()
        if picture is not None and now - self.scope.preview_at >= _PREVIEW_PAUSE_SECONDS:
            self.scope.preview_at = now
            data = preview_of(picture)
            self.scope.tell(
                Preview(node_id=self.node_id, display_node_id=self.node_id, mime="image/jpeg", data=data),
            )

    def input_file(self, value: str) -> Path:
        """Find the file that a graph's value names; no other can be read."""
        try:
            return self.scope.inputs[value]
        except KeyError:
            raise FileNotFoundError(f"There is no input file {value!r}.") from None
