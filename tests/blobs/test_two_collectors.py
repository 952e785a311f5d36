"""What two servers do to the same object at once, one of which thinks it still leads."""

from datetime import timedelta
from uuid import uuid4

import obstore
import pytest
from obstore.store import S3Store
from tests.blob_places import all_of, walk
from tests.object_server import ObjectServer

from fireside.blobs.keys import aside_of, key_of
from fireside.blobs.objects import ObjectBlobs
from fireside.domain.ids import BlobHash

pytestmark = pytest.mark.once


@pytest.fixture
def store(objects: ObjectServer) -> S3Store:
    return objects.store(uuid4().hex)


async def half_set_aside(store: S3Store, blobs: ObjectBlobs) -> BlobHash:
    """Stand between the copy and the removal, as a server that was held up there does."""
    blob_hash = (await blobs.write_bytes(b"bytes", limit_bytes=None)).hash
    await obstore.copy_async(store, key_of(blob_hash), aside_of(blob_hash))
    return blob_hash


async def test_a_walk_beside_one_who_sets_aside_takes_no_copy_away(store: S3Store) -> None:
    blobs = ObjectBlobs(store)
    blob_hash = await half_set_aside(store, blobs)

    assert [one.is_set_aside for one in await walk(blobs, 9)] == [False]
    await obstore.delete_async(store, key_of(blob_hash))

    assert await all_of(blobs.read(blob_hash)) == b"bytes"


async def test_a_copy_that_was_left_over_goes_later(store: S3Store) -> None:
    # The store's clock is another one than ours.
    blobs = ObjectBlobs(store, left_over_after=timedelta(hours=-1))
    blob_hash = await half_set_aside(store, blobs)

    assert [one.is_set_aside for one in await walk(blobs, 9)] == [False]

    assert [one["path"] for page in obstore.list(store) for one in page] == [key_of(blob_hash)]
