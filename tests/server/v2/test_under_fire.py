"""The published document of the API v2 under fire: no fault of ours, and no answer that it does not allow.

It is read where FIRESIDE_PUBLISHED_V2 says; without it only this comparison reports that it did not run.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
import yaml
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance
from tests.conftest import MakeServer
from tests.server.v1.house import GRAPH
from tests.server.v2.house import PNG
from tests.server.v2.published import VARIABLE, WHY_SKIPPED

from fireside.server.routes import Route
from fireside.server.tables import ROUTES

CHECKS = [not_a_server_error, response_schema_conformance, content_type_conformance]
EXAMPLES = 50
# As the SDKs read it; the published document has no list of jobs. Saved workflows as endpoints are ours.
UNPUBLISHED = {"listJobsV2"}
OURS = "/api/v2/fireside/workflows"
V2 = [route for route in ROUTES if route.path.startswith("/api/v2") and not route.path.startswith(OURS)]

pytestmark = pytest.mark.skipif(VARIABLE not in os.environ, reason=WHY_SKIPPED)


class Examined:
    """A server with a job that has ended, one that waits, and an asset, and a key of their owner."""

    def __init__(self, server: Any) -> None:
        self.url: str = server.url
        self.headers = {"Authorization": f"Bearer {server.add_user('examined')}"}
        with httpx.Client(base_url=self.url, headers=self.headers, timeout=90) as client:
            form = {"content_type": "image/png", "file_path": "a.png"}
            self.asset = client.post("/api/v2/assets", data=form, files={"file": ("a.png", PNG)}).json()["id"]
            nap = {"image": ["1", 0], "seconds": 3600.0, "steps": 1000}
            slow = {**GRAPH, "2": {"class_type": "FiresideSleep", "inputs": nap}}
            slow["3"] = {"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": "a"}}
            self.jobs = [self._ended(client)]
            self.jobs += [client.post("/api/v2/jobs", json={"workflow": slow}).json()["id"] for _ in range(2)]

    def _ended(self, client: httpx.Client) -> str:
        job_id: str = client.post("/api/v2/jobs", json={"workflow": GRAPH}).raise_for_status().json()["id"]
        with client.stream("GET", f"/api/v2/jobs/{job_id}/events") as events:
            assert list(events.iter_lines())
        return job_id


@pytest.fixture(scope="module")
def examined(tmp_path_factory: pytest.TempPathFactory, make_server: MakeServer) -> Iterator[Examined]:
    with make_server(tmp_path_factory.mktemp("examined") / "data") as server:
        yield Examined(server)


@pytest.fixture(scope="module")
def published() -> Any:
    document = yaml.safe_load(Path(os.environ[VARIABLE]).read_text("utf-8"))
    return schemathesis.openapi.from_dict(json.loads(json.dumps(document, default=str)))


@pytest.mark.parametrize("route", [route for route in V2 if route.name not in UNPUBLISHED], ids=lambda one: one.name)
def test_the_published_document_holds_under_fire(route: Route, published: Any, examined: Examined) -> None:
    operation = published[route.path][route.method]

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
    )
    @given(case=operation.as_strategy())
    def fire(case: Any) -> None:
        headers = {**(case.headers or {}), **examined.headers}
        answer = case.call_and_validate(base_url=examined.url, headers=headers, checks=CHECKS)
        assert answer.headers["x-comfy-request-id"]

    fire()


def test_real_answers_hold_against_the_published_document(published: Any, examined: Examined) -> None:
    paths = [("/api/v2/assets/{id}", examined.asset)]
    paths += [
        (path, job_id) for job_id in examined.jobs for path in ("/api/v2/jobs/{id}", "/api/v2/jobs/{id}/workflow")
    ]
    for path, one in paths:
        case = published[path]["GET"].Case(path_parameters={"id": one})
        answer = case.call_and_validate(base_url=examined.url, headers=examined.headers, checks=CHECKS)
        assert answer.status_code == 200, path


def test_we_serve_every_published_operation(published: Any) -> None:
    served = {(route.path, route.method.lower()) for route in V2}

    for path, operations in published.raw_schema["paths"].items():
        for method in operations:
            assert (path, method) in served, f"{method} {path}"
