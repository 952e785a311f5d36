"""Servers that are away for a while, links that expire, and bytes that are there already."""

from pathlib import Path

import pytest
from tests.databases import Databases
from tests.jobs.workshop import Workshop, open_workshop, until
from tests.worker.station import Station, empty, node, open_station, picture, save, sleep

from fireside.domain.accounts import User
from fireside.domain.jobs import JobState
from fireside.server.fleet_reports import FleetReports
from fireside.wire.fleet import LeaseBody


@pytest.mark.usefixtures("everything_goes_by_http")
async def test_a_server_that_was_away_when_the_run_ended_hears_of_it_when_it_is_back(
    shop: Workshop, station: Station, ann: User
) -> None:
    job = await station.submit(ann, {"1": empty(), "2": save("1")})
    outputs = f"/fleet/jobs/{job.id}/outputs"
    station.gate.shut(outputs)
    lease = await station.hand_out(job)
    await until(lambda: outputs in station.gate.waiting)
    await station.reports.stop()
    station.gate.open(outputs)

    back = FleetReports(shop.services)
    await back.start()

    ended = await station.becomes(job, JobState.SUCCEEDED)
    assert ended.lease == lease
    await station.is_free()
    await back.stop()


@pytest.mark.usefixtures("everything_goes_by_http")
async def test_a_server_that_is_away_while_outputs_are_sent_gets_them_when_it_is_back(
    shop: Workshop, station: Station, ann: User
) -> None:
    station.gate.shut("/fleet/blobs/")
    job = await station.submit(ann, {"1": empty(), "2": save("1")})
    await station.hand_out(job)
    await until(lambda: bool(station.gate.waiting))
    assert await shop.state(job) is JobState.RUNNING

    station.gate.open("/fleet/blobs/")

    assert (await station.becomes(job, JobState.SUCCEEDED)).outputs_count == 1


@pytest.mark.usefixtures("everything_goes_by_http")
async def test_bytes_that_the_server_has_are_not_sent_again(shop: Workshop, station: Station, ann: User) -> None:
    graph = {"1": empty(), "2": save("1")}
    first, second = await station.submit(ann, graph), await station.submit(ann, graph)
    for job in (first, second):
        await station.hand_out(job)
        await station.becomes(job, JobState.SUCCEEDED)

    assert len(station.uploads()) == 1
    (one,), (other,) = await shop.store.job_assets(first.id), await shop.store.job_assets(second.id)
    assert (one.hash, one.file.name, other.file.name) == (other.hash, "station_00001_.png", "station_00002_.png")


async def test_a_link_that_expired_before_it_was_used_is_asked_for_anew(
    shop: Workshop, station: Station, ann: User
) -> None:
    photo = await station.keep(picture())
    graph = {"1": node("LoadImage", image="photo.png"), "2": save("1")}
    station.gate.shut("/files/")
    job = await station.submit(ann, graph, {"photo.png": photo})
    await station.hand_out(job)
    await until(lambda: bool(station.gate.waiting))

    shop.clock.go(2 * 3600)
    station.gate.open("/files/")

    await station.becomes(job, JobState.SUCCEEDED)
    assert station.gate.asked.count(f"GET /fleet/jobs/{job.id}") == 1


async def test_an_output_that_no_server_heard_is_told_when_one_is_back(
    shop: Workshop, station: Station, ann: User
) -> None:
    job = await station.submit(ann, {"1": empty(), "2": sleep("1", 2.0), "3": save("2")})
    lease = await station.hand_out(job)
    await station.becomes(job, JobState.RUNNING)
    await station.reports.stop()
    await station.says(lambda last: last.finishing == (LeaseBody.of(lease),))
    assert await shop.state(job) is JobState.RUNNING

    back = FleetReports(shop.services)
    await back.start()

    assert (await station.becomes(job, JobState.SUCCEEDED)).outputs_count == 1
    await back.stop()


async def test_an_output_that_is_too_large_for_the_server_fails_the_job_and_says_so(
    databases: Databases, tmp_path: Path
) -> None:
    config = databases.config(tmp_path / "data", port=0, max_upload_bytes=10)
    async with open_workshop(config) as shop, open_station(shop, tmp_path / "worker") as station:
        job = await station.submit(await shop.user("ann"), {"1": empty(), "2": save("1")})

        await station.hand_out(job)

        failed = await station.becomes(job, JobState.FAILED)
        assert b"larger than 10 bytes" in (failed.error or b"")
