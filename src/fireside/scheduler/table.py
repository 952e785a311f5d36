"""The free workers while a decision is being made: which of them suits a job best.

Best is where least has to be fetched and loaded; of equal ones the one that is of least use for others that wait, and
then the one whose warm models nobody wants.
"""

from collections.abc import Iterable, Iterator
from itertools import islice

from fireside.scheduler.state import State
from fireside.scheduler.values import Need, Side, Spot

_MOST_LOOKED_AT = 16


class Table:
    """What is left to be filled."""

    def __init__(self, state: State, spots: Iterable[Spot]) -> None:
        self._state = state
        self._by_kind: dict[int, dict[str, Spot]] = {}
        self._warm: dict[str, dict[str, Spot]] = {}
        self._at_hand: dict[str, dict[str, Spot]] = {}
        for spot in spots:
            self._by_kind.setdefault(spot.kind, {})[spot.worker_id] = spot
            for model in spot.warm:
                self._warm.setdefault(model, {})[spot.worker_id] = spot
            for model in spot.at_hand:
                self._at_hand.setdefault(model, {})[spot.worker_id] = spot

    def __bool__(self) -> bool:
        return bool(self._by_kind)

    @property
    def kinds(self) -> Iterable[int]:
        """Give the kinds of which some are free."""
        return self._by_kind.keys()

    def has(self, side: Side) -> bool:
        """Whether one of these kinds is free."""
        return not side.isdisjoint(self._by_kind)

    def best(self, need: Need) -> Spot:
        """Give the free worker that suits a job best, of those that can run it, of which there is one."""
        return min(self._candidates(need), key=lambda spot: self._price(need, spot))

    def take(self, spot: Spot) -> None:
        """Fill it."""
        mine = self._by_kind[spot.kind]
        del mine[spot.worker_id]
        if not mine:
            del self._by_kind[spot.kind]
        for model in spot.warm:
            del self._warm[model][spot.worker_id]
        for model in spot.at_hand:
            del self._at_hand[model][spot.worker_id]

    def _candidates(self, need: Need) -> Iterator[Spot]:
        for having in (self._warm, self._at_hand):
            few = sorted((spots for model in need.models if (spots := having.get(model))), key=len)[:1]
            for spots in few:
                yield from islice((spot for spot in spots.values() if spot.kind in need.side), _MOST_LOOKED_AT)
        for kind in need.side:
            yield from islice(self._by_kind.get(kind, {}).values(), _MOST_LOOKED_AT)

    def _price(self, need: Need, spot: Spot) -> tuple[float, int, float]:
        costs = self._state.costs
        cold = need.models - spot.warm
        load = costs.load_seconds(cold) + costs.fetch_seconds(cold - spot.at_hand)
        uses = sum(1 for side in self._state.lines.sides() if spot.kind in side)
        others = (model for model in spot.warm - need.models if self._state.wants(model)) if need.models else ()
        return load, uses, costs.load_seconds(list(others))
