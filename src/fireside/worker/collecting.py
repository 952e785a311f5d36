"""What a node has shown, brought to the server: files by their hash, then the record.

Small files travel in the record, which spares a round trip for each, and a small record goes over the bus, which costs
less than HTTP. A job that computes for milliseconds consists of little else.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
from blake3 import blake3

from fireside.client.fleet import FleetClient
from fireside.domain.ids import BlobHash
from fireside.domain.jobs import Lease
from fireside.runtimes.base import NodeOutput, ProducedFile
from fireside.wire.fleet import LeaseBody, OutputBody, OutputFile
from fireside.worker.bringing import PATIENCE_SECONDS, bring
from fireside.worker.patience import patiently

_SENT_ALONG_BYTES = 512 * 1024
_TINY_BYTES = 64 * 1024
# A message holds up those behind it, so the bus gets only what is small beside its limit of 1 MiB.
_BUS_BYTES = 256 * 1024


async def collect_output(
    client: FleetClient, lease: Lease, event: NodeOutput, *, before: Callable[[], Awaitable[None]]
) -> OutputBody | None:
    """Give a small output for the bus; of any other send the files, await `before`, and have it recorded.

    Raises `StaleLease`, `ServerAway`, or a refusal.
    """
    left_bytes = _SENT_ALONG_BYTES
    files: list[OutputFile] = []
    for file in event.files:
        size_bytes = file.path.stat().st_size
        if size_bytes <= left_bytes:
            left_bytes -= size_bytes
            # What is tiny is read sooner than a thread is woken.
            is_tiny = size_bytes <= _TINY_BYTES
            files.append(_enclosed(file) if is_tiny else await asyncio.to_thread(_enclosed, file))
        else:
            files.append(await _brought(client, lease, file))
    body = OutputBody(
        lease=LeaseBody.of(lease),
        node_id=event.node_id,
        display_node_id=event.display_node_id,
        output=dict(event.output),
        files=tuple(files),
    )
    if len(msgspec.json.encode(body)) <= _BUS_BYTES:
        return body
    await before()
    await patiently(lambda: client.add_output(lease, body), patience_seconds=PATIENCE_SECONDS)
    return None


def _enclosed(file: ProducedFile) -> OutputFile:
    content = file.path.read_bytes()
    return OutputFile(
        key=file.key, index=file.index, hash=blake3(content).hexdigest(), size_bytes=len(content), content=content
    )


async def _brought(client: FleetClient, lease: Lease, file: ProducedFile) -> OutputFile:
    blob_hash, size_bytes = await asyncio.to_thread(_hash_of, file.path)
    await bring(client, lease, blob_hash, file.path)
    return OutputFile(key=file.key, index=file.index, hash=blob_hash, size_bytes=size_bytes)


def _hash_of(path: Path) -> tuple[BlobHash, int]:
    hasher = blake3()
    hasher.update_mmap(path)
    return BlobHash(hasher.hexdigest()), path.stat().st_size
