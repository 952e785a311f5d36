"""What the exams share: each supported database, opened empty, and two users."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fireside.domain.accounts import Role, User
from fireside.store.sqlite import SqliteDatabase
from fireside.store.store import Store

NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


@pytest.fixture(params=["sqlite"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    assert request.param == "sqlite"
    database = SqliteDatabase(tmp_path / "fireside.db")
    await database.start()
    yield Store(database)
    await database.close()


@pytest.fixture
async def ann(store: Store) -> User:
    return await store.add_user("ann", Role.MEMBER, NOW)


@pytest.fixture
async def bob(store: Store) -> User:
    return await store.add_user("bob", Role.MEMBER, NOW, weight=2.0)
