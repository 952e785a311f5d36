from collections.abc import Iterator

import pytest
from tests.postgres_server import PostgresServer


@pytest.fixture
def url(postgres_server: PostgresServer) -> Iterator[str]:
    """A migrated database on PostgreSQL."""
    with postgres_server.database() as url:
        yield url
