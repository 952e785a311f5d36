from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from fireside.domain.ids import JobId, UserId, WorkerId
from fireside.scheduler.policy import Candidate, Snapshot, decide


def candidate(user: int, *, time: float = 0, held: int = 0, limit: int | None = None, jobs: int = 9) -> Candidate:
    heads = [(JobId(UUID(int=user * 1000 + n)), 10.0) for n in range(jobs)]
    return Candidate(user_id=UserId(user), weight=1.0, virtual_time=time, held=held, max_running=limit, heads=heads)


def workers(count: int) -> list[WorkerId]:
    return [WorkerId(f"w{n}") for n in range(count)]


def test_the_user_who_had_least_goes_first() -> None:
    placements = decide(Snapshot(candidates=[candidate(1, time=5), candidate(2, time=1)], free_workers=workers(1)))
    assert [placement.user_id for placement in placements] == [2]


def test_free_workers_are_shared_between_users_who_had_the_same() -> None:
    placements = decide(Snapshot(candidates=[candidate(1), candidate(2)], free_workers=workers(4)))
    assert sorted(placement.user_id for placement in placements) == [1, 1, 2, 2]


def test_a_heavier_user_gets_more_in_proportion() -> None:
    heavy = candidate(1)
    heavy = Candidate(user_id=heavy.user_id, weight=3.0, virtual_time=0, held=0, max_running=None, heads=heavy.heads)
    placements = decide(Snapshot(candidates=[heavy, candidate(2)], free_workers=workers(8)))
    assert [placement.user_id for placement in placements].count(UserId(1)) == 6


def test_max_running_counts_what_is_held_already() -> None:
    placements = decide(Snapshot(candidates=[candidate(1, held=1, limit=2)], free_workers=workers(4)))
    assert len(placements) == 1


def test_a_users_own_jobs_go_in_their_order() -> None:
    only = candidate(1)
    placements = decide(Snapshot(candidates=[only], free_workers=workers(3)))
    assert [placement.job_id for placement in placements] == [job_id for job_id, _ in only.heads[:3]]


users = st.builds(
    candidate,
    st.integers(1, 99),
    time=st.floats(0, 100),
    held=st.integers(0, 4),
    limit=st.none() | st.integers(1, 4),
    jobs=st.integers(0, 5),
)


@given(st.lists(users, max_size=6, unique_by=lambda user: user.user_id), st.integers(0, 6))
def test_no_worker_idles_while_an_eligible_job_waits(candidates: list[Candidate], free: int) -> None:
    placements = decide(Snapshot(candidates=candidates, free_workers=workers(free)))
    could = sum(
        min(len(user.heads), max(0, user.max_running - user.held) if user.max_running is not None else 99)
        for user in candidates
    )
    assert len(placements) == min(free, could)
    assert len({placement.job_id for placement in placements}) == len(placements)
    assert len({placement.worker_id for placement in placements}) == len(placements)
