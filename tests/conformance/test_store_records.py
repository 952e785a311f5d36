"""The exam of `Store`, continued: users and their keys, files."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from fireside.domain.accounts import Role, User
from fireside.domain.assets import Asset, FileName, Folder
from fireside.domain.ids import AssetId, BlobHash
from fireside.store.store import DuplicateUser, Store

NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def file_of(user: User, name: str, *, content: str = "a", folder: Folder = Folder.INPUT, subfolder: str = "") -> Asset:
    return Asset(
        id=AssetId(uuid4()),
        user_id=user.id,
        file=FileName(folder=folder, subfolder=subfolder, name=name),
        hash=BlobHash(content * 64),
        size_bytes=1,
        content_type="image/png",
        created_at=NOW,
    )


# Accounts


async def test_users_are_found_by_id_and_name_and_names_are_unique(store: Store) -> None:
    user = await store.add_user("eve", Role.ADMIN, NOW, weight=1.5, max_running=2, max_queued=3)

    assert (user.role, user.weight, user.max_running, user.max_queued) == (Role.ADMIN, 1.5, 2, 3)
    assert await store.user(user.id) == await store.user_named("eve") == user
    assert await store.user_named("Eve") is None
    with pytest.raises(DuplicateUser):
        await store.add_user("eve", Role.MEMBER, NOW)
    assert await store.users() == [user]


async def test_a_key_finds_its_user_until_it_is_revoked(store: Store, ann: User) -> None:
    key = await store.add_key(ann.id, b"k" * 32, "fs_abc", "laptop", NOW)
    assert await store.key_owner(b"k" * 32) == (key, ann)

    assert await store.revoke_key(key.id, NOW)

    assert not await store.revoke_key(key.id, NOW)
    assert await store.key_owner(b"k" * 32) is None
    assert await store.keys(ann.id) == await store.keys() == [replace(key, revoked_at=NOW)]


async def test_the_last_use_of_a_key_never_moves_back(store: Store, ann: User) -> None:
    key = await store.add_key(ann.id, b"k" * 32, "fs_abc", "", NOW)

    await store.touch_keys({key.id: NOW + SECOND, 77: NOW})
    await store.touch_keys({key.id: NOW})

    assert [one.last_used_at for one in await store.keys(ann.id)] == [NOW + SECOND]


async def test_a_session_ends_by_itself_and_on_request(store: Store, ann: User) -> None:
    await store.add_session(b"one", ann.id, NOW, NOW + SECOND)
    await store.add_session(b"two", ann.id, NOW, NOW + 9 * SECOND)

    assert await store.session_owner(b"one", NOW) == ann
    assert await store.session_owner(b"one", NOW + SECOND) is None
    await store.end_session(b"two")
    assert await store.session_owner(b"two", NOW) is None


async def test_of_all_who_use_a_login_link_the_first_gets_in(store: Store, ann: User) -> None:
    await store.add_login_link(b"link", ann.id, NOW + SECOND)
    await store.add_login_link(b"late", ann.id, NOW)

    used = await asyncio.gather(*(store.use_login_link(b"link", NOW) for _ in range(8)))

    assert [user for user in used if user] == [ann]
    assert await store.use_login_link(b"late", NOW) is None


# Assets


async def test_a_file_is_found_by_id_name_hash_and_only_by_its_user(store: Store, ann: User, bob: User) -> None:
    asset = await store.add_asset(file_of(ann, "a.png", subfolder="x/y"))
    other = await store.add_asset(file_of(ann, "b.png", content="b"))

    assert await store.asset(asset.id, user_id=ann.id) == asset
    assert await store.asset(asset.id, user_id=bob.id) is None
    assert await store.asset_by_file(ann.id, asset.file) == asset
    assert await store.asset_by_file(bob.id, asset.file) is None
    assert await store.asset_by_hash(ann.id, asset.hash) == asset
    assert await store.asset_by_hash(bob.id, asset.hash) is None
    files = [asset.file, other.file, replace(other.file, folder=Folder.TEMP)]
    assert await store.assets_by_files(ann.id, files) == {asset.file: asset, other.file: other}
    assert await store.asset_names(ann.id, Folder.INPUT, limit=9) == ["b.png", "x/y/a.png"]
    assert await store.asset_names(ann.id, Folder.INPUT, limit=1) == ["b.png"]


async def test_equal_bytes_under_the_same_name_are_one_record(store: Store, ann: User) -> None:
    first = await store.add_asset(file_of(ann, "a.png"))
    copy = await store.add_asset(file_of(ann, "a.png", content="b"))

    assert copy.file.name == "a (1).png"
    assert await store.add_asset(file_of(ann, "a.png")) == first
    assert await store.add_asset(file_of(ann, "a.png", content="b")) == copy
    assert (await store.add_asset(file_of(ann, "a.png", content="c"))).file.name == "a (2).png"


@pytest.mark.parametrize("name", ["x" * 251 + ".png", "猫" * 83 + ".png", "." + "x" * 254])
async def test_the_copy_of_the_longest_name_is_still_a_name(store: Store, ann: User, name: str) -> None:
    await store.add_asset(file_of(ann, name))

    copy = await store.add_asset(file_of(ann, name, content="b"))
    again = await store.add_asset(file_of(ann, name, content="b"))

    assert FileName.checked(Folder.INPUT, "", copy.file.name) == copy.file
    assert copy.file.name != name
    assert again == copy


async def test_overwriting_replaces_the_record(store: Store, ann: User) -> None:
    first = await store.add_asset(file_of(ann, "a.png"))
    assert await store.add_asset(file_of(ann, "a.png"), overwrite=True) == first

    second = await store.add_asset(file_of(ann, "a.png", content="b"), overwrite=True)

    assert await store.asset_by_file(ann.id, first.file) == second
    assert not await store.is_blob_used(first.hash)
    assert await store.is_blob_used(second.hash)
