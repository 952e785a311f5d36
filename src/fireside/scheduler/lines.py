"""Users in fair order: one line for each set of kinds of workers that somebody's jobs can run on.

There are few such sets, whatever jobs ask for, and a user stands in the lines of those that their waiting jobs have.
Finding a place in a line takes a search in halves.
"""

import heapq
from bisect import bisect_left, insort
from collections.abc import Callable, Collection, Iterator

from fireside.domain.ids import UserId
from fireside.scheduler.values import Side

Place = tuple[float, UserId]
"""A virtual time and whose it is."""


class Lines:
    """All of them."""

    def __init__(self) -> None:
        self._lines: dict[Side, list[Place]] = {}
        self._standing: dict[UserId, tuple[float, frozenset[Side]]] = {}

    def put(self, user_id: UserId, virtual_time: float, sides: Collection[Side]) -> None:
        """Have the user stand in exactly these lines, at this place."""
        after = frozenset(sides)
        before_time, before = self._standing.get(user_id, (virtual_time, frozenset[Side]()))
        has_moved = before_time != virtual_time
        leaving, entering = (before, after) if has_moved else (before - after, after - before)
        for side in leaving:
            self._leave(side, (before_time, user_id))
        for side in entering:
            insort(self._lines.setdefault(side, []), (virtual_time, user_id))
        if after:
            self._standing[user_id] = (virtual_time, after)
        else:
            self._standing.pop(user_id, None)

    def sides(self) -> list[Side]:
        """Give the sets of kinds that have a line."""
        return list(self._lines)

    def first(self, side: Side) -> Place:
        """Give who is first in a line."""
        return self._lines[side][0]

    def in_order(self, wanted: Callable[[Side], bool]) -> Iterator[Place]:
        """Give those who stand in any of the wanted lines, each once, in fair order."""
        before: Place | None = None
        for place in heapq.merge(*(line for side, line in self._lines.items() if wanted(side))):
            if place != before:
                yield place
            before = place

    def _leave(self, side: Side, place: Place) -> None:
        line = self._lines[side]
        del line[bisect_left(line, place)]
        if not line:
            del self._lines[side]
