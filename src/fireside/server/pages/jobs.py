"""The page of the caller's jobs. No scripts."""

from starlette.requests import Request
from starlette.responses import Response

from fireside.domain.accounts import PrincipalKind
from fireside.domain.jobs import TERMINAL_STATES
from fireside.domain.listing import JobFilter, Window
from fireside.server.callers import principal_of, services_of
from fireside.server.pages.job_cards import card_of
from fireside.server.pages.rendering import TEMPLATES, page, redirect, with_fresh_session
from fireside.server.pages.rows import page_rows

JOBS_PER_PAGE = 24
_STYLE = (TEMPLATES / "pages.css").read_bytes()
_ICON = (TEMPLATES / "favicon.svg").read_bytes()
_PAGE_DIGITS = 7
_STATIC_HEADERS = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-cache"}


async def show_jobs(request: Request) -> Response:
    """Show a page of the caller's jobs, newest first; who is nobody is sent to sign in."""
    principal = principal_of(request)
    if principal is None:
        return redirect("/login?next=/dashboard")
    number = _page_number(request.query_params.get("page", "1"))
    window = Window(offset=(number - 1) * JOBS_PER_PAGE, limit=JOBS_PER_PAGE)
    found = await services_of(request).store.list_jobs(principal.user.id, JobFilter(), window)
    pages = max(1, -(-found.total // JOBS_PER_PAGE))
    answer = page(
        "jobs.html",
        user=principal.user,
        can_sign_out=principal.kind is not PrincipalKind.LOCAL,
        jobs=[card_of(job) for job in found.jobs],
        total=found.total,
        page=number,
        pages=pages,
        newer=min(number - 1, pages) if number > 1 else None,
        older=number + 1 if number < pages else None,
        is_live=any(job.state not in TERMINAL_STATES for job in found.jobs),
    )
    return await with_fresh_session(request, answer)


async def show_style(request: Request) -> Response:  # noqa: ARG001 - every handler takes the request
    """Give the pages' style sheet."""
    return Response(_STYLE, media_type="text/css", headers=_STATIC_HEADERS)


async def show_icon(request: Request) -> Response:  # noqa: ARG001 - every handler takes the request
    """Give the picture of the browser's tab."""
    return Response(_ICON, media_type="image/svg+xml", headers=_STATIC_HEADERS)


def _page_number(text: str) -> int:
    return max(1, int(text)) if text.isascii() and text.isdecimal() and len(text) < _PAGE_DIGITS else 1


ROUTES = page_rows(
    (
        ("GET", "/dashboard", show_jobs, "showJobs", "The caller's jobs as a page"),
        ("GET", "/pages.css", show_style, "showStyle", "The style of the pages"),
        ("GET", "/favicon.svg", show_icon, "showIcon", "The picture of the browser's tab"),
    )
)
"""Anybody may call the pages; each looks for itself who it is."""
