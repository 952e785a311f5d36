"""The policies that are compared: the one in production, driven as the leader drives it, and plainer ones beside it.

Fair queueing without affinity is the same production code, which is not told which models a job reads.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from uuid import UUID

from bench.scheduler_simulation import Machine, Person, Scenario, Task, Workflow

from fireside.domain.ids import JobId, UserId, WorkerId
from fireside.scheduler.policy import decide
from fireside.scheduler.state import State
from fireside.scheduler.values import Need, Placement, Rules, Spot, Standing, Waiting

_KEPT = 0.7
_BYTES_PER_SECOND = 500e6


class Fair:
    """The production policy. What the store does in its transactions is done here: charges, averages, the lift."""

    def __init__(self, scenario: Scenario, rules: Rules, *, sees_models: bool = True) -> None:
        self.state = State(rules)
        self.placements: list[Placement] = []
        self._held: dict[JobId, Placement] = {}
        self._charged = {person.user_id: 0.0 for person in scenario.people}
        self._in_hand = {person.user_id: 0 for person in scenario.people}
        self._kept: dict[str, float] = {}
        self._sees_models = sees_models
        self.state.costs.know_sizes({name: round(took * _BYTES_PER_SECOND) for name, took in scenario.loads.items()})
        everywhere = frozenset(scenario.kinds)
        for person in scenario.people:
            self.state.set_user(_standing(person), [])
            self.state.know_needs({_name(one): self._need(one, everywhere) for one in person.workflows})

    def queued(self, task: Task, *, again: bool) -> None:
        """Take a job into the queue; who had nothing in hand is lifted to the others."""
        user_id, name = task.user_id, str(task.workflow.number)
        if not again and self._in_hand[user_id] == 0:
            self.state.lift(user_id, self._level(user_id))
        self._in_hand[user_id] += not again
        order = (float(task.number), float(task.number))
        job = Waiting(task.job_id, order, _name(task.workflow), name)
        self.state.add_job(user_id, job)

    def place(self, free: Sequence[Machine], now: float) -> Sequence[tuple[JobId, WorkerId]]:
        """Decide as the leader does."""
        no_models = frozenset[str]()
        spots = [
            Spot(worker_id=one.worker_id, kind=one.kind, warm=one.warm if self._sees_models else no_models)
            for one in free
        ]
        self.placements = decide(self.state, spots, now)
        for placed in self.placements:
            self._held[placed.job_id] = placed
            self._charged[placed.user_id] += placed.estimate_seconds
        return [(placed.job_id, placed.worker_id) for placed in self.placements]

    def ended(self, task: Task, seconds: float) -> None:
        """Correct the charge, and learn."""
        placed = self._settle(task, seconds)
        name = placed.fingerprint
        self._in_hand[task.user_id] -= 1
        self._kept[name] = _KEPT * self._kept.get(name, seconds) + (1 - _KEPT) * seconds
        self.state.costs.know_run(name, self._kept[name])
        self.state.costs.learn(name, seconds, placed.loads)

    def lost(self, task: Task) -> None:
        """Give back what was charged."""
        self._settle(task, 0.0)

    def _settle(self, task: Task, seconds: float) -> Placement:
        placed = self._held.pop(task.job_id)
        self._charged[task.user_id] -= placed.estimate_seconds
        self.state.settle(task.user_id, seconds - placed.estimate_seconds)
        return placed

    def _level(self, arriving: UserId) -> float:
        """Where who had nothing in hand begins: as `count_submit` of the store says."""
        competing = [
            self._begun(user_id) for _, user_id in self.state.lines.in_order(lambda _: True) if user_id != arriving
        ]
        return min(competing) if competing else max(map(self._begun, self.state.users))

    def _begun(self, user_id: UserId) -> float:
        user = self.state.users[user_id]
        return user.virtual_time - self._charged[user_id] / user.weight

    def _need(self, workflow: Workflow, everywhere: frozenset[int]) -> Need:
        models = workflow.models if self._sees_models else frozenset[str]()
        return Need(side=workflow.kinds or everywhere, models=models)


class FirstComeFirstServed:
    """One queue, oldest first."""

    def __init__(self, scenario: Scenario) -> None:
        del scenario
        self._queue: deque[Task] = deque()

    def queued(self, task: Task, *, again: bool) -> None:
        """Take it at the end, or back at the front."""
        (self._queue.appendleft if again else self._queue.append)(task)

    def place(self, free: Sequence[Machine], now: float) -> Sequence[tuple[JobId, WorkerId]]:
        """Take the oldest that a free worker can run."""
        del now
        return [
            (task.job_id, machine.worker_id)
            for machine in free
            if (task := _first_for(machine, self._queue)) is not None
        ]

    def ended(self, task: Task, seconds: float) -> None:
        """Remember nothing."""

    def lost(self, task: Task) -> None:
        """Remember nothing."""


class RoundRobin:
    """Each user in turn, by jobs per weight: what counts is how many, not how long."""

    def __init__(self, scenario: Scenario) -> None:
        self._weights: Mapping[UserId, float] = {person.user_id: person.weight for person in scenario.people}
        self._queues: dict[UserId, deque[Task]] = {person.user_id: deque() for person in scenario.people}
        self._counts = dict.fromkeys(self._queues, 0.0)

    def queued(self, task: Task, *, again: bool) -> None:
        """Take it into its user's queue; who was away is lifted to the others."""
        queue = self._queues[task.user_id]
        if not queue:
            least = min((self._counts[one] for one, theirs in self._queues.items() if theirs), default=0.0)
            self._counts[task.user_id] = max(self._counts[task.user_id], least)
        (queue.appendleft if again else queue.append)(task)

    def place(self, free: Sequence[Machine], now: float) -> Sequence[tuple[JobId, WorkerId]]:
        """Take from who had the fewest."""
        del now
        placed: list[tuple[JobId, WorkerId]] = []
        for machine in free:
            for user_id in sorted((one for one, queue in self._queues.items() if queue), key=self._turn):
                task = _first_for(machine, self._queues[user_id])
                if task is not None:
                    self._counts[user_id] += 1 / self._weights[user_id]
                    placed.append((task.job_id, machine.worker_id))
                    break
        return placed

    def ended(self, task: Task, seconds: float) -> None:
        """Remember nothing."""

    def lost(self, task: Task) -> None:
        """Remember nothing."""

    def _turn(self, user_id: UserId) -> tuple[float, UserId]:
        return self._counts[user_id], user_id


def _first_for(machine: Machine, queue: deque[Task]) -> Task | None:
    task = next((one for one in queue if not one.workflow.kinds or machine.kind in one.workflow.kinds), None)
    if task is not None:
        queue.remove(task)
    return task


def _name(workflow: Workflow) -> UUID:
    return UUID(int=workflow.number)


def _standing(person: Person) -> Standing:
    return Standing(
        user_id=person.user_id, weight=person.weight, virtual_time=0.0, held=0, max_running=person.max_running
    )
