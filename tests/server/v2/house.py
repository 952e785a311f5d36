"""The API v2 with callers: the house of v1, and every answer below `/api/v2` held against the published contract."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
from starlette.types import ASGIApp
from tests.server.v1 import house as v1
from tests.server.v1.house import GRAPH, House
from tests.server.v2.published import Published

from fireside.domain.accounts import User

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360606060000000050001a5f6"
    "45400000000049454e44ae426082"
)


@dataclass(kw_only=True)
class Caller:
    """A user, and a client that sends their key as the SDKs do."""

    user: User
    http: httpx.AsyncClient
    app: ASGIApp

    async def post(self, graph: Any = None, *, key: str | None = None, **fields: Any) -> httpx.Response:
        """Submit a workflow, a small good one by default."""
        headers = {} if key is None else {"Idempotency-Key": key}
        body = {"workflow": GRAPH if graph is None else graph, **fields}
        return await self.http.post("/api/v2/jobs", json=body, headers=headers)

    async def submit(self, graph: Any = None, **fields: Any) -> dict[str, Any]:
        """Submit a workflow that is taken, and give the job."""
        answer = await self.post(graph, **fields)
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def job(self, job_id: str) -> dict[str, Any]:
        """Read a job."""
        return await self.get(f"/api/v2/jobs/{job_id}")

    async def get(self, path: str, **params: Any) -> Any:
        """Read what is there, which must be answered well."""
        answer = await self.http.get(path, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()


async def caller_of(house: House, contract: Published | None, name: str, **limits: Any) -> Caller:
    """Add a user with a key."""
    one: v1.Caller = await house.caller(name, **limits)
    headers: Mapping[str, str] = {"Authorization": f"Bearer {one.http.headers['X-API-Key']}"}
    http = await house.client(headers)

    async def compare(answer: httpx.Response) -> None:
        if contract is not None and answer.request.url.path.startswith("/api/v2"):
            await answer.aread()
            contract.check(answer)

    http.event_hooks = {"response": [compare]}
    return Caller(user=one.user, http=http, app=house.edge)


def error_of(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """Give the refusal, which must be this one."""
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code), answer.text
    assert set(answer.json()) == {"error"}
    return answer.json()["error"]
