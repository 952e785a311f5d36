"""What a node has shown, taken down with its files, whichever way the worker sent it."""

import contextlib

from blake3 import blake3

from fireside.assets.outputs import TEXT_KEY, OutputPlace, output_assets, texts_of
from fireside.assets.uploads import hold_blob
from fireside.blobs.base import WrittenBlob
from fireside.domain.ids import BlobHash, WorkerId
from fireside.jobs.report import add_output, last_held_job
from fireside.server.services import Services
from fireside.store.records import NodeRecord
from fireside.wire.fleet import OutputBody, OutputFile


async def take_output(services: Services, worker_id: WorkerId, body: OutputBody) -> None:
    """Store the files that came along and record the output; `StaleLease` when the worker lost the job."""
    lease = body.lease.lease()
    job = await last_held_job(services.desk, worker_id, lease)
    record = NodeRecord(node_id=body.node_id, display_node_id=body.display_node_id, output=body.output)
    async with contextlib.AsyncExitStack() as held:
        # From here to the record nobody discards these bytes as a refused upload's.
        sent = [*body.files, *_texts(record)]
        for blob_hash in sorted({BlobHash(file.hash) for file in sent}):
            await held.enter_async_context(hold_blob(blob_hash))
        places = [await _place(services, file) for file in sent]
        files = await output_assets(services.blobs, job, record, places, services.clock())
        await add_output(services.desk, worker_id, lease, record, files, seen=job)


def _texts(record: NodeRecord) -> list[OutputFile]:
    """Make files of the texts, which came in the record itself."""
    return [
        OutputFile(key=TEXT_KEY, index=index, hash=blake3(text).hexdigest(), size_bytes=len(text), content=text)
        for index, text in texts_of(record).items()
    ]


async def _place(services: Services, file: OutputFile) -> OutputPlace:
    written: WrittenBlob | None = None
    if file.content is not None:
        limit = services.config.max_upload_bytes
        written = await services.blobs.write_bytes(file.content, limit_bytes=limit, expected=BlobHash(file.hash))
    return OutputPlace(key=file.key, index=file.index, hash=BlobHash(file.hash), written=written)
