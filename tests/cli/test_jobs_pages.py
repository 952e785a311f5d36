"""`fireside jobs` over a list that is longer than a page."""

from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from fireside.cli.jobs import _read
from fireside.client.client import FiresideClient
from fireside.client.connection import Address

JOBS = [{"id": str(number), "status": "completed", "create_time": number} for number in range(5)]


class Shelf:
    """A server whose pages hold two jobs at most, whatever is asked for."""

    def __init__(self) -> None:
        self.asked: list[dict[str, str]] = []

    async def page(self, request: Request) -> JSONResponse:
        self.asked.append(dict(request.query_params))
        start = int(request.query_params.get("after", "0"))
        end = start + min(2, int(request.query_params["limit"]))
        more: dict[str, Any] = {"next_cursor": str(end)} if end < len(JOBS) else {}
        pagination = {"offset": 0, "limit": 2, "total": len(JOBS), "has_more": bool(more), **more}
        return JSONResponse({"jobs": JOBS[start:end], "pagination": pagination})


@pytest.mark.parametrize(("limit", "has_more"), [(5, False), (4, True), (3, True), (100, False)])
async def test_pages_are_followed_until_enough_jobs_are_there(limit: int, has_more: bool) -> None:
    shelf = Shelf()
    app = Starlette(routes=[Route("/api/jobs", shelf.page)])

    async with FiresideClient(Address(app=app)) as client:
        page = await _read(client, ("completed",), limit)

    assert page.jobs == JOBS[:limit]
    assert (page.pagination.limit, page.pagination.total, page.pagination.has_more) == (limit, 5, has_more)
    assert {asked["status"] for asked in shelf.asked} == {"completed"}
