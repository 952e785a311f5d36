"""The wall clock of a server, or of its workers, is set forward and back by an hour: no work is lost or done again."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.faults.clocks import WallClock
from tests.faults.far import LOST_AFTER_SECONDS, Place, attempts, ends, status, submit, until

pytestmark = [pytest.mark.fault, pytest.mark.timeout(600)]

STEPS = (1, 0, -1, 0)
"""By how many hours the clock goes differently, one after the other."""


@pytest.fixture
def clock(tmp_path: Path) -> WallClock:
    return WallClock(tmp_path / "clock")


@pytest.fixture(params=["the server", "the workers"])
def whose(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def place(start_server: Any, tmp_path: Path, clock: WallClock, whose: str) -> Iterator[Place]:
    of_server, of_workers = (clock.environment, {}) if whose == "the server" else ({}, clock.environment)
    place = Place(start_server("--workers=0", f"--worker-lost-after={LOST_AFTER_SECONDS}", **of_server), tmp_path)
    for name in ("long", "short"):
        place.worker(name, f"--label=runs={name}", **of_workers)
    yield place
    for worker in place.workers:
        worker.close()


def run_through_a_step(place: Place, clock: WallClock, hours: int) -> dict[str, Any]:
    """Let a job of a new user begin before the clock is set and end after."""
    step = len(place.server.clients)
    client = place.server.client(place.server.add_user(f"of-step-{step}"))
    job_id = submit(client, step, seconds=2.0, runs="short")
    # It may have come to its end before anybody looks.
    until(lambda: status(client, job_id) != "pending", place.logs)
    clock.go_by(hours)
    return ends(place, client, job_id)


def test_a_clock_that_is_set_loses_no_work_and_has_none_done_again(
    place: Place, clock: WallClock, whose: str, databases: Any
) -> None:
    client = place.server.client()
    held = submit(client, 1, seconds=600.0, runs="long")
    waiting = submit(client, 2, runs="long")
    until(lambda: status(client, held) == "in_progress", place.logs)
    begun = client.get(f"/api/jobs/{held}").json()["create_time"]
    with place.server.watch(place.server.key_of("admin")) as socket:
        ended = [run_through_a_step(place, clock, hours) for hours in STEPS]

        assert [status(client, job_id) for job_id in (held, waiting)] == ["in_progress", "pending"]
        client.post(f"/api/jobs/{held}/cancel").raise_for_status()
        ends(place, client, waiting)
        until(lambda: "execution_success" in str(socket.recv(timeout=60)), place.logs)

    # The clock was set indeed: that of a job of which nothing was known before says so.
    hours = [round((job["create_time"] - begun) / 3600) for job in ended]
    assert hours == ([0, 1, 0, -1] if whose == "the server" else [0, 0, 0, 0])
    assert [job["execution_end_time"] >= job["execution_start_time"] for job in ended] == [True] * len(STEPS)
    assert attempts(place, databases, held) == [(1, "canceled")]


@pytest.mark.parametrize("whose", ["the server"], indirect=True)
def test_a_server_that_comes_back_with_a_clock_that_is_wrong_goes_on_with_all_it_had(
    place: Place, clock: WallClock, databases: Any
) -> None:
    client = place.server.client()
    held = submit(client, 1, seconds=600.0, runs="long")
    waiting = submit(client, 2, runs="long")
    until(lambda: status(client, held) == "in_progress", place.logs)

    for hours in (1, -1):
        place.server.kill()
        clock.go_by(hours)
        place.server.start()
        until(lambda: held in place.listed("long")["jobs"], place.logs)
        ends(place, client, submit(client, 10 + hours, runs="short"))

    assert [status(client, job_id) for job_id in (held, waiting)] == ["in_progress", "pending"]
    client.post(f"/api/jobs/{held}/cancel").raise_for_status()
    ends(place, client, waiting)
    assert attempts(place, databases, held) == [(1, "canceled")]
