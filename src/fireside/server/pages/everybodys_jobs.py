"""The page of everybody's jobs, newest first, for admins; it leads to each person's, where there are filters.

It reads one page of one index, whoever the jobs are of, and the counters of all.
"""

import re

from starlette.requests import Request
from starlette.responses import Response

from fireside.domain.accounts import Principal
from fireside.domain.errors import BadRequest
from fireside.domain.listing import PlaceAmongAll
from fireside.server.callers import services_of
from fireside.server.pages.jobs import JOBS_PER_PAGE, cards_of_all
from fireside.server.pages.rows import page_rows
from fireside.server.pages.shell import framed, shown

PLACE = "/dashboard/everybody"
_CURSOR = re.compile(r"([0-9]{1,17})-([0-9]{1,19})", re.ASCII)
_LARGEST = (1 << 63) - 1


async def show_everybodys_jobs(request: Request, principal: Principal) -> Response:
    """Show everybody's jobs, a page of them."""
    services = services_of(request)
    after = read_place(request.query_params.get("after", ""))
    found = await services.store.newest_jobs_of_all(after, limit=JOBS_PER_PAGE)
    counts = await services.store.count_jobs()
    end = found.next_after
    return framed(
        principal,
        "jobs.html",
        "/dashboard",
        named=None,
        here=PLACE,
        jobs=await cards_of_all(services, principal, found.jobs),
        total=sum(counts.values()),
        waiting=counts["queued"],
        held=counts["assigned"] + counts["running"],
        is_filtered=False,
        choices={},
        more=f"{PLACE}?after={end.created_us}-{end.pk}" if end is not None else "",
        is_first=after is None,
        takes_new=after is None,
    )


def read_place(text: str) -> PlaceAmongAll | None:
    """Read where the page before ended; None for an empty text, `BadRequest` for what no page has written."""
    if not text:
        return None
    parts = _CURSOR.fullmatch(text)
    if parts is None or int(parts[2]) > _LARGEST:
        raise BadRequest("after: take the address that the page before links to")
    return PlaceAmongAll(int(parts[1]), int(parts[2]))


ROUTES = page_rows(
    (("GET", PLACE, shown(show_everybodys_jobs, for_admins=True), "showEverybodysJobs", "Everybody's jobs as a page"),)
)
"""Anybody may call the page; it looks for itself who it is."""
