from collections.abc import AsyncIterator
from io import BytesIO

import pytest
from PIL import Image

from fireside.assets.library import Library, blob_file, chunks_of, scratch_file
from fireside.assets.masks import record_masked
from fireside.assets.uploads import Upload, record_upload, upload_name
from fireside.domain.accounts import User
from fireside.domain.assets import Folder
from fireside.domain.errors import NotFound
from fireside.domain.ids import BlobHash

CONTENT = bytes(range(256)) * 10_000


async def written(library: Library, content: bytes = CONTENT) -> BlobHash:
    async def chunks() -> AsyncIterator[bytes]:
        yield content

    return (await library.blobs.write(chunks(), limit_bytes=None)).hash


async def test_a_blob_of_this_machine_is_its_own_file(library: Library) -> None:
    blob_hash = await written(library)

    async with blob_file(library, blob_hash) as path:
        assert path == library.blobs.local_path(blob_hash)
        assert path.read_bytes() == CONTENT


async def test_a_blob_from_elsewhere_is_a_file_for_a_while(far_library: Library) -> None:
    async with blob_file(far_library, await written(far_library)) as path:
        assert path.read_bytes() == CONTENT

    assert not path.exists()
    assert list(far_library.scratch.iterdir()) == []


async def test_a_blob_that_is_gone_is_not_found_and_leaves_nothing(far_library: Library) -> None:
    with pytest.raises(NotFound):
        async with blob_file(far_library, BlobHash("0" * 64)):
            pass

    assert list(far_library.scratch.iterdir()) == []


async def test_a_scratch_file_has_no_name_and_is_read_in_pieces(library: Library) -> None:
    with scratch_file(library) as file:
        file.write(CONTENT)
        chunks = [chunk async for chunk in chunks_of(file)]
        assert list(library.scratch.iterdir()) == []

    assert b"".join(chunks) == CONTENT
    assert len(chunks) == 3


async def test_pictures_from_elsewhere_are_looked_at_and_masked_too(far_library: Library, ann: User) -> None:
    buffer = BytesIO()
    Image.new("RGBA", (9, 9), (1, 2, 3, 4)).save(buffer, format="PNG")

    async def chunks() -> AsyncIterator[bytes]:
        yield buffer.getvalue()

    blob = await far_library.blobs.write(chunks(), limit_bytes=None)
    upload = Upload(user_id=ann.id, file=upload_name(Folder.INPUT, "", "a.png"), blob=blob)
    asset = await record_upload(far_library, upload)

    masked = await record_masked(far_library, upload, asset)

    assert masked.content_type == "image/png"
    assert list(far_library.scratch.iterdir()) == []
