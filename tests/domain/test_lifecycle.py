from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fireside.domain.errors import IllegalTransition, StaleLease
from fireside.domain.ids import JobId, UserId, WorkerId
from fireside.domain.jobs import HELD_STATES, TERMINAL_STATES, Job, JobState, Lease
from fireside.domain.lifecycle import TRANSITIONS, Fence, Verb, advance

NOW = datetime(2026, 1, 1, tzinfo=UTC)
WORKER = WorkerId("worker-1")


def queued_job() -> Job:
    return Job(
        id=JobId(UUID(int=1)),
        user_id=UserId(1),
        state=JobState.QUEUED,
        number=0,
        attempt=0,
        losses=0,
        fence=0,
        worker_id=None,
        created_at=NOW,
        changed_at=NOW,
    )


def apply(job: Job, verb: Verb, now: datetime = NOW) -> Job:
    """Do the verb as whoever may do it: a worker's verbs with the present lease."""
    transition = TRANSITIONS.get((verb, job.state))
    lease = job.lease if transition is not None and transition.fence is Fence.HOLDS else None
    return advance(job, verb, now, lease=lease, worker_id=WORKER if verb is Verb.ASSIGN else None)


def running_job() -> Job:
    return apply(apply(queued_job(), Verb.ASSIGN), Verb.START)


lives = st.lists(st.tuples(st.sampled_from(Verb), st.integers(-5, 5)), max_size=40)


@given(lives)
def test_whatever_happens_to_a_job_its_record_stays_sound(life: list[tuple[Verb, int]]) -> None:
    job = queued_job()
    for verb, seconds in life:
        try:
            after = apply(job, verb, job.changed_at + timedelta(seconds=seconds))
        except IllegalTransition:
            continue
        assert job.state not in TERMINAL_STATES
        assert after.fence >= job.fence
        assert after.changed_at >= job.changed_at
        assert (after.worker_id is not None) == (after.state in HELD_STATES)
        assert (after.ended_at is not None) == (after.state in TERMINAL_STATES)
        assert after.attempt == job.attempt + (verb is Verb.ASSIGN) - (verb is Verb.WITHDRAW)
        job = after


@given(lives)
def test_a_lease_that_was_taken_away_never_comes_back(life: list[tuple[Verb, int]]) -> None:
    job = queued_job()
    lost: list[Lease] = []
    for verb, seconds in life:
        try:
            after = apply(job, verb, NOW + timedelta(seconds=seconds))
        except IllegalTransition:
            continue
        if job.state in HELD_STATES and after.state not in HELD_STATES:
            lost.append(job.lease)
        job = after
        for lease in lost:
            for word in (Verb.START, Verb.SUCCEED, Verb.FAIL, Verb.RELEASE):
                with pytest.raises(StaleLease):
                    advance(job, word, NOW, lease=lease)


def test_a_worker_that_lost_its_lease_cannot_finish_the_job() -> None:
    first = running_job()
    second = apply(apply(apply(first, Verb.RESCUE), Verb.ASSIGN), Verb.START)
    with pytest.raises(StaleLease):
        advance(second, Verb.SUCCEED, NOW, lease=first.lease)
    assert advance(second, Verb.SUCCEED, NOW, lease=second.lease).state is JobState.SUCCEEDED


@pytest.mark.parametrize("verb", [Verb.START, Verb.SUCCEED, Verb.FAIL, Verb.RELEASE])
def test_a_worker_verb_without_a_lease_is_refused(verb: Verb) -> None:
    held = apply(queued_job(), Verb.ASSIGN)
    job = held if verb is Verb.START else running_job()
    with pytest.raises(IllegalTransition):
        advance(job, verb, NOW)


@pytest.mark.parametrize("state", [JobState.QUEUED, JobState.ASSIGNED])
def test_cancel_ends_a_job_that_does_not_run_at_once_and_breaks_its_lease(state: JobState) -> None:
    job = queued_job() if state is JobState.QUEUED else apply(queued_job(), Verb.ASSIGN)
    canceled = advance(job, Verb.CANCEL, NOW)
    assert (canceled.state, canceled.fence) == (JobState.CANCELED, job.fence + 1)


@pytest.mark.parametrize("verb", [Verb.SUCCEED, Verb.FAIL, Verb.RELEASE, Verb.RESCUE, Verb.ABANDON])
def test_however_a_canceling_job_ends_it_ends_canceled(verb: Verb) -> None:
    canceling = advance(running_job(), Verb.CANCEL, NOW)
    assert canceling.state is JobState.CANCELING
    assert apply(canceling, verb).state is JobState.CANCELED


def test_assign_names_a_worker_and_nothing_else_does() -> None:
    with pytest.raises(IllegalTransition):
        advance(queued_job(), Verb.ASSIGN, NOW)
    with pytest.raises(IllegalTransition):
        advance(queued_job(), Verb.CANCEL, NOW, worker_id=WORKER)


def test_a_lost_worker_counts_and_a_released_job_does_not() -> None:
    lost = advance(running_job(), Verb.RESCUE, NOW, lost=True)
    released = apply(running_job(), Verb.RELEASE)
    assert (lost.losses, released.losses) == (1, 0)


def test_a_job_that_is_withdrawn_was_never_attempted_and_its_lease_is_worth_nothing() -> None:
    assigned = apply(queued_job(), Verb.ASSIGN)
    back = advance(assigned, Verb.WITHDRAW, NOW)
    assert (back.state, back.attempt, back.worker_id) == (JobState.QUEUED, 0, None)
    with pytest.raises(StaleLease):
        advance(apply(back, Verb.ASSIGN), Verb.START, NOW, lease=assigned.lease)
    with pytest.raises(IllegalTransition):
        advance(running_job(), Verb.WITHDRAW, NOW)


def test_a_job_that_comes_back_to_the_queue_forgets_when_it_started() -> None:
    assert apply(running_job(), Verb.RESCUE).started_at is None


def test_the_run_time_is_what_lies_between_start_and_end() -> None:
    done = replace(running_job(), ended_at=NOW + timedelta(seconds=2))
    assert done.run_time == timedelta(seconds=2)
    assert queued_job().run_time == timedelta(0)


def test_every_terminal_state_is_reached_by_the_table_and_left_by_nothing() -> None:
    targets = {transition.target for transition in TRANSITIONS.values()}
    assert targets >= TERMINAL_STATES
    assert not TERMINAL_STATES & {state for _, state in TRANSITIONS}
