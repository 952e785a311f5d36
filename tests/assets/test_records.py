from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import uuid4

import pytest

from fireside.assets.accesses import Accesses
from fireside.assets.library import Library
from fireside.assets.records import (
    InvalidPreview,
    Wish,
    asset_of_user,
    change_asset,
    delete_asset,
    has_content,
    record_by_hash,
    record_upload_as_asset,
)
from fireside.blobs.base import WrittenBlob
from fireside.domain.accounts import User
from fireside.domain.assets import Folder, Recorded
from fireside.domain.errors import BadRequest, NotFound
from fireside.domain.ids import AssetId
from fireside.store.asset_verbs import AssetChange, AssetIdTaken


async def written(library: Library, content: bytes) -> WrittenBlob:
    async def chunks() -> AsyncIterator[bytes]:
        yield content

    return await library.blobs.write(chunks(), limit_bytes=None)


async def upload(library: Library, wish: Wish, content: bytes = b"bytes", filename: str = "photo.png") -> Recorded:
    return await record_upload_as_asset(library, wish, await written(library, content), filename=filename)


async def test_an_upload_stands_where_a_loader_finds_it_with_what_was_said_of_it(library: Library, ann: User) -> None:
    wish = Wish(user_id=ann.id, tags=[" Cat ", "cat", "DOG"], user_metadata=b'{"k":1}', mime_type="image/x-raw")

    recorded = await upload(library, wish)

    asset = recorded.asset
    assert recorded.is_new
    assert (asset.file.folder, asset.title, asset.loader_value) == (Folder.INPUT, "photo.png", "photo.png")
    assert (asset.tags, asset.mime_type, asset.user_metadata) == (("cat", "dog", "input"), "image/x-raw", b'{"k":1}')
    assert await library.store.asset_by_file(ann.id, asset.file) == asset


async def test_equal_bytes_are_one_record_which_gets_the_new_tags(library: Library, ann: User, bob: User) -> None:
    first = await upload(library, Wish(user_id=ann.id, tags=["cat"]))
    again = await upload(library, Wish(user_id=ann.id, tags=["dog"]), filename="other.png")
    others = await upload(library, Wish(user_id=bob.id))

    assert (again.is_new, again.asset.id, again.asset.tags) == (False, first.asset.id, ("cat", "dog", "input"))
    assert (others.is_new, others.asset.id != first.asset.id) == (True, True)
    assert await library.store.miscounted_assets(ann.id) == 0


async def test_a_name_that_is_taken_by_other_bytes_becomes_a_copys(library: Library, ann: User) -> None:
    await upload(library, Wish(user_id=ann.id))

    second = await upload(library, Wish(user_id=ann.id), b"others")

    assert (second.asset.title, second.asset.loader_value) == ("photo (1).png", "photo (1).png")


@pytest.mark.parametrize(
    ("tags", "folder"), [(["output"], Folder.OUTPUT), (["temp"], Folder.TEMP), (["models"], Folder.INPUT)]
)
async def test_tags_say_where_a_file_goes(library: Library, ann: User, tags: list[str], folder: Folder) -> None:
    asset = (await upload(library, Wish(user_id=ann.id, name="models/loras/x.safetensors", tags=tags))).asset

    assert (asset.file.folder, asset.path, asset.tags) == (folder, "models/loras/x.safetensors", tuple(tags))


async def test_bytes_that_one_has_can_be_recorded_again_under_another_name(library: Library, ann: User) -> None:
    first = await upload(library, Wish(user_id=ann.id))

    same = await record_by_hash(library, Wish(user_id=ann.id, tags=["input"]), first.asset.hash)
    tagged = await record_by_hash(library, Wish(user_id=ann.id, tags=["cat"]), first.asset.hash)
    named = await record_by_hash(library, Wish(user_id=ann.id, name="b.png"), first.asset.hash)
    named_again = await record_by_hash(library, Wish(user_id=ann.id, name="b.png"), first.asset.hash)

    assert (same.is_new, same.asset.id) == (False, first.asset.id)
    assert (tagged.is_new, tagged.asset.title, tagged.asset.tags) == (True, "photo.png", ("cat", "input"))
    assert (named.is_new, named.asset.title, named.asset.hash) == (True, "b.png", first.asset.hash)
    assert (named_again.is_new, named_again.asset.id) == (False, named.asset.id)


async def test_bytes_of_somebody_else_are_no_bytes(library: Library, ann: User, bob: User) -> None:
    first = await upload(library, Wish(user_id=ann.id))

    assert await has_content(library.store, ann.id, first.asset.hash)
    assert not await has_content(library.store, bob.id, first.asset.hash)
    with pytest.raises(NotFound):
        await record_by_hash(library, Wish(user_id=bob.id, tags=["input"]), first.asset.hash)
    with pytest.raises(NotFound):
        await asset_of_user(library.store, bob.id, first.asset.id)
    with pytest.raises(NotFound):
        await change_asset(library, bob.id, first.asset.id, AssetChange(title="mine"))
    with pytest.raises(NotFound):
        await delete_asset(library.store, bob.id, first.asset.id)


async def test_an_id_is_used_once(library: Library, ann: User, bob: User) -> None:
    wish = Wish(user_id=ann.id, asset_id=AssetId(uuid4()))
    first = await upload(library, wish)

    assert first.asset.id == wish.asset_id
    assert (await upload(library, wish)).is_new is False
    with pytest.raises(AssetIdTaken):
        await upload(library, wish, b"others")
    with pytest.raises(AssetIdTaken):
        await upload(library, Wish(user_id=bob.id, asset_id=wish.asset_id))


async def test_the_later_end_counts(library: Library, ann: User) -> None:
    soon, late = library.clock() + timedelta(hours=1), library.clock() + timedelta(hours=2)

    await upload(library, Wish(user_id=ann.id, expires_at=late))
    again = await upload(library, Wish(user_id=ann.id, expires_at=soon))
    at_last = await upload(library, Wish(user_id=ann.id))

    assert (again.asset.expires_at, at_last.asset.expires_at) == (late, None)


async def test_a_preview_is_an_asset_of_ones_own_and_goes_with_it(library: Library, ann: User, bob: User) -> None:
    mine = (await upload(library, Wish(user_id=ann.id), b"preview")).asset
    others = (await upload(library, Wish(user_id=bob.id), b"theirs")).asset
    with pytest.raises(InvalidPreview):
        await upload(library, Wish(user_id=ann.id, preview_id=others.id))
    asset = (await upload(library, Wish(user_id=ann.id, preview_id=mine.id))).asset
    with pytest.raises(InvalidPreview):
        await change_asset(library, ann.id, asset.id, AssetChange(preview_id=others.id))

    await delete_asset(library.store, ann.id, mine.id)

    assert (await asset_of_user(library.store, ann.id, asset.id)).preview_id is None


async def test_a_change_says_when_and_what_it_was_before(library: Library, ann: User) -> None:
    asset = (await upload(library, Wish(user_id=ann.id, tags=["cat", "dog"]))).asset

    change = AssetChange(title="Katze", add_tags=["Bird"], remove_tags=["dog"], user_metadata=b'{"a":[1]}')
    before, after = await change_asset(library, ann.id, asset.id, change)

    assert before == asset
    assert (after.title, after.tags, after.loader_value) == ("Katze", ("bird", "cat", "input"), "photo.png")
    assert await library.store.miscounted_assets(ann.id) == 0


@pytest.mark.parametrize(
    "wish",
    [
        {"name": "../x.png"},
        {"name": "blake3:" + "0" * 64},
        {"tags": ["x" * 257]},
        {"tags": ["a,b"]},
        {"user_metadata": b"[1]"},
        {"user_metadata": b'{"a":'},
        {"user_metadata": b'{"a":"' + b"x" * 65536 + b'"}'},
        {"mime_type": "x" * 256},
    ],
)
async def test_what_cannot_be_is_refused(library: Library, ann: User, wish: dict[str, object]) -> None:
    with pytest.raises(BadRequest):
        await upload(library, Wish(user_id=ann.id, **wish))  # type: ignore[arg-type]


async def test_reading_is_noted_once_in_a_while(library: Library, ann: User) -> None:
    asset = (await upload(library, Wish(user_id=ann.id))).asset
    for seconds, noted in ((30, asset.created_at), (90, asset.created_at + timedelta(seconds=90))):
        accesses = Accesses(library.store, lambda seconds=seconds: asset.created_at + timedelta(seconds=seconds))
        accesses.note(asset)
        await accesses.flush()
        assert (await asset_of_user(library.store, ann.id, asset.id)).accessed_at == noted
    assert await library.store.miscounted_assets(ann.id) == 0
