"""The fluid ideal of a trace: workers divided like water among the users by weight, with nothing to load.

It is generalized processor sharing: whoever has jobs gets their share of all workers at every moment, though no job
more than one worker. No real policy can keep up with it, because a job does not run on a part of a worker; how late a
job is against it is a wait that does not depend on how long the job itself is.
"""

import heapq
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from bench.measuring import middle
from bench.scheduler_simulation import Ended, Scenario

from fireside.domain.ids import UserId


@dataclass(slots=True)
class _Left:
    ended: Ended
    seconds: float


def lateness(scenario: Scenario, ended: Sequence[Ended]) -> list[float]:
    """Say how much later than in the ideal each job of the interactive users ended, in seconds."""
    people = {person.user_id: person for person in scenario.people}
    flooding = [person for person in scenario.people if person.floods]
    arrivals = [(one.submitted_at, n, one) for n, one in enumerate(ended) if not people[one.task.user_id].floods]
    heapq.heapify(arrivals)
    queues: dict[UserId, deque[_Left]] = {}
    late: list[float] = []
    now = 0.0
    while arrivals or queues:
        weights = {user_id: people[user_id].weight for user_id in queues}
        caps = {user_id: float(len(queue)) for user_id, queue in queues.items()}
        rates = _water(len(scenario.kinds), weights, caps, sum(person.weight for person in flooding))
        served = [(one, share) for user_id, rate in rates.items() for one, share in _divided(queues[user_id], rate)]
        ends = min((now + one.seconds / share for one, share in served), default=float("inf"))
        then = min(ends, arrivals[0][0] if arrivals else float("inf"))
        for one, share in served:
            one.seconds -= (then - now) * share
            if one.seconds <= 1e-9:
                queues[one.ended.task.user_id].remove(one)
                late.append(one.ended.ended_at - then)
        now = then
        while arrivals and arrivals[0][0] <= now:
            _, _, new = heapq.heappop(arrivals)
            queues.setdefault(new.task.user_id, deque()).append(_Left(new, new.work_seconds))
        queues = {user_id: queue for user_id, queue in queues.items() if queue}
    return late


def _water(
    workers: int, weights: dict[UserId, float], caps: dict[UserId, float], flooding: float
) -> dict[UserId, float]:
    """Divide the workers by weight; what somebody cannot use flows to the others."""
    rates: dict[UserId, float] = {}
    left, open_weights = float(workers), dict(weights)
    while open_weights:
        level = left / (sum(open_weights.values()) + flooding)
        full = [user_id for user_id, weight in open_weights.items() if caps[user_id] <= level * weight]
        if not full:
            return rates | {user_id: level * weight for user_id, weight in open_weights.items()}
        for user_id in full:
            rates[user_id] = caps[user_id]
            left -= caps[user_id]
            del open_weights[user_id]
    return rates


def _divided(queue: deque[_Left], rate: float) -> list[tuple[_Left, float]]:
    """Give the oldest jobs a worker each, as far as the rate reaches."""
    shares: list[tuple[_Left, float]] = []
    for one in queue:
        if rate <= 1e-12:
            break
        shares.append((one, min(1.0, rate)))
        rate -= shares[-1][1]
    return shares


def spread(values: Sequence[float]) -> tuple[float, float, float]:
    """Give the middle, the 95th percentile and the greatest."""
    if not values:
        return 0.0, 0.0, 0.0
    ranked = sorted(values)
    return middle(ranked), ranked[min(len(ranked) - 1, int(0.95 * len(ranked)))], ranked[-1]
