"""Single decisions: who goes first, where, and what may be passed over."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.scheduler.places import Scene, wanted

from fireside.domain.ids import UserId
from fireside.scheduler.costs import DEFAULT_LOAD_SECONDS, DEFAULT_RUN_SECONDS
from fireside.scheduler.values import Group, Rules


def test_the_user_who_had_least_goes_first() -> None:
    scene = Scene()
    scene.user(1, "any", time=5)
    scene.user(2, "any", time=1)

    assert scene.decide("w") == {"w": "2/0"}


def test_free_workers_are_shared_between_users_who_had_the_same() -> None:
    scene = Scene()
    scene.user(1, *["any"] * 9)
    scene.user(2, *["any"] * 9)

    assert sorted(scene.decide("a", "b", "c", "d").values()) == ["1/0", "1/1", "2/0", "2/1"]


def test_a_heavier_user_gets_more_in_proportion() -> None:
    scene = Scene()
    scene.user(1, *["any"] * 9, weight=3.0)
    scene.user(2, *["any"] * 9)

    assert [got[0] for got in scene.decide(*"abcdefgh").values()].count("1") == 6


def test_max_running_counts_what_is_held_already() -> None:
    scene = Scene()
    scene.user(1, *["any"] * 9, held=1, limit=2)

    assert len(scene.decide("a", "b", "c")) == 1


def test_a_users_own_jobs_go_in_their_order() -> None:
    scene = Scene()
    scene.user(1, "any", "any", "any!", "any")

    assert scene.decide("a", "b", "c") == {"a": "1/2", "b": "1/0", "c": "1/1"}


def test_a_job_that_no_free_worker_can_run_holds_up_none_behind_it() -> None:
    scene = Scene()
    scene.know({"big": [2], "small": [1]})
    scene.user(1, "big", "small", "big", "small")

    assert scene.decide("a", "b") == {"a": "1/1", "b": "1/3"}


def test_a_worker_that_only_few_jobs_can_use_is_taken_before_one_that_all_can() -> None:
    scene = Scene()
    scene.know({"small": [1, 2], "big": [2]})
    scene.user(1, "small", "big")

    assert scene.decide("big", "small", kinds={"big": 2, "small": 1}) == {"small": "1/0", "big": "1/1"}


def test_a_user_whose_turn_it_is_and_who_can_use_no_worker_leaves_it_to_the_next() -> None:
    scene = Scene()
    scene.know({"big": [2]})
    scene.user(1, "big")
    scene.user(2, "any", time=100)

    assert scene.decide("a") == {"a": "2/0"}


def test_a_job_goes_where_its_model_is_warm() -> None:
    scene = Scene(xl="xl", flux="flux")
    scene.user(1, "xl", "flux")

    assert scene.decide("a:flux", "b:xl") == {"b": "1/0", "a": "1/1"}


def test_a_cold_job_goes_where_it_evicts_nothing_that_somebody_waits_for() -> None:
    scene = Scene(xl="xl", flux="flux", old="old")
    scene.user(1, "old")
    scene.user(2, "xl", time=500)

    assert scene.decide("a:xl", "b:flux") == {"b": "1/0", "a": "2/0"}


def test_a_charge_holds_what_has_to_be_loaded() -> None:
    scene = Scene(xl="xl")
    scene.user(1, "xl", "xl", weight=2.0)

    scene.decide("a")
    assert scene.state.users[UserId(1)].virtual_time == (DEFAULT_RUN_SECONDS + DEFAULT_LOAD_SECONDS) / 2

    scene.decide("a:xl")
    assert scene.state.users[UserId(1)].virtual_time == (2 * DEFAULT_RUN_SECONDS + DEFAULT_LOAD_SECONDS) / 2


@pytest.mark.parametrize(("time", "got"), [(60.0, "2/0"), (61.0, "1/0")])
def test_a_warm_job_goes_first_while_its_user_had_no_more_than_the_slack(time: float, got: str) -> None:
    scene = Scene(Rules(slack_seconds=60), xl="xl", flux="flux")
    scene.user(1, "xl")
    scene.user(2, "flux", time=time)

    assert scene.decide("w:flux") == {"w": got}


def test_a_job_that_reads_no_model_is_not_passed_over() -> None:
    scene = Scene(flux="flux")
    scene.user(1, "any")
    scene.user(2, "flux")

    assert scene.decide("w:flux") == {"w": "1/0"}


def test_a_job_is_passed_over_only_so_often_whoever_goes() -> None:
    scene = Scene(Rules(slack_seconds=10_000, most_passes=3), xl="xl", flux="flux")
    scene.user(1, "xl")
    scene.user(2, *["flux"] * 2)
    scene.user(3, *["flux"] * 9, time=1000)

    got = [scene.decide("w:flux")["w"][0] for _ in range(5)]

    assert got == ["2", "2", "3", "1", "3"]


def test_a_users_own_later_jobs_pass_over_the_first_one_only_so_often() -> None:
    scene = Scene(Rules(most_passes=2), xl="xl", flux="flux")
    scene.user(1, "xl", *["flux"] * 9)

    assert [scene.decide("w:flux")["w"] for _ in range(4)] == ["1/1", "1/2", "1/0", "1/3"]


def test_a_rivals_own_first_job_counts_when_its_later_ones_go() -> None:
    scene = Scene(Rules(slack_seconds=10_000, most_passes=1), xl="xl", flux="flux", old="old")
    scene.user(1, "old", "old")
    scene.user(2, "xl", "flux", "flux", time=50)

    assert [scene.decide("w:flux")["w"] for _ in range(3)] == ["2/1", "1/0", "1/1"]


def test_a_job_is_not_passed_over_for_longer_than_it_may_be() -> None:
    scene = Scene(Rules(longest_pass_seconds=30), xl="xl", flux="flux")
    scene.user(1, "xl")
    scene.user(2, *["flux"] * 9)

    assert [scene.decide("w:flux", now=now)["w"] for now in (100.0, 129.0, 130.0)] == ["2/0", "2/1", "1/0"]


def test_what_its_owner_put_in_front_is_not_passed_over_by_their_later_jobs() -> None:
    scene = Scene(xl="xl", flux="flux")
    scene.user(1, "flux", "xl!")

    assert scene.decide("w:flux") == {"w": "1/1"}


def test_without_slack_the_order_is_the_plain_fair_one() -> None:
    scene = Scene(Rules(slack_seconds=-1), xl="xl", flux="flux")
    scene.user(1, "xl", "flux")
    scene.user(2, "flux")

    assert scene.decide("w:flux") == {"w": "1/0"}


def test_a_job_whose_turn_came_in_vain_goes_first_on_the_next_worker_that_can_run_it() -> None:
    scene = Scene(Rules(reserve_after_seconds=20))
    scene.know({"big": [2], "small": [1, 2]})
    scene.user(1, *["small"] * 3, "big", time=1)
    scene.user(2, *["small"] * 30, time=2)
    kinds = {"a": 1, "big": 2}
    # The first one's big job comes to its turn with only a small worker free.
    assert scene.decide("a", kinds=kinds) == {"a": "1/0"}
    assert scene.state.users[UserId(1)].virtual_time > scene.state.users[UserId(2)].virtual_time

    assert scene.decide("big", kinds=kinds, now=19.0) == {"big": "2/0"}
    scene.state.settle(UserId(2), -100.0)
    scene.state.lift(UserId(2), 1.5)
    assert scene.decide("big", kinds=kinds, now=20.0) == {"big": "1/3"}


def test_what_was_handed_out_to_the_last_known_job_is_read_on() -> None:
    scene = Scene()
    scene.user(1, "any", "any")
    (group,) = (
        Group(requirement_id=one, jobs=jobs, has_more=True) for one, jobs in scene.state.users[UserId(1)].groups.items()
    )
    scene.state.set_group(UserId(1), group)

    scene.decide("a")
    assert scene.state.to_refill == set()

    scene.decide("a")
    assert scene.state.to_refill == {(UserId(1), wanted("any"))}


def test_a_decision_can_be_had_in_parts() -> None:
    scene = Scene()
    scene.user(1, *["any"] * 5)

    assert scene.decide("a", "b", "c", most=2) == {"a": "1/0", "b": "1/1"}
    assert scene.decide("c", most=2) == {"c": "1/2"}


NAMES = ["any", "one", "two", "both", "none"]
asked = st.lists(st.sampled_from(NAMES), max_size=6)
people = st.lists(st.tuples(asked, st.floats(0, 100), st.none() | st.integers(1, 4)), max_size=5)


@given(people, st.lists(st.tuples(st.integers(1, 3), st.sampled_from(["", "m", "n"])), max_size=6))
def test_a_job_waits_only_if_no_free_worker_can_run_it(
    users: list[tuple[list[str], float, int | None]], workers: list[tuple[int, str]]
) -> None:
    scene = Scene()
    sides: dict[str, list[int]] = {"one": [1], "two": [2], "both": [1, 2], "none": []}
    scene.know(sides, one="m", two="n", both="m n")
    for number, (names, time, limit) in enumerate(users, 1):
        scene.user(number, *names, time=time, limit=limit)

    names = [f"{number}:{warm}" for number, (_, warm) in enumerate(workers)]
    kinds = {str(number): kind for number, (kind, _) in enumerate(workers)}
    got = scene.decide(*names, kinds=kinds)

    assert len(set(got.values())) == len(got)
    left = {kinds[name] for name in kinds.keys() - got.keys()}
    for number, (asked_for, _, limit) in enumerate(users, 1):
        mine = {int(one.partition("/")[2]): name for name, one in got.items() if one.startswith(f"{number}/")}
        assert limit is None or len(mine) <= limit
        for place, what in enumerate(asked_for):
            side = {1, 2, 3} if what == "any" else set(sides[what])
            assert place not in mine or kinds[mine[place]] in side
            assert place in mine or (limit is not None and len(mine) == limit) or not (side & left)
