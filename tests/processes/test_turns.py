"""How soon a waiting thread gets its turn in a server."""

import sys
from collections.abc import Iterator

import pytest

from fireside.processes.turns import take_turns_soon


@pytest.fixture
def before() -> Iterator[float]:
    seconds = sys.getswitchinterval()
    yield seconds
    sys.setswitchinterval(seconds)


def test_a_thread_that_waits_has_its_turn_much_sooner_than_by_default(before: float) -> None:
    take_turns_soon()

    assert sys.getswitchinterval() < before / 5
