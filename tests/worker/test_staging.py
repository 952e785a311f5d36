"""Inputs on their way to a run: kept by hash, shared, bounded, and never wrong."""

import asyncio
import os
from pathlib import Path
from uuid import uuid4

import msgspec
import pytest
from blake3 import blake3
from tests.jobs.workshop import Workshop
from tests.worker.station import Graph, Station, node, picture, save

from fireside.domain.accounts import User
from fireside.domain.ids import JobId
from fireside.domain.jobs import JobState
from fireside.store.records import JobBody
from fireside.worker.stage_cache import StageCache

LOADING: Graph = {"1": node("LoadImage", image="photo.png"), "2": save("1")}
OTHERWISE: Graph = {"1": node("LoadImage", image="other.png"), "2": save("1")}
SECRETS = {"api_key_comfy_org": "comfyui-secret"}


class Source:
    """Files to download, which counts how often they are."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        self.asked: list[bytes] = []
        self.number = 0

    async def stage(self, cache: StageCache, content: bytes) -> Path:
        """Have the content brought, and give where it was."""
        self.number += 1
        to = self.folder / f"{self.number}.png"

        async def download() -> None:
            self.asked.append(content)
            to.write_bytes(content)

        await cache.bring(blake3(content).hexdigest(), len(content), to, download)
        return to


@pytest.fixture
def source(tmp_path: Path) -> Source:
    return Source(tmp_path / "jobs")


def kept(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def name_of(content: bytes) -> str:
    return blake3(content).hexdigest()


async def test_a_second_job_with_the_same_input_downloads_nothing(station: Station, ann: User) -> None:
    photo = await station.keep(picture())
    for graph, value in ((LOADING, "photo.png"), (OTHERWISE, "other.png")):
        job = await station.submit(ann, graph, {value: photo})
        await station.hand_out(job)
        await station.becomes(job, JobState.SUCCEEDED)

    assert len(station.downloads()) == 1


async def test_what_was_staged_once_is_there_again(source: Source, tmp_path: Path) -> None:
    cache = StageCache(tmp_path / "cache", 100)
    first = await source.stage(cache, b"pixels")
    first.unlink()

    again = await source.stage(cache, b"pixels")

    assert again.read_bytes() == b"pixels"
    assert source.asked == [b"pixels"]


async def test_what_was_not_used_for_longest_goes_first(source: Source, tmp_path: Path) -> None:
    cache = StageCache(tmp_path / "cache", 20)
    for content in (b"a" * 10, b"b" * 10, b"a" * 10, b"c" * 10):
        await source.stage(cache, content)

    assert kept(tmp_path / "cache") == {name_of(b"a" * 10), name_of(b"c" * 10)}


async def test_a_file_that_goes_out_stays_with_the_job_that_has_it(source: Source, tmp_path: Path) -> None:
    cache = StageCache(tmp_path / "cache", 10)
    first = await source.stage(cache, b"a" * 10)

    await source.stage(cache, b"b" * 10)

    assert kept(tmp_path / "cache") == {name_of(b"b" * 10)}
    assert first.read_bytes() == b"a" * 10


@pytest.mark.parametrize("limit_bytes", [0, 5])
async def test_what_is_larger_than_the_bound_is_not_kept(source: Source, tmp_path: Path, limit_bytes: int) -> None:
    cache = StageCache(tmp_path / "cache", limit_bytes)

    for _ in range(2):
        assert (await source.stage(cache, b"pixels")).read_bytes() == b"pixels"

    assert len(source.asked) == 2


async def test_a_kept_file_that_a_node_has_written_to_is_not_used_again(source: Source, tmp_path: Path) -> None:
    cache = StageCache(tmp_path / "cache", 100)
    (await source.stage(cache, b"pixels")).write_bytes(b"PIXELS")

    again = await source.stage(cache, b"pixels")

    assert again.read_bytes() == b"pixels"
    assert (await source.stage(cache, b"pixels")).read_bytes() == b"pixels"
    assert len(source.asked) == 2


async def test_a_kept_file_of_a_former_life_is_looked_at_before_it_is_used(source: Source, tmp_path: Path) -> None:
    await source.stage(StageCache(tmp_path / "cache", 100), b"pixels")
    damaged = tmp_path / "cache" / name_of(b"pixels")
    times = damaged.stat()
    damaged.write_bytes(b"zeroes")
    os.utime(damaged, ns=(times.st_atime_ns, times.st_mtime_ns))

    staged = await source.stage(StageCache(tmp_path / "cache", 100), b"pixels")

    assert staged.read_bytes() == b"pixels"
    assert len(source.asked) == 2


async def test_a_download_that_fails_leaves_nothing_to_find(source: Source, tmp_path: Path) -> None:
    cache = StageCache(tmp_path / "cache", 100)

    async def fail() -> None:
        raise OSError("no space")

    with pytest.raises(OSError, match="no space"):
        await cache.bring(name_of(b"pixels"), 6, source.folder / "x", fail)

    assert (await source.stage(cache, b"pixels")).read_bytes() == b"pixels"


async def test_workers_that_share_a_cache_do_not_disturb_each_other(source: Source, tmp_path: Path) -> None:
    caches = [StageCache(tmp_path / "cache", 30) for _ in range(2)]
    contents = [bytes([letter]) * 10 for letter in b"abcdefgh"] * 4

    staged = await asyncio.gather(
        *(source.stage(caches[number % 2], content) for number, content in enumerate(contents))
    )

    assert [path.read_bytes() for path in staged] == contents
    assert len(kept(tmp_path / "cache")) <= 3


async def test_the_secrets_of_a_job_come_to_its_runtime(shop: Workshop, station: Station, ann: User) -> None:
    job_id = JobId(uuid4())
    sealed = shop.desk.sealer.seal(msgspec.json.encode(SECRETS), context=str(job_id))
    graph = {"1": node("EmptyImage", width=8, height=8, batch_size=1, color=0), "2": save("1")}
    body = JobBody(graph=msgspec.json.encode(graph), extra_data=b"{}", outputs=("2",), sealed_secrets=sealed)
    job = await shop.submit(ann, id=job_id, body=body)

    await station.hand_out(job)

    await station.becomes(job, JobState.SUCCEEDED)
    (task,) = station.runtime.tasks
    assert task.secrets == SECRETS
    assert "comfyui-secret" not in repr(task)
