"""Webhooks while the operator allows no host for them."""

from typing import Any

import pytest
from tests.server.v1.conftest import ann, contract, house, nodes
from tests.server.v1.house import GRAPH, Caller

__all__ = ["ann", "contract", "house", "nodes"]


@pytest.fixture
def settings() -> dict[str, Any]:
    return {}


async def test_the_refusal_names_the_setting(ann: Caller) -> None:
    url = "https://hooks.example.com/"
    extra = {"fireside": {"webhook_url": url}}
    for path, body in (("/api/webhooks", {"url": url}), ("/api/prompt", {"prompt": GRAPH, "extra_data": extra})):
        answer = await ann.http.post(path, json=body)
        assert answer.status_code == 403
        assert "webhook_hosts" in answer.json()["message"]
