"""Any walk through the verbs, with reports that come late, twice or from workers that lost the job.

The store and the verbs are real; a small model says what must be true after each step.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from tests.databases import Databases, Execute
from tests.jobs.workshop import BODY, Workshop, open_workshop

from fireside.domain.accounts import User
from fireside.domain.errors import IllegalTransition, StaleLease
from fireside.domain.ids import JobId, UserId, WorkerId
from fireside.domain.jobs import HELD_STATES, Job, JobState, Lease
from fireside.jobs.assign import record_assignment
from fireside.jobs.cancel import cancel_job
from fireside.jobs.report import add_output, end_job, start_job
from fireside.jobs.rescue import rescue_job
from fireside.scheduler.values import Placement
from fireside.store.records import HeldJob, NewJob, NodeRecord, QueueCounts
from fireside.store.store import Changed
from fireside.wire.fleet import EndReport, LeaseBody

WEIGHTS = (1.0, 2.0)
WORKER = WorkerId("worker-1")
ENDS = ("succeeded", "failed", "canceled")
REFUSED = (StaleLease, IllegalTransition, Changed)


def record(lease: Lease) -> NodeRecord:
    return NodeRecord(node_id="9", display_node_id="9", output={"text": [f"of {lease.fence}"]})


class Lives(RuleBasedStateMachine):
    """Jobs of two users, everything that can happen to them, and what they cost by the book."""

    jobs: Bundle[Job] = Bundle("jobs")
    leases: Bundle[Lease] = Bundle("leases")
    sightings: Bundle[HeldJob] = Bundle("sightings")

    def __init__(self, runner: asyncio.Runner, shop: Workshop, term: int, execute: Execute) -> None:
        super().__init__()
        self.do, self.shop, self.term, self.execute = runner.run, shop, term, execute
        self.users: list[User] = [self.do(shop.user(uuid4().hex, weight=weight)) for weight in WEIGHTS]
        self.ids: list[JobId] = []
        self.lifted: dict[UserId, float] = dict.fromkeys((user.id for user in self.users), 0.0)
        self.successes = Counter[JobId]()

    @rule(target=jobs, who=st.integers(0, 1))
    def submit(self, who: int) -> Job:
        user = self.users[who]
        before = self.virtual_time(user)
        new = NewJob(id=JobId(uuid4()), user_id=user.id, body=BODY)
        job = self.do(self.shop.store.add_job(new, self.shop.clock(), max_queued=None))
        self.ids.append(job.id)
        # That idling earns no credit is examined elsewhere; here it is only kept apart from what runs cost.
        self.lifted[user.id] += self.virtual_time(user) - before
        return job

    @rule(target=leases, job=jobs, estimate=st.floats(0.1, 100), steps=st.integers(0, 2))
    def assign(self, job: Job, estimate: float, steps: int) -> Any:
        placement = Placement(job_id=job.id, user_id=job.user_id, worker_id=WORKER, estimate_seconds=estimate)
        try:
            lease = self.do(record_assignment(self.shop.desk, placement, term=self.term)).lease
        except Changed:
            return multiple()
        # Left to chance alone, few jobs would come far.
        for step in (self.start, self.show)[:steps]:
            step(lease)
        return lease

    @rule(lease=leases)
    def start_again(self, lease: Lease) -> None:
        self.start(lease)

    @rule(lease=leases)
    def show_again(self, lease: Lease) -> None:
        self.show(lease)

    def start(self, lease: Lease) -> None:
        self.attempted(start_job(self.shop.desk, WORKER, lease))

    def show(self, lease: Lease) -> None:
        if self.attempted(add_output(self.shop.desk, WORKER, lease, record(lease), [])):
            shown = self.do(self.shop.store.job_outputs(lease.job_id))
            assert [one.output["text"] for one in shown] == [[f"of {lease.fence}"]]

    @rule(
        lease=leases,
        outcome=st.sampled_from(["succeeded", "failed", "interrupted", "released"]),
        seconds=st.floats(0, 20),
    )
    def end(self, lease: Lease, outcome: Any, seconds: float) -> None:
        before = self.job(lease.job_id)
        report = EndReport(lease=LeaseBody.of(lease), outcome=outcome, run_seconds=seconds)
        if self.attempted(end_job(self.shop.desk, WORKER, report)):
            after = self.job(lease.job_id)
            assert after.lease == lease
            self.successes[after.id] += after.state is JobState.SUCCEEDED and before.state is not after.state

    @rule(lease=leases)
    def cancel_what_was_assigned(self, lease: Lease) -> None:
        self.cancel(self.job(lease.job_id))

    @rule(job=jobs)
    def cancel(self, job: Job) -> None:
        before = self.job(job.id)
        canceled = self.do(cancel_job(self.shop.desk, job.user_id, job.id))
        assert canceled == (not before.is_terminal and before.state is not JobState.CANCELING)

    @rule(target=sightings, lease=leases)
    def look(self, lease: Lease) -> Any:
        held = [one for one in self.do(self.shop.store.held_jobs()) if one.job.id == lease.job_id]
        return held[0] if held else multiple()

    @rule(seen=consumes(sightings), lost=st.booleans(), taken=st.booleans())
    def rescue(self, seen: HeldJob, lost: bool, taken: bool) -> None:
        self.attempted(rescue_job(self.shop.desk, seen, lost=lost, taken=taken))

    @rule(seconds=st.floats(0.1, 10))
    def wait(self, seconds: float) -> None:
        self.shop.clock.go(seconds)

    @invariant()
    def counters_equal_a_recount(self) -> None:
        for user in self.users:
            states = Counter(job.state for job in self.jobs_of(user))
            counts = self.do(self.shop.store.queue_counts(user.id))
            held = sum(states[state] for state in HELD_STATES)
            assert counts == QueueCounts(queued=states[JobState.QUEUED], held=held)

    @invariant()
    def shares_equal_the_sum_of_what_the_jobs_are_charged(self) -> None:
        for user in self.users:
            charged = sum(job.charged_seconds for job in self.jobs_of(user)) / user.weight
            assert self.virtual_time(user) == pytest.approx(self.lifted[user.id] + charged, abs=1e-6)

    @invariant()
    def nobody_pays_for_what_did_not_run(self) -> None:
        for job in map(self.job, self.ids):
            if job.state is JobState.QUEUED or (job.is_terminal and job.started_at is None):
                assert job.charged_seconds == 0
            if job.is_terminal:
                assert 0 <= job.charged_seconds <= job.run_time.total_seconds()

    @invariant()
    def a_job_ends_once_and_a_dead_attempt_shows_nothing(self) -> None:
        for job in map(self.job, self.ids):
            assert self.successes[job.id] == (job.state is JobState.SUCCEEDED)
            assert job.state is not JobState.QUEUED or self.do(self.shop.store.job_outputs(job.id)) == []
            kinds = Counter(self.do(self.shop.kinds(job)))
            assert kinds["assigned"] == job.attempt
            assert sum(kinds[end] for end in ENDS) == job.is_terminal

    def jobs_of(self, user: User) -> list[Job]:
        return [job for job in map(self.job, self.ids) if job.user_id == user.id]

    def job(self, job_id: JobId) -> Job:
        job = self.do(self.shop.store.job(job_id))
        assert job is not None
        return job

    def virtual_time(self, user: User) -> float:
        ((found,),) = self.execute(f"SELECT virtual_time FROM user_share WHERE user_id = {user.id:d}")
        return float(found)

    def attempted(self, verb: Any) -> bool:
        try:
            self.do(verb)
        except REFUSED:
            return False
        return True


@pytest.fixture
def stage(databases: Databases, tmp_path: Path) -> Iterator[Callable[[], Lives]]:
    """Make machines over one open shop, each with users of its own."""
    with asyncio.Runner() as runner, ExitStack() as doors:
        opening = open_workshop(databases.config(tmp_path / "data", max_attempts=4))
        shop = runner.run(opening.__aenter__())
        doors.callback(lambda: runner.run(opening.__aexit__(None, None, None)))
        term = runner.run(shop.store.take_term("test", shop.clock()))
        execute = doors.enter_context(databases.raw(tmp_path / "data"))
        yield lambda: Lives(runner, shop, term, execute)


def test_counters_shares_outputs_and_ends_hold_on_any_walk_through_the_verbs(stage: Callable[[], Lives]) -> None:
    walks = settings(max_examples=50, stateful_step_count=30, deadline=None)
    run_state_machine_as_test(cast("Any", stage), settings=walks)
