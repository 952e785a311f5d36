"""Which model files ComfyUI holds: those of the graph that it ran last, until something has it drop them.

ComfyUI keeps the results of a graph's nodes, loaders among them, until the next graph runs that does not have them.
What it holds after a run that broke is known in part only: what that run found there and named as well.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

from fireside.runtimes.base import Finished

_MOST_NAMED = 64


class WarmModels:
    """What is believed of one ComfyUI; `where` is the conversation with one process of it."""

    def __init__(self) -> None:
        self._names: frozenset[str] = frozenset()
        self._held: frozenset[str] = frozenset()
        self._found: frozenset[str] = frozenset()
        self._where: object = None

    def know(self, names: Iterable[str]) -> None:
        """Take the names of all model files that there are."""
        self._names = frozenset(names)

    def begin(self, graph: Mapping[str, Any], where: object, fetched: Iterable[str] = ()) -> None:
        """Note that a graph is about to run, and to load what it names; `fetched` are names that have come since."""
        wanted = (self._names | frozenset(fetched)).intersection(_texts(graph))
        self._found = self._held & wanted if where is self._where else frozenset()
        self._held, self._where = wanted, where

    def end(self, end: object) -> None:
        """Note how the run has ended."""
        if not isinstance(end, Finished):
            self._held = self._found

    def forget(self) -> None:
        """Note that all of it was dropped."""
        self._held = self._found = frozenset()

    def at(self, where: object) -> tuple[str, ...]:
        """Give what is held there; nothing of another process."""
        return tuple(sorted(self._held)[:_MOST_NAMED]) if where is not None and where is self._where else ()


def _texts(graph: Mapping[str, Any]) -> Iterator[str]:
    left: list[Any] = [node.get("inputs") for node in graph.values()]
    while left:
        value = left.pop()
        if isinstance(value, dict):
            left.extend(cast("dict[str, Any]", value).values())
        elif isinstance(value, list):
            left.extend(cast("list[Any]", value))
        elif isinstance(value, str):
            yield value
