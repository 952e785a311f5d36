from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from fireside.dispatch.presence import Presences
from fireside.domain.ids import JobId, UserId, WorkerId
from fireside.domain.jobs import Job, JobState
from fireside.store.records import HeldJob
from fireside.wire.fleet import MOST_FINISHING, LeaseBody, Presence

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LOST_AFTER = timedelta(seconds=3.5)
WORKER = WorkerId("w1")


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def held(state: JobState = JobState.RUNNING) -> HeldJob:
    job = Job(
        id=JobId(UUID(int=1)), user_id=UserId(1), state=state, number=0, attempt=1, losses=0, fence=1,
        worker_id=WORKER, created_at=NOW, changed_at=NOW,
    )  # fmt: skip
    return HeldJob(job=job, worker_id=WORKER, charged_seconds=1.0)


def presence(*jobs: HeldJob, boot_id: str = "a", number: int = 0, finishing: int = 0, ahead: int = 0) -> Presence:
    leases = tuple(LeaseBody.of(job.job.lease) for job in jobs)
    return Presence(
        boot_id=boot_id, runtime="builtin", ready=True, leases=leases, finishing=leases[:finishing], number=number,
        ahead=ahead,
    )  # fmt: skip


def test_a_worker_that_names_its_lease_keeps_its_job() -> None:
    presences = Presences(LOST_AFTER)
    presences.saw(WORKER, presence(held()), after(1))
    assert presences.judge([held()], after(2), listening_since=NOW) == []


def test_a_silent_worker_loses_its_job_and_that_counts() -> None:
    presences = Presences(LOST_AFTER)
    presences.saw(WORKER, presence(held()), after(1))
    (verdict,) = presences.judge([held()], after(5), listening_since=NOW)
    assert verdict.lost


def test_nothing_is_judged_before_the_leader_has_listened_long_enough() -> None:
    presences = Presences(LOST_AFTER)
    assert presences.judge([held()], after(8), listening_since=NOW) == []


def test_a_worker_that_was_never_seen_loses_its_job_and_that_does_not_count() -> None:
    presences = Presences(LOST_AFTER)
    (verdict,) = presences.judge([held()], after(9), listening_since=NOW)
    assert not verdict.lost


def test_after_a_reconnect_the_silence_before_it_is_not_held_against_the_worker() -> None:
    presences = Presences(LOST_AFTER)
    presences.saw(WORKER, presence(held()), after(1))
    assert presences.judge([held()], after(9), listening_since=after(8)) == []


def test_after_a_reconnect_a_worker_has_the_time_that_its_own_reconnecting_may_take() -> None:
    presences = Presences(LOST_AFTER)
    presences.saw(WORKER, presence(held()), after(1))
    assert presences.judge([held()], after(16), listening_since=after(8)) == []
    (verdict,) = presences.judge([held()], after(17), listening_since=after(8))
    assert not verdict.lost


def test_a_worker_that_came_back_as_a_new_process_lost_its_job() -> None:
    presences = Presences(LOST_AFTER)
    presences.saw(WORKER, presence(held()), after(1))
    presences.saw(WORKER, presence(boot_id="b"), after(2))
    (verdict,) = presences.judge([held()], after(2), listening_since=NOW)
    assert verdict.lost


def test_a_word_from_before_the_answer_says_nothing_about_the_offered_job() -> None:
    presences = Presences(LOST_AFTER)
    presences.saw(WORKER, presence(number=1), after(1))
    presences.offered(WORKER, held().job.lease, number=2)
    assert presences.judge([held()], after(2), listening_since=NOW) == []
    presences.saw(WORKER, presence(number=2), after(3))
    assert presences.judge([held()], after(3), listening_since=NOW) == []
    assert presences.free_workers(after(3), set(), listening_since=NOW) == []
    presences.saw(WORKER, presence(number=3), after(3))
    assert len(presences.judge([held()], after(3), listening_since=NOW)) == 1


def test_a_word_from_after_the_answer_that_is_heard_before_it_counts() -> None:
    presences = Presences(LOST_AFTER)
    presences.saw(WORKER, presence(number=1), after(1))
    presences.saw(WORKER, presence(held(), number=2, finishing=1), after(1))
    presences.offered(WORKER, held().job.lease, number=1)
    assert presences.free_workers(after(1), set(), listening_since=NOW) == [WORKER]


def test_a_word_in_the_first_moments_may_be_older_than_an_offer_of_who_led_before() -> None:
    presences = Presences(LOST_AFTER)
    presences.saw(WORKER, presence(), after(1.2))
    assert presences.judge([held(JobState.ASSIGNED)], after(2), listening_since=after(1)) == []
    presences.saw(WORKER, presence(number=1), after(4.6))
    (verdict,) = presences.judge([held(JobState.ASSIGNED)], after(4.6), listening_since=after(1))
    assert not verdict.lost


def test_a_word_from_before_the_leader_listened_takes_nothing_back() -> None:
    presences = Presences(LOST_AFTER)
    presences.saw(WORKER, presence(), after(1))
    assert presences.judge([held()], after(2), listening_since=after(1.5)) == []
    presences.saw(WORKER, presence(number=1), after(2))
    assert len(presences.judge([held()], after(2), listening_since=after(1.5))) == 1


def test_a_worker_is_not_offered_a_second_job_while_it_has_one() -> None:
    presences = Presences(LOST_AFTER)
    presences.saw(WORKER, presence(), after(1))
    assert presences.free_workers(after(1), set(), listening_since=NOW) == [WORKER]
    presences.offered(WORKER, held().job.lease)
    assert presences.free_workers(after(1), set(), listening_since=NOW) == []


def test_a_worker_that_only_reports_jobs_is_free_for_the_next_one_until_too_many_are_on_their_way() -> None:
    presences = Presences(LOST_AFTER)
    first = held()
    second, *others = (
        replace(first, job=replace(first.job, id=JobId(UUID(int=n)))) for n in range(2, MOST_FINISHING + 2)
    )
    presences.saw(WORKER, presence(first), after(1))
    assert presences.free_workers(after(1), set(), listening_since=NOW) == []
    assert presences.saw(WORKER, presence(first, number=1, finishing=1), after(1))
    assert presences.free_workers(after(1), set(), listening_since=NOW) == [WORKER]
    presences.offered(WORKER, second.job.lease, number=1)
    assert presences.free_workers(after(1), set(), listening_since=NOW) == []
    assert presences.judge([first, second], after(1), listening_since=NOW) == []
    finishing = (first, second, *others)
    presences.saw(WORKER, presence(*finishing[:-1], number=2, finishing=MOST_FINISHING), after(1))
    assert presences.free_workers(after(1), set(), listening_since=NOW) == [WORKER]
    presences.saw(WORKER, presence(*finishing, number=3, finishing=MOST_FINISHING + 1), after(1))
    assert presences.free_workers(after(1), set(), listening_since=NOW) == []


def test_who_answers_an_offer_may_take_one_more_to_make_ready() -> None:
    presences = Presences(LOST_AFTER)
    job, lease = held(), held().job.lease
    presences.saw(WORKER, presence(number=1, ahead=1), after(1))
    assert presences.offered(WORKER, lease, number=1)
    assert not presences.offered(WORKER, replace(lease, job_id=JobId(UUID(int=2))), number=1)
    presences.saw(WORKER, presence(job, number=2), after(1))
    assert not presences.offered(WORKER, lease, number=2)
    assert not presences.offered(WORKER, None, number=2)
    assert not presences.offered(WorkerId("nobody"), None)


def test_a_job_less_makes_the_leader_look_though_the_worker_was_free_before() -> None:
    presences = Presences(LOST_AFTER)
    assert presences.saw(WORKER, presence(held(), number=1, finishing=1), after(1))
    assert not presences.saw(WORKER, presence(held(), number=2, finishing=1), after(2))
    assert presences.saw(WORKER, presence(number=3), after(2))


def test_a_worker_that_did_not_answer_is_not_there_until_it_says_so() -> None:
    presences = Presences(LOST_AFTER)
    presences.saw(WORKER, presence(), after(1))
    presences.offered(WORKER, None)
    assert presences.free_workers(after(1), set(), listening_since=NOW) == []
    presences.saw(WORKER, presence(number=1), after(2))
    assert presences.free_workers(after(2), set(), listening_since=NOW) == [WORKER]


def test_a_silent_draining_or_unready_worker_gets_nothing() -> None:
    presences = Presences(LOST_AFTER)
    presences.saw(WORKER, presence(), after(1))
    assert presences.free_workers(after(6), set(), listening_since=NOW) == []
    presences.saw(WORKER, Presence(boot_id="a", runtime="builtin", ready=False), after(6))
    assert presences.free_workers(after(6), set(), listening_since=NOW) == []
    presences.saw(WORKER, Presence(boot_id="a", runtime="builtin", ready=True, draining=True), after(6))
    assert presences.free_workers(after(6), set(), listening_since=NOW) == []


def test_a_stale_lease_in_a_presence_does_not_keep_a_job() -> None:
    presences = Presences(LOST_AFTER)
    old = held()
    newer = replace(old, job=replace(old.job, fence=3, attempt=2))
    presences.saw(WORKER, presence(old), after(1))
    assert len(presences.judge([newer], after(1.5), listening_since=NOW)) == 1


def test_a_loss_that_nobody_could_have_seen_does_not_count() -> None:
    presences = Presences(LOST_AFTER)
    presences.saw(WORKER, presence(held()), after(1))
    (verdict,) = presences.judge([held()], after(60), listening_since=after(50))
    assert not verdict.lost


def test_a_new_process_after_an_outage_of_ours_does_not_count() -> None:
    presences = Presences(LOST_AFTER)
    presences.saw(WORKER, presence(held()), after(1))
    presences.saw(WORKER, presence(boot_id="b"), after(51))
    (verdict,) = presences.judge([held()], after(51), listening_since=after(50))
    assert not verdict.lost


def test_a_worker_not_heard_since_the_leader_listens_gets_nothing() -> None:
    presences = Presences(LOST_AFTER)
    presences.saw(WORKER, presence(), after(1))
    assert presences.free_workers(after(2), set(), listening_since=after(1.5)) == []
    presences.saw(WORKER, presence(), after(2))
    assert presences.free_workers(after(2), set(), listening_since=after(1.5)) == [WORKER]


def test_a_worker_becomes_free_once_not_with_every_word() -> None:
    presences = Presences(LOST_AFTER)
    assert presences.saw(WORKER, presence(), after(1))
    assert not presences.saw(WORKER, presence(), after(2))
    assert not presences.saw(WORKER, presence(held()), after(3))
    assert presences.saw(WORKER, presence(), after(4))


def test_after_the_clock_was_set_back_silence_is_noticed_as_soon_as_ever() -> None:
    presences = Presences(LOST_AFTER)
    presences.saw(WORKER, presence(held()), after(3600))
    presences.set_back(NOW)
    assert presences.judge([held()], after(3), listening_since=NOW) == []
    assert len(presences.judge([held()], after(4), listening_since=NOW)) == 1


def test_leases_are_named_only_by_who_is_there() -> None:
    presences = Presences(LOST_AFTER)
    presences.saw(WORKER, presence(held()), after(1))
    assert presences.named(after(2)) == {(WORKER, held().job.lease)}
    assert presences.named(after(5)) == set()


def test_who_is_long_gone_is_forgotten() -> None:
    presences = Presences(LOST_AFTER)
    presences.saw(WORKER, presence(), after(0))
    presences.forget_long_gone(after(3601))
    assert presences._seen == {}


def test_a_worker_makes_one_job_ready_whatever_it_says() -> None:
    presences = Presences(LOST_AFTER)
    presences.saw(WORKER, presence(held(), ahead=0), after(1))
    assert presences.workers_ahead(after(1), set(), listening_since=NOW) == []
    presences.saw(WORKER, presence(held(), number=1, ahead=1000), after(1))
    assert presences.workers_ahead(after(1), set(), listening_since=NOW) == [WORKER]
    presences.saw(WORKER, presence(held(), held(), number=2, ahead=1000), after(1))
    assert presences.workers_ahead(after(1), set(), listening_since=NOW) == []
