"""Ranks of names: by words or by fences, they are in the order of the names, also of what is in no piece."""

import random
from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fireside.domain.asset_listing import AssetPlace, AssetSort
from fireside.store.asset_name_ranks import WORDS, columns_of_names, ranks_of_fences, ranks_of_words
from fireside.store.asset_ranks import Ranks, most_alike

ROOM = 140_032
NAMES = st.lists(st.text("abxy09-_.é", max_size=14), min_size=1, max_size=30)

pytestmark = pytest.mark.once


def by_words(names: Sequence[str]) -> Ranks | None:
    return ranks_of_words([(columns(names)[WORDS], len(names))], ROOM)


def by_fences(names: Sequence[str]) -> Ranks | None:
    return ranks_of_fences([(columns(names)[AssetSort.NAME.value], len(names))], ROOM)


def columns(names: Sequence[str]) -> dict[str, bytes]:
    return columns_of_names([{"place": at, "by_name": name} for at, name in enumerate(names)], 0, len(names))


@pytest.mark.parametrize("told", [by_words, by_fences])
@example(names=["0b"], others=["0a0"])
@given(names=NAMES, others=NAMES)
def test_ranks_are_in_the_order_of_the_names(
    told: Callable[[Sequence[str]], Ranks | None], names: list[str], others: list[str]
) -> None:
    ranks = told(names)

    assert ranks is not None
    standing = [(name.encode(), int(ranks.low[at]), int(ranks.high[at])) for at, name in enumerate(names)]
    for name in others:
        rank = ranks.rank_of(AssetPlace(word=name, place=99))
        standing.append((name.encode(), rank, rank))
    for (name, low, _), (following, _, high) in pairwise(sorted(standing)):
        assert name == following or low <= high


def test_names_with_a_counter_are_told_by_words_however_short_the_piece_is() -> None:
    assert by_words([f"comfyui_{number:05}_.png" for number in range(960)]) is not None


def test_names_that_are_hashes_are_told_by_words() -> None:
    chance = random.Random(1)
    assert by_words([f"{chance.getrandbits(128):032x}.png" for _ in range(7680)]) is not None


def test_names_that_are_alike_for_long_behind_a_digit_are_not_told_by_words() -> None:
    assert by_words([f"sd3.5_large_{number:05}_.png" for number in range(4000)]) is None


def test_names_of_one_rank_are_noticed_where_they_alternate_with_others() -> None:
    names = [f"flux1-dev_{at:06}_.png" if at % 2 else f"comfyui_{at:06}_.png" for at in range(140_000)]

    assert by_words(names) is None


@given(st.lists(st.integers(0, 5)))
def test_how_many_share_a_rank_is_counted(ranks: list[int]) -> None:
    assert most_alike(np.array(ranks, np.int64)) == max(map(ranks.count, ranks), default=0)
