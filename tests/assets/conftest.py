"""What the tests of users' files stand on: a library over a real store and real blobs, and two users."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.databases import Databases

from fireside.assets.library import Library
from fireside.assets.pictures import PictureLimits
from fireside.blobs.local import LocalBlobs
from fireside.domain.accounts import Role, User
from fireside.domain.ids import BlobHash
from fireside.store.store import Store

NOW = datetime(2026, 1, 2, tzinfo=UTC)


class FarBlobs(LocalBlobs):
    """Blobs as they are in an object store: no file of this machine is theirs."""

    def local_path(self, blob_hash: BlobHash) -> Path | None:
        return None


@pytest.fixture
async def library(databases: Databases, tmp_path: Path) -> AsyncIterator[Library]:
    async with databases.opened(tmp_path) as database:
        yield Library(
            store=Store(database),
            blobs=LocalBlobs(tmp_path / "blobs"),
            limits=PictureLimits(),
            scratch=tmp_path / "scratch",
            clock=lambda: NOW,
        )


@pytest.fixture
def far_library(library: Library, tmp_path: Path) -> Library:
    return replace(library, blobs=FarBlobs(tmp_path / "blobs"))


@pytest.fixture
async def ann(library: Library) -> User:
    return await library.store.add_user("ann", Role.MEMBER, NOW)


@pytest.fixture
async def bob(library: Library) -> User:
    return await library.store.add_user("bob", Role.MEMBER, NOW)
