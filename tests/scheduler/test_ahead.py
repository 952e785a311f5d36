from hypothesis import given
from hypothesis import strategies as st
from tests.scheduler.places import ANY, Scene, job_id

from fireside.domain.ids import UserId, WorkerId
from fireside.scheduler.ahead import to_withdraw
from fireside.scheduler.values import Readied, Spot


def readied(
    user: int, number: int = 0, *, kind: int = 1, side: frozenset[int] = ANY, seconds: float = 5.0, bent: bool = False
) -> Readied:
    """A user's job that is held ready, and charged."""
    return Readied(
        job_id=job_id(user, number),
        user_id=UserId(user),
        worker_id=WorkerId(f"busy-{user}-{number}"),
        kind=kind,
        side=side,
        order=(float(number), float(number)),
        charged_seconds=seconds,
        is_bent=bent,
    )


def spot(kind: int = 1) -> Spot:
    return Spot(worker_id=WorkerId("free"), kind=kind)


def test_a_job_stays_ready_while_it_would_be_chosen_again() -> None:
    scene = Scene()
    scene.user(1, "any", time=15.0, held=2)
    scene.user(2, "any", time=10.0)
    assert to_withdraw(scene.state, [readied(1, -1)], []) == []


def test_a_job_comes_back_when_somebody_had_less_than_its_owner_without_it() -> None:
    scene = Scene()
    scene.user(1, "any", time=15.0, held=2)
    scene.user(2, "any", time=9.0)
    one = readied(1, -1)
    assert to_withdraw(scene.state, [one], []) == [one]


def test_somebody_who_may_have_no_more_or_can_use_another_kind_only_takes_nobodys_place() -> None:
    scene = Scene()
    scene.know({"two": [2]})
    scene.user(1, time=15.0, held=2)
    scene.user(2, "any", time=0.0, held=1, limit=1)
    scene.user(3, "two", time=0.0)
    assert to_withdraw(scene.state, [readied(1)], []) == []


def test_what_went_before_a_fairer_one_for_its_models_keeps_its_place_within_the_slack() -> None:
    scene = Scene()
    scene.user(1, time=65.0, held=2)
    scene.user(2, "any", time=1.0)
    one = readied(1, bent=True)
    assert to_withdraw(scene.state, [one], []) == []
    scene.user(2, "any", time=-1.0)
    assert to_withdraw(scene.state, [one], []) == [one]


def test_what_its_owner_puts_in_front_takes_its_place() -> None:
    scene = Scene()
    scene.user(1, "any!", held=2)
    for one in (readied(1), readied(1, bent=True)):
        assert to_withdraw(scene.state, [one], []) == [one]


def test_a_job_goes_to_a_worker_that_is_free_and_of_several_that_of_the_least_served() -> None:
    scene = Scene()
    scene.user(1, time=20.0, held=2)
    scene.user(2, time=10.0, held=2)
    both = [readied(1), readied(2)]
    assert to_withdraw(scene.state, both, [spot()]) == [both[1]]
    assert to_withdraw(scene.state, both, [spot(), spot()]) == [both[1], both[0]]
    assert to_withdraw(scene.state, [readied(1, side=frozenset({2}))], [spot()]) == []


def test_a_free_worker_is_left_to_who_waits_and_had_less() -> None:
    scene = Scene()
    scene.user(1, time=20.0, held=2)
    scene.user(2, "any", time=15.0)
    one = readied(1, seconds=4.0)
    scene.know({"two": [2]})
    scene.user(2, "two", time=15.0)
    assert to_withdraw(scene.state, [one], [spot(kind=2)]) == []


def test_a_job_that_keeps_its_owner_at_their_limit_gives_way_to_one_that_a_free_worker_can_run() -> None:
    scene = Scene()
    scene.know({"two": [2]})
    scene.user(1, "two", held=1, limit=1)
    one = readied(1, -1, side=frozenset({1}))
    assert to_withdraw(scene.state, [one], [spot(kind=2)]) == [one]
    assert to_withdraw(scene.state, [one], [spot(kind=3)]) == []


kinds = st.integers(1, 3)
people = st.lists(
    st.tuples(st.lists(st.sampled_from(["one", "two", "both"]), max_size=4), st.floats(0, 50), st.none() | st.just(2)),
    min_size=1,
    max_size=4,
)
held_ready = st.lists(st.tuples(st.integers(0, 3), kinds, st.floats(0, 10)), max_size=5)
SIDES = {"one": frozenset({1}), "two": frozenset({2}), "both": frozenset({1, 2})}


@given(people, held_ready, st.lists(kinds, max_size=5))
def test_no_job_waits_behind_a_running_one_while_a_free_worker_could_run_it(
    users: list[tuple[list[str], float, int | None]], ready: list[tuple[int, int, float]], free: list[int]
) -> None:
    scene = Scene()
    scene.know(SIDES)
    waiting = {number: list(names) for number, (names, _, _) in enumerate(users, 1)}
    served = {number: time for number, (_, time, _) in enumerate(users, 1)}
    limits = {number: limit for number, (_, _, limit) in enumerate(users, 1)}
    behind = [
        readied(user % len(users) + 1, -1 - place, kind=kind, side=frozenset({kind, 1}), seconds=seconds)
        for place, (user, kind, seconds) in enumerate(ready)
    ]
    back: dict[int, list[Readied]] = {number: [] for number in waiting}
    left = dict(enumerate(free))

    for _ in range(100):
        for number, names in waiting.items():
            scene.know({f"back-{one.worker_id}": one.side for one in back[number]})
            held = sum(one.user_id == number for one in behind) + len(users[number - 1][0]) - len(names)
            again = [f"back-{one.worker_id}" for one in back[number]]
            scene.user(number, *again, *names, time=served[number], held=held, limit=limits[number])
        gone = to_withdraw(
            scene.state, behind, [Spot(worker_id=WorkerId(str(n)), kind=kind) for n, kind in left.items()]
        )
        for one in gone:
            behind.remove(one)
            back[one.user_id].append(one)
            served[one.user_id] -= one.charged_seconds
        got = {} if gone else scene.decide(*map(str, left), kinds={str(n): kind for n, kind in left.items()}, most=1)
        for worker, what in got.items():
            del left[int(worker)]
            user, place = map(int, what.split("/"))
            served[user] += 5.0
            if place < len(back[user]):
                del back[user][place]
            else:
                del waiting[user][place - len(back[user])]
        if not gone and not got:
            break
    else:
        raise AssertionError("it never comes to rest")

    for one in behind:
        assert not one.side & set(left.values())
