"""How often a large process looks for garbage."""

import gc
from typing import Any

import pytest

from fireside.processes.garbage import look_for_garbage_seldom


@pytest.fixture
def looks() -> Any:
    """Count Python's searches for garbage, and have it be as it was in the end."""
    before, found = gc.get_threshold(), list[int]()

    def count(_: str, info: dict[str, int]) -> None:
        found.append(info["generation"])

    gc.collect()
    gc.callbacks.append(count)
    yield found
    gc.callbacks.remove(count)
    gc.set_threshold(*before)


def test_what_many_requests_have_in_use_is_not_searched(looks: list[int]) -> None:
    look_for_garbage_seldom()
    in_use = [[number] for number in range(3_000)]

    assert looks == []
    assert len(in_use) == 3_000


def test_cycles_are_still_found(looks: list[int]) -> None:
    look_for_garbage_seldom()
    for _ in range(20_000):
        cycle: list[Any] = []
        cycle.append(cycle)

    assert looks != []
