"""What a node has shown, taken down with its files, whichever way the worker sent it."""

import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from blake3 import blake3

from fireside.assets.outputs import TEXT_KEY, OutputPlace, output_assets, texts_of
from fireside.assets.uploads import hold_blob
from fireside.blobs.base import EnclosedBlob, UnsyncedBlobs, WrittenBlob
from fireside.blobs.unfinished import check_size
from fireside.domain.assets import Asset
from fireside.domain.ids import BlobHash, WorkerId
from fireside.domain.jobs import Job
from fireside.jobs.report import add_output, end_job, holds, last_held_job, last_run
from fireside.server.services import Services
from fireside.store.records import NodeRecord, UnsyncedBytes
from fireside.wire.fleet import EndReport, OutputBody, OutputFile

_MOST_UNSYNCED_BYTES = 32 * 1024
"""Of a file that the database keeps for a minute; what is larger costs more there than to wait for the disk."""
BeforeWrite = Callable[[], Awaitable[None]]
"""Awaited when all is ready to be written."""


async def at_once() -> None:
    """Wait for nobody before writing."""


async def take_output(services: Services, worker_id: WorkerId, body: OutputBody) -> None:
    """Store the files that came along and record the output; `StaleLease` when the worker lost the job."""
    lease = body.lease.lease()
    job = await last_held_job(services.desk, worker_id, lease)
    async with _stored(services, job, [body]) as stored:
        for record, files in stored.shown:
            await add_output(services.desk, worker_id, lease, record, files, seen=job)


async def take_end(
    services: Services, worker_id: WorkerId, report: EndReport, before_write: BeforeWrite = at_once
) -> None:
    """Record the end of a run together with the outputs that came along; `StaleLease` as above.

    `before_write` is awaited when the files are stored.
    """
    lease = report.lease.lease()
    job = await last_run(services.desk, worker_id, lease)
    if not report.outputs or not holds(job, worker_id, lease):
        await before_write()
        await end_job(services.desk, worker_id, report, seen=job)
        return
    # Where all servers take turns at writing, what is put into place in the midst of it would hold up the others.
    unsynced = services.blobs.unsynced if services.desk.store.writes_alone else None
    async with _stored(services, job, report.outputs, unsynced) as stored:
        await before_write()
        await end_job(services.desk, worker_id, report, stored.shown, seen=job, unsynced=stored.unsynced())


@dataclass(slots=True)
class _Stored:
    """What nodes have shown, with files that are stored, or, where there is a way for that, are about to be."""

    services: Services
    way: UnsyncedBlobs | None
    shown: list[tuple[NodeRecord, Sequence[Asset]]] = field(default_factory=list[tuple[NodeRecord, Sequence[Asset]]])
    enclosed: dict[BlobHash, EnclosedBlob] = field(default_factory=dict[BlobHash, EnclosedBlob])

    async def place(self, file: OutputFile) -> OutputPlace:
        """Store the file if it came along, or keep its bytes; one without bytes has been uploaded."""
        came: WrittenBlob | EnclosedBlob | None = None
        blob_hash, limit = BlobHash(file.hash), self.services.config.max_upload_bytes
        if file.content is not None and self.way is not None and len(file.content) <= _MOST_UNSYNCED_BYTES:
            check_size(len(file.content), limit)
            came = self.enclosed[blob_hash] = EnclosedBlob.checked(file.content, blob_hash)
        elif file.content is not None:
            came = await self.services.blobs.write_bytes(file.content, limit_bytes=limit, expected=blob_hash)
        return OutputPlace(key=file.key, index=file.index, hash=blob_hash, came=came)

    def unsynced(self) -> UnsyncedBytes | None:
        """Give the bytes that the record of these files has to keep."""
        if not self.enclosed:
            return None
        contents = {blob_hash: blob.content for blob_hash, blob in self.enclosed.items()}
        return UnsyncedBytes(contents=contents, put=self._put)

    def _put(self) -> None:
        assert self.way is not None
        for blob in self.enclosed.values():
            self.way.put(blob)


@contextlib.asynccontextmanager
async def _stored(
    services: Services, job: Job, bodies: Sequence[OutputBody], way: UnsyncedBlobs | None = None
) -> AsyncGenerator[_Stored]:
    """Store the files that came along; until this is left nobody discards their bytes as a refused upload's."""
    records = [
        NodeRecord(node_id=body.node_id, display_node_id=body.display_node_id, output=body.output) for body in bodies
    ]
    sent = [[*body.files, *_texts(record)] for body, record in zip(bodies, records, strict=True)]
    async with contextlib.AsyncExitStack() as held:
        for blob_hash in sorted({BlobHash(file.hash) for files in sent for file in files}):
            await held.enter_async_context(hold_blob(blob_hash))
        stored = _Stored(services, way)
        for record, files in zip(records, sent, strict=True):
            places = [await stored.place(file) for file in files]
            assets = await output_assets(services.blobs, job, record, places, services.clock())
            stored.shown.append((record, assets))
        yield stored


def _texts(record: NodeRecord) -> list[OutputFile]:
    """Make files of the texts, which came in the record itself."""
    return [
        OutputFile(key=TEXT_KEY, index=index, hash=blake3(text).hexdigest(), size_bytes=len(text), content=text)
        for index, text in texts_of(record).items()
    ]
