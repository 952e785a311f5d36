"""Charts as numbers: round scales, bars that stay in their field, areas with gaps."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fireside.server.pages.charts import HEIGHT, WIDTH, bars, scale_of, silhouette

values = st.lists(st.just(0.0) | st.floats(min_value=1e-6, max_value=1e12), min_size=1, max_size=40)


@pytest.mark.parametrize(
    ("largest", "words"),
    [
        (0, ("2", "1", "0")),
        (0.03, ("0.04", "0.02", "0")),
        (1, ("1", "0.5", "0")),
        (3, ("4", "2", "0")),
        (59, ("60", "30", "0")),
        (100, ("100", "50", "0")),
        (1234.5, ("2,000", "1,000", "0")),
    ],
)
def test_a_scale_is_round(largest: float, words: tuple[str, str, str]) -> None:
    assert scale_of([largest, largest / 3]).words == words


def test_a_scale_can_be_asked_not_to_be_smaller() -> None:
    assert scale_of([1], at_least=2).words == ("2", "1", "0")


@given(values)
def test_bars_stand_in_their_field_and_what_is_there_is_seen(given_values: list[float]) -> None:
    made = bars(given_values, ["" for _ in given_values], scale_of(given_values))

    assert all(bar.x >= 0 and bar.x + bar.width <= WIDTH + 0.01 for bar in made)
    assert all(bar.y >= 0 and bar.y + bar.height == pytest.approx(HEIGHT, abs=0.02) for bar in made)
    assert [bar.height > 0 for bar in made] == [value > 0 for value in given_values]


def test_an_area_goes_in_steps_and_has_gaps_where_nothing_is_known() -> None:
    path = silhouette([1, 2, None, None, 4], scale_of([4]))

    assert path == "M0.0 100V75.0H200.0V50.0H400.0V100ZM800.0 100V0.0H1000.0V100Z"
    assert silhouette([None, None], scale_of([])) == ""


@given(st.lists(st.none() | st.integers(0, 1000), max_size=40))
def test_an_area_stays_in_its_field(known: list[int | None]) -> None:
    path = silhouette(known, scale_of([one for one in known if one is not None]))

    assert all(0 <= float(number) <= WIDTH for number in re.findall(r"[\d.]+", path))
    assert path.count("M") == path.count("Z")
