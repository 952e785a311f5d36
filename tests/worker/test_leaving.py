"""A worker that leaves, and one that another process goes by the name of."""

import asyncio

import msgspec
import pytest
from tests.jobs.workshop import DEADLINE_SECONDS, Workshop, until
from tests.worker.station import LONG, WORKER, Station, empty, save, sleep

from fireside.bus.errors import BusTimeout
from fireside.bus.subjects import work
from fireside.domain.accounts import User
from fireside.domain.jobs import JobState
from fireside.wire.fleet import AreYouThere, Assignment, AssignmentReply, Dismissal, LeaseBody

SHORT = {"1": empty(), "2": sleep("1", 0.5), "3": save("2")}
SLEEPING = {"1": empty(), "2": sleep("1", LONG), "3": save("2")}


async def ask(shop: Workshop, request: msgspec.Struct, seconds: float = DEADLINE_SECONDS) -> bytes:
    return await shop.services.bus.request(work(WORKER), msgspec.json.encode(request), timeout=seconds)


@pytest.mark.usefixtures("everything_goes_by_http")
async def test_a_worker_that_leaves_does_its_job_to_the_end_and_takes_no_other(
    shop: Workshop, station: Station, ann: User
) -> None:
    job, other = await station.submit(ann, SHORT), await station.submit(ann, SHORT)
    outputs = f"/fleet/jobs/{job.id}/outputs"
    station.gate.shut(outputs)
    await station.hand_out(job)
    await station.becomes(job, JobState.RUNNING)

    station.leaving.set()
    await station.says(lambda last: last.draining and last.leases)
    refused = await station.offer(other)
    station.gate.open(outputs)
    await asyncio.wait_for(station.working, DEADLINE_SECONDS)

    assert refused is None
    assert await shop.state(job) is JobState.SUCCEEDED
    assert await shop.kinds(job) == ["assigned", "started", "cached", "succeeded"]


async def test_one_that_is_told_a_second_time_gives_its_job_back(shop: Workshop, station: Station, ann: User) -> None:
    job = await station.submit(ann, SLEEPING)
    await station.hand_out(job)
    await station.becomes(job, JobState.RUNNING)

    station.leaving.set()
    await station.says(lambda last: last.draining)
    station.stopped.set()
    await asyncio.wait_for(station.working, DEADLINE_SECONDS)

    assert await shop.state(job) is JobState.QUEUED
    assert (await shop.last_entry(job)).kind == "released"


async def test_one_that_has_nothing_to_do_leaves_at_once(station: Station) -> None:
    await station.is_free()

    station.leaving.set()

    await asyncio.wait_for(station.working, DEADLINE_SECONDS)


async def test_what_is_meant_for_another_process_of_this_name_is_not_answered(
    shop: Workshop, station: Station, ann: User
) -> None:
    await station.is_free()
    lease = LeaseBody(job_id=(await shop.submit(ann)).id, attempt=1, fence=1)

    for request in (
        Assignment(lease=lease, user_id=ann.id, boot_id="another"),
        AreYouThere(boot_id="another"),
        Dismissal(boot_id="another", reason="not you"),
    ):
        with pytest.raises(BusTimeout):
            await ask(shop, request, seconds=0.3)

    assert station.dismissed == []
    assert station.said[-1].leases == ()


async def test_what_is_meant_for_this_process_is(shop: Workshop, station: Station, ann: User) -> None:
    await station.is_free()
    boot_id = station.said[-1].boot_id

    assert await ask(shop, AreYouThere(boot_id=boot_id)) == b""
    await shop.services.bus.publish(work(WORKER), msgspec.json.encode(Dismissal(boot_id=boot_id, reason="enough")))
    await until(lambda: station.dismissed == ["enough"])
    job = await station.submit(ann, SHORT)
    lease = LeaseBody(job_id=job.id, attempt=1, fence=1)
    offer = Assignment(lease=lease, user_id=ann.id, boot_id=boot_id)
    assert msgspec.json.decode(await ask(shop, offer), type=AssignmentReply).accepted
