"""What is near a window: whatever matches and wherever the window is, it and all that decides on it are there."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fireside.domain.asset_listing import AssetPlace, AssetSort, AssetWindow
from fireside.store.asset_nearness import near_window, positions_of
from fireside.store.asset_ranks import Ranks, ranks_of_numbers, steps_of

PLACES = 40_000
LIMIT = 20

pytestmark = pytest.mark.once


def library(seed: int, kinds: int) -> tuple[Ranks, np.random.Generator]:
    chance = np.random.default_rng(seed)
    numbers = chance.integers(0, kinds, PLACES)
    return ranks_of_numbers(numbers), chance


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 1 << 32),
    kinds=st.sampled_from([3, 1000, 1 << 40]),
    share=st.floats(0.2, 1),
    place=st.floats(0, 1.1),
    descending=st.booleans(),
)
def test_a_window_is_among_what_is_near_it(seed: int, kinds: int, share: float, place: float, descending: bool) -> None:
    ranks, chance = library(seed, kinds)
    bits = np.packbits(chance.random(PLACES) < share, bitorder="little")
    others = chance.integers(0, kinds, 100)
    everything = np.sort(np.concatenate([ranks.low[positions_of(bits)], others]))
    window = AssetWindow(sort=AssetSort.SIZE, descending=descending, offset=int(place * len(everything)), limit=LIMIT)

    near = near_window(ranks, steps_of(ranks.low), bits, others, window, len(everything))

    if near is not None:
        left, chosen, skip = near
        found = np.sort(np.concatenate([ranks.low[positions_of(left)], others[chosen]]))
        assert in_window(found, skip, descending) == in_window(everything, window.offset, descending)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 1 << 32), kinds=st.sampled_from([3, 1000, 1 << 40]), descending=st.booleans())
def test_what_follows_a_place_is_among_what_is_near_it(seed: int, kinds: int, descending: bool) -> None:
    ranks, chance = library(seed, kinds)
    bits = np.packbits(chance.random(PLACES) < 0.5, bitorder="little")
    others = chance.integers(0, kinds, 100)
    everything = np.sort(np.concatenate([ranks.low[positions_of(bits)], others]))
    after = AssetPlace(number=int(chance.choice(everything)), place=1)
    window = AssetWindow(sort=AssetSort.SIZE, descending=descending, limit=LIMIT, after=after)

    near = near_window(ranks, steps_of(ranks.low), bits, others, window, len(everything))

    if near is not None:
        found = np.sort(np.concatenate([ranks.low[positions_of(near[0])], others[near[1]]]))
        assert beside(found, after.number, descending) == beside(everything, after.number, descending)


@pytest.mark.parametrize("descending", [False, True])
def test_few_are_near_a_window(descending: bool) -> None:
    ranks, chance = library(7, 1 << 40)
    bits = np.packbits(chance.random(PLACES) < 0.5, bitorder="little")
    window = AssetWindow(sort=AssetSort.SIZE, descending=descending, offset=9000, limit=LIMIT)
    total = len(positions_of(bits))

    near = near_window(ranks, steps_of(ranks.low), bits, np.arange(0), window, total)

    assert near is not None
    assert LIMIT < len(positions_of(near[0])) < total // 4


def test_steps_are_cut_anew_when_much_has_come() -> None:
    numbers = np.arange(PLACES)
    steps = steps_of(numbers)

    for count in range(PLACES, 2 * PLACES, 500):
        steps = steps_of(np.arange(count + 500), steps, count)

    assert np.bincount(steps.each).max() < 2000


def in_window(ranks: np.ndarray, skip: int, descending: bool) -> list[int]:
    ordered = ranks[::-1] if descending else ranks
    return ordered[skip : skip + LIMIT + 1].tolist()


def beside(ranks: np.ndarray, rank: int, descending: bool) -> tuple[int, list[int]]:
    """How many have a rank, and the next ones."""
    following = ranks[ranks < rank][::-1] if descending else ranks[ranks > rank]
    return int((ranks == rank).sum()), following[: LIMIT + 1].tolist()
