"""A worker that has joined, and a user whose jobs it may run."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.databases import Databases
from tests.jobs.workshop import Workshop, open_workshop
from tests.worker.station import Station, open_station

from fireside.domain.accounts import User
from fireside.worker import collecting


@pytest.fixture
async def shop(databases: Databases, tmp_path: Path) -> AsyncIterator[Workshop]:
    async with open_workshop(databases.config(tmp_path / "data", port=0)) as shop:
        yield shop


@pytest.fixture
async def station(shop: Workshop, tmp_path: Path) -> AsyncIterator[Station]:
    async with open_station(shop, tmp_path / "worker") as station:
        yield station


@pytest.fixture
async def ann(shop: Workshop) -> User:
    return await shop.user("ann")


@pytest.fixture
def everything_goes_by_http(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no output be small: its files are uploaded, and its record is posted."""
    monkeypatch.setattr(collecting, "_SENT_ALONG_BYTES", 0)
    monkeypatch.setattr(collecting, "_BUS_BYTES", 0)
