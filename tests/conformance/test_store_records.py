"""The exam of `Store`, continued: users and their keys, files."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from fireside.domain.accounts import Invitation, Role, Session, User
from fireside.domain.assets import Asset, FileName, Folder
from fireside.domain.ids import AssetId, BlobHash
from fireside.store.database import Unexpected
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
    assert await store.key_owner(b"k" * 32, NOW) == (key, ann)

    assert await store.revoke_key(key.id, NOW)

    assert not await store.revoke_key(key.id, NOW)
    assert await store.key_owner(b"k" * 32, NOW) is None
    assert await store.keys(ann.id) == await store.keys() == [replace(key, revoked_at=NOW)]


async def test_the_last_use_of_a_key_never_moves_back(store: Store, ann: User) -> None:
    key = await store.add_key(ann.id, b"k" * 32, "fs_abc", "", NOW)

    await store.touch_keys({key.id: NOW + SECOND, 77: NOW})
    await store.touch_keys({key.id: NOW})

    assert [one.last_used_at for one in await store.keys(ann.id)] == [NOW + SECOND]


async def test_a_session_ends_by_itself_and_on_request(store: Store, ann: User) -> None:
    long_ago = NOW - 9 * SECOND
    await store.add_session(b"one", ann.id, NOW, NOW + SECOND, idle_at=long_ago)
    await store.add_session(b"two", ann.id, NOW, NOW + 9 * SECOND, idle_at=long_ago)

    assert await store.session(b"one", NOW, idle_at=long_ago) == Session(user=ann, began_at=NOW, seen_at=NOW)
    assert await store.session(b"one", NOW, idle_at=NOW) is None
    assert await store.session(b"one", NOW + SECOND, idle_at=long_ago) is None
    await store.end_session(b"two")
    assert await store.session(b"two", NOW, idle_at=long_ago) is None


async def test_a_session_that_is_used_is_not_idle_and_a_note_never_moves_back(store: Store, ann: User) -> None:
    await store.add_session(b"one", ann.id, NOW, NOW + 99 * SECOND, idle_at=NOW)

    await store.touch_sessions({b"one": NOW + 5 * SECOND})
    await store.touch_sessions({b"one": NOW + SECOND, b"gone": NOW})

    assert await store.session(b"one", NOW, idle_at=NOW + 4 * SECOND) is not None
    assert await store.session(b"one", NOW, idle_at=NOW + 5 * SECOND) is None


async def test_a_session_goes_on_under_another_token_until_the_same_end(store: Store, ann: User) -> None:
    end, soon = NOW + 99 * SECOND, NOW + SECOND
    await store.add_session(b"one", ann.id, NOW - SECOND, end, idle_at=NOW - 9 * SECOND)

    assert await store.replace_session(b"one", b"two", NOW, end_at=soon)
    assert not await store.replace_session(b"one", b"three", NOW, end_at=soon)

    ends = {b"one": soon, b"two": end, b"three": NOW}
    for digest, ends_at in ends.items():
        assert await store.session(digest, ends_at, idle_at=NOW - 9 * SECOND) is None
    for digest in (b"one", b"two"):
        assert await store.session(digest, ends[digest] - SECOND / 2, idle_at=NOW - 9 * SECOND) is not None


async def test_of_all_who_use_a_login_link_the_first_gets_in(store: Store, ann: User) -> None:
    await store.add_login_link(b"link", ann.id, NOW + SECOND)
    await store.add_login_link(b"late", ann.id, NOW)

    used = await asyncio.gather(*(store.use_login_link(b"link", NOW) for _ in range(8)))

    assert [user for user in used if user] == [ann]
    assert await store.use_login_link(b"late", NOW) is None


async def test_an_invitation_makes_one_user(store: Store, ann: User) -> None:
    wanted = Invitation(id=0, name=None, role=Role.ADMIN, weight=0.5, expires_at=NOW + SECOND)
    made = await store.add_invitation(bytes(32), wanted, NOW)
    assert await store.invitation(bytes(32), NOW) == made == replace(wanted, id=made.id)
    assert await store.invitation(bytes(32), NOW + SECOND) is None
    with pytest.raises(DuplicateUser):
        await store.accept_invitation(bytes(32), made, ann.name, "kept", NOW)

    guests = [store.accept_invitation(bytes(32), made, name, "kept", NOW) for name in ("grace", "mary")]
    became = await asyncio.gather(*guests, return_exceptions=True)

    (guest,) = [one for one in became if isinstance(one, User)]
    assert (guest.role, guest.weight, guest.has_password) == (Role.ADMIN, 0.5, True)
    assert sum(isinstance(one, Unexpected) for one in became) == 1
    assert await store.password_of(guest.name) == (guest, "kept")
    assert await store.invitations(NOW) == []


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
