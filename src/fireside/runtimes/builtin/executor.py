"""Runs one graph with ComfyUI's semantics: what the outputs need, sources first, lazily, with results reused.

It tells what happens as the contract's events and knows no pipes and no processes.
"""

import threading
import traceback
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from fireside.runtimes.base import (
    CachedNodes,
    Failed,
    Finished,
    Interrupted,
    NodeOutput,
    NodeStarted,
    ProducedFile,
    RunEvent,
    Task,
)
from fireside.runtimes.builtin.board import Board
from fireside.runtimes.builtin.cache import Cache, Computed
from fireside.runtimes.builtin.calling import call_over_lists, put_together
from fireside.runtimes.builtin.context import Context, Scope, Stopped
from fireside.runtimes.builtin.graph import BadGraphError, NeededGraph, signatures_of
from fireside.runtimes.builtin.node import Node, SavedFile

_SHOWN_CHARACTERS = 1000
_SHOWN_VALUES = 16


class Executor:
    """Executes tasks one after another and remembers results between them."""

    def __init__(self, nodes: Mapping[str, Node], cache: Cache) -> None:
        self._nodes = nodes
        self._cache = cache

    def execute(self, task: Task, stop: threading.Event, tell: Callable[[RunEvent], None]) -> None:
        """Execute the task and tell its events, the last of which is its end; set `stop` to interrupt it."""
        try:
            graph = NeededGraph(task.graph, task.outputs, self._nodes)
        except BadGraphError as error:
            tell(CachedNodes(nodes=()))
            tell(_refusal(task, error))
            return
        tell(_Run(task, graph, self._cache, stop, tell).run())


class _Run:
    def __init__(
        self,
        task: Task,
        graph: NeededGraph,
        cache: Cache,
        stop: threading.Event,
        tell: Callable[[RunEvent], None],
    ) -> None:
        self._task = task
        self._graph = graph
        self._cache = cache
        self._tell = tell
        self._board = Board(task.graph, tell)
        self._scope = Scope(
            graph=task.graph,
            inputs=task.inputs,
            extra_data=task.extra_data,
            folder=task.folder,
            stop=stop,
            tell=tell,
            board=self._board,
            now=datetime.now().astimezone(),
        )
        self._signatures: dict[str, str | None] = {}
        self._results: dict[str, Computed] = {}
        self._reused: frozenset[str] = frozenset()
        self._executed: list[str] = []
        self._done: set[str] = set()
        self._asked_for: dict[str, set[str]] = {}
        self._uses = Counter[str]()
        self._current: str | None = None

    def run(self) -> RunEvent:
        """Run it all and give its end."""
        try:
            self._look_up()
            self._check_stop()
            for node_id in self._task.outputs:
                self._bring_about(node_id)
        except Stopped:
            self._board.flush()
            return self._interruption()
        except Exception as error:  # noqa: BLE001 - whatever a node raises ends this run and no more
            return self._failure(error)
        self._board.flush()
        return Finished()

    def _look_up(self) -> None:
        self._signatures = signatures_of(self._graph, self._scope)
        known = {
            node_id: computed
            for node_id, signature in self._signatures.items()
            if signature is not None and (computed := self._cache.get(signature)) is not None
        }
        self._reused = frozenset(known)
        self._plan(known)
        self._tell(CachedNodes(nodes=tuple(node_id for node_id in self._graph.order if node_id in self._reused)))

    def _plan(self, known: Mapping[str, Computed]) -> None:
        """Keep the former results that this run can need, and count who needs each result."""
        stack, planned = list(self._task.outputs), set[str]()
        while stack:
            node_id = stack.pop()
            if node_id in planned:
                continue
            planned.add(node_id)
            if node_id in known:
                self._results[node_id] = known[node_id]
            else:
                self._uses.update(self._graph.sources(node_id))
                stack.extend(self._graph.sources(node_id))

    def _bring_about(self, output: str) -> None:
        stack = [output]
        while stack:
            node_id = stack[-1]
            missing = self._missing(node_id)
            if missing:
                stack.extend(missing)
                continue
            if node_id in self._done or self._finish(node_id):
                stack.pop()

    def _missing(self, node_id: str) -> list[str]:
        if node_id in self._results or node_id in self._done:
            return []
        wanted = self._graph.strong_sources(node_id) | self._asked_for.get(node_id, set())
        linked = dict.fromkeys(link.node_id for link in reversed(self._graph.links[node_id].values()))
        return [source for source in linked if source in wanted and source not in self._results]

    def _finish(self, node_id: str) -> bool:
        """Run the node or take its former result; False when it asks for more inputs first."""
        if node_id in self._results:
            self._board.reuse(node_id)
            self._show(node_id, self._results[node_id])
            self._settle(node_id)
            return True
        self._current = node_id
        self._check_stop()
        if self._asks_for_more(node_id):
            return False
        self._run_node(node_id)
        self._current = None
        return True

    def _check_stop(self) -> None:
        if self._scope.stop.is_set():
            raise Stopped

    def _asks_for_more(self, node_id: str) -> bool:
        node = self._graph.classes[node_id]
        if node.check_lazy is None:
            return False
        ask = partial(node.check_lazy, Context(node_id, self._scope))
        answers = call_over_lists(node, ask, self._arguments(node_id))
        links = self._graph.links[node_id]
        sources = {links[name].node_id for answer in answers for name in answer if name in links}
        if sources <= self._results.keys():
            return False
        self._asked_for.setdefault(node_id, set()).update(sources)
        return True

    def _run_node(self, node_id: str) -> None:
        node, context = self._graph.classes[node_id], Context(node_id, self._scope)
        self._board.start(node_id)
        self._tell(NodeStarted(node_id=node_id, display_node_id=node_id))

        def call(**given: Any) -> Any:
            context.check_stop()
            return node.run(context, **given)

        computed = put_together(node, call_over_lists(node, call, self._arguments(node_id)))
        context.check_stop()
        self._results[node_id] = computed
        self._executed.append(node_id)
        self._show(node_id, computed)
        self._board.finish(node_id)
        self._remember(node_id, computed)
        self._settle(node_id)

    def _arguments(self, node_id: str) -> dict[str, tuple[Any, ...]]:
        """Each given input as the list of its values; what a lazy input has not asked for is None."""
        given = {name: (value,) for name, value in self._graph.literals[node_id].items()}
        for name, link in self._graph.links[node_id].items():
            source = self._results.get(link.node_id)
            given[name] = source.values[link.slot] if source is not None else (None,)
        return given

    def _remember(self, node_id: str, computed: Computed) -> None:
        signature = self._signatures[node_id]
        # Files belong to their run, so a node that wrote some runs again; all before it need not.
        if signature is not None and not any(_files_of(computed)):
            self._cache.put(signature, computed)

    def _show(self, node_id: str, computed: Computed) -> None:
        if computed.ui is not None:
            output = {key: [_item(item) for item in items] for key, items in computed.ui.items()}
            files = tuple(_files_of(computed))
            self._tell(NodeOutput(node_id=node_id, display_node_id=node_id, output=output, files=files))

    def _settle(self, node_id: str) -> None:
        """Count the node as done, and let go of results that nobody needs any more."""
        if node_id in self._done:
            return
        self._done.add(node_id)
        if node_id not in self._reused:
            for source in self._graph.sources(node_id):
                self._uses[source] -= 1
                if self._uses[source] <= 0:
                    self._results.pop(source, None)
        if self._uses[node_id] <= 0:
            self._results.pop(node_id, None)

    def _interruption(self) -> Interrupted:
        node_type = self._graph.classes[self._current].name if self._current is not None else None
        return Interrupted(node_id=self._current, node_type=node_type, executed=tuple(self._executed))

    def _failure(self, error: Exception) -> Failed:
        if isinstance(error, MemoryError):
            self._cache.clear()
        node_id = self._current
        if node_id is not None:
            self._board.fail(node_id)
        return Failed(
            node_id=node_id or "",
            node_type=self._graph.classes[node_id].name if node_id is not None else "",
            exception_type=_name_of(type(error)),
            exception_message=str(error) or type(error).__name__,
            traceback=tuple(traceback.format_tb(error.__traceback__)),
            current_inputs=_shown(self._arguments(node_id)) if node_id is not None else {},
            executed=tuple(self._executed),
        )


def _refusal(task: Task, error: BadGraphError) -> Failed:
    entry = task.graph.get(error.node_id)
    node_type = str(entry.get("class_type", "")) if isinstance(entry, Mapping) else ""  # pyright: ignore[reportUnknownArgumentType] - a graph is anything
    return Failed(
        node_id=error.node_id, node_type=node_type, exception_type="ValidationError", exception_message=str(error)
    )


def _item(item: Any) -> Any:
    if isinstance(item, SavedFile):
        return {"filename": item.filename, "subfolder": item.subfolder, "type": item.type}
    return item


def _files_of(computed: Computed) -> list[ProducedFile]:
    return [
        ProducedFile(key=key, index=index, path=item.path)
        for key, items in (computed.ui or {}).items()
        for index, item in enumerate(items)
        if isinstance(item, SavedFile)
    ]


def _name_of(kind: type[BaseException]) -> str:
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _shown(arguments: Mapping[str, tuple[Any, ...]]) -> dict[str, Any]:
    """The inputs, each as a list as ComfyUI gives them, cut to a bounded length."""
    return {name: [_shown_value(value) for value in values[:_SHOWN_VALUES]] for name, values in arguments.items()}


def _shown_value(value: Any) -> Any:
    if value is None or isinstance(value, int | float):
        return value
    if isinstance(value, np.ndarray):
        array = cast("NDArray[Any]", value)
        return f"{array.dtype} {'x'.join(str(edge) for edge in array.shape)}"
    return str(value)[:_SHOWN_CHARACTERS]
