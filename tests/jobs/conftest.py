"""What the tests of the verbs stand on."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.databases import Databases
from tests.jobs.workshop import PlayedWorker, Workshop, open_workshop

from fireside.domain.accounts import User


@pytest.fixture
async def shop(databases: Databases, tmp_path: Path) -> AsyncIterator[Workshop]:
    async with open_workshop(databases.config(tmp_path / "data")) as shop:
        yield shop


@pytest.fixture
async def ann(shop: Workshop) -> User:
    return await shop.user("ann")


@pytest.fixture
async def worker(shop: Workshop) -> PlayedWorker:
    return await shop.worker()
