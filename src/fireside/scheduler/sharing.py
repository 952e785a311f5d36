"""How the launchers of one pool share its figure: pure, so that servers that know the same of them say the same.

What runs stays where it is as long as the figure allows. What is missing is dealt to those that have fewest, and what
is too many is taken from those that have idle ones, then from those that have most.
"""

import heapq
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Launcher:
    """How a launcher stands: how many agents it has that stay, how many of them are idle, and how many it could have.

    One that `is_new` starts none yet, because the others may not be known.
    """

    most: int
    running: int
    idle: int = 0
    is_new: bool = False


def shares_of(desired: int, launchers: Mapping[str, Launcher]) -> dict[str, int]:
    """Say how many agents each launcher should have, by its name; together no more than desired."""
    shares = {name: one.running for name, one in launchers.items()}
    missing = desired - sum(shares.values())
    _take(-missing, shares, {name: min(one.idle, one.running) for name, one in launchers.items()})
    _deal(missing, shares, launchers)
    return {name: min(shares[name], one.running) if one.is_new else shares[name] for name, one in launchers.items()}


def _take(count: int, shares: dict[str, int], idle: dict[str, int]) -> None:
    """Take from those with idle ones first, then from those with most."""
    order = [_next_to_give(name, shares, idle) for name in shares]
    heapq.heapify(order)
    for _ in range(count):
        name = order[0][-1]
        shares[name] -= 1
        idle[name] -= 1
        heapq.heapreplace(order, _next_to_give(name, shares, idle))


def _next_to_give(name: str, shares: Mapping[str, int], idle: Mapping[str, int]) -> tuple[bool, int, str]:
    return idle[name] <= 0, -shares[name], name


def _deal(count: int, shares: dict[str, int], launchers: Mapping[str, Launcher]) -> None:
    """Give to those with fewest, as long as they have room."""
    order = [(share, name) for name, share in shares.items() if share < launchers[name].most]
    heapq.heapify(order)
    for _ in range(count):
        if not order:
            return
        _, name = heapq.heappop(order)
        shares[name] += 1
        if shares[name] < launchers[name].most:
            heapq.heappush(order, (shares[name], name))
