"""What the tests of files stand on: servers with two people, and a picture."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from tests.databases import Databases
from tests.server.v1.files import house as houses
from tests.server.v1.files.house import House, OpenHouse
from tests.server.v1.published import Published


@pytest.fixture
async def open_house(databases: Databases, tmp_path: Path, contract: Published | None) -> AsyncIterator[OpenHouse]:
    """Open servers that are gone with the test: `await open_house(max_upload_bytes=10)`."""
    async with AsyncExitStack() as doors:

        async def open_one(folder: str | Path = "data", **settings: Any) -> House:
            config = databases.config(tmp_path / folder, **settings)
            return await houses.open_house(config, doors, contract)

        yield open_one


@pytest.fixture
async def house(open_house: OpenHouse) -> House:
    return await open_house()


@pytest.fixture
def picture() -> bytes:
    """A PNG of 80 x 60 pixels, half transparent."""
    buffer = BytesIO()
    Image.new("RGBA", (80, 60), (200, 100, 50, 128)).save(buffer, format="PNG")
    return buffer.getvalue()
