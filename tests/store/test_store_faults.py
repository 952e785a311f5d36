"""A server that is killed and a disk that is full: nothing that was accepted is lost."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from fireside.domain.accounts import Role
from fireside.domain.errors import StorageFull
from fireside.domain.ids import JobId
from fireside.domain.listing import JobFilter, Window
from fireside.store.records import JobBody, NewJob
from fireside.store.sqlite import SqliteDatabase
from fireside.store.store import Store

pytestmark = pytest.mark.sqlite

NOW = datetime(2026, 1, 2, tzinfo=UTC)
SMALL = JobBody(graph=b"{}", extra_data=b"{}", outputs=())
LARGE = replace(SMALL, graph=b"x" * 100_000)

SUBMIT_UNTIL_KILLED = """
import asyncio, os, sys
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4
from fireside.domain.accounts import Role
from fireside.store.records import JobBody, NewJob
from fireside.store.sqlite import SqliteDatabase
from fireside.store.store import Store

async def main():
    database = SqliteDatabase(Path(sys.argv[1]))
    await database.start()
    store = Store(database)
    user = await store.add_user("ann", Role.MEMBER, datetime.now(UTC))
    body = JobBody(graph=b"{}", extra_data=b"{}", outputs=())

    async def call():
        while True:
            new = NewJob(id=uuid4(), user_id=user.id, body=body)
            await store.add_job(new, datetime.now(UTC), max_queued=None)
            os.write(1, f"{new.id}\\n".encode())

    await asyncio.gather(*(call() for _ in range(16)))

asyncio.run(main())
"""


def submit_until_killed(path: Path) -> list[JobId]:
    """Kill a process while sixteen callers in it submit, and return what it had acknowledged by then."""
    with subprocess.Popen([sys.executable, "-c", SUBMIT_UNTIL_KILLED, path], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        try:
            lines = [child.stdout.readline() for _ in range(300)]
        finally:
            child.kill()
        lines += child.stdout.readlines()
    return [JobId(UUID(line.decode().strip())) for line in lines if line.endswith(b"\n") and len(line) == 37]


@pytest.mark.fault
async def test_every_acknowledged_job_survives_a_kill_and_the_lock_is_free(tmp_path: Path) -> None:
    path = tmp_path / "fireside.db"
    acknowledged = await asyncio.to_thread(submit_until_killed, path)
    assert len(acknowledged) >= 300

    database = SqliteDatabase(path)
    await database.start()

    store = Store(database)
    (user,) = await store.users()
    assert {job.id for job in await store.jobs(acknowledged, user_id=user.id)} == set(acknowledged)
    total = (await store.list_jobs(user.id, JobFilter(), Window())).total
    assert total == (await store.queue_counts(user.id)).queued >= len(acknowledged)
    await database.close()


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 4 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(command, check=False, capture_output=True).returncode != 0:
        assert "CI" not in os.environ, "CI must be able to mount a tmpfs"
        pytest.skip("mounting a small disk needs root")
    yield folder
    # Lazily, because a test that failed has left its files open.
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


async def fill(store: Store, body: JobBody) -> tuple[list[JobId], list[BaseException]]:
    """Submit from four callers until each has been refused."""
    (user,) = await store.users()
    accepted: list[JobId] = []

    async def call() -> None:
        for _ in range(1000):
            new = NewJob(id=JobId(uuid4()), user_id=user.id, body=body)
            await store.add_job(new, NOW, max_queued=None)
            accepted.append(new.id)

    refusals = await asyncio.gather(*(call() for _ in range(4)), return_exceptions=True)
    return accepted, [refusal for refusal in refusals if refusal is not None]


@pytest.mark.fault
async def test_a_full_disk_refuses_and_loses_nothing_and_room_makes_it_work_again(tiny_disk: Path) -> None:
    ballast = tiny_disk / "ballast"
    ballast.write_bytes(bytes(1 << 20))
    database = SqliteDatabase(tiny_disk / "fireside.db")
    await database.start()
    store = Store(database)
    user = await store.add_user("ann", Role.MEMBER, NOW)

    accepted, refusals = await fill(store, LARGE)
    more, more_refusals = await fill(store, SMALL)

    assert {type(refusal) for refusal in refusals + more_refusals} == {StorageFull}
    accepted += more
    assert {job.id for job in await store.jobs(accepted, user_id=user.id)} == set(accepted)
    ballast.unlink()
    again = NewJob(id=JobId(uuid4()), user_id=user.id, body=LARGE)
    await store.add_job(again, NOW, max_queued=None)
    await store.check()
    await database.close()

    reopened = SqliteDatabase(tiny_disk / "fireside.db")
    await reopened.start()
    kept = await Store(reopened).jobs([*accepted, again.id], user_id=user.id)
    assert len(kept) == len(accepted) + 1
    assert (await Store(reopened).queue_counts(user.id)).queued == len(kept)
    await reopened.close()
