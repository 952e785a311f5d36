"""How far one job is, read from the messages of the websocket. Knows nothing of sockets."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

_END_MESSAGES = frozenset({"execution_success", "execution_error", "execution_interrupted"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a job is: nodes that are done, the node that runs now, and its steps (0 of 0 when it counts none).

    `fetching` says in words which model comes before it runs.
    """

    is_running: bool = False
    finished_nodes: int = 0
    node_id: str | None = None
    step: float = 0
    steps: float = 0
    fetching: str = ""


class ProgressReader:
    """Follows one job through the messages of all of a user's jobs."""

    def __init__(self, job_id: str) -> None:
        self._job_id = job_id
        self._finished: set[str] = set()
        self.progress = Progress()
        self.has_ended = False

    def read(self, message: Any) -> bool:
        """Take in a decoded text message; whether it changed anything for this job."""
        if not isinstance(message, dict):
            return False
        kind = cast("dict[str, Any]", message).get("type")
        data = _mapping(cast("dict[str, Any]", message).get("data"))
        if data.get("prompt_id") != self._job_id:
            return False
        if kind in _END_MESSAGES:
            self.has_ended = True
            return True
        node_id, step, steps = self.progress.node_id, self.progress.step, self.progress.steps
        if kind == "execution_cached":
            self._finished.update(str(node) for node in cast("list[Any]", data.get("nodes") or []))
        elif kind == "executing" and data.get("node") is not None:
            node_id, step, steps = str(data["node"]), 0, 0
        elif kind == "progress":
            node_id, step, steps = str(data.get("node")), data.get("value") or 0, data.get("max") or 0
        elif kind == "progress_state":
            node_id, step, steps = self._read_state(_mapping(data.get("nodes")), (node_id, step, steps))
        self.progress = Progress(
            is_running=True, finished_nodes=len(self._finished), node_id=node_id, step=step, steps=steps
        )
        return True

    def _read_state(
        self, nodes: Mapping[str, Any], now: tuple[str | None, float, float]
    ) -> tuple[str | None, float, float]:
        for node_id, node in nodes.items():
            state = _mapping(node)
            if state.get("state") == "finished":
                self._finished.add(node_id)
            elif state.get("state") == "running":
                now = (node_id, state.get("value") or 0, state.get("max") or 0)
        return now


def _mapping(value: Any) -> Mapping[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}
