import asyncio

import msgspec
import pytest
from PIL import Image
from tests.jobs.workshop import DEADLINE_SECONDS, Workshop, until
from tests.worker.station import LONG, Graph, Station, empty, node, picture, save, sleep

from fireside.domain.accounts import User
from fireside.domain.ids import BlobHash
from fireside.domain.jobs import JobState
from fireside.jobs.cancel import cancel_job
from fireside.jobs.rescue import rescue_job
from fireside.jobs.withdraw import tell_withdrawn, withdraw_job
from fireside.wire.fleet import MOST_FINISHING, LeaseBody
from fireside.worker import staging

LOADING: Graph = {"1": node("LoadImage", image="photo.png"), "2": node("ImageInvert", image=["1", 0]), "3": save("2")}
QUICK: Graph = {"1": empty(), "2": save("1")}
SLEEPING: Graph = {"1": empty(), "2": sleep("1", LONG), "3": save("2")}
TWICE: Graph = {"1": empty(), "2": save("1"), "3": node("ImageInvert", image=["1", 0]), "4": save("3")}


@pytest.mark.usefixtures("everything_goes_by_http")
async def test_a_job_is_staged_run_uploaded_and_reported(shop: Workshop, station: Station, ann: User) -> None:
    job = await station.submit(ann, LOADING, {"photo.png": await station.keep(picture((10, 20, 30)))})

    await station.hand_out(job)

    ended = await station.becomes(job, JobState.SUCCEEDED)
    assert ended.outputs_count == 1
    assert await shop.kinds(job) == ["assigned", "started", "cached", "succeeded"]
    ((record,), item) = await shop.store.job_outputs(job.id), {"subfolder": "", "type": "output"}
    assert record.output == {"images": [item | {"filename": "station_00001_.png"}]}
    (blob,) = [BlobHash(asked.rpartition("/")[2]) for asked in station.uploads()]
    with Image.open(station.path_of(blob)) as inverted:
        assert inverted.getpixel((0, 0)) == (245, 235, 225)
    await station.is_free()
    assert station.left_behind() == []


async def test_a_small_job_and_its_small_files_travel_on_the_bus_alone(
    shop: Workshop, station: Station, ann: User
) -> None:
    job = await station.submit(ann, QUICK)

    await station.hand_out(job)

    await station.becomes(job, JobState.SUCCEEDED)
    assert [asked for asked in station.gate.asked if str(job.id) in asked or "blobs" in asked] == []
    (asset,) = await shop.store.job_assets(job.id)
    with Image.open(station.path_of(asset.hash)) as saved:
        assert (saved.size, asset.content_type) == ((8, 6), "image/png")


@pytest.mark.usefixtures("everything_goes_by_http")
async def test_a_worker_that_lost_its_lease_drops_the_work_and_uploads_nothing_more(
    shop: Workshop, station: Station, ann: User
) -> None:
    job = await station.submit(ann, TWICE)
    station.gate.shut(f"/fleet/jobs/{job.id}/outputs")
    lease = await station.hand_out(job)
    await until(lambda: any(path.endswith("/outputs") for path in station.gate.waiting))
    await rescue_job(shop.desk, await shop.held(lease), lost=True)

    station.gate.open(f"/fleet/jobs/{job.id}/outputs")

    await station.is_free()
    assert len(station.uploads()) == 1
    assert (await shop.state(job), await shop.store.job_outputs(job.id)) == (JobState.QUEUED, [])
    assert station.left_behind() == []


async def test_a_job_whose_lease_is_stale_before_it_is_fetched_is_dropped_without_a_word(
    shop: Workshop, station: Station, ann: User
) -> None:
    job = await station.submit(ann, QUICK, large=True)
    station.gate.shut(f"/fleet/jobs/{job.id}")
    lease = await station.hand_out(job)
    await rescue_job(shop.desk, await shop.held(lease), lost=False)

    station.gate.open(f"/fleet/jobs/{job.id}")

    await station.is_free()
    assert await shop.kinds(job) == ["assigned", "rescued"]
    assert station.uploads() == []


async def test_a_job_is_given_back_when_the_server_cannot_be_reached(
    shop: Workshop, station: Station, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(staging, "PATIENCE_SECONDS", 0.3)
    job = await station.submit(ann, QUICK, large=True)
    await station.is_free()
    await station.edge.close()

    await station.hand_out(job)

    await station.becomes(job, JobState.QUEUED)
    last = await shop.last_entry(job)
    assert (last.kind, last.data["worker_id"]) == ("released", "worker-1")
    assert "not to be reached" in last.data["reason"]
    assert await shop.share(ann) == 0


async def test_a_worker_that_is_stopped_gives_its_job_back_and_takes_no_other(
    shop: Workshop, station: Station, ann: User
) -> None:
    job = await station.submit(ann, SLEEPING)
    lease = await station.hand_out(job)
    await station.becomes(job, JobState.RUNNING)

    station.stopped.set()
    await asyncio.wait_for(station.working, DEADLINE_SECONDS)

    back = await shop.job(job)
    assert (back.state, back.losses, back.fence) == (JobState.QUEUED, 0, lease.fence)
    assert await shop.kinds(job) == ["assigned", "started", "cached", "released"]
    assert any(said.draining for said in station.said)


async def test_a_run_that_is_canceled_stops_and_says_where(shop: Workshop, station: Station, ann: User) -> None:
    job = await station.submit(ann, SLEEPING)
    await station.hand_out(job)
    await station.becomes(job, JobState.RUNNING)

    assert await cancel_job(shop.desk, ann.id, job.id)

    await station.becomes(job, JobState.CANCELED)
    await station.is_free()
    assert station.uploads() == []


async def test_a_job_that_is_canceled_before_it_began_never_begins(shop: Workshop, station: Station, ann: User) -> None:
    job = await station.submit(ann, QUICK, large=True)
    station.gate.shut(f"/fleet/jobs/{job.id}")
    await station.hand_out(job)
    await until(lambda: station.gate.waiting != [])

    assert await cancel_job(shop.desk, ann.id, job.id)

    # The worker does not wait for the answer it will not need: it is free while the way is still shut.
    await station.is_free()
    assert await shop.kinds(job) == ["assigned", "canceled"]
    assert station.uploads() == []


async def test_a_failure_with_huge_inputs_fits_the_bus(shop: Workshop, station: Station, ann: User) -> None:
    huge = "x" * 3_000_000
    failing = node("FiresideFail", image=["1", 0], message=huge, how="raise")
    job = await station.submit(ann, {"1": empty(), "2": failing, "3": save("2")})

    await station.hand_out(job)

    error = msgspec.json.decode((await station.becomes(job, JobState.FAILED)).error or b"{}")
    assert (error["node_id"], error["node_type"]) == ("2", "FiresideFail")
    assert error["exception_message"].startswith("xxx")
    assert len(msgspec.json.encode(error)) < 1_000_000


async def test_wrong_bytes_are_not_run(
    shop: Workshop, station: Station, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(staging, "PATIENCE_SECONDS", 0.3)
    photo = await station.keep(picture())
    job = await station.submit(ann, LOADING, {"photo.png": photo})
    station.path_of(photo).write_bytes(picture((0, 0, 0)))

    await station.hand_out(job)

    await station.becomes(job, JobState.QUEUED)
    assert "not those of" in (await shop.last_entry(job)).data["reason"]
    assert "started" not in await shop.kinds(job)


async def test_a_worker_that_could_not_do_a_job_rests_says_so_and_then_takes_jobs_again(
    shop: Workshop, station: Station, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(staging, "PATIENCE_SECONDS", 0.3)
    photo = await station.keep(picture())
    wrong = await station.submit(ann, LOADING, {"photo.png": photo})
    station.path_of(photo).write_bytes(b"other")

    await station.hand_out(wrong)
    await station.says(lambda last: not last.ready and not last.leases)

    right = await station.submit(ann, QUICK)
    await station.hand_out(right)
    await station.becomes(right, JobState.SUCCEEDED)


async def test_a_worker_runs_one_job_and_holds_one_more(shop: Workshop, station: Station, ann: User) -> None:
    first, second, third = [await station.submit(ann, graph) for graph in (SLEEPING, QUICK, QUICK)]
    running = await station.hand_out(first)
    await station.becomes(first, JobState.RUNNING)

    ready = await station.offer(second)
    assert ready is not None
    assert await station.offer(third) is None

    await station.says(lambda last: last.leases == (LeaseBody.of(running), LeaseBody.of(ready)))
    assert [await shop.state(job) for job in (first, second, third)] == [
        JobState.RUNNING,
        JobState.ASSIGNED,
        JobState.QUEUED,
    ]


async def test_the_next_job_is_staged_while_another_runs_and_begins_when_that_ends(
    shop: Workshop, station: Station, ann: User
) -> None:
    first = await station.submit(ann, SLEEPING)
    await station.hand_out(first)
    await station.becomes(first, JobState.RUNNING)
    second = await station.submit(ann, LOADING, {"photo.png": await station.keep(picture())})

    lease = await station.offer(second)

    assert lease is not None
    await until(lambda: any("inputs" in str(path) and path.suffix == ".png" for path in station.left_behind()))
    assert await shop.state(second) is JobState.ASSIGNED
    await cancel_job(shop.desk, ann.id, first.id)
    await station.becomes(first, JobState.CANCELED)
    await station.becomes(second, JobState.SUCCEEDED)
    assert [task.graph for task in station.runtime.tasks] == [SLEEPING, LOADING]


async def test_what_was_taken_back_before_it_began_never_begins_and_leaves_room_for_another(
    shop: Workshop, station: Station, ann: User
) -> None:
    first, second, third = [await station.submit(ann, graph) for graph in (SLEEPING, TWICE, QUICK)]
    await station.hand_out(first)
    await station.becomes(first, JobState.RUNNING)
    assert await station.offer(second) is not None
    ready = await shop.job(second)

    await withdraw_job(shop.desk, ready)
    await tell_withdrawn(shop.desk, ready)
    assert await station.offer(third) is not None
    await cancel_job(shop.desk, ann.id, first.id)

    await station.becomes(third, JobState.SUCCEEDED)
    await station.is_free()
    assert [task.graph for task in station.runtime.tasks] == [SLEEPING, QUICK]
    assert ((await shop.job(second)).state, (await shop.job(second)).attempt) == (JobState.QUEUED, 0)
    assert station.left_behind() == []


async def test_a_job_that_was_taken_back_unheard_is_dropped_when_it_begins(
    shop: Workshop, station: Station, ann: User
) -> None:
    first, second = await station.submit(ann, SLEEPING), await station.submit(ann, SLEEPING)
    await station.hand_out(first)
    await station.becomes(first, JobState.RUNNING)
    assert await station.offer(second) is not None

    await withdraw_job(shop.desk, await shop.job(second))
    await cancel_job(shop.desk, ann.id, first.id)

    await station.is_free()
    assert await shop.state(second) is JobState.QUEUED
    assert await shop.kinds(second) == ["assigned", "withdrawn"]


async def test_a_worker_that_leaves_gives_back_what_it_has_not_begun_and_finishes_what_runs(
    shop: Workshop, station: Station, ann: User
) -> None:
    first = await station.submit(ann, SLEEPING)
    await station.hand_out(first)
    await station.becomes(first, JobState.RUNNING)
    second = await station.submit(ann, QUICK)
    assert await station.offer(second) is not None

    station.leaving.set()

    await station.becomes(second, JobState.QUEUED)
    assert await shop.state(first) is JobState.RUNNING
    await cancel_job(shop.desk, ann.id, first.id)
    await asyncio.wait_for(station.working, 60)
    assert len(station.runtime.tasks) == 1


async def test_a_job_that_is_canceled_before_its_turn_never_begins(shop: Workshop, station: Station, ann: User) -> None:
    first, second, third = [await station.submit(ann, graph) for graph in (SLEEPING, TWICE, QUICK)]
    await station.hand_out(first)
    await station.becomes(first, JobState.RUNNING)
    assert await station.offer(second) is not None

    await cancel_job(shop.desk, ann.id, second.id)

    await station.says(lambda last: len(last.leases) == 1)
    assert await station.offer(third) is not None
    await cancel_job(shop.desk, ann.id, first.id)
    await station.becomes(third, JobState.SUCCEEDED)
    assert [task.graph for task in station.runtime.tasks] == [SLEEPING, QUICK]


async def test_a_worker_that_has_nothing_to_do_leaves_at_once(station: Station) -> None:
    await station.is_free()

    station.stopped.set()

    await asyncio.wait_for(station.working, DEADLINE_SECONDS)


@pytest.mark.usefixtures("everything_goes_by_http")
async def test_the_next_job_is_computed_while_the_results_of_the_last_are_on_their_way(
    shop: Workshop, station: Station, ann: User
) -> None:
    first, second, third = [await station.submit(ann, QUICK) for _ in range(3)]
    station.gate.shut(f"/fleet/jobs/{first.id}/outputs")
    lease = await station.hand_out(first)
    await station.says(lambda last: last.leases == last.finishing == (LeaseBody.of(lease),))

    assert await station.offer(second) is not None

    await station.becomes(second, JobState.SUCCEEDED)
    assert await shop.state(first) is JobState.RUNNING
    assert await station.offer(third) is not None
    station.gate.open(f"/fleet/jobs/{first.id}/outputs")
    for job in (first, third):
        assert (await station.becomes(job, JobState.SUCCEEDED)).outputs_count == 1
    await station.is_free()
    assert station.left_behind() == []


@pytest.mark.usefixtures("everything_goes_by_http")
async def test_a_job_that_is_canceled_while_its_results_are_on_their_way_ends_and_leaves_the_next_alone(
    shop: Workshop, station: Station, ann: User
) -> None:
    first, second = (
        await station.submit(ann, QUICK),
        await station.submit(ann, {"1": empty(), "2": sleep("1", LONG), "3": save("2")}),
    )
    station.gate.shut(f"/fleet/jobs/{first.id}/outputs")
    await station.hand_out(first)
    await station.says(lambda last: bool(last.finishing))
    lease = await station.offer(second)
    assert lease is not None
    await station.becomes(second, JobState.RUNNING)

    await cancel_job(shop.desk, ann.id, first.id)

    assert (await station.becomes(first, JobState.CANCELED)).outputs_count == 0
    await station.says(lambda last: last.leases == (LeaseBody.of(lease),) and not last.finishing)
    assert await shop.state(second) is JobState.RUNNING


@pytest.mark.usefixtures("everything_goes_by_http")
async def test_no_more_jobs_are_taken_while_the_results_of_too_many_wait(
    shop: Workshop, station: Station, ann: User
) -> None:
    *reported, last = [await station.submit(ann, QUICK) for _ in range(MOST_FINISHING + 2)]
    await station.is_free()
    for job in reported:
        station.gate.shut(f"/fleet/jobs/{job.id}/outputs")
        assert await station.offer(job) is not None
        await station.says(lambda last, job=job: any(one.job_id == job.id for one in last.finishing))

    assert await station.offer(last) is None

    for job in reported:
        station.gate.open(f"/fleet/jobs/{job.id}/outputs")
        await station.becomes(job, JobState.SUCCEEDED)
    assert await shop.state(last) is JobState.QUEUED
