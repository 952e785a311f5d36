"""What the tests of the Cloud API v1 stand on: a server with two users who have a key each."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from tests.databases import Databases
from tests.publishing import publish
from tests.server.v1.house import ORIGIN, Caller, House
from tests.server.v1.published import WHY_SKIPPED, Published, published

from fireside.app import assemble


@pytest.fixture(scope="session")
def contract() -> Published | None:
    return published()


@pytest.fixture
def judge(contract: Published | None) -> Published:
    """The published contract, for tests that are about nothing else."""
    if contract is None:
        pytest.skip(WHY_SKIPPED)
    return contract


@pytest.fixture
def settings() -> dict[str, Any]:
    """The settings that differ from the defaults; tests override this."""
    return {}


@pytest.fixture
async def house(
    databases: Databases, tmp_path: Path, contract: Published | None, settings: dict[str, Any]
) -> AsyncIterator[House]:
    config = databases.config(tmp_path / "data", **settings)
    async with assemble(config, public_url=ORIGIN) as assembly, AsyncExitStack() as doors:
        yield House(services=assembly.services, doors=doors, contract=contract)


@pytest.fixture
async def nodes(house: House) -> None:
    """The definitions of the builtin nodes, as if a worker had been here once."""
    await publish(house.services.store)


@pytest.fixture
async def ann(house: House, nodes: None) -> Caller:
    return await house.caller("ann")


@pytest.fixture
async def bob(house: House, nodes: None) -> Caller:
    return await house.caller("bob")
