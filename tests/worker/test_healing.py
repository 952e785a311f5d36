"""What a worker does when its runtime breaks, hangs, or does not start."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from tests.databases import Databases
from tests.jobs.workshop import DEADLINE_SECONDS, Workshop, open_workshop, until
from tests.worker.station import LONG, Graph, Station, empty, node, open_station, save, sleep

from fireside.domain.accounts import User
from fireside.domain.jobs import Job, JobState
from fireside.jobs.cancel import cancel_job
from fireside.worker import health

QUICK: Graph = {"1": empty(), "2": save("1")}
SLEEPING: Graph = {"1": empty(), "2": sleep("1", LONG), "3": save("2")}
CRASHING: Graph = {"1": empty(), "2": node("FiresideFail", image=["1", 0], message="", how="crash"), "3": save("2")}
FAILING: Graph = {"1": empty(), "2": node("FiresideFail", image=["1", 0], message="", how="raise"), "3": save("2")}


@pytest.fixture
def short_rests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_FIRST_REST_SECONDS", 0.1)


@pytest.fixture
async def strict_shop(databases: Databases, tmp_path: Path) -> AsyncIterator[Workshop]:
    """A server that fails a job with its second loss."""
    async with open_workshop(databases.config(tmp_path / "data", port=0, max_losses=2)) as shop:
        yield shop


async def _breaks(station: Station, user: User) -> Job:
    """Let the runtime break, and wait until its job is back."""
    job = await station.submit(user, CRASHING)
    await station.hand_out(job)
    return await station.becomes(job, JobState.QUEUED)


def _error(job: Job) -> dict[str, object]:
    return msgspec.json.decode(job.error or b"{}")


async def test_a_job_whose_runtime_broke_goes_back_and_that_counts(shop: Workshop, station: Station, ann: User) -> None:
    job = await station.submit(ann, CRASHING)
    lease = await station.hand_out(job)

    back = await station.becomes(job, JobState.QUEUED)

    assert (back.losses, back.attempt, back.fence) == (1, 1, lease.fence)
    last = await shop.last_entry(job)
    assert (last.kind, last.data["lost"]) == ("released", True)
    assert "exit code 1" in last.data["reason"]
    assert await shop.share(ann) == 0


async def test_a_runtime_that_broke_runs_the_next_job(station: Station, ann: User) -> None:
    await _breaks(station, ann)
    next_job = await station.submit(ann, QUICK)

    await station.hand_out(next_job)

    await station.becomes(next_job, JobState.SUCCEEDED)


async def test_a_job_that_breaks_its_runtime_too_often_fails_with_the_reason(
    strict_shop: Workshop, tmp_path: Path
) -> None:
    async with open_station(strict_shop, tmp_path / "worker") as station:
        ann = await strict_shop.user("ann")
        job = await _breaks(station, ann)

        await station.hand_out(job)

        failed = await station.becomes(job, JobState.FAILED)
        assert failed.losses == 2
        assert _error(failed)["exception_type"] == "PanicError"
        assert str(_error(failed)["exception_message"]).startswith("lost: 2 workers or their runtimes broke")
        assert "exit code 1" in str(_error(failed)["exception_message"])


async def test_a_job_that_is_canceled_while_its_runtime_breaks_ends_canceled(
    shop: Workshop, station: Station, ann: User
) -> None:
    job = await station.submit(ann, SLEEPING)
    await station.hand_out(job)
    await station.becomes(job, JobState.RUNNING)
    await until(lambda: station.runtime.pid is not None)
    os.kill(station.runtime.pid or 0, signal.SIGSTOP)

    assert await cancel_job(shop.desk, ann.id, job.id)

    # It does not listen, so it is ended; the next job finds a new one.
    await station.becomes(job, JobState.CANCELED)
    next_job = await station.submit(ann, QUICK)
    await station.hand_out(next_job)
    await station.becomes(next_job, JobState.SUCCEEDED)


@pytest.mark.usefixtures("short_rests")
async def test_a_runtime_that_breaks_again_and_again_drains_its_worker_which_says_why_and_comes_back(
    station: Station, ann: User
) -> None:
    for _ in range(3):
        await _breaks(station, ann)

    await until(lambda: any(said.draining for said in station.said))
    reason = next(said.reason for said in station.said if said.draining)
    assert reason.startswith("the runtime broke 3 times in a row")
    assert "exit code 1" in reason
    await station.is_free()
    assert not station.said[-1].draining
    job = await station.submit(ann, QUICK)
    await station.hand_out(job)
    await station.becomes(job, JobState.SUCCEEDED)


async def test_a_run_that_ended_well_between_breakdowns_keeps_the_worker_going(station: Station, ann: User) -> None:
    for graph in (CRASHING, CRASHING, FAILING, CRASHING):
        job = await station.submit(ann, graph)
        await station.hand_out(job)
        await station.becomes(job, JobState.QUEUED, JobState.FAILED)

    await station.is_free()
    assert not any(said.draining for said in station.said)


@pytest.mark.usefixtures("short_rests")
async def test_a_worker_whose_runtime_does_not_start_says_why_and_joins_when_it_does(
    shop: Workshop, tmp_path: Path
) -> None:
    in_the_way = tmp_path / "worker" / "runtime"
    in_the_way.parent.mkdir()
    in_the_way.write_text("a file, where the runtime wants a folder")
    async with open_station(shop, tmp_path / "worker") as station:
        await station.says(lambda last: last.draining)
        assert "the runtime does not start" in station.said[-1].reason
        assert not station.said[-1].ready

        in_the_way.unlink()

        await station.is_free()
        assert (station.said[-1].draining, station.said[-1].reason) == (False, "")


async def test_a_worker_that_cannot_start_its_runtime_still_leaves_at_once(shop: Workshop, tmp_path: Path) -> None:
    (tmp_path / "worker").mkdir()
    (tmp_path / "worker" / "runtime").write_text("a file, where the runtime wants a folder")
    async with open_station(shop, tmp_path / "worker") as station:
        await station.says(lambda last: last.draining)

        station.stopped.set()

        await asyncio.wait_for(station.working, DEADLINE_SECONDS)


async def test_a_job_that_takes_longer_than_it_may_is_stopped_and_failed(station: Station, ann: User) -> None:
    job = await station.submit(ann, SLEEPING, max_run_seconds=3.0)
    await station.hand_out(job)

    failed = await station.becomes(job, JobState.FAILED)

    error = _error(failed)
    assert (error["exception_type"], error["node_id"], error["node_type"]) == ("TimeoutError", "2", "FiresideSleep")
    assert "stopped after 3 s" in str(error["exception_message"])
    assert "extra_data.fireside.max_run_seconds" in str(error["exception_message"])


async def test_a_job_that_hangs_is_stopped_by_its_time_limit_too(station: Station, ann: User) -> None:
    job = await station.submit(ann, SLEEPING, max_run_seconds=3.0)
    await station.hand_out(job)
    await station.becomes(job, JobState.RUNNING)
    os.kill(station.runtime.pid or 0, signal.SIGSTOP)

    failed = await station.becomes(job, JobState.FAILED)

    assert _error(failed)["exception_type"] == "TimeoutError"
    assert failed.losses == 0


async def test_a_job_within_its_time_limit_is_left_alone(station: Station, ann: User) -> None:
    job = await station.submit(ann, QUICK, max_run_seconds=LONG)
    await station.hand_out(job)

    await station.becomes(job, JobState.SUCCEEDED)
