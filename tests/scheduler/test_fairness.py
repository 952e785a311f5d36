"""What the policy amounts to over hours, simulated: workers that take what `decide` gives them, event by event.

The shares are kept as the store keeps them: charged by estimate when a job is handed out, corrected at its end, and
level with the others for who arrives.
"""

import heapq
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from fireside.domain.ids import JobId, UserId, WorkerId
from fireside.scheduler.policy import DEFAULT_ESTIMATE_SECONDS, Candidate, Head, Placement, Snapshot, decide

JAIN_LEAST = 0.99


@dataclass(kw_only=True)
class Load:
    """A user of the simulation, whose jobs all take as long; `estimate` is what is believed of them."""

    seconds: float
    weight: float = 1.0
    estimate: float = DEFAULT_ESTIMATE_SECONDS
    limit: int | None = None
    waiting: int = 1_000_000
    since: float = 0.0
    virtual_time: float = 0.0
    held: int = 0
    most_held: int = 0
    served: float = 0.0
    first_at: float | None = None

    @property
    def begun(self) -> float:
        """The virtual time without what is still being run."""
        return self.virtual_time - self.held * self.estimate / self.weight


@dataclass
class Simulation:
    """Some users, some workers, and the time."""

    users: dict[UserId, Load]
    workers: int
    now: float = 0.0
    _free: list[WorkerId] = field(default_factory=list[WorkerId])
    _running: list[tuple[float, int, UserId, WorkerId]] = field(
        default_factory=list[tuple[float, int, UserId, WorkerId]]
    )
    _numbers: Iterator[int] = field(default_factory=count)

    def __post_init__(self) -> None:
        self._free = [WorkerId(f"w{number}") for number in range(self.workers)]

    def run(self, until: float) -> None:
        """Let the time pass."""
        while True:
            for placement in decide(self._snapshot()):
                self._begin(placement)
            arrivals = [user.since for user in self.users.values() if user.since > self.now]
            ends = [end for end, *_ in self._running[:1]]
            self.now = min([until, *arrivals, *ends])
            if self.now >= until:
                return
            for user in [user for user in self.users.values() if user.since == self.now]:
                user.virtual_time = min(other.begun for other in self.users.values() if other is not user)
            while self._running and self._running[0][0] <= self.now:
                self._end(*heapq.heappop(self._running))

    def _snapshot(self) -> Snapshot:
        candidates = [
            Candidate(
                user_id=user_id,
                weight=user.weight,
                virtual_time=user.virtual_time,
                held=user.held,
                max_running=user.limit,
                heads=[
                    Head(JobId(UUID(int=next(self._numbers))), user.estimate)
                    for _ in range(min(user.waiting, len(self._free)))
                ],
            )
            for user_id, user in self.users.items()
            if user.since <= self.now
        ]
        return Snapshot(candidates=candidates, free_workers=self._free)

    def _begin(self, placement: Placement) -> None:
        user = self.users[placement.user_id]
        user.virtual_time += placement.estimate_seconds / user.weight
        user.waiting -= 1
        user.held += 1
        user.most_held = max(user.most_held, user.held)
        user.first_at = self.now if user.first_at is None else user.first_at
        self._free.remove(placement.worker_id)
        end = self.now + user.seconds
        heapq.heappush(self._running, (end, next(self._numbers), placement.user_id, placement.worker_id))

    def _end(self, _end: float, _number: int, user_id: UserId, worker_id: WorkerId) -> None:
        user = self.users[user_id]
        user.virtual_time += (user.seconds - user.estimate) / user.weight
        user.held -= 1
        user.served += user.seconds
        self._free.append(worker_id)


def jain(shares: list[float]) -> float:
    """Jain's index: 1 when all have the same, 1/n when one has all."""
    return sum(shares) ** 2 / (len(shares) * sum(share**2 for share in shares))


loads = st.builds(
    Load,
    seconds=st.floats(1, 20),
    weight=st.floats(0.25, 4),
    estimate=st.floats(0.5, 40),
)
crowds = st.lists(loads, min_size=2, max_size=5).map(lambda users: {UserId(n): load for n, load in enumerate(users, 1)})


@given(crowds, st.integers(1, 3))
@settings(max_examples=40, deadline=None)
def test_users_who_always_have_work_get_seconds_by_their_weights_whatever_their_jobs_are(
    users: dict[UserId, Load], workers: int
) -> None:
    simulation = Simulation(users, workers)

    simulation.run(until=15_000)

    assert jain([user.served / user.weight for user in users.values()]) > JAIN_LEAST


@given(crowds, st.integers(1, 3), st.integers(1, 3))
@settings(max_examples=30, deadline=None)
def test_nobody_ever_holds_more_than_they_may(users: dict[UserId, Load], workers: int, limit: int) -> None:
    users[UserId(1)].limit = limit
    simulation = Simulation(users, workers)

    simulation.run(until=500)

    assert users[UserId(1)].most_held <= limit


@given(st.integers(1, 8), st.floats(1, 60), st.floats(0.5, 120))
@settings(max_examples=40, deadline=None)
def test_a_huge_queue_delays_nobody_else_by_more_than_what_runs(workers: int, seconds: float, estimate: float) -> None:
    hoarder = Load(seconds=seconds, estimate=estimate)
    guest = Load(seconds=1.0, waiting=1, since=100.0)
    simulation = Simulation({UserId(1): hoarder, UserId(2): guest}, workers)

    simulation.run(until=100.0 + 2 * seconds)

    assert guest.first_at is not None
    assert guest.first_at <= 100.0 + seconds + 1e-6


@given(crowds, st.integers(1, 4))
@settings(max_examples=30, deadline=None)
def test_no_worker_idles_while_anybody_has_work(users: dict[UserId, Load], workers: int) -> None:
    simulation = Simulation(users, workers)

    simulation.run(until=200)

    busy = Counter(user_id for _, _, user_id, _ in simulation._running)
    assert busy.total() == workers
    assert busy == {user_id: user.held for user_id, user in users.items() if user.held}
