"""A fleet and its users as a discrete-event simulation, for policies to be compared in.

A worker keeps the models of the last graph it ran, as ComfyUI does by default, and loads what else a job reads. Who
floods has always jobs waiting; who is interactive submits a job, waits for it, thinks, and submits the next one.
"""

import heapq
import itertools
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol
from uuid import UUID

from fireside.domain.ids import JobId, UserId, WorkerId

_FLOOD_AHEAD = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Workflow:
    """A kind of work: how long it runs once its models are loaded, and which workers can run it; empty: all."""

    number: int
    run_seconds: float
    models: frozenset[str] = frozenset()
    kinds: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A user. `think_seconds` None floods; otherwise it is the mean time between a result and the next submit."""

    user_id: UserId
    workflows: Sequence[Workflow]
    weight: float = 1.0
    think_seconds: float | None = None
    max_running: int | None = None

    @property
    def floods(self) -> bool:
        """Whether they have always jobs waiting."""
        return self.think_seconds is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """What happens, whatever the policy."""

    name: str
    people: Sequence[Person]
    kinds: Sequence[int]
    """The kind of each worker."""
    loads: Mapping[str, float]
    """How long each model takes to load."""
    seconds: float = 7200.0
    seed: int = 1
    losses_per_hour: float = 0.0
    """Of each worker."""
    back_after_seconds: float = 60.0
    jitter: float = 0.1
    """How much runs of one workflow differ."""


class Task(NamedTuple):
    """A job as a policy sees it."""

    job_id: JobId
    number: int
    user_id: UserId
    workflow: Workflow


class Machine(NamedTuple):
    """A free worker as a policy sees it."""

    worker_id: WorkerId
    kind: int
    warm: frozenset[str]


class Policy(Protocol):
    """Decides who goes next, and hears what becomes of it."""

    def queued(self, task: Task, *, again: bool) -> None:
        """Hear of a job that waits now, or does so again after its worker was lost."""
        ...

    def place(self, free: Sequence[Machine], now: float) -> Sequence[tuple[JobId, WorkerId]]:
        """Fill free workers."""
        ...

    def ended(self, task: Task, seconds: float) -> None:
        """Hear that a job ended after so many GPU-seconds."""
        ...

    def lost(self, task: Task) -> None:
        """Hear that a job's worker was lost."""
        ...


@dataclass(slots=True, kw_only=True)
class Run:
    """A job on a worker; what of it was loading."""

    task: Task
    worker_id: WorkerId
    begun_at: float
    load_seconds: float
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A job that got its result."""

    task: Task
    submitted_at: float
    begun_at: float
    ended_at: float
    work_seconds: float


@dataclass(slots=True)
class Result:
    """What came of it."""

    ended: list[Ended] = field(default_factory=list[Ended])
    served: dict[UserId, float] = field(default_factory=dict[UserId, float])
    load_seconds: float = 0.0
    busy_seconds: float = 0.0


class Simulation:
    """One run of a scenario under a policy."""

    def __init__(self, scenario: Scenario, policy: Policy) -> None:
        self.scenario = scenario
        self.result = Result(served=dict.fromkeys((one.user_id for one in scenario.people), 0.0))
        self.now = 0.0
        self.waiting: dict[JobId, Task] = {}
        self.running: dict[WorkerId, Run] = {}
        self._policy = policy
        self._people = {one.user_id: one for one in scenario.people}
        self._free = {WorkerId(f"w{number:04}"): kind for number, kind in enumerate(scenario.kinds)}
        self._kinds = dict(self._free)
        self._warm = dict.fromkeys(self._free, frozenset[str]())
        self._events: list[tuple[float, int, str, object]] = []
        self._numbers = itertools.count(1)
        self._submitted: dict[JobId, float] = {}
        self._chance: dict[str, random.Random] = {}
        self._flood: dict[UserId, int] = {}
        for person in scenario.people:
            if person.floods:
                self._flood[person.user_id] = 0
                self._top_up(person)
            else:
                self._at(self._random(f"start {person.user_id}").uniform(0, 60), "submit", person)
        for worker_id in self._kinds if scenario.losses_per_hour else ():
            self._plan_loss(worker_id)

    def run(self) -> Result:
        """Let the time pass, and say what came of it."""
        self._place()
        while self._events and self._events[0][0] <= self.scenario.seconds:
            self.now, _, what, whom = heapq.heappop(self._events)
            getattr(self, f"_{what}")(whom)
            if not self._events or self._events[0][0] > self.now:
                self._place()
        self.now = self.scenario.seconds
        for run in self.running.values():
            self._serve(run, self.now - run.begun_at)
        return self.result

    def _place(self) -> None:
        free = [Machine(one, kind, self._warm[one]) for one, kind in self._free.items()]
        if free:
            for job_id, worker_id in self._policy.place(free, self.now):
                self._begin(self.waiting.pop(job_id), worker_id)

    def _begin(self, task: Task, worker_id: WorkerId) -> None:
        del self._free[worker_id]
        missing = task.workflow.models - self._warm[worker_id]
        load = sum(self.scenario.loads[model] for model in missing)
        jitter = self._random(f"jobs of {task.user_id}").lognormvariate(0.0, self.scenario.jitter)
        seconds = load + task.workflow.run_seconds * jitter
        run = Run(task=task, worker_id=worker_id, begun_at=self.now, load_seconds=load, seconds=seconds)
        self.running[worker_id] = run
        self._warm[worker_id] = task.workflow.models or self._warm[worker_id]
        self._at(self.now + seconds, "end", run)
        if task.user_id in self._flood:
            self._flood[task.user_id] -= 1
            self._top_up(self._people[task.user_id])

    def _end(self, run: Run) -> None:
        if self.running.get(run.worker_id) is not run:
            return
        self._free[run.worker_id] = self._kinds[run.worker_id]
        del self.running[run.worker_id]
        self._serve(run, run.seconds)
        self._policy.ended(run.task, run.seconds)
        person = self._people[run.task.user_id]
        self.result.ended.append(
            Ended(
                task=run.task,
                submitted_at=self._submitted.pop(run.task.job_id),
                begun_at=run.begun_at,
                ended_at=self.now,
                work_seconds=run.seconds - run.load_seconds,
            )
        )
        if person.think_seconds is not None:
            think = self._random(f"thoughts of {person.user_id}").expovariate(1 / person.think_seconds)
            self._at(self.now + think, "submit", person)

    def _serve(self, run: Run, seconds: float) -> None:
        self.result.served[run.task.user_id] += seconds
        self.result.busy_seconds += seconds
        self.result.load_seconds += min(run.load_seconds, seconds)

    def _lose(self, worker_id: WorkerId) -> None:
        run = self.running.pop(worker_id, None)
        self._free.pop(worker_id, None)
        self._warm[worker_id] = frozenset()
        if run is not None:
            self.result.busy_seconds += self.now - run.begun_at
            self._policy.lost(run.task)
            self.waiting[run.task.job_id] = run.task
            if run.task.user_id in self._flood:
                self._flood[run.task.user_id] += 1
            self._policy.queued(run.task, again=True)
        self._at(self.now + self.scenario.back_after_seconds, "come_back", worker_id)

    def _come_back(self, worker_id: WorkerId) -> None:
        self._free[worker_id] = self._kinds[worker_id]
        self._plan_loss(worker_id)

    def _plan_loss(self, worker_id: WorkerId) -> None:
        rate = self.scenario.losses_per_hour / 3600
        self._at(self.now + self._random(f"losses of {worker_id}").expovariate(rate), "lose", worker_id)

    def _top_up(self, person: Person) -> None:
        while self._flood[person.user_id] < _FLOOD_AHEAD:
            self._flood[person.user_id] += 1
            self._submit(person)

    def _submit(self, person: Person) -> None:
        number = next(self._numbers)
        workflow = self._random(f"choices of {person.user_id}").choice(person.workflows)
        task = Task(JobId(UUID(int=number)), number, person.user_id, workflow)
        self._submitted[task.job_id] = self.now
        self.waiting[task.job_id] = task
        self._policy.queued(task, again=False)

    def _at(self, at: float, what: str, whom: object) -> None:
        heapq.heappush(self._events, (at, next(self._numbers), what, whom))

    def _random(self, what: str) -> random.Random:
        """Give each use its own stream, so that what one policy does earlier changes no dice of the others."""
        if what not in self._chance:
            self._chance[what] = random.Random(f"{self.scenario.seed} {what}")
        return self._chance[what]
