"""How far a model is on its way, by a clock of the test's own."""

from pathlib import Path

import pytest

from fireside.wire.fleet import NeededModel
from fireside.worker.arriving import Arrival

MODEL = NeededModel(folder="loras", name="a.ckpt", hash="a" * 64, size_bytes=1000, url="/files/a")


@pytest.fixture
def arrival(tmp_path: Path) -> Arrival:
    return Arrival(MODEL, tmp_path / "part")


def test_the_rate_is_that_of_what_came_lately(arrival: Arrival) -> None:
    arrival.begin(500, 0.0)
    assert arrival.bytes_per_second(0.0) is None
    for second in range(1, 101):
        arrival.note(500 + second, float(second))
    assert arrival.bytes_per_second(100.0) == 1.0
    for second in range(101, 131):
        arrival.note(600 + 3 * (second - 100), float(second))

    assert arrival.bytes_per_second(130.0) == 3.0
    assert arrival.done_bytes == 690


def test_a_source_that_stops_has_a_rate_that_falls_to_nothing(arrival: Arrival) -> None:
    arrival.begin(0, 0.0)
    arrival.note(100, 1.0)

    assert arrival.bytes_per_second(1.0) == 100.0
    assert arrival.bytes_per_second(5.0) == 20.0
    assert arrival.bytes_per_second(20.0) == 0.0


def test_nothing_is_said_of_a_rate_before_anything_has_come(arrival: Arrival) -> None:
    assert arrival.bytes_per_second(1.0) is None
    arrival.begin(0, 1.0)
    assert arrival.bytes_per_second(9.0) is None
    arrival.note(50, 1.1)
    assert arrival.bytes_per_second(1.1) is None


def test_what_begins_anew_counts_from_there(arrival: Arrival) -> None:
    arrival.begin(0, 0.0)
    arrival.note(900, 9.0)

    arrival.begin(0, 10.0)

    assert (arrival.done_bytes, arrival.bytes_per_second(20.0)) == (0, None)


def test_before_its_turn_what_another_worker_has_fetched_counts(arrival: Arrival) -> None:
    assert arrival.done_bytes == 0
    arrival.part.write_bytes(bytes(300))

    assert arrival.done_bytes == 300
