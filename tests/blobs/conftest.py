"""A bucket of a real object server, which the tests of a process share, each with a prefix of its own."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from tests.object_server import ObjectServer, object_server


@pytest.fixture(scope="session")
def objects(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectServer]:
    with object_server(tmp_path_factory.mktemp("objects")) as server:
        yield server


@pytest.fixture
def in_bucket(objects: ObjectServer, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Settings of a server whose files are there, with the key in the environment."""
    for name, value in objects.environment.items():
        monkeypatch.setenv(name, value)
    return {"blobs_url": objects.url(uuid4().hex), "blobs_endpoint": objects.endpoint}
