"""The states of a run's nodes, told often enough to watch and rarely enough to stay linear in the graph's size."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from fireside.runtimes.base import NodeState, Progress, ProgressState, RunEvent

# A message holds every node that is not pending, so telling each change of a large graph would cost its square.
_ALWAYS_TOLD_NODES = 64
_CHANGES_PER_MESSAGE = 8
_PAUSE_SECONDS = 0.25
_STEP_PAUSE_SECONDS = 0.02


class Board:
    """Keeps the states and tells them."""

    def __init__(
        self,
        graph: Mapping[str, Any],
        tell: Callable[[RunEvent], None],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._graph = graph
        self._tell = tell
        self._clock = clock
        self._states: dict[str, NodeState] = {}
        self._untold = 0
        self._told_at = -_PAUSE_SECONDS
        self._step_at = -_STEP_PAUSE_SECONDS

    def start(self, node_id: str) -> None:
        """Show a node as running."""
        self._step_at = -_STEP_PAUSE_SECONDS
        self._put(node_id, "running", 0.0, 1.0)

    def step(self, node_id: str, value: float, maximum: float) -> None:
        """Show how far a node is; steps that follow at once are left out, the last one never is."""
        if value < maximum and self._clock() - self._step_at < _STEP_PAUSE_SECONDS:
            return
        self._step_at = self._clock()
        self._put(node_id, "running", value, maximum)
        self._tell(Progress(node_id=node_id, value=value, max=maximum))

    def finish(self, node_id: str) -> None:
        """Show a node as finished."""
        maximum = self._max_of(node_id)
        self._put(node_id, "finished", maximum, maximum)

    def reuse(self, node_id: str) -> None:
        """Show a node as finished that did not have to run, with the next message."""
        self._states[node_id] = self._state(node_id, "finished", 1.0, 1.0)
        self._untold += 1

    def fail(self, node_id: str) -> None:
        """Show a node as broken; always told."""
        known = self._states.get(node_id)
        self._states[node_id] = self._state(node_id, "error", known.value if known else 0.0, self._max_of(node_id))
        self._untold += 1
        self.flush()

    def flush(self) -> None:
        """Tell what has not been told."""
        if self._untold:
            self._untold = 0
            self._told_at = self._clock()
            self._tell(ProgressState(nodes=tuple(self._states.values())))

    def _put(self, node_id: str, state: str, value: float, maximum: float) -> None:
        self._states[node_id] = self._state(node_id, state, value, maximum)
        self._untold += 1
        size = len(self._states)
        if (
            size <= _ALWAYS_TOLD_NODES
            or self._untold * _CHANGES_PER_MESSAGE >= size
            or self._clock() - self._told_at >= _PAUSE_SECONDS
        ):
            self.flush()

    def _max_of(self, node_id: str) -> float:
        known = self._states.get(node_id)
        return known.max if known else 1.0

    def _state(self, node_id: str, state: str, value: float, maximum: float) -> NodeState:
        return NodeState(
            node_id=node_id,
            display_node_id=node_id,
            parent_node_id=None,
            real_node_id=node_id,
            class_type=self._graph[node_id]["class_type"],
            state=state,
            value=value,
            max=maximum,
        )
