"""The duties of a server, over its real services."""

import os
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from tests.databases import Databases
from tests.jobs.workshop import NOON, Workshop, open_workshop
from tests.publishing import BUILTIN, publish

from fireside.domain.ids import UserId, WorkerId
from fireside.domain.lifecycle import Verb, advance
from fireside.upkeep.collector import BlobCollector
from fireside.upkeep.departures import Departures
from fireside.upkeep.duties import leader_duties, own_duties
from fireside.upkeep.loops import Loop
from fireside.upkeep.pruner import Pruner


@pytest.fixture
async def shop(databases: Databases, tmp_path: Path) -> AsyncIterator[Workshop]:
    async with open_workshop(databases.config(tmp_path / "data")) as shop:
        yield shop


def duty(shop: Workshop, name: str) -> Loop:
    services = shop.services
    own = own_duties(services.accounts, shop.desk.definitions, services.accesses, services.blobs, shop.clock)
    leaders = leader_duties(
        shop.store,
        shop.clock,
        present_workers=lambda: [WorkerId("here")],
        workers_remembered_for=timedelta(days=30),
        collector=BlobCollector(shop.store, services.blobs, grace=timedelta(hours=1)),
        departures=Departures(shop.desk),
        blobs=services.blobs,
        pruner=Pruner(shop.store, keep_jobs=2, keep_days=0),
    )
    (loop,) = [loop for loop in [*own, *leaders] if loop.name == name]
    return loop


async def test_definitions_that_another_process_published_become_known(shop: Workshop) -> None:
    for body in (BUILTIN, b"{}"):
        await publish(shop.store, body)
        await duty(shop, "node definitions").tick(NOON)

    assert await shop.desk.definitions.object_info() == {}


async def test_a_worker_that_is_there_is_remembered_and_one_long_gone_is_not(shop: Workshop) -> None:
    for name in ("here", "gone"):
        await publish(shop.store, worker=name, now=NOON)

    await duty(shop, "workers").tick(NOON + timedelta(days=31))

    assert [worker.id for worker in await shop.store.workers()] == ["here"]


async def test_the_last_use_of_keys_is_written_down(shop: Workshop) -> None:
    accounts, user = shop.services.accounts, await shop.user()
    _, key = await accounts.create_key(user)
    await accounts.authenticate(key)
    assert [one.last_used_at for one in await shop.store.keys(user.id)] == [None]

    await duty(shop, "last use of keys").tick(NOON)

    (one,) = await shop.store.keys(user.id)
    assert one.last_used_at is not None


async def test_ended_jobs_that_are_not_kept_are_removed(shop: Workshop) -> None:
    ann = await shop.user()
    for _ in range(3):
        job = await shop.submit(ann)
        await shop.store.change_job(job, advance(job, Verb.CANCEL, shop.clock.go(1)))

    await duty(shop, "ended jobs").tick(NOON)

    (history, *_) = [one for one in await shop.store.ended_histories(UserId(0), limit=9) if one.user_id == ann.id]
    assert history.ended == 2


async def test_bytes_that_nothing_refers_to_are_removed_in_the_end(shop: Workshop) -> None:
    await shop.user()
    written = await shop.services.blobs.write_bytes(b"nobody's", limit_bytes=None)
    folder = Path(shop.services.config.data_dir) / "blobs" / written.hash[:2]
    later = written.written_at

    for _ in range(2):
        assert [path for path in folder.rglob("*") if path.is_file()]
        later += timedelta(hours=2)
        await duty(shop, "unused blobs").tick(later)

    assert [path for path in folder.rglob("*") if path.is_file()] == []


async def test_uploads_that_nobody_finished_are_removed_after_a_day(shop: Workshop) -> None:
    folder = Path(shop.services.config.data_dir) / "blobs" / "unfinished"
    for name, written in (("old", NOON - timedelta(days=2)), ("new", NOON - timedelta(hours=1))):
        _file(folder / name, written)

    await duty(shop, "unfinished uploads").tick(NOON)

    assert [path.name for path in folder.iterdir()] == ["new"]


def _file(path: Path, written_at: datetime) -> None:
    path.write_bytes(b"half")
    os.utime(path, (written_at.timestamp(), written_at.timestamp()))
