"""Asking older files how large they are: a few at a time, once, over restarts, whatever became of their bytes."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from PIL import Image
from tests.databases import Databases

from fireside.blobs.local import LocalBlobs
from fireside.domain.accounts import Role, User
from fireside.domain.assets import Asset, FileName, Folder
from fireside.domain.ids import AssetId
from fireside.store.store import Store
from fireside.upkeep.measurer import Measurer

NOW = datetime(2026, 1, 2, tzinfo=UTC)


@dataclass
class House:
    store: Store
    blobs: LocalBlobs
    ann: User

    def measurer(self) -> Measurer:
        return Measurer(self.store, self.blobs, at_once=3)

    async def record(self, content: bytes, content_type: str) -> Asset:
        """Record bytes as an older version did."""
        blob = await self.blobs.write_bytes(content, limit_bytes=None)
        file = FileName(folder=Folder.INPUT, subfolder="", name=f"{uuid4()}.png")
        asset = Asset(
            id=AssetId(uuid4()), user_id=self.ann.id, file=file, hash=blob.hash, size_bytes=len(content),
            content_type=content_type, created_at=NOW,
        )  # fmt: skip
        return await self.store.add_asset(asset)

    async def known(self, *assets: Asset) -> list[Any]:
        shown = await self.store.with_metadata(assets)
        return [None if asset.metadata is None else json.loads(asset.metadata) for asset in shown]


@pytest.fixture
async def house(databases: Databases, tmp_path: Path) -> AsyncIterator[House]:
    async with databases.opened(tmp_path / "data") as database:
        store = Store(database)
        yield House(
            store=store, blobs=LocalBlobs(tmp_path / "blobs"), ann=await store.add_user("ann", Role.MEMBER, NOW)
        )


def picture(width: int) -> bytes:
    buffer = BytesIO()
    Image.new("L", (width, 2)).save(buffer, format="PNG")
    return buffer.getvalue()


async def test_older_files_are_asked_a_few_at_a_time_and_those_that_say_nothing_hold_up_none(house: House) -> None:
    pictures = [await house.record(picture(width), "image/png") for width in range(1, 6)]
    broken = await house.record(b"\x89PNG\r\n\x1a\n", "image/png")
    text = await house.record(b"text", "text/plain")
    gone = await house.record(picture(99), "image/png")
    await house.blobs.delete(gone.hash)
    measurer = house.measurer()

    await measurer.step(NOW)
    assert 0 < 8 - (await house.known(*pictures, broken, text, gone)).count(None) <= 3

    for _ in range(4):
        await measurer.step(NOW)
    assert await house.known(*pictures) == [{"kind": "image", "width": width, "height": 2} for width in range(1, 6)]
    assert await house.known(broken, text, gone) == [None, None, None]
    assert await house.store.blobs_to_measure(limit=3) is None


async def test_a_walk_goes_on_where_the_last_process_stopped_and_is_not_begun_again(house: House) -> None:
    recorded = sorted([await house.record(picture(width), "image/png") for width in range(1, 6)], key=lambda a: a.hash)
    await house.measurer().step(NOW)
    assert (await house.known(*recorded)).count(None) == 2
    assert list(await house.store.blobs_to_measure(limit=9) or ()) == [asset.hash for asset in recorded[3:]]

    for _ in range(3):
        await house.measurer().step(NOW)
    late = await house.record(picture(77), "image/png")
    await house.measurer().step(NOW)

    assert None not in await house.known(*recorded)
    assert await house.known(late) == [None]


async def test_metadata_goes_with_the_bytes_unless_somebody_has_recorded_them_again(house: House) -> None:
    asset = await house.record(picture(4), "image/png")
    await house.measurer().step(NOW)

    await house.store.forget_blob_metadata(asset.hash)
    assert None not in await house.known(asset)

    await house.store.remove_asset(asset.id, user_id=house.ann.id)
    await house.store.forget_blob_metadata(asset.hash)
    assert await house.known(asset) == [None]
