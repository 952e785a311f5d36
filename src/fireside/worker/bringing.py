"""Bringing a file's bytes to the server: to its bucket where that can be reached, through the server otherwise.

The bucket takes the bytes only if they are those whose SHA-256 was told before, so they are hashed twice here. Whatever
goes wrong there, the server takes them, too; what has been computed is worth waiting for.
"""

import asyncio
import base64
import hashlib
from pathlib import Path

import httpx
import structlog

from fireside.client.fleet import FleetClient
from fireside.domain.ids import BlobHash
from fireside.domain.jobs import Lease
from fireside.wire.fleet import LeaseBody
from fireside.wire.fleet_uploads import UploadBody, UploadedBody, UploadPartBody
from fireside.worker.patience import ServerAway, patiently

PATIENCE_SECONDS = 600.0
_PATIENCE_WITH_THE_BUCKET_SECONDS = 10.0
_PARTS_AT_ONCE = 3
_CHUNK_BYTES = 1024 * 1024
_log = structlog.get_logger(__name__)


async def bring(client: FleetClient, lease: Lease, blob_hash: BlobHash, path: Path) -> None:
    """Have the server know a file's bytes; raises `StaleLease`, `ServerAway` or a refusal."""
    look = await patiently(lambda: client.look(blob_hash), patience_seconds=PATIENCE_SECONDS)
    if look.is_here:
        return
    if look.part_bytes is not None:
        try:
            await _to_bucket(client, lease, blob_hash, path, look.part_bytes)
        except (httpx.HTTPError, ServerAway) as error:
            _log.warning("cannot bring a file to the bucket; it goes through the server", reason=str(error))
        else:
            return
    await patiently(lambda: _through_server(client, blob_hash, path), patience_seconds=PATIENCE_SECONDS)


async def _through_server(client: FleetClient, blob_hash: BlobHash, path: Path) -> None:
    if not (await client.look(blob_hash)).is_here:
        await client.upload(blob_hash, path)


async def _to_bucket(client: FleetClient, lease: Lease, blob_hash: BlobHash, path: Path, part_bytes: int) -> None:
    wanted = UploadBody(
        lease=LeaseBody.of(lease),
        hash=blob_hash,
        size_bytes=path.stat().st_size,
        sha256=await asyncio.to_thread(sha256_of_parts, path, part_bytes),
    )
    begun = await patiently(lambda: client.begin_upload(wanted), patience_seconds=PATIENCE_SECONDS)
    if not begun.parts:
        return
    free = asyncio.Semaphore(_PARTS_AT_ONCE)

    async def send(part: UploadPartBody) -> str:
        async with free:
            return await patiently(
                lambda: client.send_part(part, path), patience_seconds=_PATIENCE_WITH_THE_BUCKET_SECONDS
            )

    sending = [asyncio.create_task(send(part), name="part of a file") for part in begun.parts]
    try:
        etags = await asyncio.gather(*sending)
    finally:
        for task in sending:
            task.cancel()
        await asyncio.gather(*sending, return_exceptions=True)
    done = UploadedBody(lease=wanted.lease, upload=begun.upload, etags=tuple(etags))
    await patiently(lambda: client.finish_upload(done), patience_seconds=PATIENCE_SECONDS)


def sha256_of_parts(path: Path, part_bytes: int) -> tuple[str, ...]:
    """Hash each part of a file, as base64; of an empty file its one empty part."""
    hashes: list[str] = []
    with path.open("rb") as file:
        left = path.stat().st_size
        while left or not hashes:
            hasher, wanted = hashlib.sha256(), min(part_bytes, left)
            left -= wanted
            while wanted and (chunk := file.read(min(_CHUNK_BYTES, wanted))):
                hasher.update(chunk)
                wanted -= len(chunk)
            hashes.append(base64.b64encode(hasher.digest()).decode())
    return tuple(hashes)
