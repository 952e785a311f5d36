"""The OpenAPI document of a saved workflow: what it says, and whether the endpoint keeps to it under fire."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from tests.conftest import MakeServer
from tests.server.v2.house import PNG, Caller
from tests.server.v2.saved import APP, DECLARED, WORKFLOWS, api_file, editor_file, save

# About a document that is made of a workflow; saved workflows are proven where they are saved.
pytestmark = pytest.mark.once

CHECKS = [not_a_server_error, response_schema_conformance, content_type_conformance, status_code_conformance]
EXAMPLES = 40
# One input of each type that is no file.
GRAPH: dict[str, Any] = {
    "1": {"class_type": "SolidMask", "inputs": {"value": 0.5, "width": 4, "height": 4}},
    "2": {"class_type": "MaskToImage", "inputs": {"mask": ["1", 0]}},
    "3": {"class_type": "ImageQuantize", "inputs": {"image": ["2", 0], "colors": 4, "dither": "none"}},
    "4": {
        "class_type": "SaveAnimatedWEBP",
        "inputs": {
            "images": ["3", 0], "filename_prefix": "fire", "fps": 6.0, "lossless": True, "quality": 80,
            "method": "default",
        },
    },
    "5": {"class_type": "PreviewAny", "inputs": {"source": ["6", 0]}},
    "6": {"class_type": "PrimitiveInt", "inputs": {"value": 1}},
}  # fmt: skip
TYPES: dict[str, Any] = {
    "inputs": [
        {"name": "value", "node": "1", "input": "value"},
        {"name": "width", "node": "1", "input": "width", "maximum": 16, "required": True},
        {"name": "seed", "node": "6", "input": "value", "random": True, "minimum": 0},
        {"name": "dither", "node": "3", "input": "dither"},
        {"name": "lossless", "node": "4", "input": "lossless"},
        {"name": "prefix", "node": "4", "input": "filename_prefix"},
        {"name": "colors", "node": "3", "input": "colors", "choices": [2, 4, 8]},
    ],
    "outputs": [{"name": "film", "node": "4"}],
}
PATH = f"{WORKFLOWS}/types/jobs"


class Examined:
    """A server with a workflow that takes one value of each type, and what is said of it."""

    def __init__(self, server: Any) -> None:
        self.url: str = server.url
        self.headers = {"Authorization": f"Bearer {server.add_user('examined')}"}
        with self.client() as client:
            for name, content in (("types", api_file(TYPES, GRAPH)), ("files", api_file(DECLARED))):
                client.post(f"/api/userdata/workflows%2F{name}.json", json=content).raise_for_status()
            self.document: dict[str, Any] = client.get(f"{WORKFLOWS}/types/openapi.json").raise_for_status().json()
            self.of_files: dict[str, Any] = client.get(f"{WORKFLOWS}/files/openapi.json").raise_for_status().json()

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, headers=self.headers, timeout=90)

    def fire(self, document: dict[str, Any], path: str, mode: GenerationMode) -> list[int]:
        """Send what the document says is right, or what it says is wrong; give the statuses that came back."""
        # Labels and keys are the same everywhere; here it is about the body.
        of_body: dict[str, Any] = {**deepcopy(document), "security": []}
        of_body["paths"][path]["post"]["parameters"] = []
        operation = schemathesis.openapi.from_dict(of_body)[path]["POST"]
        statuses: list[int] = []

        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def send(case: Any) -> None:
            answer = case.call_and_validate(base_url=self.url, headers=self.headers, checks=CHECKS)
            statuses.append(answer.status_code)

        send()
        return statuses


@pytest.fixture(scope="module")
def examined(tmp_path_factory: pytest.TempPathFactory, make_server: MakeServer) -> Iterator[Examined]:
    with make_server(tmp_path_factory.mktemp("examined") / "data", FIRESIDE_MAX_QUEUED="100000") as server:
        yield Examined(server)


def test_whatever_the_document_allows_is_taken(examined: Examined) -> None:
    statuses = examined.fire(examined.document, PATH, GenerationMode.POSITIVE)

    assert len(statuses) >= EXAMPLES
    assert set(statuses) == {201}


def test_whatever_the_document_does_not_allow_is_refused(examined: Examined) -> None:
    statuses = examined.fire(examined.document, PATH, GenerationMode.NEGATIVE)

    assert len(statuses) >= EXAMPLES
    assert set(statuses) <= {400, 422}


def test_the_exam_notices_a_document_that_allows_too_much(examined: Examined) -> None:
    wrong = deepcopy(examined.document)
    del wrong["components"]["schemas"]["Inputs"]["properties"]["width"]["maximum"]

    assert 422 in examined.fire(wrong, PATH, GenerationMode.POSITIVE)


def test_files_under_fire_are_told_by_their_input(examined: Examined) -> None:
    statuses = examined.fire(examined.of_files, f"{WORKFLOWS}/files/jobs", GenerationMode.POSITIVE)

    assert set(statuses) == {422}


def test_named_outputs_are_there_when_a_job_has_ended(examined: Examined) -> None:
    with examined.client() as client:
        job = client.post(PATH, json={"width": 3, "prefix": "named"}).raise_for_status().json()
        with client.stream("GET", f"/api/v2/jobs/{job['id']}/events") as events:
            assert list(events.iter_lines())
        case = schemathesis.openapi.from_dict(examined.document)["/api/v2/jobs/{id}"]["GET"].Case(
            path_parameters={"id": job["id"]}
        )
        ended = case.call_and_validate(base_url=examined.url, headers=examined.headers, checks=CHECKS).json()

    assert ended["status"] == "succeeded", ended["error"]
    (film,) = [output["id"] for output in ended["outputs"] if output["node_id"] == "4"]
    assert ended["fireside"]["outputs"] == {"film": [film]}
    assert set(ended["fireside"]["inputs"]) == {one["name"] for one in TYPES["inputs"]}


def test_a_picture_goes_in_and_comes_out_by_name(examined: Examined) -> None:
    with examined.client() as client:
        form = {"content_type": "image/png", "file_path": "in.png"}
        photo = client.post("/api/v2/assets", data=form, files={"file": ("in.png", PNG)}).json()["id"]
        job = client.post(f"{WORKFLOWS}/files/jobs", json={"photo": photo, "width": 5}).raise_for_status().json()
        with client.stream("GET", f"/api/v2/jobs/{job['id']}/events") as events:
            assert list(events.iter_lines())
        ended = client.get(job["urls"]["self"]).json()
        again = client.post(f"{WORKFLOWS}/files/jobs", json={"photo": ended["fireside"]["outputs"]["picture"][0]})

    assert ended["status"] == "succeeded", ended["error"]
    assert again.status_code == 201, again.text


async def test_the_document_says_what_each_input_takes(ann: Caller) -> None:
    await save(ann, "a/scale", api_file(DECLARED))

    document = await ann.get(f"{WORKFLOWS}/a%2Fscale/openapi.json")

    inputs = document["components"]["schemas"]["Inputs"]
    assert (document["openapi"], document["info"]["title"]) == ("3.1.0", "a/scale")
    assert document["info"]["description"] == "Scales a picture."
    assert next(iter(document["paths"])) == f"{WORKFLOWS}/a%2Fscale/jobs"
    assert (inputs["required"], inputs["additionalProperties"]) == (["photo"], False)
    properties = inputs["properties"]
    assert properties["photo"] == {
        "description": "What is scaled.",
        "allOf": [{"$ref": "#/components/schemas/File"}],
        "x-fireside-type": "image",
    }
    assert properties["width"] == {"type": "integer", "minimum": 0, "maximum": 64, "default": 8}
    assert properties["method"]["enum"] == ["nearest-exact", "bilinear", "area", "bicubic", "lanczos"]
    assert list(document["components"]["schemas"]["Outputs"]["properties"]) == ["picture"]


async def test_a_seed_that_the_editor_would_randomize_has_no_default(ann: Caller) -> None:
    await save(ann, "app", editor_file(**APP))

    inputs = (await ann.get(f"{WORKFLOWS}/app/openapi.json"))["components"]["schemas"]["Inputs"]

    assert "value" not in inputs["required"]
    assert "default" not in inputs["properties"]["value"]
    assert "Drawn at random" in inputs["properties"]["value"]["description"]
