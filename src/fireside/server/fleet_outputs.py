"""What a node has shown, taken down with its files, whichever way the worker sent it."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from blake3 import blake3

from fireside.assets.outputs import TEXT_KEY, OutputPlace, output_assets, texts_of
from fireside.assets.uploads import hold_blob
from fireside.blobs.base import Writing, WrittenBlob
from fireside.domain.assets import Asset
from fireside.domain.ids import BlobHash, WorkerId
from fireside.domain.jobs import Job
from fireside.jobs.report import add_output, end_job, holds, last_held_job, last_run
from fireside.server.services import Services
from fireside.store.records import NodeRecord
from fireside.wire.fleet import EndReport, OutputBody, OutputFile

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
    # Where all servers take turns at writing, nobody waits for a disk in the midst of it.
    async with _stored(services, job, report.outputs, beside=services.desk.store.writes_alone) as stored:
        await before_write()
        await end_job(
            services.desk,
            worker_id,
            report,
            stored.shown,
            seen=job,
            before_commit=stored.wait if stored.writings else None,
        )


@dataclass(slots=True)
class _Stored:
    """What nodes have shown, with files of which some are still being written."""

    shown: list[tuple[NodeRecord, Sequence[Asset]]] = field(default_factory=list[tuple[NodeRecord, Sequence[Asset]]])
    writings: list[Writing] = field(default_factory=list[Writing])
    ends: list[asyncio.Future[None]] = field(default_factory=list[asyncio.Future[None]])

    def wait(self) -> None:
        """Block the thread until all files are on the disk; raises what stood against that."""
        for writing in self.writings:
            writing.wait()

    async def settle(self) -> None:
        """Wait until nothing is written any more."""
        if self.ends:
            await asyncio.wait(self.ends)


@contextlib.asynccontextmanager
async def _stored(
    services: Services, job: Job, bodies: Sequence[OutputBody], *, beside: bool = False
) -> AsyncGenerator[_Stored]:
    """Store the files that came along; until this is left nobody discards their bytes as a refused upload's.

    With `beside` small ones are still being written when it is entered.
    """
    records = [
        NodeRecord(node_id=body.node_id, display_node_id=body.display_node_id, output=body.output) for body in bodies
    ]
    sent = [[*body.files, *_texts(record)] for body, record in zip(bodies, records, strict=True)]
    async with contextlib.AsyncExitStack() as held:
        for blob_hash in sorted({BlobHash(file.hash) for files in sent for file in files}):
            await held.enter_async_context(hold_blob(blob_hash))
        stored = _Stored()
        held.push_async_callback(stored.settle)
        for record, files in zip(records, sent, strict=True):
            places = [await _place(services, file, stored if beside else None) for file in files]
            assets = await output_assets(services.blobs, job, record, places, services.clock())
            stored.shown.append((record, assets))
        yield stored


def _texts(record: NodeRecord) -> list[OutputFile]:
    """Make files of the texts, which came in the record itself."""
    return [
        OutputFile(key=TEXT_KEY, index=index, hash=blake3(text).hexdigest(), size_bytes=len(text), content=text)
        for index, text in texts_of(record).items()
    ]


async def _place(services: Services, file: OutputFile, beside: _Stored | None) -> OutputPlace:
    written: WrittenBlob | Writing | None = None
    if file.content is not None:
        limit, expected = services.config.max_upload_bytes, BlobHash(file.hash)
        begun = services.blobs.write_beside(file.content, limit_bytes=limit, expected=expected) if beside else None
        if beside is not None and begun is not None:
            written, end = begun
            beside.writings.append(written)
            beside.ends.append(end)
        else:
            written = await services.blobs.write_bytes(file.content, limit_bytes=limit, expected=expected)
    return OutputPlace(key=file.key, index=file.index, hash=BlobHash(file.hash), written=written)
