"""The contract under fire: our own document and the published one, fuzzed against a server that runs.

The published documents are not ours to copy: the tests read them where FIRESIDE_PUBLISHED_V1 says, and without it only
that comparison reports that it did not run.
"""

from collections.abc import Iterator
from typing import Any

import pytest
import requests
from hypothesis import HealthCheck, Phase, given, settings
from tests.server.examined import CHECKS, Examined, plain_path

from fireside.server.routes import Route
from fireside.server.tables import ROUTES

EXAMPLES = 50
OWN_TAGS = {"admin", "api v2", "editor", "health", "task", "usage", "webhook", "workflows"}
# Documented by newer clients and contracts, absent from the published page.
NEWER = {
    "cancelJob",
    "cancelJobs",
    "deleteJob",
    "getNodeInfoOfClass",
    "downloadFile",
    "getModelTypes",
    "getModelNames",
    "getEmbeddings",
    "getJobSnapshot",
    "convertWorkflow",
    "listJobAssets",
    "getAssetContent",
    "getAssetWorkflow",
    # A user's own queue, which no contract lets be paused.
    "getQueueState",
    "pauseQueue",
    "resumeQueue",
    "moveJob",
    # ComfyUI's own, where it is unlike the Cloud API.
    "getLocalHistory",
    "getLocalHistoryOfPrompt",
    "getLocalQueue",
    "viewFileBytes",
    "freeMemory",
    "moveUserdataFile",
    "getSettings",
    "postSettings",
    "getSetting",
    "postSetting",
    "getUsers",
    "postUsers",
    "getExtensions",
    "getTranslations",
    "getWorkflowTemplate",
    "getNodeReplacements",
    "getBillingStatus",
    "getCurrentWorkspace",
    "getModelMetadata",
    "getLocalUserdata",
    "getLocalUserdataFile",
    "postLocalUserdataFile",
    "moveLocalUserdataFile",
    "deleteLocalUserdataFile",
    "getLocalUserdataFolder",
}
# A twin has the handler of another row, which is examined under that row's path.
# Maintenance would have the server refuse whatever else is asked; it has tests of its own.
EXAMINED = [route for route in ROUTES if route.is_documented and not route.twin_of and route.name != "setMaintenance"]
_METHODS = ("get", "post", "put", "delete", "head")
_examine = settings(
    max_examples=EXAMPLES,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory, make_server: Any) -> Iterator[Examined]:
    """Another one, whose jobs no fuzzer cancels or deletes."""
    with make_server(tmp_path_factory.mktemp("calm") / "data", FIRESIDE_V1_STRICT_STATUS="true") as server:
        yield Examined(server)


def _under_fire(schema: Any, route: Route, examined: Examined) -> None:
    operation = schema[plain_path(route.path)][route.method]

    @_examine
    @given(case=operation.as_strategy())
    def fire(case: Any) -> None:
        headers = {**(case.headers or {}), **examined.headers}
        case.call_and_validate(base_url=examined.url, headers=headers, checks=CHECKS)

    fire()


@pytest.mark.parametrize("route", EXAMINED, ids=lambda route: route.name)
def test_our_own_document_holds_under_fire(route: Route, own_schema: Any, examined: Examined) -> None:
    _under_fire(own_schema, route, examined)


# Each database meets the same handlers under the fire of our own document.
@pytest.mark.once
@pytest.mark.parametrize("route", EXAMINED, ids=lambda route: route.name)
def test_the_published_document_holds_under_fire(route: Route, published_schema: Any, examined: Examined) -> None:
    if route.method.lower() not in published_schema.raw_schema["paths"].get(plain_path(route.path), {}):
        assert route.tag in OWN_TAGS or route.name in NEWER, f"{route.name} is a route of ours that is not named here"
        return
    _under_fire(published_schema, route, examined)


def test_real_answers_hold_against_our_own_document(calm: Examined, own_schema: Any) -> None:
    for path, status, answer in _real_answers(calm):
        own_schema[path]["GET"].validate_response(answer)
        assert answer.status_code == status, path


@pytest.mark.statement(143)
def test_real_answers_hold_against_the_published_document(calm: Examined, published_schema: Any) -> None:
    for path, _, answer in _real_answers(calm):
        if path in published_schema.raw_schema["paths"]:
            published_schema[path]["GET"].validate_response(answer)


def test_a_route_that_takes_a_form_or_json_is_documented_with_both(own_schema: Any) -> None:
    content = own_schema.raw_schema["paths"]["/api/assets"]["post"]["requestBody"]["content"]

    assert set(content) == {"multipart/form-data", "application/json"}


def test_our_document_knows_every_published_operation_that_we_serve(own_schema: Any, published_schema: Any) -> None:
    for path, operations in published_schema.raw_schema["paths"].items():
        for method in set(operations) & set(_METHODS):
            assert method in own_schema.raw_schema["paths"][path], f"{method} {path}"


def _real_answers(examined: Examined) -> Iterator[tuple[str, int, requests.Response]]:
    for query in (
        "",
        "?status=completed",
        "?status=pending,in_progress",
        "?sort_by=execution_time&limit=1",
        "?limit=0",
    ):
        answer = requests.get(f"{examined.url}/api/jobs{query}", headers=examined.headers, timeout=90)
        yield "/api/jobs", 400 if query == "?limit=0" else 200, answer
    for job_id in examined.jobs.values():
        for path in ("/api/jobs/{job_id}", "/api/job/{job_id}/status"):
            url = examined.url + path.format(job_id=job_id)
            yield path, 200, requests.get(url, headers=examined.headers, timeout=90)
    ended = examined.jobs["completed"]
    yield (
        "/api/history_v2/{prompt_id}",
        200,
        requests.get(f"{examined.url}/api/history_v2/{ended}", headers=examined.headers, timeout=90),
    )
    for path in (
        "/api/prompt",
        "/api/queue",
        "/api/history_v2",
        "/api/object_info",
        "/api/features",
        "/api/user",
        "/api/experiment/models",
        "/api/settings",
        "/api/users",
        "/api/workflow_templates",
        "/api/global_subgraphs",
        "/api/billing/status",
        "/api/workspaces/current",
    ):
        yield path, 200, requests.get(examined.url + path, headers=examined.headers, timeout=90)
    for path, asked in (
        ("/api/userdata", "/api/userdata?dir=workflows"),
        ("/api/userdata/{file}", "/api/userdata/workflows%2Fa.json"),
        ("/api/settings/{id}", "/api/settings/a"),
    ):
        yield path, 200, requests.get(examined.url + asked, headers=examined.headers, timeout=90)
    yield "/api/system_stats", 200, requests.get(f"{examined.url}/api/system_stats", timeout=90)
