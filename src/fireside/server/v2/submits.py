"""Reading a submit of the API v2. What is wrong with the graph itself is said by `jobs.submit`."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import msgspec
from starlette.requests import Request

from fireside.domain.accounts import User
from fireside.domain.errors import BadRequest, Unprocessable
from fireside.graphs.errors import EditorFormat, InvalidGraph
from fireside.graphs.interface.faults import InvalidInputs
from fireside.graphs.parse import is_editor_format
from fireside.jobs.submit import Submission
from fireside.server.callers import caller_of
from fireside.server.reading import decode_json, read_bytes, read_json
from fireside.wire.requiring import wish_of
from fireside.wire.v2_interfaces import Fault
from fireside.wire.v2_jobs import (
    MAX_KEY_CHARACTERS,
    MAX_LABELS,
    MAX_VALUE_BYTES,
    ExtraDataBody,
    FiresideBody,
)

T = TypeVar("T")
_RESERVED = ("webhook_url", "inputs")
LABEL = re.compile(r"metadata\[(.*)\]", re.DOTALL)
"""A parameter of the query that is a label."""

_KEY = re.compile(rf"[A-Za-z0-9_.\-]{{1,{MAX_KEY_CHARACTERS}}}")
# Controls, and the marks that turn the direction in which text is read.
_HIDDEN = frozenset({"Cc", "Cs"})
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_MAX_IDEMPOTENCY_KEY = 255
_SHOWN_CHARACTERS = 80


class MetadataInvalid(Unprocessable):
    """A label that is not taken, or too many of them."""

    code = "metadata_invalid"


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedCall:
    """A saved workflow to be run, by its name, and values for its inputs."""

    workflow: str
    inputs: Mapping[str, Any]


async def read_submission(request: Request, user: User) -> tuple[Submission, NamedCall | None]:
    """Read what is to be run: a graph, or a saved workflow by its name, then without one.

    Raises `BadRequest` for no JSON, and what a field is refused with.
    """
    key = idempotency_key_of(request)
    body = await read_json(request)
    if not isinstance(body, dict):
        raise _invalid("The body must be a JSON object with the `workflow`")
    fields = cast("dict[str, Any]", body)
    for name in _RESERVED:
        if fields.get(name) is not None:
            raise _invalid(f"{name} is reserved for later and must not be sent")
    ours = _convert(fields.get("fireside"), FiresideBody, "fireside") or FiresideBody()
    call = _named_call(fields, ours)
    workflow = None if call is not None else _workflow(fields)
    labels = _labels(fields.get("metadata"))
    secrets = _convert(fields.get("extra_data"), ExtraDataBody, "extra_data") or ExtraDataBody()
    extra_data = {name: value for name, value in msgspec.structs.asdict(secrets).items() if value}
    if ours.max_run_seconds is not None:
        extra_data["fireside"] = {"max_run_seconds": ours.max_run_seconds}
    submission = Submission(
        user=user,
        graph=workflow,
        extra_data=extra_data,
        wish=wish_of(ours.require),
        webhook_url=ours.webhook_url,
        reuse=ours.reuse,
        labels=labels,
        key=key,
        has_references=True,
        is_whole=True,
        api_key_id=caller_of(request).key_id,
        traceparent=request.headers.get("traceparent"),
    )
    return submission, call


async def read_named_call(request: Request, user: User) -> tuple[Submission, Mapping[str, Any]]:
    """Read a call of one workflow's endpoint: the body is its inputs, no body none of them; labels are in the query."""
    key = idempotency_key_of(request)
    labels: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        found = LABEL.fullmatch(name)
        if found is None:
            continue
        if found[1] in labels:
            raise MetadataInvalid(f"The parameter {name[:_SHOWN_CHARACTERS]} is there twice; a label has one value.")
        labels[found[1]] = value
    inputs = decode_json(await read_bytes(request) or b"{}", object)
    if not isinstance(inputs, dict):
        raise InvalidInputs([Fault(code="wrong_type", message="The body is to be an object of inputs by name.")])
    submission = Submission(
        user=user,
        graph=None,
        labels=_labels(labels),
        key=key,
        has_references=True,
        is_whole=True,
        api_key_id=caller_of(request).key_id,
        traceparent=request.headers.get("traceparent"),
    )
    return submission, cast("dict[str, Any]", inputs)


def idempotency_key_of(request: Request) -> str | None:
    """Read the header; raises `BadRequest` for a key that is empty or too long."""
    key = request.headers.get("idempotency-key")
    if key is None:
        return None
    key = key.strip()
    if not 1 <= len(key) <= _MAX_IDEMPOTENCY_KEY:
        raise BadRequest(f"An Idempotency-Key has 1 to {_MAX_IDEMPOTENCY_KEY} characters.")
    return key


def check_label(key: str, value: str) -> None:
    """Refuse a label that is not taken, with what is wrong about it; raises `MetadataInvalid`."""
    shown = key[:_SHOWN_CHARACTERS].encode(errors="replace").decode()
    if _KEY.fullmatch(key) is None:
        raise MetadataInvalid(
            f"The metadata key {shown!r} is not taken: it has 1 to {MAX_KEY_CHARACTERS} letters, digits, `_`, `.`, `-`."
        )
    if any(unicodedata.category(character) in _HIDDEN or character in _BIDI for character in value):
        raise MetadataInvalid(f"The metadata value of {shown!r} has characters that cannot be seen.")
    if len(value.encode()) > MAX_VALUE_BYTES:
        raise MetadataInvalid(f"The metadata value of {shown!r} has more than {MAX_VALUE_BYTES} bytes.")


def _named_call(fields: Mapping[str, Any], ours: FiresideBody) -> NamedCall | None:
    if ours.workflow is None:
        if ours.inputs is not None:
            raise _invalid("`fireside.inputs` are those of a saved workflow; name it in `fireside.workflow`")
        return None
    if fields.get("workflow") is not None:
        raise _invalid("Send either a `workflow` or the name of a saved one in `fireside.workflow`, not both")
    return NamedCall(workflow=ours.workflow, inputs=ours.inputs or {})


def _workflow(fields: Mapping[str, Any]) -> dict[str, Any]:
    workflow = fields.get("workflow")
    if workflow is None:
        raise _invalid("The body has no `workflow`")
    if not isinstance(workflow, dict):
        raise _invalid("`workflow` must be an object: node id to node")
    if is_editor_format(workflow):
        raise EditorFormat
    return cast("dict[str, Any]", workflow)


def _labels(given: Any) -> dict[str, str]:
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise MetadataInvalid("`metadata` must be an object of texts.")
    labels = cast("dict[str, Any]", given)
    if len(labels) > MAX_LABELS:
        raise MetadataInvalid(f"`metadata` has {len(labels)} pairs; at most {MAX_LABELS} are taken.")
    for key, value in labels.items():
        if not isinstance(value, str):
            shown = key[:_SHOWN_CHARACTERS].encode(errors="replace").decode()
            raise MetadataInvalid(f"The metadata value of {shown!r} is not a text.")
        check_label(key, value)
    return labels


def _convert(given: Any, kind: type[T], name: str) -> T | None:
    try:
        return None if given is None else msgspec.convert(given, kind)
    except msgspec.ValidationError as error:
        raise Unprocessable(f"{name} is not as it should be: {error}") from error


def _invalid(message: str) -> InvalidGraph:
    return InvalidGraph("invalid_request", message)
