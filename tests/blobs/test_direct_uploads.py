"""What is brought to the bucket itself becomes a blob there, once, and only if it is what was announced."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import obstore
import pytest
from blake3 import blake3
from obstore.store import S3Store
from tests.blob_places import all_of
from tests.object_server import ObjectServer

from fireside.blobs import bucket as buckets
from fireside.blobs.base import BegunUpload, HashMismatch, UploadGone
from fireside.blobs.direct import DirectBucket
from fireside.blobs.objects import ObjectBlobs
from fireside.blobs.presigning import AccessKey, Presigner
from fireside.domain.errors import BadRequest
from fireside.domain.ids import BlobHash
from fireside.worker.bringing import sha256_of_parts

pytestmark = pytest.mark.once
MIB = 1024 * 1024
PART_BYTES = 5 * MIB
LARGE = b"".join(bytes([number]) * MIB for number in range(11)) + b"and a bit"


@dataclass
class Place:
    """A part of the bucket, and somebody with a file."""

    store: S3Store
    blobs: ObjectBlobs
    direct: DirectBucket
    http: httpx.AsyncClient
    folder: Path

    async def begin(self, content: bytes, **announced: Any) -> BegunUpload:
        path = self.folder / "file"
        path.write_bytes(content)
        values: dict[str, Any] = {
            "blob_hash": BlobHash(blake3(content).hexdigest()),
            "size_bytes": len(content),
            "sha256": sha256_of_parts(path, self.direct.part_bytes),
        }
        return await self.direct.begin(**(values | announced))

    async def bring(self, begun: BegunUpload, content: bytes) -> list[httpx.Response]:
        """Send all parts, as a worker does."""
        return [
            await self.http.put(
                part.url, headers=dict(part.headers), content=content[part.start : part.start + part.size_bytes]
            )
            for part in self.direct.parts(begun, 60)
        ]

    def names(self) -> list[str]:
        return sorted(one["path"] for page in obstore.list(self.store) for one in page)


@pytest.fixture
async def place(objects: ObjectServer, tmp_path: Path) -> AsyncIterator[Place]:
    prefix = f"a b/{uuid4().hex}"
    key = AccessKey(id=objects.environment["AWS_ACCESS_KEY_ID"], secret=objects.environment["AWS_SECRET_ACCESS_KEY"])
    signed = obstore.sign(objects.store(prefix), "GET", "0", timedelta(minutes=1))
    here = Presigner.like(signed, key, "blobs", prefix, "0")
    direct = DirectBucket(here, here, part_bytes=PART_BYTES)
    store = objects.store(prefix)
    async with httpx.AsyncClient(timeout=60) as http:
        blobs = ObjectBlobs(store, bucket=direct.bucket, direct=direct)
        yield Place(store=store, blobs=blobs, direct=direct, http=http, folder=tmp_path)


def etags(answers: list[httpx.Response]) -> list[str]:
    return [answer.raise_for_status().headers["etag"] for answer in answers]


@pytest.mark.parametrize("content", [b"", b"small", LARGE], ids=["empty", "small", "in parts"])
async def test_what_was_brought_is_a_blob_and_nothing_else_stays(place: Place, content: bytes) -> None:
    begun = await place.begin(content)
    await place.direct.finish(begun, etags(await place.bring(begun, content)))

    assert await all_of(place.blobs.read(begun.hash)) == content
    assert place.names() == [f"{begun.hash[:2]}/{begun.hash}"]
    assert await place.direct.bucket.unfinished_parts(datetime.now(UTC) + timedelta(hours=1)) == []


async def test_what_is_large_is_copied_in_parts(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buckets, "MOST_BYTES_OF_A_COPY", PART_BYTES)
    begun = await place.begin(LARGE)

    await place.direct.finish(begun, etags(await place.bring(begun, LARGE)))

    assert await all_of(place.blobs.read(begun.hash)) == LARGE


@pytest.mark.parametrize("content", [b"small", LARGE], ids=["whole", "in parts"])
async def test_the_bucket_takes_no_other_bytes_than_were_announced(place: Place, content: bytes) -> None:
    begun = await place.begin(content)

    answers = await place.bring(begun, content[:-1] + b"?")

    assert answers[-1].status_code == 400
    with pytest.raises(UploadGone):
        await place.direct.finish(begun, ['"etag"'] * len(begun.sha256))
    assert place.names() == []


async def test_an_address_takes_no_bytes_without_what_was_signed(place: Place) -> None:
    (part,) = place.direct.parts(await place.begin(b"small"), 60)
    headers = dict(part.headers)
    del headers["x-amz-checksum-sha256"]

    assert (await place.http.put(part.url, headers=headers, content=b"other")).status_code == 403
    assert (await place.http.put(part.url, headers={"content-length": "6"}, content=b"larger")).status_code == 403


async def test_an_address_that_is_used_again_changes_no_blob(place: Place) -> None:
    begun = await place.begin(b"small")
    await place.direct.finish(begun, etags(await place.bring(begun, b"small")))
    before = await place.blobs.stat(begun.hash)

    await place.bring(begun, b"small")

    assert await place.blobs.stat(begun.hash) == before
    assert len(place.names()) == 2


async def test_what_ended_is_over(place: Place) -> None:
    begun = await place.begin(b"small")
    answered = etags(await place.bring(begun, b"small"))
    await place.direct.finish(begun, answered)

    with pytest.raises(UploadGone):
        await place.direct.finish(begun, answered)


async def test_bytes_of_another_size_are_no_blob(place: Place) -> None:
    begun = await place.begin(b"small")
    await place.bring(begun, b"small")

    with pytest.raises(HashMismatch):
        await place.direct.finish(replace(begun, size_bytes=4), [])
    assert place.names() == []


@pytest.mark.parametrize("sha256", [(), ("short",), ("not base64!",), ("A" * 43 + "=",) * 2])
async def test_other_hashes_than_one_for_each_part_are_refused(place: Place, sha256: tuple[str, ...]) -> None:
    with pytest.raises(BadRequest, match="SHA-256, as base64"):
        await place.begin(b"small", sha256=sha256)


async def test_what_was_never_ended_goes_after_its_time_and_what_is_young_stays(place: Place) -> None:
    whole, parts = await place.begin(b"small"), await place.begin(LARGE)
    await place.bring(whole, b"small")
    await place.http.put(place.direct.parts(parts, 60)[0].url)
    now = datetime.now(UTC)

    assert await place.blobs.sweep_unfinished(now - timedelta(hours=1)) == 0
    assert await place.direct.bucket.unfinished_parts(now + timedelta(hours=1)) == [(parts.name, parts.upload_id)]

    assert await place.blobs.sweep_unfinished(now + timedelta(hours=1)) == 2
    assert place.names() == []
    assert await place.direct.bucket.unfinished_parts(now + timedelta(hours=1)) == []


async def test_equal_bytes_that_are_brought_at_the_same_time_are_one_blob(place: Place) -> None:
    async def bring() -> BegunUpload:
        begun = await place.begin(LARGE)
        await place.direct.finish(begun, etags(await place.bring(begun, LARGE)))
        return begun

    begun = await asyncio.gather(*(bring() for _ in range(3)))

    assert place.names() == [f"{begun[0].hash[:2]}/{begun[0].hash}"]
    assert await all_of(place.blobs.read(begun[0].hash)) == LARGE
