"""How many workers each pool should have: pure, from how users stand and what of theirs waits and runs.

A user counts for what they have in hand, and never for more than they may hold at once. What one pool alone can run is
wanted there; what several can run is wanted once, in the first of them that has room. Whoever starts and stops workers
is told the figure and decides nothing about jobs.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from fireside.domain.pools import Pool

Pools = frozenset[str]
"""The pools that can run something, by their names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UserDemand:
    """What a user has in hand.

    `waiting` counts jobs by the pools that can run them, `held` those that workers of a pool hold. `room` is how many
    more workers may hold at once, over all pools; None: any number. Of a paused queue there is none.
    """

    waiting: Mapping[Pools, int] = field(default_factory=dict[Pools, int])
    held: Mapping[str, int] = field(default_factory=dict[str, int])
    room: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Desired:
    """How many workers a pool should have: `wanted` by what there is to do, `workers` within its limits."""

    wanted: int
    workers: int


def desired_workers(
    pools: Sequence[Pool], users: Iterable[UserDemand], *, unseen: Collection[str] = ()
) -> dict[str, Desired]:
    """Give the figure for each pool: over users, the sum of the lesser of queued plus running and what they may hold.

    The room of a user is theirs in each pool that alone can run something, because any of these jobs may go next; what
    is left of it goes to jobs that several pools can run. Of a pool in `unseen` nobody knows what its workers can run:
    it should have one, to learn from.
    """
    wanted = {pool.name: int(pool.name in unseen) for pool in pools}
    shared: dict[Pools, int] = {}
    for user in users:
        for name, count in user.held.items():
            wanted[name] += count
        left = user.room
        for able, count in sorted(user.waiting.items(), key=_by_choice):
            taken = count if user.room is None else min(count, user.room if len(able) == 1 else max(0, left or 0))
            left = None if left is None else left - taken
            if len(able) == 1:
                wanted[next(iter(able))] += taken
            elif able:
                shared[able] = shared.get(able, 0) + taken
    for able, count in sorted(shared.items(), key=_by_choice):
        _deal(count, [pool for pool in pools if pool.name in able], wanted)
    return {
        pool.name: Desired(wanted=wanted[pool.name], workers=min(max(wanted[pool.name], pool.least), pool.most))
        for pool in pools
    }


def _by_choice(entry: tuple[Pools, int]) -> tuple[int, list[str]]:
    return len(entry[0]), sorted(entry[0])


def _deal(count: int, pools: Sequence[Pool], wanted: dict[str, int]) -> None:
    """Fill the pools one after the other; what none has room for is wanted in the first."""
    for pool in pools:
        taken = min(count, max(0, pool.most - wanted[pool.name]))
        wanted[pool.name] += taken
        count -= taken
    wanted[pools[0].name] += count
