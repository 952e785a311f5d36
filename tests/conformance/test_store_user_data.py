"""The exam of `Store`, continued: what the editor keeps for its user."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from fireside.domain.accounts import User
from fireside.domain.ids import BlobHash
from fireside.domain.user_files import FilePath, UserFile
from fireside.store.records import UserDataLimits
from fireside.store.refusals import FileExists, FilesBlocked, UserDataFull
from fireside.store.store import Store

NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
LATER = NOW + timedelta(seconds=1)
AMPLE = UserDataLimits(entries=1000, size_bytes=1 << 40)


def file_of(user: User, path: str, *, content: str = "a", size_bytes: int = 10, at: datetime = NOW) -> UserFile:
    return UserFile(
        user_id=user.id,
        path=FilePath(path),
        hash=BlobHash(content * 64),
        size_bytes=size_bytes,
        created_at=at,
        modified_at=at,
    )


async def save(store: Store, file: UserFile, *, overwrite: bool = True, limits: UserDataLimits = AMPLE) -> UserFile:
    return await store.save_user_file(file, overwrite=overwrite, limits=limits)


async def paths(
    store: Store, user: User, folder: str, *, recurse: bool = True, limit: int = 99, after: str = ""
) -> list[str]:
    files = await store.user_files(user.id, folder, recurse=recurse, limit=limit, after=after)
    return [file.path.text for file in files]


async def test_a_file_is_read_as_it_was_saved(store: Store, ann: User, bob: User) -> None:
    saved = await save(store, file_of(ann, "workflows/ä.json"))

    assert saved == file_of(ann, "workflows/ä.json")
    assert await store.user_file(ann.id, saved.path) == saved
    assert await store.user_file(bob.id, saved.path) is None


async def test_a_file_that_is_replaced_keeps_the_time_it_was_made(store: Store, ann: User) -> None:
    await save(store, file_of(ann, "a"))

    again = await save(store, file_of(ann, "a", content="b", at=LATER))

    assert (again.created_at, again.modified_at, again.hash) == (NOW, LATER, "b" * 64)


async def test_a_path_that_is_taken_is_not_overwritten_unasked(store: Store, ann: User) -> None:
    before = await save(store, file_of(ann, "a"))

    with pytest.raises(FileExists):
        await save(store, file_of(ann, "a", content="b"), overwrite=False)

    assert await store.user_file(ann.id, FilePath("a")) == before


async def test_no_name_is_a_file_and_a_folder(store: Store, ann: User) -> None:
    await save(store, file_of(ann, "a/b"))

    with pytest.raises(FilesBlocked):
        await save(store, file_of(ann, "a"))
    with pytest.raises(FilesBlocked):
        await save(store, file_of(ann, "a/b/c/d"))
    await save(store, file_of(ann, "a.b"))
    await save(store, file_of(ann, "a0"))


async def test_a_folder_is_listed_alone_or_with_all_below_it(store: Store, ann: User, bob: User) -> None:
    for path in ("w/b", "w/a", "w/sub/c", "w/sub/deep/d", "w0", "w-/e", "w.json", "\U0010ffff"):
        await save(store, file_of(ann, path))
    await save(store, file_of(bob, "w/his"))

    assert await paths(store, ann, "w", recurse=False) == ["w/a", "w/b"]
    assert await paths(store, ann, "w") == ["w/a", "w/b", "w/sub/c", "w/sub/deep/d"]
    assert await paths(store, ann, "", recurse=False) == ["w.json", "w0", "\U0010ffff"]
    assert len(await paths(store, ann, "")) == 8
    assert await paths(store, ann, "w/s") == []


async def test_a_list_goes_on_behind_what_is_known(store: Store, ann: User) -> None:
    for path in ("w/a", "w/b", "w/sub/c", "x"):
        await save(store, file_of(ann, path))

    assert await paths(store, ann, "w", limit=2) == ["w/a", "w/b"]
    assert await paths(store, ann, "w", limit=2, after="w/b") == ["w/sub/c"]
    assert await paths(store, ann, "w", recurse=False, after="w/a") == ["w/b"]
    assert await paths(store, ann, "w", after="a path before the folder") == ["w/a", "w/b", "w/sub/c"]


async def test_a_folder_is_there_while_a_file_lies_somewhere_in_it(store: Store, ann: User) -> None:
    await save(store, file_of(ann, "w/sub/c"))

    assert await store.has_user_folder(ann.id, "w")
    assert await store.has_user_folder(ann.id, "")
    await store.remove_user_file(ann.id, FilePath("w/sub/c"))
    assert not await store.has_user_folder(ann.id, "w")
    assert await store.has_user_folder(ann.id, "")


async def test_a_file_that_is_moved_keeps_its_times_and_bytes(store: Store, ann: User) -> None:
    await save(store, file_of(ann, "a"))

    moved = await store.move_user_file(ann.id, FilePath("a"), FilePath("b/c"), overwrite=False)

    assert moved == file_of(ann, "b/c")
    assert await paths(store, ann, "") == ["b/c"]
    assert await store.move_user_file(ann.id, FilePath("a"), FilePath("x"), overwrite=False) is None


async def test_a_move_replaces_only_when_it_may(store: Store, ann: User) -> None:
    await save(store, file_of(ann, "a"))
    await save(store, file_of(ann, "b", content="b"))

    with pytest.raises(FileExists):
        await store.move_user_file(ann.id, FilePath("a"), FilePath("b"), overwrite=False)
    assert await paths(store, ann, "") == ["a", "b"]

    await store.move_user_file(ann.id, FilePath("a"), FilePath("b"), overwrite=True)
    assert [file.hash for file in await store.user_files(ann.id, "", recurse=True, limit=9)] == ["a" * 64]


async def test_a_file_can_be_moved_below_its_own_name_and_not_onto_a_folder(store: Store, ann: User) -> None:
    await save(store, file_of(ann, "a"))
    await save(store, file_of(ann, "w/x"))

    with pytest.raises(FilesBlocked):
        await store.move_user_file(ann.id, FilePath("a"), FilePath("w"), overwrite=True)
    await store.move_user_file(ann.id, FilePath("a"), FilePath("a/a"), overwrite=False)
    await store.move_user_file(ann.id, FilePath("w/x"), FilePath("w/x"), overwrite=False)

    assert await paths(store, ann, "") == ["a/a", "w/x"]


async def test_limits_hold_for_each_user_and_what_is_removed_counts_no_more(store: Store, ann: User, bob: User) -> None:
    limits = UserDataLimits(entries=2, size_bytes=30)
    await save(store, file_of(ann, "a"), limits=limits)
    await save(store, file_of(ann, "b"), limits=limits)

    with pytest.raises(UserDataFull):
        await save(store, file_of(ann, "c", size_bytes=0), limits=limits)
    with pytest.raises(UserDataFull):
        await save(store, file_of(ann, "a", size_bytes=21), limits=limits)
    await save(store, file_of(ann, "a", size_bytes=20), limits=limits)
    await save(store, file_of(bob, "c"), limits=limits)
    await store.remove_user_file(ann.id, FilePath("a"))
    await save(store, file_of(ann, "c", size_bytes=20), limits=limits)
    await store.move_user_file(ann.id, FilePath("c"), FilePath("b"), overwrite=True)
    await save(store, file_of(ann, "a", size_bytes=10), limits=limits)


async def test_who_is_over_a_limit_that_was_lowered_may_still_shrink(store: Store, ann: User) -> None:
    await save(store, file_of(ann, "a", size_bytes=100))
    tight = UserDataLimits(entries=1, size_bytes=10)

    await save(store, file_of(ann, "a", size_bytes=90), limits=tight)

    with pytest.raises(UserDataFull):
        await save(store, file_of(ann, "a", size_bytes=91), limits=tight)


async def test_writers_at_once_do_not_get_past_a_limit(store: Store, ann: User) -> None:
    limits = UserDataLimits(entries=3, size_bytes=1000)

    done = await asyncio.gather(
        *(save(store, file_of(ann, f"{number}"), limits=limits) for number in range(9)), return_exceptions=True
    )

    assert sum(isinstance(one, UserFile) for one in done) == 3
    assert len(await paths(store, ann, "")) == 3


async def test_of_all_who_make_a_file_at_once_one_does(store: Store, ann: User) -> None:
    done = await asyncio.gather(
        *(save(store, file_of(ann, "a"), overwrite=False) for _ in range(9)), return_exceptions=True
    )

    assert sum(isinstance(one, UserFile) for one in done) == 1


async def test_bytes_of_a_file_are_in_use_until_it_is_gone(store: Store, ann: User) -> None:
    used, unused = BlobHash("a" * 64), BlobHash("b" * 64)
    await save(store, file_of(ann, "a"))

    assert await store.is_blob_used(used)
    assert await store.unused_blobs({used, unused}) == {unused}
    await store.remove_user_file(ann.id, FilePath("a"))
    assert not await store.is_blob_used(used)
    assert await store.unused_blobs({used, unused}) == {used, unused}


async def test_settings_are_merged_by_name(store: Store, ann: User, bob: User) -> None:
    await store.save_user_settings(ann.id, {"a": b"1", "b": b"[true]"}, limits=AMPLE)
    await store.save_user_settings(ann.id, {"b": b"null", "c": b'"x"'}, limits=AMPLE)

    assert await store.user_settings(ann.id) == {"a": b"1", "b": b"null", "c": b'"x"'}
    assert await store.user_setting(ann.id, "c") == b'"x"'
    assert await store.user_setting(ann.id, "d") is None
    assert await store.user_settings(bob.id) == {}


async def test_settings_beyond_the_limits_are_refused_whole(store: Store, ann: User) -> None:
    limits = UserDataLimits(entries=2, size_bytes=10)
    await store.save_user_settings(ann.id, {"a": b"12345678"}, limits=limits)

    with pytest.raises(UserDataFull):
        await store.save_user_settings(ann.id, {"a": b"1", "b": b"1", "c": b"1"}, limits=limits)
    with pytest.raises(UserDataFull):
        await store.save_user_settings(ann.id, {"b": b"12"}, limits=limits)
    assert await store.user_settings(ann.id) == {"a": b"12345678"}

    await store.save_user_settings(ann.id, {"a": b"1", "b": b"12"}, limits=limits)


async def test_writers_at_once_all_keep_what_they_wrote(store: Store, ann: User) -> None:
    await asyncio.gather(
        *(store.save_user_settings(ann.id, {f"s{number}": b"1"}, limits=AMPLE) for number in range(20))
    )

    assert len(await store.user_settings(ann.id)) == 20


async def test_what_a_workflow_takes_stays_beside_its_file_while_that_is_saved_anew_and_moved(
    store: Store, ann: User
) -> None:
    file = await save(store, file_of(ann, "workflows/a.json"))

    said = await store.set_interface(file, b"{}")
    again = await save(store, file_of(ann, "workflows/a.json", content="b", at=LATER))
    moved = await store.move_user_file(ann.id, file.path, FilePath("workflows/b.json"), overwrite=False)

    assert said is not None
    assert moved is not None
    assert [one.interface for one in (file, said, again, moved)] == [None, b"{}", b"{}", b"{}"]


async def test_what_a_workflow_takes_goes_with_its_file(store: Store, ann: User) -> None:
    for path in ("a", "b"):
        assert await store.set_interface(await save(store, file_of(ann, path)), path.encode())
    await save(store, file_of(ann, "c"))

    await store.remove_user_file(ann.id, FilePath("a"))
    overwritten = await store.move_user_file(ann.id, FilePath("c"), FilePath("b"), overwrite=True)

    assert overwritten is not None
    assert overwritten.interface is None
    assert (await save(store, file_of(ann, "a"))).interface is None


async def test_nothing_is_said_beside_a_file_that_has_changed_meanwhile(store: Store, ann: User, bob: User) -> None:
    file = await save(store, file_of(ann, "a"))
    await save(store, file_of(bob, "a"))
    await save(store, file_of(ann, "a", content="b"))

    assert await store.set_interface(file, b"{}") is None

    kept = [await store.user_file(user.id, file.path) for user in (ann, bob)]
    assert [one and one.interface for one in kept] == [None, None]
