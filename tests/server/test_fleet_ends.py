"""The end of a run that brings its last outputs along: recorded together, or not at all."""

from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from pathlib import Path

import pytest
from blake3 import blake3
from tests.blob_places import all_of
from tests.databases import Databases
from tests.jobs.workshop import PlayedWorker, Workshop, open_workshop

from fireside.blobs.base import HashMismatch
from fireside.domain.accounts import User
from fireside.domain.errors import BadRequest, StaleLease
from fireside.domain.ids import BlobHash
from fireside.domain.jobs import JobState, Lease
from fireside.jobs.report import start_job
from fireside.server.fleet_outputs import take_end
from fireside.upkeep import unsynced
from fireside.wire.fleet import EndReport, LeaseBody, OutputBody, OutputFile

PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)
HASH = BlobHash(blake3(PNG).hexdigest())


@pytest.fixture
async def shop(databases: Databases, tmp_path: Path) -> AsyncIterator[Workshop]:
    async with open_workshop(databases.config(tmp_path / "data")) as shop:
        yield shop


@pytest.fixture
async def ann(shop: Workshop) -> User:
    return await shop.user("ann")


@pytest.fixture
async def worker(shop: Workshop) -> PlayedWorker:
    return await shop.worker()


@pytest.fixture
async def lease(shop: Workshop, ann: User, worker: PlayedWorker) -> Lease:
    lease = await shop.assigned(await shop.submit(ann), worker)
    await start_job(shop.services.desk, worker.id, lease)
    return lease


def end_of(lease: Lease, *, index: int = 0, content: bytes = PNG, said: BlobHash | None = None) -> EndReport:
    blob_hash = said or BlobHash(blake3(content).hexdigest())
    file = OutputFile(key="images", index=index, hash=blob_hash, size_bytes=len(content), content=content)
    output = OutputBody(
        lease=LeaseBody.of(lease),
        node_id="9",
        display_node_id="9",
        output={"images": [{"filename": "a.png", "subfolder": "", "type": "output"}]},
        files=(file,),
    )
    return EndReport(lease=LeaseBody.of(lease), outcome="succeeded", run_seconds=1.0, outputs=(output,))


async def test_the_last_output_and_the_end_are_recorded_together(
    shop: Workshop, worker: PlayedWorker, lease: Lease
) -> None:
    await take_end(shop.services, worker.id, end_of(lease))

    job = await shop.store.job(lease.job_id)
    assert job is not None
    assert (job.state, job.outputs_count) == (JobState.SUCCEEDED, 1)
    assert [record.node_id for record in await shop.store.job_outputs(lease.job_id)] == ["9"]


async def test_an_end_that_is_told_twice_changes_nothing(shop: Workshop, worker: PlayedWorker, lease: Lease) -> None:
    await take_end(shop.services, worker.id, end_of(lease))
    before = await shop.store.job(lease.job_id)

    await take_end(shop.services, worker.id, end_of(lease))

    assert await shop.store.job(lease.job_id) == before
    assert len(await shop.store.job_outputs(lease.job_id)) == 1


async def test_an_end_whose_output_is_refused_leaves_the_job_running(
    shop: Workshop, worker: PlayedWorker, lease: Lease
) -> None:
    with pytest.raises(BadRequest):
        await take_end(shop.services, worker.id, end_of(lease, index=3))

    job = await shop.store.job(lease.job_id)
    assert job is not None
    assert job.state is JobState.RUNNING
    assert await shop.store.job_outputs(lease.job_id) == []


async def is_running_without_outputs(shop: Workshop, lease: Lease) -> bool:
    job = await shop.store.job(lease.job_id)
    return job is not None and job.state is JobState.RUNNING and await shop.store.job_outputs(lease.job_id) == []


async def test_an_end_with_other_bytes_than_it_says_leaves_the_job_running(
    shop: Workshop, worker: PlayedWorker, lease: Lease
) -> None:
    with pytest.raises(HashMismatch):
        await take_end(shop.services, worker.id, end_of(lease, content=PNG + b"more", said=HASH))

    assert await is_running_without_outputs(shop, lease)
    await take_end(shop.services, worker.id, end_of(lease))
    assert not await is_running_without_outputs(shop, lease)


async def test_an_end_whose_bytes_the_disk_refuses_is_not_recorded(
    shop: Workshop, worker: PlayedWorker, lease: Lease, tmp_path: Path
) -> None:
    (unfinished,) = tmp_path.rglob("unfinished")
    unfinished.rmdir()

    with pytest.raises(FileNotFoundError):
        await take_end(shop.services, worker.id, end_of(lease))

    assert await is_running_without_outputs(shop, lease)
    unfinished.mkdir()
    await take_end(shop.services, worker.id, end_of(lease))
    assert await shop.services.blobs.stat(HASH) is not None


async def test_nothing_is_stored_for_a_worker_that_lost_the_job(
    shop: Workshop, worker: PlayedWorker, lease: Lease
) -> None:
    other = Lease(job_id=lease.job_id, attempt=lease.attempt, fence=lease.fence - 1)

    with pytest.raises(StaleLease):
        await take_end(shop.services, worker.id, end_of(other))

    assert await shop.services.blobs.stat(HASH) is None


@pytest.fixture
def long_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unsynced, "_WRITTEN_BY_ITSELF", timedelta(days=36_500))


async def kept_bytes(shop: Workshop) -> Mapping[BlobHash, bytes]:
    return await shop.store.unsynced_bytes("", limit=9)


async def test_a_small_file_is_kept_by_the_record_until_it_is_on_the_disk(
    long_kept: None, shop: Workshop, worker: PlayedWorker, lease: Lease
) -> None:
    await take_end(shop.services, worker.id, end_of(lease))

    # Where other servers wait for their turn, it is on the disk first.
    assert await kept_bytes(shop) == ({HASH: PNG} if shop.store.writes_alone else {})
    assert await all_of(shop.services.blobs.read(HASH)) == PNG
    await unsynced.sync_blobs(shop.store, shop.services.blobs, shop.clock())
    assert len(await kept_bytes(shop)) == shop.store.writes_alone
    await unsynced.sync_blobs(shop.store, shop.services.blobs, shop.clock.go(1))
    assert await kept_bytes(shop) == {}


async def test_a_larger_file_is_on_the_disk_before_its_record(
    long_kept: None, shop: Workshop, worker: PlayedWorker, lease: Lease
) -> None:
    large = PNG + bytes(32 * 1024)
    await take_end(shop.services, worker.id, end_of(lease, content=large))

    assert await kept_bytes(shop) == {}
    assert await all_of(shop.services.blobs.read(BlobHash(blake3(large).hexdigest()))) == large


async def test_of_an_end_that_is_refused_no_bytes_are_kept(
    long_kept: None, shop: Workshop, worker: PlayedWorker, lease: Lease, tmp_path: Path
) -> None:
    (unfinished,) = tmp_path.rglob("unfinished")
    unfinished.rmdir()

    with pytest.raises(FileNotFoundError):
        await take_end(shop.services, worker.id, end_of(lease))

    assert await kept_bytes(shop) == {}


async def test_small_files_that_the_power_has_taken_are_there_after_the_next_start(
    long_kept: None, databases: Databases, tmp_path: Path
) -> None:
    config = databases.config(tmp_path / "data")
    async with open_workshop(config) as shop:
        worker = await shop.worker()
        lease = await shop.assigned(await shop.submit(await shop.user("ann")), worker)
        await start_job(shop.services.desk, worker.id, lease)
        await take_end(shop.services, worker.id, end_of(lease))
        path = shop.services.blobs.local_path(HASH)
        assert path is not None
        is_kept = shop.store.writes_alone
    if is_kept:
        path.write_bytes(b"")

    async with open_workshop(config) as shop:
        assert await all_of(shop.services.blobs.read(HASH)) == PNG


async def test_what_a_killed_server_has_half_written_goes_with_the_next_start(
    databases: Databases, tmp_path: Path
) -> None:
    config = databases.config(tmp_path / "data")
    async with open_workshop(config):
        (unfinished,) = tmp_path.rglob("unfinished")
    half = unfinished / "half"
    half.write_bytes(b"half")

    async with open_workshop(config) as shop:
        # Another server may be writing it, where there can be several.
        assert half.exists() is not shop.store.writes_alone
