"""The OpenAPI document of one saved workflow: its endpoint with its own inputs, and what leads on to its outputs.

It is made from the rows of the same routes as the document of everything, with this workflow's names in their places.
"""

from typing import Any

import fireside
from fireside.graphs.interface.schema import FILE, inputs_schema, outputs_schema
from fireside.jobs.named_runs import NamedWorkflow
from fireside.server.openapi import openapi_object
from fireside.server.routes import JSON, Route
from fireside.server.v2.workflow_rendering import path_of

_SCHEMAS = "#/components/schemas"
_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Used up by the job: a second request with it is refused.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": r"^[!-~]+$"},
}


def workflow_document(opened: NamedWorkflow, run: Route, others: list[Route], *, server_url: str) -> dict[str, Any]:
    """Write the document (OpenAPI 3.1); `run` is the row of the endpoint, `others` of what jobs lead to."""
    document = openapi_object([run, *others], server_url=server_url)
    paths, schemas = document["paths"], document["components"]["schemas"]
    operation = paths.pop(run.path.replace(":path", ""))["post"]
    operation["summary"] = f"Run {opened.name}"
    operation["parameters"] = [_KEY, *(one for one in operation["parameters"] if one["in"] != "path")]
    operation["requestBody"] = {
        "required": any(one.is_required for one in opened.signature.inputs.values()),
        "content": {JSON: {"schema": {"$ref": f"{_SCHEMAS}/Inputs"}}},
    }
    document["paths"] = {f"{path_of(opened.name)}/jobs": {"post": operation}, **paths}
    document["info"] = {
        "title": opened.name,
        # Another version as soon as the file is another.
        "version": f"{fireside.__version__}+{opened.file.hash[:12]}",
        "description": opened.signature.description or f"The saved workflow {opened.name!r} as an endpoint.",
    }
    schemas["File"] = FILE
    schemas["Inputs"] = inputs_schema(opened.signature, file={"$ref": f"{_SCHEMAS}/File"})
    schemas["Outputs"] = outputs_schema(opened.signature)
    schemas["JobFiresideBody"] = _named_job(schemas["JobFiresideBody"])
    return document


def _named_job(schema: dict[str, Any]) -> dict[str, Any]:
    """Say of a job which outputs it has by name; other jobs of the caller are read at the same address."""
    properties = schema["properties"]
    outputs = {**properties["outputs"], "anyOf": [{"$ref": f"{_SCHEMAS}/Outputs"}, *properties["outputs"]["anyOf"]]}
    return {**schema, "properties": {**properties, "outputs": outputs}}
