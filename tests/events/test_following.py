"""What is believed of all that is told of a user's jobs."""

from collections.abc import Sequence
from uuid import UUID

import pytest
from tests.events.histories import (
    JOB,
    OTHER_JOB,
    WORKER,
    assigned,
    cached,
    ended,
    node,
    output,
    preview,
    progress,
    queued,
    started,
    state,
)

from fireside.domain.ids import JobId, WorkerId
from fireside.events.following import Following, Verdict
from fireside.wire.live import Fact, Frame

FORMER = WorkerId("worker-0")


def following(*facts: Fact) -> Following:
    made = Following()
    for fact in facts:
        assert made.take_fact(fact)
    return made


def verdicts(made: Following, *frames: Frame, worker_id: WorkerId = WORKER) -> list[Verdict]:
    return [made.take_frame(JOB, worker_id, frame) for frame in frames]


def test_a_life_in_order_is_all_news() -> None:
    released = (queued(0), assigned(1), started(1), output("2", 1), queued(1))
    rescued = (assigned(2), started(2), output("2", 2), queued(3))
    made = following(*released, *rescued, assigned(4), started(4), output("2", 4), ended("succeeded", 4))

    assert not made.is_open(JOB)


@pytest.mark.parametrize(
    ("known", "late"),
    [
        ((queued(0),), queued(0)),
        ((assigned(1),), queued(0)),
        ((started(1),), assigned(1)),
        ((started(1),), started(1)),
        ((started(1), queued(1)), started(1)),
        ((started(1), queued(2)), started(1)),
        ((started(1), queued(2)), ended("succeeded", 1)),
        ((started(1), output("2")), output("2")),
        ((started(1), queued(1)), output("2")),
        ((started(3),), output("2", 1)),
        ((ended("canceled", 1),), ended("canceled", 1)),
        ((ended("failed", 2),), started(1)),
        ((ended("succeeded", 1),), output("2", 1)),
        ((ended("succeeded", 1),), queued(0)),
    ],
)
def test_what_comes_twice_or_late_is_no_news(known: Sequence[Fact], late: Fact) -> None:
    made = following(*known)

    assert not made.is_news(late)
    assert not made.take_fact(late)


def test_the_job_next_to_it_is_another_story() -> None:
    made = following(started(5), ended("succeeded", 5))

    assert made.take_fact(queued(0, OTHER_JOB))


def test_frames_of_the_holder_are_news_once() -> None:
    made = following(started())

    assert verdicts(made, cached(1), state(2), node(3), progress(4), preview(5)) == [Verdict.NEWS] * 5
    assert verdicts(made, state(2), preview(5), progress(1)) == [Verdict.OLD] * 3


def test_a_snapshot_repeats_only_what_may_have_moved_on() -> None:
    made = following(started())
    verdicts(made, cached(1), state(2), node(3, node_id="2"))

    assert verdicts(made, cached(4), state(5), node(6, node_id="2"), node(7, node_id="3")) == [
        Verdict.OLD,
        Verdict.NEWS,
        Verdict.OLD,
        Verdict.NEWS,
    ]


@pytest.mark.parametrize("facts", [(started(3),), (queued(2),), (assigned(3),), (started(3), ended("failed", 4))])
def test_a_worker_that_lost_the_job_is_not_believed(facts: Sequence[Fact]) -> None:
    made = following(*facts)

    assert verdicts(made, cached(1, 1), state(99, 1), preview(100, 1), worker_id=FORMER) == [Verdict.OLD] * 3


def test_another_worker_under_the_same_fence_is_not_believed() -> None:
    assert verdicts(following(started(1)), state(1, 1), worker_id=FORMER) == [Verdict.OLD]


@pytest.mark.parametrize("facts", [(), (queued(0),), (assigned(1),), (started(1),)])
def test_frames_under_a_lease_that_was_not_heard_of_are_for_the_store_to_judge(facts: Sequence[Fact]) -> None:
    assert verdicts(following(*facts), state(1, 7)) == [Verdict.UNSURE]


def test_the_sequence_begins_anew_with_the_lease() -> None:
    made = following(started(1))
    verdicts(made, state(50, 1))
    made.take_fact(queued(2))
    made.take_fact(started(3))

    assert verdicts(made, cached(1, 3), state(2, 3)) == [Verdict.NEWS] * 2


def test_a_newcomer_is_told_every_run_so_far_and_nothing_of_the_queue() -> None:
    made = following(queued(0, OTHER_JOB), started(), output("2"))
    verdicts(made, cached(1, 1, "1"), node(2), state(3, value=1.0), progress(4), preview(5), state(6, value=2.0))

    told = made.standing()

    assert [one.fact or one.frame for one in told] == [
        started(),
        cached(1, 1, "1"),
        output("2"),
        state(6, value=2.0),
        node(2),
    ]
    assert {one.job_id for one in told} == {JOB}


def test_of_a_run_that_begins_anew_a_newcomer_hears_the_present_attempt_only() -> None:
    made = following(started(1), output("2"))
    verdicts(made, cached(1), state(2))
    made.take_fact(queued(2))
    assert made.standing() == []

    made.take_fact(started(3))

    assert [one.fact for one in made.standing()] == [started(3)]
    assert made.take_fact(output("2", 3))


def test_it_says_which_jobs_run_and_which_wait() -> None:
    made = following(queued(0, OTHER_JOB), started())

    assert (made.running(), made.waiting()) == ([JOB], [OTHER_JOB])
    assert (made.is_open(JOB), list(made.shown(JOB))) == (True, [])
    made.take_fact(ended())
    assert (made.running(), made.is_open(JOB), list(made.shown(JOB))) == ([], False, [])


def test_only_so_many_ended_jobs_are_remembered() -> None:
    made = Following()
    for number in range(3000):
        job_id = JobId(UUID(int=number))
        made.take_fact(ended(job_id=job_id))

    remembered = [number for number in range(3000) if not made.is_news(ended(job_id=JobId(UUID(int=number))))]
    assert remembered == list(range(2000, 3000))
