from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from tests.databases import Databases
from tests.events.stage import Stage

from fireside.app import assemble


@pytest.fixture
async def stage(databases: Databases, tmp_path: Path) -> AsyncIterator[Stage]:
    config = databases.config(tmp_path / "data")
    async with assemble(config, public_url="http://fireside.test") as assembly, AsyncExitStack() as doors:
        yield Stage(assembly=assembly, doors=doors)
