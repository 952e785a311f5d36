"""The exam of `Store`, continued: an idempotency key is used up with the file that was recorded under it."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from tests.conformance.conftest import NOW

from fireside.domain.accounts import User
from fireside.domain.assets import Asset, FileName, Folder, Recorded
from fireside.domain.ids import AssetId, BlobHash, JobId
from fireside.store.asset_verbs import AssetIdTaken
from fireside.store.records import IdempotencyKey, JobBody, NewJob
from fireside.store.store import KeyReused, Store

DAY = timedelta(days=1)


def key(name: str = "k", *, route: str = "assets") -> IdempotencyKey:
    return IdempotencyKey(route=route, key=name, expired_at=NOW - DAY)


def picture(user: User, digit: str = "a") -> Asset:
    return Asset(
        id=AssetId(uuid4()),
        user_id=user.id,
        file=FileName(folder=Folder.INPUT, subfolder="", name=f"{digit}.png"),
        hash=BlobHash(digit * 64),
        size_bytes=1,
        content_type="image/png",
        created_at=NOW,
    )


async def record(store: Store, asset: Asset, used: IdempotencyKey | None) -> Recorded:
    return await store.record_asset(asset, any_name=True, any_tags=True, key=used)


async def recorded(store: Store, user: User) -> set[str]:
    assets = await store.asset_names(user.id, Folder.INPUT, limit=99)
    return set(assets)


async def test_a_key_is_used_up_by_the_file_that_was_recorded_under_it(store: Store, ann: User, bob: User) -> None:
    await record(store, picture(ann), key())

    with pytest.raises(KeyReused):
        await record(store, picture(ann, "b"), key())

    await record(store, picture(bob), key())
    await record(store, picture(ann, "c"), key("other"))
    assert await recorded(store, ann) == {"a.png", "c.png"}


async def test_a_file_that_is_there_already_uses_its_key_up_too(store: Store, ann: User) -> None:
    await record(store, picture(ann), None)

    assert not (await record(store, picture(ann), key())).is_new

    with pytest.raises(KeyReused):
        await record(store, picture(ann), key())


async def test_a_file_that_is_refused_does_not_use_up_its_key(store: Store, ann: User) -> None:
    there = await record(store, picture(ann), None)

    with pytest.raises(AssetIdTaken):
        await record(store, replace(picture(ann, "b"), id=there.asset.id), key())

    assert (await record(store, picture(ann, "b"), key())).is_new


async def test_of_many_files_under_one_key_at_once_exactly_one_is_recorded(store: Store, ann: User) -> None:
    files = [picture(ann, digit) for digit in "01234567"]

    outcomes = await asyncio.gather(*(record(store, file, key()) for file in files), return_exceptions=True)

    assert sum(isinstance(outcome, KeyReused) for outcome in outcomes) == 7
    assert len(await recorded(store, ann)) == 1


async def test_jobs_have_keys_of_their_own(store: Store, ann: User) -> None:
    await record(store, picture(ann), key())
    body = JobBody(graph=b"{}", extra_data=b"{}", outputs=())
    new = NewJob(id=JobId(uuid4()), user_id=ann.id, body=body, key=key(route="jobs"))

    await store.add_job(new, NOW, max_queued=None)

    assert (await store.queue_counts(ann.id)).queued == 1
