"""A number between two neighbors, and the numbers that later jobs get."""

from hypothesis import given
from hypothesis import strategies as st

from fireside.domain.moves import number_between

numbers = st.none() | st.floats(-1e15, 1e15)


@given(numbers, numbers, st.integers(1, 2**40))
def test_a_number_lies_between_its_neighbors(low: float | None, high: float | None, next_number: int) -> None:
    number = number_between(low, high, next_number)

    if number is None:
        assert low is not None
        assert high is not None
        assert not low < low + (high - low) / 2 < high
    else:
        assert low is None or low < number
        assert high is None or number < high


@given(st.integers(1, 2**40), st.floats(-0.999, 0.999))
def test_what_comes_later_still_goes_behind_or_before_what_was_moved_to_an_end(next_number: int, place: float) -> None:
    at = place * next_number

    first, last = number_between(None, at, next_number), number_between(at, None, next_number)

    assert first is not None
    assert last is not None
    assert first > -next_number
    assert last < next_number


def test_there_is_no_room_between_equal_numbers() -> None:
    assert number_between(2.0, 2.0, 9) is None
