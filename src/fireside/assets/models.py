"""Models on their way into the registry: which files are taken, and how their bytes become the server's own.

A file of safetensors is looked at as it comes and never loaded. Others are taken only where the operator says so,
because who loads them may run what is in them.
"""

from collections.abc import AsyncIterator, Callable, Collection
from pathlib import PurePosixPath

from fireside.assets.library import Library
from fireside.assets.uploads import discard_unrecorded, hold_blob
from fireside.blobs.base import WrittenBlob
from fireside.domain.errors import BadRequest, NotFound, Unavailable, WrongMediaType
from fireside.domain.ids import BlobHash
from fireside.domain.models import SAFETENSORS, ModelName, RegisteredModel
from fireside.wire.safetensors import MOST_FIRST_BYTES, SafetensorsCheck, checked_safetensors

SizeCheck = Callable[[int], None]
"""Refuses a size that will not do."""


class ModelFormatRefused(WrongMediaType):
    """The operator takes no model files of this kind."""

    code = "model_format_refused"


def check_format(name: ModelName, more_formats: Collection[str]) -> None:
    """Refuse a file by its ending unless it is safetensors, or the operator takes it; `ModelFormatRefused`."""
    suffix = PurePosixPath(name.name).suffix.lower()
    if suffix not in {*SAFETENSORS, *(one.lower() for one in more_formats)}:
        raise ModelFormatRefused(
            f"{name} is no .safetensors file, and others may run code when they are loaded. Convert it, or let the"
            f" server's operator allow {suffix or 'files without an ending'} in the setting model_formats."
        )


async def take_model(
    library: Library, name: ModelName, chunks: AsyncIterator[bytes], *, limit_bytes: int
) -> RegisteredModel:
    """Store the bytes and register the model.

    Raises `NotSafetensors`, `TooLarge`, `StorageFull`, `DuplicateModel`; then nothing of it stays.
    """
    checked = checked_safetensors(chunks) if name.is_safetensors else chunks
    blob = await library.blobs.write(checked, limit_bytes=limit_bytes)
    try:
        return await _register(library, name, blob)
    finally:
        await discard_unrecorded(library, blob)


async def adopt_model(library: Library, name: ModelName, blob_hash: BlobHash, check_size: SizeCheck) -> RegisteredModel:
    """Register bytes that are among the server's own already, such as an object that was put into its bucket.

    That they have the hash that names them is not looked at here: whoever fetches them does. Raises `NotFound`,
    `NotSafetensors`, what `check_size` raises, and `DuplicateModel`.
    """
    async with hold_blob(blob_hash):
        found = await library.blobs.claim(blob_hash)
        if found is None:
            raise NotFound(
                "This server has no bytes with this hash. Give the address that the file lies at, or upload it."
            )
        check_size(found.size_bytes)
        if name.is_safetensors:
            await _check_header(library, blob_hash, found.size_bytes)
        return await library.store.add_model(name, blob_hash, found.size_bytes, None, library.clock())


async def _check_header(library: Library, blob_hash: BlobHash, size_bytes: int) -> None:
    check = SafetensorsCheck()
    async for chunk in library.blobs.read(blob_hash, 0, MOST_FIRST_BYTES):
        check.feed(chunk)
        if check.has_header:
            break
    check.finish(size_bytes)


async def _register(library: Library, name: ModelName, blob: WrittenBlob) -> RegisteredModel:
    if not blob.size_bytes:
        raise BadRequest("The body is empty; send the file.")
    async with hold_blob(blob.hash):
        if await library.blobs.stat(blob.hash) is None:
            raise Unavailable("A refused upload of equal bytes took these away; send them again.", retry_after=1)
        return await library.store.add_model(name, blob.hash, blob.size_bytes, None, library.clock())
