from collections.abc import AsyncIterator
from io import BytesIO

import pytest
from PIL import Image

from fireside.assets.library import Library
from fireside.assets.masks import record_masked
from fireside.assets.uploads import Upload, record_upload, upload_name
from fireside.domain.accounts import User
from fireside.domain.assets import Asset, Folder
from fireside.domain.errors import FiresideError
from fireside.domain.ids import UserId

NOBODY = UserId(999)


async def upload(library: Library, user_id: UserId, alpha: int) -> Upload:
    buffer = BytesIO()
    Image.new("RGBA", (9, 9), (alpha, 2, 3, alpha)).save(buffer, format="PNG")

    async def chunks() -> AsyncIterator[bytes]:
        yield buffer.getvalue()

    blob = await library.blobs.write(chunks(), limit_bytes=None)
    return Upload(user_id=user_id, file=upload_name(Folder.INPUT, "", f"{alpha}.png"), blob=blob)


@pytest.fixture
async def original(library: Library, ann: User) -> Asset:
    return await record_upload(library, await upload(library, ann.id, 255))


def bytes_kept(library: Library) -> int:
    return sum(path.is_file() for path in (library.scratch.parent / "blobs").rglob("*"))


async def test_the_masked_picture_is_recorded_where_the_mask_was_to_go(
    library: Library, ann: User, original: Asset
) -> None:
    mask = await upload(library, ann.id, 7)

    masked = await record_masked(library, mask, original)

    assert (masked.file, masked.content_type) == (mask.file, "image/png")
    assert masked.hash not in (mask.blob.hash, original.hash)
    assert await library.store.asset_by_file(ann.id, mask.file) == masked


async def test_a_masked_picture_that_cannot_be_recorded_leaves_no_bytes(library: Library, original: Asset) -> None:
    mask = await upload(library, NOBODY, 7)
    before = bytes_kept(library)

    with pytest.raises(FiresideError):
        await record_masked(library, mask, original)

    assert bytes_kept(library) == before
