"""From a ComfyUI's messages about one run to the events of the contract. Pure: no file is touched here.

`executed` becomes a `NodeOutput` without files, which `outputs` finds. Nothing is told twice: not by the websocket and
the history both, and not by a second try of the same run.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, cast

from fireside.runtimes.base import (
    CachedNodes,
    Failed,
    Finished,
    Interrupted,
    NodeOutput,
    NodeStarted,
    NodeState,
    Preview,
    Progress,
    ProgressState,
    ProgressText,
    RunEvent,
)
from fireside.runtimes.comfyui.messages import (
    CachedMessage,
    ErrorMessage,
    ExecutedMessage,
    ExecutingMessage,
    HistoryEntry,
    InterruptedMessage,
    Message,
    PreviewMessage,
    ProgressMessage,
    StateMessage,
    SuccessMessage,
    TextMessage,
    read_event,
)

# ComfyUI goes on after this one, with whatever does not need the blocked node.
_BLOCKED = "ExecutionBlocked"
_HIDDEN = "(hidden)"


class Translator:
    """The state of one run as far as it has been heard; `secrets` are never told."""

    def __init__(self, graph: Mapping[str, Any], secrets: Iterable[str] = ()) -> None:
        self._graph = graph
        self._secrets = tuple(secret for secret in secrets if secret)
        self._begun = False
        self._started: dict[str, None] = {}
        self._running: NodeStarted | None = None
        self._shown: set[str] = set()
        self._cached: frozenset[str] = frozenset()
        self._blocked: Failed | None = None

    def is_cached(self, node_id: str) -> bool:
        """Whether the node's result was reused; of nodes that others bring along ComfyUI lists only those others."""
        return node_id in self._cached or (node_id not in self._graph and node_id not in self._started)

    def try_again(self) -> None:
        """Expect the whole run once more; what was shown stays shown."""
        self._running = None
        self._blocked = None

    def unshow(self, node_id: str) -> None:
        """Expect an output once more that turned out to be of no use."""
        self._shown.discard(node_id)

    def translate(self, message: Message) -> Iterator[RunEvent]:
        """Give the events that a message is; the last one of a run is a Finished, Failed or Interrupted."""
        if isinstance(message, CachedMessage):
            yield from self._begin(message.nodes)
            return
        if isinstance(message, PreviewMessage | TextMessage) and not self._begun:
            # Without the id of a run it may be the last one of the run before.
            return
        events = list(self._events_of(message))
        if events:
            yield from self._begin(())
        yield from events

    def from_history(self, entry: HistoryEntry) -> Iterator[RunEvent]:
        """Give what the history knows and nobody has heard of, up to the end."""
        said = [read_event(kind, data) for kind, data in entry.status.messages] if entry.status else []
        for message in said:
            if isinstance(message, CachedMessage):
                yield from self.translate(message)
        yield from self._begin(())
        for node_id, output in entry.outputs.items():
            meta = entry.meta.get(node_id)
            display = meta.display_node if meta else None
            yield from self._show(ExecutedMessage(node=node_id, display_node=display, output=output))
        ends = (SuccessMessage, ErrorMessage, InterruptedMessage)
        end = next((message for message in reversed(said) if isinstance(message, ends)), None)
        yield from self._events_of(end or _end_without_words(entry))

    def _begin(self, cached: Sequence[str | int]) -> Iterator[RunEvent]:
        if not self._begun:
            self._begun = True
            self._cached = frozenset(str(node) for node in cached)
            yield CachedNodes(nodes=tuple(str(node) for node in cached))

    def _events_of(self, message: Message) -> Iterator[RunEvent]:
        match message:
            case StateMessage():
                nodes = tuple(self._state(node_id, entry) for node_id, entry in message.nodes.items())
                yield ProgressState(nodes=nodes)
            case ExecutingMessage() if message.node is not None:
                yield self._start(message.node, message.display_node)
            case ProgressMessage() if message.node is not None:
                yield Progress(node_id=str(message.node), value=message.value, max=message.max)
            case PreviewMessage():
                yield from self._preview(message)
            case TextMessage():
                yield ProgressText(node_id=message.node_id, text=self._without_secrets(message.text))
            case ExecutedMessage():
                yield from self._show(message)
            case ErrorMessage():
                yield from self._fail(message)
            case InterruptedMessage():
                yield self._interrupted(message)
            case SuccessMessage():
                yield self._blocked or Finished()
            case _:
                pass

    def _state(self, node_id: str, entry: Any) -> NodeState:
        real = _text(entry.real_node_id) or node_id
        return NodeState(
            node_id=node_id,
            display_node_id=_text(entry.display_node_id) or node_id,
            parent_node_id=_text(entry.parent_node_id),
            real_node_id=real,
            class_type=self._class_of(real),
            state=entry.state,
            value=entry.value,
            max=entry.max,
        )

    def _start(self, node: str | int, display_node: str | int | None) -> NodeStarted:
        node_id = str(node)
        self._started.setdefault(node_id)
        self._running = NodeStarted(node_id=node_id, display_node_id=_text(display_node) or node_id)
        return self._running

    def _preview(self, message: PreviewMessage) -> Iterator[Preview]:
        running = self._running
        node_id = message.node_id or (running.node_id if running else None)
        if node_id is not None:
            display = message.display_node_id or (running.display_node_id if running else node_id)
            yield Preview(node_id=node_id, display_node_id=display, mime=message.mime, data=message.data)

    def _show(self, message: ExecutedMessage) -> Iterator[NodeOutput]:
        node_id = str(message.node)
        # A node with nothing to show is "executed" too when it comes from the cache.
        if message.output is not None and node_id not in self._shown:
            self._shown.add(node_id)
            display = _text(message.display_node) or node_id
            yield NodeOutput(node_id=node_id, display_node_id=display, output=message.output)

    def _fail(self, message: ErrorMessage) -> Iterator[Failed]:
        lines = [message.traceback] if isinstance(message.traceback, str) else message.traceback
        inputs = cast("dict[str, Any]", message.current_inputs) if isinstance(message.current_inputs, dict) else {}
        node_id = _text(message.node_id) or ""
        failed = Failed(
            node_id=node_id,
            node_type=message.node_type or self._class_of(node_id),
            exception_type=message.exception_type,
            exception_message=self._without_secrets(message.exception_message),
            traceback=tuple(self._without_secrets(line) for line in lines),
            current_inputs=self._without_secrets(inputs),
            executed=self._in_order(message.executed),
        )
        if message.exception_type == _BLOCKED:
            self._blocked = self._blocked or failed
        else:
            yield failed

    def _interrupted(self, message: InterruptedMessage) -> Interrupted:
        node_id = _text(message.node_id)
        node_type = message.node_type or (self._class_of(node_id) if node_id else None)
        return Interrupted(node_id=node_id, node_type=node_type, executed=self._in_order(message.executed))

    def _in_order(self, executed: Sequence[str | int]) -> tuple[str, ...]:
        """Sort what ComfyUI keeps in a set by when it was started."""
        place = {node_id: number for number, node_id in enumerate(self._started)}
        return tuple(sorted(map(str, executed), key=lambda node_id: (place.get(node_id, len(place)), node_id)))

    def _class_of(self, node_id: str) -> str:
        entry = self._graph.get(node_id)
        return str(cast("Mapping[str, Any]", entry).get("class_type", "")) if isinstance(entry, Mapping) else ""

    def _without_secrets(self, value: Any) -> Any:
        if isinstance(value, str):
            for secret in self._secrets:
                value = value.replace(secret, _HIDDEN)
            return value
        if isinstance(value, dict):
            whole = cast("dict[Any, Any]", value)
            return {key: self._without_secrets(one) for key, one in whole.items()}
        return [self._without_secrets(one) for one in cast("list[Any]", value)] if isinstance(value, list) else value


def _text(value: str | int | None) -> str | None:
    return None if value is None else str(value)


def _end_without_words(entry: HistoryEntry) -> SuccessMessage | ErrorMessage:
    """Some versions keep no messages, and then the status alone says how it ended."""
    if entry.status is None or entry.status.completed or entry.status.status_str == "success":
        return SuccessMessage()
    return ErrorMessage(exception_type="ServiceError", exception_message="ComfyUI says that the run failed, not why.")
