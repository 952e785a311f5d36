"""The page of the caller's jobs. No scripts."""

from starlette.requests import Request
from starlette.responses import Response

from fireside.domain.accounts import Principal
from fireside.domain.jobs import TERMINAL_STATES
from fireside.domain.listing import JobFilter, Window
from fireside.server.callers import services_of
from fireside.server.pages.job_cards import card_of
from fireside.server.pages.rendering import TEMPLATES
from fireside.server.pages.rows import page_rows
from fireside.server.pages.shell import framed, shown

JOBS_PER_PAGE = 24
_ICON = (TEMPLATES / "favicon.svg").read_bytes()
_PAGE_DIGITS = 7
_STATIC_HEADERS = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-cache"}


async def show_jobs(request: Request, principal: Principal) -> Response:
    """Show a page of the caller's jobs, newest first."""
    number = _page_number(request.query_params.get("page", "1"))
    window = Window(offset=(number - 1) * JOBS_PER_PAGE, limit=JOBS_PER_PAGE)
    found = await services_of(request).store.list_jobs(principal.user.id, JobFilter(), window)
    pages = max(1, -(-found.total // JOBS_PER_PAGE))
    return framed(
        principal,
        "jobs.html",
        "/dashboard",
        jobs=[card_of(job) for job in found.jobs],
        total=found.total,
        page=number,
        pages=pages,
        newer=min(number - 1, pages) if number > 1 else None,
        older=number + 1 if number < pages else None,
        is_live=any(job.state not in TERMINAL_STATES for job in found.jobs),
    )


async def show_icon(request: Request) -> Response:  # noqa: ARG001 - every handler takes the request
    """Give the picture of the browser's tab."""
    return Response(_ICON, media_type="image/svg+xml", headers=_STATIC_HEADERS)


def _page_number(text: str) -> int:
    return max(1, int(text)) if text.isascii() and text.isdecimal() and len(text) < _PAGE_DIGITS else 1


ROUTES = page_rows(
    (
        ("GET", "/dashboard", shown(show_jobs), "showJobs", "The caller's jobs as a page"),
        ("GET", "/favicon.svg", show_icon, "showIcon", "The picture of the browser's tab"),
    )
)
"""Anybody may call the pages; each looks for itself who it is."""
