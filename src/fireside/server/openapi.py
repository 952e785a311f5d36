"""The OpenAPI document, written from the tables of routes and the types they name.

What the document says of a route is what the route is built from, so the two cannot drift apart. Websockets have no
place in OpenAPI; docs/architecture.md names them.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

import fireside
from fireside.server.routes import JSON, TEXT, Access, Answer, Refusal, Route
from fireside.wire.refusals import AssetRefusalBody, EnvelopeBody, PromptRefusalBody, RefusalBody

_REFERENCE = "#/components/schemas/{name}"
_PATH_PARAMETER = re.compile(r"\{(\w+)(?::\w+)?\}")
_KEY = {"ApiKeyAuth": {"type": "apiKey", "in": "header", "name": "X-API-Key"}}
_BEARER = {"BearerAuth": {"type": "http", "scheme": "bearer"}}
_REFUSALS: Mapping[Refusal, Any] = {
    Refusal.PLAIN: RefusalBody,
    Refusal.PROMPT: PromptRefusalBody,
    Refusal.ASSET: AssetRefusalBody,
    Refusal.ENVELOPE: EnvelopeBody,
    Refusal.TEXT: RefusalBody,
    Refusal.PAGE: RefusalBody,
}


def openapi_document(routes: Sequence[Route], *, server_url: str) -> bytes:
    """Write the document (OpenAPI 3.1, JSON) of the routes that are documented."""
    return msgspec.json.format(msgspec.json.encode(openapi_object(routes, server_url=server_url)))


def openapi_object(routes: Sequence[Route], *, server_url: str) -> dict[str, Any]:
    """Give the document as an object."""
    shown = [route for route in routes if route.is_documented]
    schemas, components = _schemas(list(_types_of(shown)))
    paths: dict[str, dict[str, Any]] = {}
    for route in shown:
        path = _PATH_PARAMETER.sub(r"{\1}", route.path)
        paths.setdefault(path, {})[route.method.lower()] = _operation(route, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Fireside",
            "version": fireside.__version__,
            "summary": "An open, self-hosted Comfy Cloud.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": server_url}],
        "security": [{name: []} for name in (*_KEY, *_BEARER)],
        "paths": paths,
        "components": {"schemas": components, "securitySchemes": {**_KEY, **_BEARER}},
    }


_Schemas = Mapping[int, Mapping[str, Any]]


def _types_of(routes: Iterable[Route]) -> Iterator[Any]:
    yield from _REFUSALS.values()
    for route in routes:
        yield from (kind for kind in (route.query, route.body) if kind is not None)
        yield from (answer.body for answer in route.answers.values() if answer.body is not None)


def _schemas(kinds: Sequence[Any]) -> tuple[_Schemas, dict[str, Any]]:
    made, components = msgspec.json.schema_components(kinds, ref_template=_REFERENCE)
    return {id(kind): schema for kind, schema in zip(kinds, made, strict=True)}, components


def _operation(route: Route, schemas: _Schemas) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": route.name,
        "summary": route.text,
        "tags": [route.tag],
        "parameters": [*_path_parameters(route), *_query_parameters(route)],
        "responses": _responses(route, schemas),
    }
    content = _request_content(route, schemas)
    if content:
        operation["requestBody"] = {"required": not route.body_is_optional, "content": content}
    if route.access is Access.PUBLIC:
        operation["security"] = []
    if route.scope is not None:
        operation["x-fireside-scope"] = route.scope.value
    return operation


def _request_content(route: Route, schemas: _Schemas) -> dict[str, Any]:
    raw = {"schema": {"type": "string", "format": "binary"}}
    return {
        **({JSON: {"schema": schemas[id(route.body)]}} if route.body is not None else {}),
        **({"multipart/form-data": {"schema": _form(route)}} if route.form else {}),
        **dict.fromkeys(route.raw_body, raw),
    }


def _path_parameters(route: Route) -> list[dict[str, Any]]:
    names = [str(name) for name in _PATH_PARAMETER.findall(route.path)]
    return [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names]


def _query_parameters(route: Route) -> list[dict[str, Any]]:
    if route.query is None:
        return []
    # A query's struct is flat, so its one component holds all there is to say.
    _, components = msgspec.json.schema_components([route.query], ref_template=_REFERENCE)
    described = components[route.query.__name__]
    required = set(described.get("required", ()))
    return [
        {
            "name": name,
            "in": "query",
            "required": name in required,
            "schema": {key: value for key, value in schema.items() if key != "description"},
            **({"description": schema["description"]} if "description" in schema else {}),
        }
        for name, schema in described["properties"].items()
    ]


def _form(route: Route) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            part.name: {
                "type": "string",
                "description": part.text,
                **({"contentMediaType": "application/octet-stream", "format": "binary"} if part.is_file else {}),
            }
            for part in route.form
        },
        "required": [part.name for part in route.form if part.required],
    }


def _responses(route: Route, schemas: _Schemas) -> dict[str, Any]:
    unknown = {JSON: {"schema": schemas[id(_REFUSALS[route.refusal])]}}
    refused = {TEXT: {"schema": {"type": "string"}}} if route.refusal is Refusal.TEXT else unknown
    responses = {str(status): _response(answer, schemas) for status, answer in sorted(route.answers.items())}
    if route.access is not Access.PUBLIC:
        responses.setdefault("401", {"description": "Nobody is known by this key", "content": unknown})
    return responses | {"default": {"description": "Refused, or failed", "content": refused}}


def _response(answer: Answer, schemas: _Schemas) -> dict[str, Any]:
    if answer.body is not None:
        return {"description": answer.text, "content": {JSON: {"schema": schemas[id(answer.body)]}}}
    content = {media_type: {"schema": {"type": "string"}} for media_type in answer.media_types}
    return {"description": answer.text, **({"content": content} if content else {})}
