"""The documents under fire in sequences: what one operation gives another one takes, over the whole contract.

Schemathesis infers some dependencies by itself. The rest is named here as OpenAPI links, from who produces an id, a
name or a tag to who takes it, and added to the documents as they are loaded. A graph that runs cannot be found by
chance, so the submits among the steps get a good one now and then.
"""

import copy
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from hypothesis.errors import FlakyStrategyDefinition
from schemathesis.core.failures import FailureGroup
from tests.server.examined import CHECKS, Examined, own_document, plain_path, published_document, small_graph

from fireside.server.tables import ROUTES

_SCENARIOS = 40
_STEPS = 40
_STEPS_IN_ALL = 1200
# Of some thirty operations that links lead to; which of them are answered well in a run is a matter of chance.
_FOLLOWED_AT_LEAST = 10
_settings = settings(
    max_examples=_SCENARIOS,
    stateful_step_count=_STEPS,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)

Links = Mapping[str, Mapping[str, Mapping[str, Any]]]
_ID = {"parameters": {"id": "$response.body#/id"}}
_OF_JOB = {
    "getJobDetail": {"parameters": {"job_id": "$response.body#/prompt_id"}},
    "getJobStatus": {"parameters": {"job_id": "$response.body#/prompt_id"}},
    "getHistoryForPrompt": {"parameters": {"prompt_id": "$response.body#/prompt_id"}},
    "manageQueue": {"requestBody": {"delete": ["$response.body#/prompt_id"]}},
    "manageHistory": {"requestBody": {"delete": ["$response.body#/prompt_id"]}},
    "cancelJob": {"parameters": {"job_id": "$response.body#/prompt_id"}},
    "cancelJobs": {"requestBody": {"job_ids": ["$response.body#/prompt_id"]}},
    "deleteJob": {"parameters": {"job_id": "$response.body#/prompt_id"}},
    "listJobAssets": {"parameters": {"job_id": "$response.body#/prompt_id"}},
    "getJobSnapshot": {"parameters": {"job_id": "$response.body#/prompt_id"}},
    "getLocalHistoryOfPrompt": {"parameters": {"prompt_id": "$response.body#/prompt_id"}},
}
_OF_ASSET = {
    "getAssetById": _ID,
    "updateAsset": _ID,
    "deleteAsset": _ID,
    "addAssetTags": _ID,
    "removeAssetTags": {**_ID, "requestBody": {"tags": ["input", "fuzzed"]}},
    "getAssetContent": _ID,
    "getAssetWorkflow": _ID,
    "checkAssetByHash": {"parameters": {"hash": "$response.body#/asset_hash"}},
    "createAssetFromHash": {"requestBody": {"hash": "$response.body#/asset_hash", "tags": ["fuzzed"]}},
    "updateAsset#preview": {**_ID, "requestBody": {"preview_id": "$response.body#/id"}},
}
_FILE = {"parameters": {"filename": "$response.body#/name", "type": "$response.body#/type"}}
_OF_USERDATA = {"parameters": {"file": "$response.body#/path"}}
_TAG = {"parameters": {"include_tags": "$response.body#/tags/0/name"}}
LINKS: Mapping[tuple[str, str], Mapping[str, Mapping[str, Any]]] = {
    ("executePrompt", "200"): _OF_JOB,
    ("uploadAsset", "200"): _OF_ASSET,
    ("uploadAsset", "201"): _OF_ASSET,
    ("createAssetFromHash", "201"): _OF_ASSET,
    ("uploadImage", "200"): {
        "viewFile": _FILE,
        "viewFileBytes": _FILE,
        "getMaskLayers": {"parameters": {"filename": "$response.body#/name"}},
    },
    ("listJobs", "200"): {
        "getJobDetail": {"parameters": {"job_id": "$response.body#/jobs/0/id"}},
        "listJobs": {"parameters": {"workflow_id": "$response.body#/jobs/0/workflow_id"}},
    },
    ("listTags", "200"): {
        "listAssets": _TAG,
        "getAssetTagHistogram": _TAG,
        "listTags": {"parameters": {"prefix": "$response.body#/tags/0/name"}},
    },
    ("addAssetTags", "200"): {
        "listAssets": {"parameters": {"include_tags": "$response.body#/total_tags/0"}},
        "removeAssetTags": {
            "parameters": {"id": "$request.path.id"},
            "requestBody": {"tags": ["$response.body#/total_tags/0"]},
        },
    },
    ("postUserdataFile", "200"): {
        "getUserdataFile": _OF_USERDATA,
        "deleteUserdataFile": _OF_USERDATA,
        "postUserdataFile": _OF_USERDATA,
        "moveUserdataFile": _OF_USERDATA,
    },
    ("getModelFolders", "200"): {"getModelsInFolder": {"parameters": {"folder": "$response.body#/0/name"}}},
}


def _linked(document: dict[str, Any]) -> dict[str, Any]:
    """Add the links whose both ends the document has, and none that leads nowhere."""
    linked = copy.deepcopy(document)
    operations = {one["operationId"]: one for path in linked["paths"].values() for one in path.values()}
    for (source, status), targets in LINKS.items():
        if status not in operations.get(source, {}).get("responses", {}):
            continue
        links = operations[source]["responses"][status].setdefault("links", {})
        for name, link in targets.items():
            target = name.partition("#")[0]
            if target in operations:
                links[f"{source}To{name}"] = {"operationId": target, **link}
    return linked


def _name_of(case: Any) -> str:
    return case.operation.definition.raw["operationId"]


def _without_admin_and_twins(document: dict[str, Any]) -> dict[str, Any]:
    """Leave out what could take the examined user's key away, and second paths of what the walk sees at the first."""
    kept = {"paths": {}}
    twins = {plain_path(route.path) for route in ROUTES if route.twin_of}
    for path, operations in document["paths"].items():
        if not path.startswith("/admin/") and path not in twins:
            kept["paths"][path] = operations
    return document | kept


@dataclass
class Walked:
    """What came of it: steps, checks that failed, and which operations a link led to that were answered well."""

    steps: int = 0
    failures: list[BaseException] = field(default_factory=list[BaseException])
    followed: Counter[str] = field(default_factory=Counter[str])


def _walk(document: dict[str, Any], examined: Examined) -> Walked:
    """Walk through the document in scenarios until there were enough steps or a check has failed."""
    walked = Walked()
    machine = _machine(schemathesis.openapi.from_dict(_linked(document)), examined, walked)
    while walked.steps < _STEPS_IN_ALL and not walked.failures:
        # A scenario that is begun anew may go on differently, because the server remembers the one before.
        with suppress(FlakyStrategyDefinition, FailureGroup):
            machine.run(settings=_settings)
    return walked


def _machine(schema: Any, examined: Examined, walked: Walked) -> Any:
    class Walk(schema.as_state_machine()):
        def before_call(self, case: Any) -> None:
            if _name_of(case) == "executePrompt" and ord(case.id[-1]) % 4:
                case.body = {"prompt": small_graph(), "client_id": "walk", "prompt_id": str(uuid4())}

        def get_call_kwargs(self, case: Any) -> dict[str, Any]:
            return {"base_url": examined.url, "headers": examined.headers, "allow_redirects": False}

        def step(self, input: Any) -> Any:  # noqa: A002  the name that schemathesis calls it by
            walked.steps += 1
            output = super().step(input)
            if input.is_applied and output.response.status_code < 400:
                walked.followed[_name_of(output.case)] += 1
            return output

        def validate_response(self, response: Any, case: Any, additional_checks: Any = None, **kwargs: Any) -> None:
            try:
                case.validate_response(response, checks=CHECKS)
            except FailureGroup as failure:
                walked.failures.append(failure)
                raise

    return Walk


@pytest.mark.once
@pytest.mark.timeout(600)
def test_the_published_document_holds_over_sequences(examined: Examined) -> None:
    walked = _walk(published_document(), examined)

    assert walked.failures == []
    assert len(walked.followed) >= _FOLLOWED_AT_LEAST, walked.followed


@pytest.mark.timeout(600)
def test_our_own_document_holds_over_sequences(examined: Examined) -> None:
    walked = _walk(_without_admin_and_twins(own_document(examined)), examined)

    assert walked.failures == []
    assert len(walked.followed) >= _FOLLOWED_AT_LEAST, walked.followed


def test_every_link_has_both_ends_in_our_document(examined: Examined) -> None:
    operations = {one["operationId"] for path in own_document(examined)["paths"].values() for one in path.values()}

    named = {source for source, _ in LINKS} | {name.partition("#")[0] for targets in LINKS.values() for name in targets}
    assert named <= operations
