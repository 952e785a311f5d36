"""What the tests of the API v2 stand on: the server of v1's tests, with two callers as the official SDKs are."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from tests.databases import Databases
from tests.publishing import publish
from tests.server.v1.house import ORIGIN, House
from tests.server.v2.house import Caller, caller_of
from tests.server.v2.published import Published, published

from fireside.app import Assembly, assemble


@pytest.fixture(scope="session")
def contract() -> Published | None:
    return published()


@pytest.fixture
def settings() -> dict[str, Any]:
    """The settings that differ from the defaults; tests override this."""
    return {}


@pytest.fixture
async def assembly(databases: Databases, tmp_path: Path, settings: dict[str, Any]) -> AsyncIterator[Assembly]:
    async with assemble(databases.config(tmp_path / "data", **settings), public_url=ORIGIN) as assembly:
        yield assembly


@pytest.fixture
async def house(assembly: Assembly) -> AsyncIterator[House]:
    async with AsyncExitStack() as doors:
        yield House(services=assembly.services, doors=doors, contract=None)


@pytest.fixture
async def nodes(house: House) -> None:
    """The definitions of the builtin nodes, as if a worker had been here once."""
    await publish(house.services.store)


@pytest.fixture
async def ann(house: House, nodes: None, contract: Published | None) -> Caller:
    return await caller_of(house, contract, "ann")


@pytest.fixture
async def bob(house: House, nodes: None, contract: Published | None) -> Caller:
    return await caller_of(house, contract, "bob")
