"""A server to fuzz, and the two documents that say what it may answer: the published one, and our own.

The published document is not ours to copy: it is read where FIRESIDE_PUBLISHED_V1 says.
"""

import json
import os
import re
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance

from fireside.server.tables import ROUTES

CHECKS = [not_a_server_error, response_schema_conformance, content_type_conformance]
_PATIENCE_SECONDS = 240.0
_PATH_KIND = re.compile(r":\w+\}")
# Schemas of the published document that no true answer can meet; see docs/decisions on the published contract.
_QUEUE_ITEM_TWINS = "both branches of its oneOf are bare objects, so that every object matches two"


def small_graph(**changes: Any) -> dict[str, Any]:
    """Give a workflow that saves a picture, with these changes to its pause."""
    sleep = {"image": ["1", 0], "seconds": 0.0, "steps": 1} | changes
    return {
        "1": {"class_type": "EmptyImage", "inputs": {"width": 16, "height": 16, "batch_size": 1, "color": 7}},
        "2": {"class_type": "FiresideSleep", "inputs": sleep},
        "3": {"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": "examined"}},
    }


def _failing() -> dict[str, Any]:
    graph = small_graph()
    graph["2"] = {"class_type": "FiresideFail", "inputs": {"image": ["1", 0], "message": "no", "how": "raise"}}
    return graph


class Examined:
    """A server with a job of every status, and a key of their owner."""

    def __init__(self, server: Any) -> None:
        self.url: str = server.url
        self.key: str = server.add_user("examined", role="admin")
        self.jobs: dict[str, str] = {}
        with server.client(self.key) as client:
            self._fill(client)

    @property
    def headers(self) -> dict[str, str]:
        return {"X-API-Key": self.key}

    def _fill(self, client: httpx.Client) -> None:
        self.jobs["completed"] = self._submit(client, small_graph())
        self.jobs["failed"] = self._submit(client, _failing())
        self._until(client, "completed")
        self._until(client, "failed")
        self.jobs["in_progress"] = self._submit(client, small_graph(seconds=3600.0, steps=10000))
        self._until(client, "in_progress")
        self.jobs["pending"] = self._submit(client, small_graph())
        self.jobs["cancelled"] = self._submit(client, small_graph())
        client.post(f"/api/jobs/{self.jobs['cancelled']}/cancel").raise_for_status()
        self._until(client, "cancelled")
        client.post("/api/upload/image", files={"image": ("a.txt", b"text")}).raise_for_status()
        client.post("/api/userdata/workflows%2Fa.json", content=b"{}").raise_for_status()

    def _submit(self, client: httpx.Client, graph: dict[str, Any]) -> str:
        workflow = {"extra_pnginfo": {"workflow": {"id": "w1", "nodes": []}}}
        body = {"prompt": graph, "extra_data": workflow}
        return client.post("/api/prompt", json=body).raise_for_status().json()["prompt_id"]

    def _until(self, client: httpx.Client, status: str) -> None:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while client.get(f"/api/jobs/{self.jobs[status]}").json()["status"] != status:
            assert time.monotonic() < deadline, f"no job became {status}"
            time.sleep(0.05)


def own_document(examined: Examined) -> dict[str, Any]:
    """Ask the server for its own document."""
    return httpx.get(f"{examined.url}/openapi.json").raise_for_status().json()


def published_document() -> dict[str, Any]:
    """Read the published one, as far as it exists here; skips the test without it."""
    path = os.environ.get("FIRESIDE_PUBLISHED_V1")
    if not path:
        pytest.skip("FIRESIDE_PUBLISHED_V1 names no document: the published contract was not compared")
    return _served_part(yaml.safe_load(Path(path).read_text()))


def plain_path(path: str) -> str:
    """Write a route's path as the documents do."""
    return _PATH_KIND.sub("}", path)


def _served_part(document: dict[str, Any]) -> dict[str, Any]:
    """Keep the operations that exist here so far, and mend what no true answer can meet."""
    served = {(plain_path(route.path), route.method.lower()) for route in ROUTES}
    document["paths"] = {
        path: kept
        for path, operations in document["paths"].items()
        if (kept := {method: operation for method, operation in operations.items() if (path, method) in served})
    }
    return json.loads(json.dumps(_mended(document), default=str))


def _mended(document: dict[str, Any]) -> dict[str, Any]:
    schemas = document["components"]["schemas"]
    items = schemas["QueueItem"]["items"]
    assert "oneOf" in items, _QUEUE_ITEM_TWINS
    items["anyOf"] = items.pop("oneOf")
    refused = {"description": "Refused", "content": {"application/json": {"schema": {"type": "object"}}}}
    in_text = {"description": "Refused", "content": {"text/plain": {"schema": {"type": "string"}}}}
    for path, operations in document["paths"].items():
        for operation in operations.values():
            operation["responses"].setdefault("400", in_text if path.startswith("/api/userdata") else refused)
            if "401" in operation["responses"]:
                # Text for the editor's files, JSON everywhere else: who is not known is told so in one shape.
                operation["responses"]["401"] = refused
    return document
