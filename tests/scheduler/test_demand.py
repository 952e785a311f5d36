from hypothesis import given
from hypothesis import strategies as st
from tests.scheduler.places import job_id, wanted

from fireside.domain.ids import UserId
from fireside.domain.pools import Pool
from fireside.scheduler.demand import Pools, UserDemand, desired_workers
from fireside.scheduler.queue import UserQueue
from fireside.scheduler.values import Group, Standing, Waiting

SMALL = Pool(name="small", least=1, most=4, labels={"pool": "small"})
LARGE = Pool(name="large", least=0, most=10, labels={"pool": "large"})
POOLS = [SMALL, LARGE]
BOTH = frozenset({"small", "large"})
ONLY_SMALL, ONLY_LARGE = frozenset({"small"}), frozenset({"large"})


def workers(*users: UserDemand, unseen: tuple[str, ...] = ()) -> dict[str, int]:
    return {name: one.workers for name, one in desired_workers(POOLS, users, unseen=unseen).items()}


def test_a_pool_should_have_a_worker_for_each_job_within_its_limits() -> None:
    assert workers() == {"small": 1, "large": 0}
    assert workers(UserDemand(waiting={ONLY_LARGE: 3}, held={"small": 2})) == {"small": 2, "large": 3}
    assert workers(UserDemand(waiting={ONLY_LARGE: 300, ONLY_SMALL: 300})) == {"small": 4, "large": 10}
    assert desired_workers(POOLS, [UserDemand(waiting={ONLY_LARGE: 300})])["large"].wanted == 300


def test_a_user_counts_for_no_more_than_they_may_hold() -> None:
    limited = UserDemand(waiting={ONLY_LARGE: 9}, held={"large": 1}, room=2)
    full = UserDemand(waiting={ONLY_LARGE: 9}, held={"large": 3}, room=0)
    assert workers(limited) == {"small": 1, "large": 3}
    assert workers(full) == {"small": 1, "large": 3}
    assert workers(limited, full) == {"small": 1, "large": 6}


def test_what_several_pools_can_run_is_wanted_once_in_the_first_with_room() -> None:
    assert workers(UserDemand(waiting={BOTH: 3})) == {"small": 3, "large": 0}
    assert workers(UserDemand(waiting={BOTH: 6})) == {"small": 4, "large": 2}
    assert workers(UserDemand(waiting={BOTH: 6}, held={"small": 3})) == {"small": 4, "large": 5}
    assert workers(UserDemand(waiting={BOTH: 6, ONLY_LARGE: 2}, room=4)) == {"small": 2, "large": 2}
    assert desired_workers(POOLS, [UserDemand(waiting={BOTH: 20})])["small"].wanted == 10


def test_what_no_pool_can_run_is_wanted_nowhere() -> None:
    assert workers(UserDemand(waiting={frozenset[str](): 5})) == {"small": 1, "large": 0}


def test_a_pool_that_nobody_has_seen_a_worker_of_gets_one_to_learn_from() -> None:
    assert workers(unseen=("large",)) == {"small": 1, "large": 1}


def demands() -> st.SearchStrategy[UserDemand]:
    sets = st.sampled_from([BOTH, ONLY_SMALL, ONLY_LARGE, frozenset[str]()])
    return st.builds(
        UserDemand,
        waiting=st.dictionaries(sets, st.integers(0, 20)),
        held=st.dictionaries(st.sampled_from(["small", "large"]), st.integers(0, 5)),
        room=st.none() | st.integers(0, 10),
    )


def runnable(waiting: dict[Pools, int]) -> int:
    return sum(count for pools, count in waiting.items() if pools)


@given(st.lists(demands(), max_size=6))
def test_the_figure_stays_within_limits_and_wants_nobodys_job_twice(users: list[UserDemand]) -> None:
    figures = desired_workers(POOLS, users)

    for pool in POOLS:
        assert pool.least <= figures[pool.name].workers <= pool.most
    in_hand = sum(runnable(dict(user.waiting)) + sum(user.held.values()) for user in users)
    assert sum(one.wanted for one in figures.values()) <= in_hand


@given(st.lists(demands(), max_size=6))
def test_with_one_pool_it_is_the_sum_over_users_of_what_they_have_or_may_have(users: list[UserDemand]) -> None:
    only = [UserDemand(waiting={ONLY_LARGE: runnable(dict(user.waiting))}, held={"large": sum(user.held.values())},
                       room=user.room) for user in users]  # fmt: skip

    wanted = desired_workers([LARGE], only)["large"].wanted

    assert wanted == sum(
        one.held["large"] + min(one.waiting[ONLY_LARGE], one.waiting[ONLY_LARGE] if one.room is None else one.room)
        for one in only
    )


def test_jobs_that_are_not_known_one_by_one_are_counted_with_those_that_are() -> None:
    user = UserQueue(Standing(user_id=UserId(1), weight=1.0, virtual_time=0.0, held=0, queued=30))
    jobs = {name: [Waiting(job_id(1, n), (n, n), wanted(name)) for n in range(4)] for name in ("a", "b", "c")}
    user.set_groups(Group(requirement_id=wanted(name), jobs=jobs[name], has_more=name != "c") for name in jobs)

    assert user.counts() == {wanted("a"): 13, wanted("b"): 13, wanted("c"): 4}
