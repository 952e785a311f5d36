"""What the policy amounts to over hours, simulated: fleets that take what `decide` gives them, event by event."""

from collections import Counter
from collections.abc import Sequence

from bench.scheduler_policies import Fair
from bench.scheduler_simulation import Machine, Person, Scenario, Simulation, Task, Workflow
from hypothesis import given, settings
from hypothesis import strategies as st

from fireside.domain.ids import JobId, UserId, WorkerId
from fireside.scheduler.values import Rules, Waiting

JAIN_LEAST = 0.99
LOADS = {"sd15": 4.0, "xl": 12.0, "flux": 40.0}
SLACK = 60.0
RULES = Rules(slack_seconds=SLACK, most_passes=5, longest_pass_seconds=120.0)


class Watched(Fair):
    """The policy, that knows from the start what everything takes, with what must never happen counted beside it."""

    def __init__(self, scenario: Scenario) -> None:
        super().__init__(scenario, RULES)
        self.widest_gap = 0.0
        self.most_passes = 0
        self.longest_pass = 0.0
        self.idle: list[str] = []
        self._waiting: dict[JobId, Task] = {}
        self._passes: Counter[JobId] = Counter()
        self._passed_at: dict[JobId, float] = {}
        for person in scenario.people:
            for workflow in person.workflows:
                self.state.costs.know_run(str(workflow.number), workflow.run_seconds)

    def queued(self, task: Task, *, again: bool) -> None:
        super().queued(task, again=again)
        self._waiting[task.job_id] = task

    def ended(self, task: Task, seconds: float) -> None:
        self._settle(task, seconds)
        self._in_hand[task.user_id] -= 1

    def place(self, free: Sequence[Machine], now: float) -> Sequence[tuple[JobId, WorkerId]]:
        turn = self._turn(free[0]) if len(free) == 1 else None
        placed = super().place(free, now)
        taken = {worker_id for _, worker_id in placed}
        for job_id, _ in placed:
            self._passed_at.pop(job_id, None)
            del self._waiting[job_id]
            if turn is not None and turn.job_id != job_id:
                self._count_pass(turn.job_id, now)
        for machine in free:
            if machine.worker_id not in taken:
                self._look_for_idling(machine)
        backlogged = [user.virtual_time for user in self.state.users.values() if user.groups]
        self.widest_gap = max(self.widest_gap, max(backlogged, default=0.0) - min(backlogged, default=0.0))
        return placed

    def _turn(self, machine: Machine) -> Waiting | None:
        """Whose turn it is on the only free worker, in the plain fair order."""
        ranked = sorted(self.state.users.values(), key=lambda user: (user.virtual_time, user.user_id))
        jobs = [self.state.first_of(user, [machine.kind]) for user in ranked if user.may_have_more]
        return next((job for job in jobs if job is not None), None)

    def _count_pass(self, job_id: JobId, now: float) -> None:
        self._passes[job_id] += 1
        self.most_passes = max(self.most_passes, self._passes[job_id])
        self.longest_pass = max(self.longest_pass, now - self._passed_at.setdefault(job_id, now))

    def _look_for_idling(self, machine: Machine) -> None:
        for task in self._waiting.values():
            user = self.state.users[task.user_id]
            if user.may_have_more and (not task.workflow.kinds or machine.kind in task.workflow.kinds):
                self.idle.append(f"{task} waits beside {machine}")


models = st.lists(st.sampled_from(sorted(LOADS)), max_size=1).map(frozenset[str])
work = st.tuples(st.floats(1, 60), models)


@st.composite
def crowds(draw: st.DrawFn, *, kinds: bool = False, talkers: bool = False) -> Scenario:
    """Users that flood, of all weights and sizes of jobs, perhaps with others between, and a few workers."""
    people: list[Person] = []
    numbers = iter(range(1, 100))
    count = draw(st.integers(2, 5))
    for user_id in range(1, count + 1):
        workflows = [
            Workflow(
                number=next(numbers),
                run_seconds=seconds,
                models=reads,
                kinds=draw(st.sets(st.integers(1, 2)).map(frozenset[int])) if kinds else frozenset(),
            )
            for seconds, reads in draw(st.lists(work, min_size=1, max_size=3))
        ]
        thinks = draw(st.none() | st.floats(1, 100)) if talkers and user_id > 2 else None
        limit = draw(st.none() | st.integers(1, 3)) if kinds else None
        weight = draw(st.floats(0.25, 4))
        people.append(
            Person(user_id=UserId(user_id), workflows=workflows, weight=weight, think_seconds=thinks, max_running=limit)
        )
    workers = draw(st.lists(st.integers(1, 2), min_size=1, max_size=4)) if kinds else [1] * draw(st.integers(1, 4))
    return Scenario(
        name="drawn", people=people, kinds=workers, loads=LOADS, seconds=3000.0, jitter=0.0, seed=draw(st.integers())
    )


def jain(shares: list[float]) -> float:
    """Jain's index: 1 when all have the same, 1/n when one has all."""
    return sum(shares) ** 2 / (len(shares) * sum(share**2 for share in shares))


def largest(scenario: Scenario) -> float:
    """Two largest jobs over the smaller weight, loads included."""
    jobs = sorted(
        one.run_seconds + sum(LOADS[model] for model in one.models) for who in scenario.people for one in who.workflows
    )
    return 2 * jobs[-1] / min(person.weight for person in scenario.people)


@given(crowds())
@settings(max_examples=40, deadline=None)
def test_two_users_who_have_work_are_never_further_apart_than_the_slack_and_two_jobs(scenario: Scenario) -> None:
    policy = Watched(scenario)

    Simulation(scenario, policy).run()

    assert policy.widest_gap <= SLACK + largest(scenario) + 1e-6


@given(crowds(kinds=True, talkers=True))
@settings(max_examples=40, deadline=None)
def test_no_worker_idles_while_a_job_waits_that_it_could_run(scenario: Scenario) -> None:
    policy = Watched(scenario)

    Simulation(scenario, policy).run()

    assert policy.idle == []


@given(crowds(talkers=True))
@settings(max_examples=40, deadline=None)
def test_no_job_is_passed_over_more_often_nor_for_longer_than_it_may_be(scenario: Scenario) -> None:
    policy = Watched(scenario)

    Simulation(scenario, policy).run()

    assert policy.most_passes <= RULES.most_passes
    assert policy.longest_pass < RULES.longest_pass_seconds


@given(crowds())
@settings(max_examples=8, deadline=None)
def test_users_who_always_have_work_get_seconds_by_their_weights_whatever_is_believed_of_their_jobs(
    scenario: Scenario,
) -> None:
    longest = largest(scenario)
    scenario = Scenario(
        name="long", people=scenario.people, kinds=scenario.kinds, loads=LOADS, seconds=400 * (longest + SLACK)
    )

    result = Simulation(scenario, Fair(scenario, RULES)).run()

    assert jain([result.served[one.user_id] / one.weight for one in scenario.people]) > JAIN_LEAST


@given(crowds(talkers=True), st.floats(1, 30))
@settings(max_examples=20, deadline=None)
def test_lost_workers_cost_nobody_anything_and_lose_no_job(scenario: Scenario, losses_per_hour: float) -> None:
    scenario = Scenario(
        name="losses",
        people=scenario.people,
        kinds=scenario.kinds,
        loads=LOADS,
        seconds=3000.0,
        losses_per_hour=losses_per_hour,
    )
    policy = Fair(scenario, RULES)
    simulation = Simulation(scenario, policy)

    result = simulation.run()

    held = Counter(run.task.user_id for run in simulation.running.values())
    assert held == {user.user_id: user.held for user in policy.state.users.values() if user.held}
    known = {job.job_id for user in policy.state.users.values() for jobs in user.groups.values() for job in jobs}
    assert known == simulation.waiting.keys()
    assert len({one.task.job_id for one in result.ended}) == len(result.ended)


@given(st.integers(1, 8), st.floats(1, 60))
@settings(max_examples=40, deadline=None)
def test_a_huge_queue_delays_nobody_else_by_more_than_what_runs(workers: int, seconds: float) -> None:
    hoarder = Person(user_id=UserId(1), workflows=[Workflow(number=1, run_seconds=seconds)])
    guest = Person(user_id=UserId(2), workflows=[Workflow(number=2, run_seconds=1.0)], think_seconds=1e9)
    scenario = Scenario(
        name="guest", people=[hoarder, guest], kinds=[1] * workers, loads={}, seconds=60 + 3 * seconds, jitter=0.0
    )

    result = Simulation(scenario, Fair(scenario, RULES)).run()

    (one,) = (ended for ended in result.ended if ended.task.user_id == guest.user_id)
    assert one.begun_at - one.submitted_at <= seconds + 1e-6
