"""Refusals in the API v2's envelope: which status and code each kind has, and what is not said."""

import json

import httpx
import pytest
from tests.server.v1.house import ORIGIN, House
from tests.server.v2.house import Caller, error_of

from fireside.domain.errors import (
    BadRequest,
    Conflict,
    FiresideError,
    Forbidden,
    NotFound,
    OverQuota,
    StorageFull,
    TooLarge,
    TooMany,
    Unauthenticated,
    Unavailable,
)
from fireside.outbound.errors import BadUrl, HostNotAllowed
from fireside.server.v2.envelope import refuse_in_envelope
from fireside.store.database import DatabaseError
from fireside.store.store import KeyReused

# About the shape of refusals.
pytestmark = pytest.mark.once


@pytest.mark.statement(144)
@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (BadRequest("x"), 400, "invalid_request"),
        (BadUrl("x"), 400, "invalid_request"),
        (HostNotAllowed("x"), 403, "forbidden"),
        (Forbidden("x"), 403, "forbidden"),
        (Unauthenticated("x"), 401, "unauthorized"),
        (OverQuota("x"), 402, "insufficient_credits"),
        (NotFound("x"), 404, "not_found"),
        (Conflict("x"), 409, "invalid_request"),
        (KeyReused("x"), 422, "idempotency_key_reuse"),
        (TooLarge("x"), 413, "payload_too_large"),
        (TooMany("x", retry_after=7), 429, "rate_limited"),
        (Unavailable("x", retry_after=7), 503, "upstream_unreachable"),
        (StorageFull("x"), 503, "upstream_unreachable"),
    ],
    ids=lambda one: type(one).__name__ if isinstance(one, FiresideError) else None,
)
def test_each_refusal_has_a_code_that_clients_know(error: FiresideError, status: int, code: str) -> None:
    answer = refuse_in_envelope(error)

    assert answer.status_code == status
    assert json.loads(bytes(answer.body)) == {"error": {"code": code, "message": "x", "details": None}}
    if isinstance(error, TooMany | Unavailable):
        assert answer.headers["retry-after"] == str(error.retry_after)


@pytest.mark.parametrize("fault", [DatabaseError("see /srv/secret"), RuntimeError("see /srv/secret")], ids=repr)
async def test_a_fault_of_ours_says_nothing_of_our_insides(
    house: House, ann: Caller, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    async def broken(*_: object) -> None:
        raise fault

    monkeypatch.setattr(house.services.store, "walk_jobs", broken)

    transport = httpx.ASGITransport(ann.app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers=ann.http.headers) as client:
        answer = await client.get("/api/v2/jobs")

    error_of(answer, 500, "upstream_error")
    assert "secret" not in answer.text
    assert answer.headers["x-comfy-request-id"]
