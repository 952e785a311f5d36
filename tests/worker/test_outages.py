"""Servers that are away for a while, links that expire, and bytes that are there already."""

import pytest
from tests.jobs.workshop import Workshop, until
from tests.worker.station import Station, empty, node, picture, save, sleep

from fireside.domain.accounts import User
from fireside.domain.jobs import JobState
from fireside.server.fleet_reports import FleetReports
from fireside.worker import run


async def test_a_server_that_was_away_when_the_run_ended_hears_of_it_when_it_is_back(
    shop: Workshop, station: Station, ann: User
) -> None:
    job = await station.submit(ann, {"1": empty(), "2": sleep("1", 0.2), "3": save("2")})
    lease = await station.hand_out(job)
    await station.becomes(job, JobState.RUNNING)
    await station.reports.stop()
    await until(lambda: any(asked.endswith("/outputs") for asked in station.gate.asked))

    back = FleetReports(shop.services)
    await back.start()

    ended = await station.becomes(job, JobState.SUCCEEDED)
    assert ended.lease == lease
    await station.is_free()
    await back.stop()


async def test_a_server_that_is_away_while_outputs_are_sent_gets_them_when_it_is_back(
    shop: Workshop, station: Station, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "_SENT_ALONG_BYTES", 0)
    station.gate.shut("/fleet/blobs/")
    job = await station.submit(ann, {"1": empty(), "2": save("1")})
    await station.hand_out(job)
    await until(lambda: bool(station.gate.waiting))
    assert await shop.state(job) is JobState.RUNNING

    station.gate.open("/fleet/blobs/")

    assert (await station.becomes(job, JobState.SUCCEEDED)).outputs_count == 1


async def test_bytes_that_the_server_has_are_not_sent_again(
    shop: Workshop, station: Station, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "_SENT_ALONG_BYTES", 0)
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
