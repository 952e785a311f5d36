from typing import Any

import numpy as np

from fireside.runtimes.builtin.cache import Cache, Computed

KIB = 1024


def pixels(size_bytes: int) -> Computed:
    return Computed(((np.zeros(size_bytes, np.uint8),),))


def test_a_kept_result_comes_back() -> None:
    cache = Cache(KIB)
    computed = Computed(((1, "text"),), {"text": ("shown",)})
    cache.put("one", computed)

    assert cache.get("one") is computed
    assert cache.get("two") is None


def test_the_least_recently_used_results_go_first() -> None:
    cache = Cache(8 * KIB)
    for name in ("one", "two", "three"):
        cache.put(name, pixels(2 * KIB))
    cache.get("one")
    cache.put("four", pixels(2 * KIB))

    assert [cache.get(name) is not None for name in ("one", "two", "three", "four")] == [True, False, True, True]


def test_a_result_larger_than_the_cache_drives_nothing_out() -> None:
    cache = Cache(8 * KIB)
    small = pixels(KIB)
    cache.put("small", small)
    cache.put("large", pixels(9 * KIB))

    assert cache.get("large") is None
    assert cache.get("small") is small


def test_a_part_of_a_picture_counts_as_the_whole_that_it_keeps_alive() -> None:
    whole: Any = np.zeros(9 * KIB, np.uint8)
    cache = Cache(8 * KIB)
    cache.put("part", Computed(((whole[:10],),)))

    assert cache.get("part") is None


def test_shown_text_counts() -> None:
    cache = Cache(8 * KIB)
    cache.put("text", Computed((), {"text": ("x" * 9 * KIB,)}))

    assert cache.get("text") is None


def test_putting_a_result_twice_counts_once() -> None:
    cache = Cache(8 * KIB)
    for _ in range(10):
        cache.put("one", pixels(2 * KIB))
    cache.put("two", pixels(2 * KIB))

    assert cache.get("one") is not None


def test_a_cleared_cache_has_room_again() -> None:
    cache = Cache(8 * KIB)
    cache.put("one", pixels(6 * KIB))
    cache.clear()
    cache.put("two", pixels(7 * KIB))

    assert cache.get("one") is None
    assert cache.get("two") is not None
