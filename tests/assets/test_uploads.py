import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from fireside.assets.library import Library
from fireside.assets.pictures import NotAPicture, PictureLimits, PictureTooLarge
from fireside.assets.uploads import Upload, discard_unrecorded, record_upload, upload_name
from fireside.blobs.base import WrittenBlob
from fireside.blobs.local import LocalBlobs
from fireside.domain.accounts import User
from fireside.domain.assets import Folder
from fireside.domain.errors import BadRequest, Unavailable
from fireside.domain.ids import BlobHash
from fireside.graphs.files import parse_file_value


class SlowBlobs(LocalBlobs):
    """Blobs whose removal waits in the middle, until it is let go."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.removing = asyncio.Event()
        self.let_go = asyncio.Event()

    async def delete(self, blob_hash: BlobHash) -> None:
        self.removing.set()
        await self.let_go.wait()
        await super().delete(blob_hash)


async def written(library: Library, content: bytes) -> WrittenBlob:
    async def chunks() -> AsyncIterator[bytes]:
        yield content

    return await library.blobs.write(chunks(), limit_bytes=None)


async def upload(library: Library, user: User, name: str, content: bytes) -> Upload:
    blob = await written(library, content)
    return Upload(user_id=user.id, file=upload_name(Folder.INPUT, "", name), blob=blob)


async def test_a_record_says_what_the_bytes_are(library: Library, ann: User) -> None:
    asset = await record_upload(library, await upload(library, ann, "a.txt", b"fLaC" + bytes(20)))

    assert (asset.content_type, asset.size_bytes, asset.created_at) == ("audio/flac", 24, library.clock())
    assert await library.store.asset_by_file(ann.id, asset.file) == asset


async def test_an_upload_without_a_record_leaves_no_bytes(library: Library, ann: User) -> None:
    refused = await upload(library, ann, "a.png", b"none")
    with pytest.raises(NotAPicture):
        await record_upload(library, refused)

    await discard_unrecorded(library, refused.blob)

    assert await library.blobs.stat(refused.blob.hash) is None


async def test_a_picture_that_is_too_large_is_not_fetched_from_a_bucket(far_library: Library, ann: User) -> None:
    library = replace(far_library, limits=PictureLimits(max_bytes=9))
    refused = await upload(library, ann, "a.png", b"ten bytes!")

    with pytest.raises(PictureTooLarge):
        await record_upload(library, refused)

    assert not library.scratch.exists()


async def test_bytes_with_a_record_stay(library: Library, ann: User) -> None:
    recorded = await upload(library, ann, "a.txt", b"kept")
    await record_upload(library, recorded)

    await discard_unrecorded(library, recorded.blob)

    assert await library.blobs.stat(recorded.blob.hash) is not None


async def test_bytes_that_were_there_before_are_not_for_a_later_upload_to_remove(library: Library) -> None:
    first, second = await written(library, b"same"), await written(library, b"same")

    await discard_unrecorded(library, second)

    assert await library.blobs.stat(first.hash) is not None


async def test_bytes_that_somebody_else_has_wanted_since_stay_for_their_record(library: Library) -> None:
    sent_again, claimed = await written(library, b"sent again"), await written(library, b"claimed")
    await written(library, b"sent again")
    await library.blobs.claim(claimed.hash)

    for refused in (sent_again, claimed):
        await discard_unrecorded(library, refused)

        assert await library.blobs.stat(refused.hash) is not None


async def test_bytes_that_are_being_removed_are_never_recorded(library: Library, ann: User, tmp_path: Path) -> None:
    slow = SlowBlobs(tmp_path / "blobs")
    library = replace(library, blobs=slow)
    refused = await written(library, b"same")
    accepted = Upload(user_id=ann.id, file=upload_name(Folder.INPUT, "", "a.txt"), blob=refused)

    removal = asyncio.create_task(discard_unrecorded(library, refused))
    await slow.removing.wait()
    record = asyncio.create_task(record_upload(library, accepted))
    # Whatever does not wait for the removal has had its turn once the store has answered.
    await library.store.check()
    slow.let_go.set()

    await removal
    with pytest.raises(Unavailable):
        await record
    assert await library.store.asset_by_file(ann.id, accepted.file) is None


async def test_bytes_that_are_gone_are_not_recorded(library: Library, ann: User) -> None:
    lost = await upload(library, ann, "a.txt", b"lost")
    await library.blobs.delete(lost.blob.hash)

    with pytest.raises(Unavailable):
        await record_upload(library, lost)


@pytest.mark.parametrize(("subfolder", "name"), [("", "a.png"), ("a/b", "c d.png"), ("ä", "猫 (1).png"), ("", "a..b")])
def test_a_name_that_is_taken_is_one_that_graphs_can_say(subfolder: str, name: str) -> None:
    file = upload_name(Folder.INPUT, subfolder, name)

    said = parse_file_value(f"{file.subfolder}/{file.name}".lstrip("/"), default_type=Folder.INPUT)
    assert (said.subfolder, said.name) == (file.subfolder, file.name)


@pytest.mark.parametrize(
    ("subfolder", "name"),
    [
        ("", "a [output]"),
        ("", "blake3:" + "0" * 64),
        ("blake3:", "a"),
        ("C:", "a"),
        ("..", "a"),
        (" .. ", "a"),
        ("", " "),
    ],
)
def test_a_name_that_graphs_would_understand_otherwise_is_refused(subfolder: str, name: str) -> None:
    with pytest.raises(BadRequest):
        upload_name(Folder.INPUT, subfolder, name)
