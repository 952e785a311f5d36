"""How launchers of one pool share its figure."""

from hypothesis import given
from hypothesis import strategies as st

from fireside.scheduler.sharing import Launcher, shares_of


def has(running: int, *, most: int = 8, idle: int = 0) -> Launcher:
    return Launcher(most=most, running=running, idle=idle)


def test_what_is_missing_goes_to_those_with_fewest_as_far_as_they_have_room() -> None:
    assert shares_of(4, {"a": has(0), "b": has(0)}) == {"a": 2, "b": 2}
    assert shares_of(3, {"a": has(0), "b": has(2)}) == {"a": 1, "b": 2}
    assert shares_of(9, {"a": has(0, most=2), "b": has(0)}) == {"a": 2, "b": 7}
    assert shares_of(9, {"a": has(0, most=2), "b": has(1, most=1)}) == {"a": 2, "b": 1}


def test_what_runs_stays_where_it_is() -> None:
    assert shares_of(4, {"a": has(4), "b": has(0)}) == {"a": 4, "b": 0}


def test_what_is_too_many_leaves_where_there_are_idle_ones_and_then_where_there_are_most() -> None:
    assert shares_of(4, {"a": has(4), "b": has(1, idle=1)}) == {"a": 4, "b": 0}
    assert shares_of(3, {"a": has(4), "b": has(1, idle=1)}) == {"a": 3, "b": 0}
    assert shares_of(0, {"a": has(4), "b": has(1)}) == {"a": 0, "b": 0}


def test_a_new_launcher_starts_none_while_the_others_may_not_be_known() -> None:
    new = Launcher(most=8, running=0, is_new=True)
    assert shares_of(4, {"a": new, "b": new}) == {"a": 0, "b": 0}
    # What will be its own is nobody else's meanwhile.
    assert shares_of(4, {"a": has(0), "b": new}) == {"a": 2, "b": 0}


LAUNCHERS = st.builds(
    Launcher, most=st.integers(0, 9), running=st.integers(0, 9), idle=st.integers(0, 9), is_new=st.booleans()
)


@given(st.integers(0, 40), st.dictionaries(st.sampled_from("abcde"), LAUNCHERS))
def test_together_they_have_what_is_desired_or_all_they_can(desired: int, launchers: dict[str, Launcher]) -> None:
    shares = shares_of(desired, launchers)

    assert all(shares[name] <= max(one.most, one.running) for name, one in launchers.items())
    assert min(shares.values(), default=0) >= 0
    assert sum(shares.values()) <= desired
    if not any(one.is_new for one in launchers.values()):
        assert sum(shares.values()) == min(desired, sum(max(one.most, one.running) for one in launchers.values()))
        # Once everybody has what it should, nobody is told otherwise.
        settled = {name: Launcher(most=one.most, running=shares[name]) for name, one in launchers.items()}
        assert shares_of(desired, settled) == shares
