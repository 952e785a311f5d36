"""A site and the names that lead to it, for each test."""

from collections.abc import AsyncGenerator

import pytest
from tests.outbound.site import Names, Site, running_site


@pytest.fixture
async def site() -> AsyncGenerator[Site]:
    async with running_site() as running:
        yield running


@pytest.fixture
def names() -> Names:
    made = Names()
    made.give("store.test", ["127.0.0.1"])
    return made
