from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from fireside.domain.ids import JobId, UserId, WorkerId
from fireside.scheduler.policy import Candidate, Head, Snapshot, decide


def candidate(user: int, *, time: float = 0, held: int = 0, limit: int | None = None, jobs: int = 9) -> Candidate:
    heads = [Head(JobId(UUID(int=user * 1000 + n)), 10.0) for n in range(jobs)]
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
    assert [placement.job_id for placement in placements] == [head.job_id for head in only.heads[:3]]


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


KINDS = [UUID(int=number) for number in range(4)]


def asking(user: int, *wanted: int | None, limit: int | None = None) -> Candidate:
    """A user whose jobs ask for these, in order."""
    heads = [
        Head(JobId(UUID(int=user * 1000 + n)), 10.0, None if kind is None else KINDS[kind])
        for n, kind in enumerate(wanted)
    ]
    return Candidate(user_id=UserId(user), weight=1.0, virtual_time=0, held=0, max_running=limit, heads=heads)


def placed(*candidates: Candidate, free: int, suiting: dict[int, set[int]]) -> dict[int, str]:
    """Which worker each job got, by its place in the queue of the only user."""
    by_kind = {KINDS[kind]: {WorkerId(f"w{n}") for n in them} for kind, them in suiting.items()}
    snapshot = Snapshot(candidates=candidates, free_workers=workers(free), suiting=by_kind)
    return {placement.job_id.int % 1000: placement.worker_id for placement in decide(snapshot)}


def test_a_job_that_no_free_worker_can_run_holds_up_none_behind_it() -> None:
    assert placed(asking(1, 0, 1, 0, 1), free=2, suiting={0: set(), 1: {0, 1}}) == {1: "w0", 3: "w1"}


def test_a_job_goes_to_a_worker_that_can_run_it() -> None:
    assert placed(asking(1, 0, 1), free=3, suiting={0: {2}, 1: {1}}) == {0: "w2", 1: "w1"}


def test_a_worker_that_only_few_jobs_can_use_is_taken_before_one_that_all_can() -> None:
    assert placed(asking(1, 0, 1), free=2, suiting={0: {0, 1}, 1: {0}}) == {0: "w1", 1: "w0"}
    assert placed(asking(1, None, 1), free=2, suiting={1: {0}}) == {0: "w1", 1: "w0"}


def test_a_user_whose_turn_it_is_and_who_can_use_no_worker_leaves_it_to_the_next() -> None:
    assert placed(asking(1, 0), asking(2, 1), free=1, suiting={0: set(), 1: {0}}) == {0: "w0"}


askers = st.builds(
    lambda user, wanted, limit: asking(user, *wanted, limit=limit),
    st.integers(1, 99),
    st.lists(st.none() | st.integers(0, 3), max_size=6),
    st.none() | st.integers(1, 4),
)


@given(
    st.lists(askers, max_size=5, unique_by=lambda user: user.user_id),
    st.integers(0, 6),
    st.lists(st.sets(st.integers(0, 7)), min_size=4, max_size=4),
)
def test_a_job_waits_only_if_no_free_worker_can_run_it(
    candidates: list[Candidate], free: int, suiting: list[set[int]]
) -> None:
    them = {KINDS[kind]: {WorkerId(f"w{n}") for n in suits} for kind, suits in enumerate(suiting)}

    placements = decide(Snapshot(candidates=candidates, free_workers=workers(free), suiting=them))

    went = {placement.job_id: placement.worker_id for placement in placements}
    left = set(workers(free)) - set(went.values())
    assert len(set(went.values())) == len(placements)
    for candidate in candidates:
        mine = [head for head in candidate.heads if head.job_id in went]
        for head in mine:
            assert head.requirement_id is None or went[head.job_id] in them[head.requirement_id]
        is_at_limit = candidate.max_running is not None and len(mine) == candidate.max_running
        waiting = [] if is_at_limit else [head for head in candidate.heads if head.job_id not in went]
        for head in waiting:
            assert not (left if head.requirement_id is None else left & them[head.requirement_id])
