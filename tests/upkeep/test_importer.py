"""Files that are fetched in the background from a real site, over a real store, bus and blobs."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from tests.databases import Databases
from tests.outbound.site import MIB, Names, Site, running_site, way_out

from fireside.app import assemble
from fireside.assets.library import library_with
from fireside.domain.accounts import Role, User
from fireside.domain.tasks import FETCH_ASSET, Task, TaskStatus
from fireside.outbound.client import Patience
from fireside.server.services import Services
from fireside.upkeep.importer import MAX_ATTEMPTS, Importer
from fireside.wire.live import TaskProgress

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
DEADLINE_SECONDS = 60.0


@dataclass(kw_only=True)
class Yard:
    """The services, a site, and the time."""

    services: Services
    site: Site
    names: Names
    now: datetime = NOON
    importers: list[Importer] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.importer = self.hire()

    def hire(self, *, limit_bytes: int = MIB) -> Importer:
        library = library_with(self.services.config, self.services.store, self.services.blobs, lambda: self.now)
        importer = Importer(
            library,
            way_out(self.names, private=("store.test",)),
            self.services.desk.announcer,
            patience=Patience(read=timedelta(seconds=20), total=timedelta(seconds=30)),
            limit_bytes=limit_bytes,
            most_of_a_user=2,
        )
        self.importers.append(importer)
        return importer

    async def ask(self, user: User, word: str, **wanted: object) -> Task:
        payload = json.dumps({"source_url": f"http://store.test:{self.site.port}/{word}", **wanted}).encode()
        task = Task(
            id=uuid4(), user_id=user.id, name=FETCH_ASSET, key=str(uuid4()), payload=payload,
            status=TaskStatus.CREATED, attempt=0, due_at=self.now, created_at=self.now, changed_at=self.now,
        )  # fmt: skip
        return await self.services.store.add_task(task, most_waiting=99)

    async def task(self, task: Task) -> Task:
        found = await self.services.store.task(task.id, user_id=task.user_id)
        assert found is not None
        return found

    async def go(self, later: timedelta = timedelta()) -> None:
        self.now += later
        await self.importer.tick(self.now)
        async with asyncio.timeout(DEADLINE_SECONDS):
            await self.importer.settle()

    async def until_asked(self, count: int) -> None:
        """Wait until the site was asked so often."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            while len(self.site.requests) < count:
                await asyncio.wait(self.importer._running, timeout=0.01)


@pytest.fixture
async def yard(databases: Databases, tmp_path: Path) -> AsyncIterator[Yard]:
    names = Names()
    names.give("store.test", ["127.0.0.1"])
    async with AsyncExitStack() as stack:
        assembly = await stack.enter_async_context(
            assemble(databases.config(tmp_path / "data"), public_url="http://fireside.test")
        )
        site = await stack.enter_async_context(running_site())
        yard = Yard(services=assembly.services, site=site, names=names)
        yield yard
        for importer in yard.importers:
            await importer.stop()


@pytest.fixture
async def ann(yard: Yard) -> User:
    return await yard.services.store.add_user("ann", Role.MEMBER, NOON)


async def test_a_file_is_fetched_recorded_and_told(yard: Yard, ann: User) -> None:
    async with yard.services.hub.listening(ann.id) as listener:
        task = await yard.ask(ann, "file", tags=["models", "loras"], user_metadata={"a": 1}, name="x.bin")

        await yard.go()

        told: list[TaskProgress] = []
        async with asyncio.timeout(DEADLINE_SECONDS):
            while not told or told[-1].status != "completed":
                heard = (await listener.next()).task
                told += [heard] if heard is not None else []
    ended = await yard.task(task)
    assert ended.result is not None
    result = json.loads(ended.result)
    (asset,) = (await yard.services.store.assets([told[-1].asset_id], user_id=ann.id)).values()  # type: ignore[list-item]
    assert (ended.status, ended.bytes_done, ended.bytes_total) == (TaskStatus.COMPLETED, 3000, 3000)
    assert result["success"] is True
    assert (result["asset_id"], result["hash"]) == (str(asset.id), f"blake3:{asset.hash}")
    assert (asset.title, set(asset.tags), json.loads(asset.user_metadata)) == ("x.bin", {"loras", "models"}, {"a": 1})
    assert b"".join([chunk async for chunk in yard.services.blobs.read(asset.hash)]) == b"abc" * 1000
    assert (told[0].status, told[-1].bytes_done) == ("running", 3000)


@pytest.mark.parametrize(
    ("word", "said"),
    [("status?is=403", "refuses"), ("status?is=404", "nothing"), (f"announced?bytes={2 * MIB}", "more bytes")],
)
async def test_what_cannot_be_had_fails_at_once(yard: Yard, ann: User, word: str, said: str) -> None:
    task = await yard.ask(ann, word)

    await yard.go()

    ended = await yard.task(task)
    assert (ended.status, ended.attempt) == (TaskStatus.FAILED, 1)
    assert said in str(ended.error)


async def test_a_source_that_fails_is_asked_again_with_growing_pauses(yard: Yard, ann: User) -> None:
    task = await yard.ask(ann, "status?is=500")

    await yard.go()
    assert (await yard.task(task)).status is TaskStatus.CREATED
    await yard.go(timedelta(seconds=9))
    assert len(yard.site.requests) == 1
    for attempt in range(1, MAX_ATTEMPTS):
        await yard.go(timedelta(seconds=10 * 2 ** (attempt - 1)))

    assert len(yard.site.requests) == MAX_ATTEMPTS
    assert (await yard.task(task)).status is TaskStatus.FAILED
    await yard.go(timedelta(days=1))
    assert len(yard.site.requests) == MAX_ATTEMPTS


async def test_nothing_is_kept_of_a_file_that_breaks_off(yard: Yard, ann: User) -> None:
    await yard.ask(ann, "broken")

    await yard.go()

    assert (await yard.services.blobs.list_blobs("", limit=9)).blobs == []


async def test_a_task_that_a_killed_server_had_is_begun_anew_and_ends_once(yard: Yard, ann: User) -> None:
    task = await yard.ask(ann, "silent")
    await yard.importer.tick(yard.now)
    await yard.until_asked(1)
    dead, yard.importer = yard.importer, yard.hire()

    await yard.go(timedelta(seconds=60))
    assert (await yard.task(task)).attempt == 1
    yard.now += timedelta(seconds=60)
    await yard.importer.tick(yard.now)
    yard.site.let_go.set()
    async with asyncio.timeout(DEADLINE_SECONDS):
        await asyncio.gather(dead.settle(), yard.importer.settle())

    ended = await yard.task(task)
    assert (ended.attempt, ended.status) == (2, TaskStatus.COMPLETED)


async def test_a_server_that_stops_gives_its_tasks_back_at_once(yard: Yard, ann: User) -> None:
    task = await yard.ask(ann, "silent_body")
    await yard.importer.tick(yard.now)
    await yard.until_asked(1)

    await yard.importer.stop()

    back = await yard.task(task)
    assert (back.status, back.due_at) == (TaskStatus.CREATED, yard.now)


async def test_a_canceled_task_stops_at_the_next_bytes(yard: Yard, ann: User) -> None:
    task = await yard.ask(ann, "drip")
    await yard.importer.tick(yard.now)
    await yard.until_asked(1)

    assert await yard.services.store.cancel_task(task.id, yard.now, user_id=ann.id)
    yard.now += timedelta(seconds=2)
    async with asyncio.timeout(DEADLINE_SECONDS):
        await yard.importer.settle()

    assert (await yard.task(task)).status is TaskStatus.CANCELED


async def test_one_user_has_only_so_many_under_way(yard: Yard, ann: User) -> None:
    bob = await yard.services.store.add_user("bob", Role.MEMBER, NOON)
    for _ in range(3):
        await yard.ask(ann, "silent")
    quick = await yard.ask(bob, "file")

    await yard.importer.tick(yard.now)
    await yard.until_asked(3)

    assert len([path for _, path, _, _ in yard.site.requests if path == "/silent"]) == 2
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not (await yard.task(quick)).has_ended:
            await asyncio.wait(yard.importer._running, return_when=asyncio.FIRST_COMPLETED)
    yard.site.let_go.set()
