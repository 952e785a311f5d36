from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from tests.events.stage import Stage

from fireside.app import assemble
from fireside.config import Config


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    config = Config(data_dir=str(tmp_path / "data"))
    async with assemble(config, public_url="http://fireside.test") as assembly, AsyncExitStack() as doors:
        yield Stage(assembly=assembly, doors=doors)
