"""What the tests of documents stand on; see `examined`."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from tests.server.examined import Examined, own_document, published_document


@pytest.fixture(scope="module")
def examined(tmp_path_factory: pytest.TempPathFactory, make_server: Any) -> Iterator[Examined]:
    folder = tmp_path_factory.mktemp("examined") / "data"
    with make_server(folder, FIRESIDE_V1_STRICT_STATUS="true") as server:
        yield Examined(server)


@pytest.fixture(scope="module")
def own_schema(examined: Examined) -> Any:
    return schemathesis.openapi.from_dict(own_document(examined))


@pytest.fixture(scope="module")
def published_schema() -> Any:
    return schemathesis.openapi.from_dict(published_document())
