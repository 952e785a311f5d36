"""Submits over the real store: what is kept of them, what is not, and what a full disk does."""

import os
import subprocess
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from tests.databases import Databases
from tests.jobs.workshop import Workshop, open_workshop
from tests.publishing import publish

from fireside.config import Config
from fireside.domain.accounts import User
from fireside.domain.assets import Asset, FileName, Folder
from fireside.domain.errors import NoDefinitions, StorageFull
from fireside.domain.ids import AssetId, BlobHash, JobId
from fireside.graphs.errors import InvalidGraph
from fireside.jobs.submit import Submission, submit_job
from fireside.store.store import DuplicateJob, QueueFull

SECRET = "comfy-org-secret"
SECRETS = {"api_key_comfy_org": SECRET, "auth_token_comfy_org": "another-secret"}


def graph(text: str = "a") -> dict[str, Any]:
    return {
        "1": {"class_type": "EmptyImage", "inputs": {"width": 8, "height": 8, "batch_size": 1, "color": 0}},
        "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": text}},
    }


def loading(value: str) -> dict[str, Any]:
    return {
        "1": {"class_type": "LoadImage", "inputs": {"image": value}},
        "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "a"}},
    }


@pytest.fixture
async def shop(databases: Databases, tmp_path: Path) -> AsyncIterator[Workshop]:
    async with open_workshop(databases.config(tmp_path / "data")) as shop:
        await publish(shop.store)
        yield shop


async def add_file(shop: Workshop, user: User, blob: str) -> Asset:
    """Record a file photo.png of the user's, whose bytes have this hash."""
    file = FileName(folder=Folder.INPUT, subfolder="", name="photo.png")
    asset = Asset(
        id=AssetId(uuid4()), user_id=user.id, file=file, hash=BlobHash(blob), size_bytes=7,
        content_type="image/png", created_at=shop.clock(),
    )  # fmt: skip
    return await shop.store.add_asset(asset, overwrite=True)


async def test_secrets_are_sealed_beside_the_job_and_stand_nowhere_in_the_clear(
    databases: Databases, shop: Workshop, ann: User
) -> None:
    submission = Submission(user=ann, graph=graph(), extra_data={"a": 1, **SECRETS})
    job = (await submit_job(shop.desk, submission)).job

    body = await shop.store.job_body(job.id)

    assert body is not None
    assert body.sealed_secrets is not None
    assert msgspec.json.decode(body.extra_data) == {"a": 1}
    assert msgspec.json.decode(shop.desk.sealer.open(body.sealed_secrets, context=str(job.id))) == SECRETS
    kept = databases.bytes_kept(Path(shop.services.config.data_dir))
    assert body.sealed_secrets in kept
    assert SECRET.encode() not in kept


async def test_a_job_without_secrets_has_none_sealed(shop: Workshop, ann: User) -> None:
    shown = {"api_key_comfy_org": "", "auth_token_comfy_org": None}
    job = (await submit_job(shop.desk, Submission(user=ann, graph=graph(), extra_data=shown))).job

    body = await shop.store.job_body(job.id)

    assert body is not None
    assert (body.sealed_secrets, body.extra_data) == (None, b"{}")


async def test_a_job_runs_on_the_bytes_its_files_had_when_it_was_submitted(shop: Workshop, ann: User) -> None:
    await add_file(shop, ann, "a" * 64)
    job = (await submit_job(shop.desk, Submission(user=ann, graph=loading("photo.png")))).job
    assert (await add_file(shop, ann, "b" * 64)).file.name == "photo.png"

    body = await shop.store.job_body(job.id)

    assert body is not None
    assert [(one.value, one.hash) for one in body.inputs] == [("photo.png", "a" * 64)]


async def test_a_file_of_somebody_else_is_no_file(shop: Workshop, ann: User) -> None:
    bob = await shop.user("bob")
    await add_file(shop, ann, "a" * 64)

    with pytest.raises(InvalidGraph):
        await submit_job(shop.desk, Submission(user=bob, graph=loading("photo.png")))


async def test_an_id_is_taken_once(shop: Workshop, ann: User) -> None:
    job_id, bob = JobId(UUID(int=1)), await shop.user("bob")
    await submit_job(shop.desk, Submission(user=ann, graph=graph(), job_id=job_id))

    for user in (ann, bob):
        with pytest.raises(DuplicateJob):
            await submit_job(shop.desk, Submission(user=user, graph=graph(), job_id=job_id))

    assert (await shop.store.queue_counts(bob.id)).queued == 0


async def test_a_full_queue_takes_nothing(shop: Workshop, ann: User) -> None:
    limited = replace(ann, max_queued=1)
    await submit_job(shop.desk, Submission(user=limited, graph=graph()))

    with pytest.raises(QueueFull):
        await submit_job(shop.desk, Submission(user=limited, graph=graph()))

    assert (await shop.store.queue_counts(ann.id)).queued == 1


async def test_the_absence_of_all_workers_refuses_nothing_once_their_nodes_are_known(shop: Workshop, ann: User) -> None:
    submitted = await submit_job(shop.desk, Submission(user=ann, graph=graph()))

    assert submitted.node_errors == {}
    assert shop.services.fleet.presences() == {}


async def test_a_server_that_never_had_a_worker_says_so(databases: Databases, tmp_path: Path) -> None:
    async with open_workshop(databases.config(tmp_path / "data")) as shop:
        with pytest.raises(NoDefinitions):
            await submit_job(shop.desk, Submission(user=await shop.user(), graph=graph()))


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 8 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(command, check=False, capture_output=True).returncode != 0:
        assert "CI" not in os.environ, "CI must be able to mount a tmpfs"
        pytest.skip("mounting a small disk needs root")
    yield folder
    # Lazily, because a test that failed has left its files open.
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.mark.fault
@pytest.mark.sqlite
async def test_a_full_disk_refuses_submits_keeps_what_it_took_and_takes_more_when_there_is_room(
    tiny_disk: Path,
) -> None:
    async with open_workshop(Config(data_dir=str(tiny_disk / "data"))) as shop:
        await publish(shop.store)
        ann, ballast = await shop.user(), tiny_disk / "ballast"
        ballast.write_bytes(bytes(2 << 20))
        accepted = await _submit_until_full(shop, ann)

        kept = await shop.store.jobs(accepted, user_id=ann.id)
        assert [job.id for job in kept] == accepted != []
        assert (await shop.store.queue_counts(ann.id)).queued == len(accepted)

        ballast.unlink()
        await submit_job(shop.desk, Submission(user=ann, graph=graph("x" * 100_000)))


async def _submit_until_full(shop: Workshop, user: User) -> list[JobId]:
    accepted: list[JobId] = []

    async def submit() -> None:
        for _ in range(1000):
            submission = Submission(user=user, graph=graph("x" * 100_000))
            accepted.append((await submit_job(shop.desk, submission)).job.id)

    with pytest.raises(StorageFull):
        await submit()
    return accepted
