from dataclasses import replace
from uuid import uuid4

import pytest

from fireside.assets.finding import find_file
from fireside.assets.library import Library
from fireside.domain.accounts import User
from fireside.domain.assets import Asset, FileName, Folder
from fireside.domain.errors import BadRequest, NotFound
from fireside.domain.ids import AssetId, BlobHash

HASH = BlobHash("ab" * 32)


@pytest.fixture
async def file(library: Library, ann: User) -> Asset:
    asset = Asset(
        id=AssetId(uuid4()),
        user_id=ann.id,
        file=FileName(folder=Folder.TEMP, subfolder="a/b", name="c.png"),
        hash=HASH,
        size_bytes=1,
        content_type="image/png",
        created_at=library.clock(),
    )
    return await library.store.add_asset(asset)


@pytest.mark.parametrize(
    ("filename", "subfolder", "folder"),
    [
        ("c.png", "a/b", Folder.TEMP),
        ("b/c.png", "a", Folder.TEMP),
        ("a/b/c.png", "", Folder.TEMP),
        (r"a\b\c.png", "", Folder.TEMP),
        ("c.png [temp]", "/a//b/", Folder.INPUT),
        (f"blake3:{HASH}", "nowhere", Folder.INPUT),
    ],
)
async def test_a_file_is_found_however_it_is_called(
    library: Library, file: Asset, filename: str, subfolder: str, folder: Folder
) -> None:
    found = await find_file(library.store, file.user_id, filename=filename, subfolder=subfolder, folder=folder)

    assert found == file


@pytest.mark.parametrize("filename", ["c.png", "c.png [input]", "d.png", f"blake3:{'0' * 64}"])
async def test_a_name_without_a_file_is_not_found(library: Library, file: Asset, filename: str) -> None:
    with pytest.raises(NotFound):
        await find_file(library.store, file.user_id, filename=filename, subfolder="", folder=Folder.TEMP)


async def test_what_is_anothers_is_not_found(library: Library, file: Asset, bob: User) -> None:
    for filename in ("a/b/c.png", f"blake3:{HASH}"):
        with pytest.raises(NotFound):
            await find_file(library.store, bob.id, filename=filename, subfolder="", folder=Folder.TEMP)


async def test_of_equal_bytes_the_newest_record_is_found(library: Library, file: Asset) -> None:
    newer = await library.store.add_asset(replace(file, id=AssetId(uuid4()), file=replace(file.file, name="newer.png")))

    found = await find_file(library.store, file.user_id, filename=f"blake3:{HASH}", subfolder="", folder=Folder.OUTPUT)

    assert found == newer


@pytest.mark.parametrize(
    ("filename", "subfolder"), [("", ""), ("..", ""), ("../c.png", "a"), ("c.png", "../a"), ("/c", "")]
)
async def test_a_name_that_leads_elsewhere_is_refused(
    library: Library, ann: User, filename: str, subfolder: str
) -> None:
    with pytest.raises(BadRequest):
        await find_file(library.store, ann.id, filename=filename, subfolder=subfolder, folder=Folder.INPUT)
