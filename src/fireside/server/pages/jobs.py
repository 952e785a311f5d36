"""The page of the caller's jobs, or for admins of a person's, with the filters of `GET /api/jobs`, and single cards.

It reads no more than it shows: one page behind a cursor with its exact total, and one row of counts.
"""

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response

from fireside.domain.accounts import Principal, User
from fireside.domain.errors import NotFound
from fireside.domain.jobs import Job
from fireside.domain.listing import JobPage, JobSort, Window
from fireside.server.callers import services_of
from fireside.server.pages.job_cards import JobCard, card_of
from fireside.server.pages.rendering import TEMPLATES
from fireside.server.pages.rows import page_rows
from fireside.server.pages.shell import framed, shown
from fireside.server.reading import read_query
from fireside.server.services import Services
from fireside.server.v1.cursors import write_cursor
from fireside.server.v1.jobs_query import filter_of, window_of
from fireside.server.v1.rendering import job_ids_of
from fireside.wire.v1_jobs import JobsQuery

JOBS_PER_PAGE = 36
DELETED_USER = "a deleted user"
_MOST_CARDS = 100
_ICON = (TEMPLATES / "favicon.svg").read_bytes()
_STATIC_HEADERS = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-cache"}
_FILTERS = ("status", "output_type", "workflow_id", "sort_by", "sort_order")
STATUSES = {
    "": "All",
    "pending,in_progress": "Not ended",
    "pending": "Waiting",
    "in_progress": "Running",
    "completed": "Done",
    "failed": "Failed",
    "cancelled": "Canceled",
}
_OUTPUTS = {"": "Any", "image": "Pictures", "video": "Video", "audio": "Audio", "3d": "3D"}
_SORTS = {"create_time": "Submitted", "execution_time": "Run time"}
_ORDERS = {"desc": "Descending", "asc": "Ascending"}


async def show_jobs(request: Request, principal: Principal) -> Response:
    """Show the caller's jobs that match, or for an admin those of a person, a page of them."""
    services, whose = services_of(request), await _whose(request, principal)
    is_own = whose.id == principal.user.id
    named = "" if is_own else whose.name
    query = replace(read_query(request, JobsQuery), limit=JOBS_PER_PAGE)
    window, now = window_of(query), services.clock()
    found = await services.store.list_jobs(whose.id, filter_of(query), window)
    counts = await services.store.queue_counts(whose.id)
    return framed(
        principal,
        "jobs.html",
        "/dashboard",
        named=named,
        here=_address({"user": named} if named else {}),
        jobs=[card_of(job, now, is_own=is_own) for job in found.jobs],
        total=found.total,
        waiting=counts.queued,
        held=counts.held,
        query=query,
        is_filtered=bool(query.status or query.output_type or query.workflow_id),
        choices=_choices(query),
        more=_more(query, window, found, named),
        is_first=window.after is None and window.offset == 0,
        takes_new=window.after is None and window.descending and window.sort is JobSort.CREATE_TIME,
    )


async def show_cards(request: Request, principal: Principal) -> Response:
    """Show some jobs that the caller may see, by their ids, as cards alone: what a page that is open has to renew."""
    services = services_of(request)
    job_ids = job_ids_of(request.query_params.getlist("id")[:_MOST_CARDS])
    if "owners" in request.query_params and principal.is_admin:
        found = [job for one in job_ids if (job := await services.store.job(one, user_id=None)) is not None]
        return framed(principal, "cards.html", "/dashboard", jobs=await cards_of_all(services, principal, found))
    now = services.clock()
    jobs = [card_of(job, now) for job in await services.store.jobs(job_ids, user_id=principal.user.id)]
    return framed(principal, "cards.html", "/dashboard", jobs=jobs)


async def cards_of_all(services: Services, principal: Principal, jobs: Sequence[Job]) -> list[JobCard]:
    """Make cards of several people's jobs, with their names."""
    now, names = services.clock(), {user.id: user.name for user in await services.accounts.users()}
    return [
        card_of(job, now, owner=names.get(job.user_id, DELETED_USER), is_own=job.user_id == principal.user.id)
        for job in jobs
    ]


async def show_icon(request: Request) -> Response:  # noqa: ARG001 - every handler takes the request
    """Give the picture of the browser's tab."""
    return Response(_ICON, media_type="image/svg+xml", headers=_STATIC_HEADERS)


def _chosen(query: JobsQuery) -> dict[str, str]:
    """Give what of the query is not as it would be without one."""
    given, plain = {name: str(getattr(query, name)) for name in _FILTERS}, JobsQuery()
    return {name: value for name, value in given.items() if value != getattr(plain, name)}


async def _whose(request: Request, principal: Principal) -> User:
    wanted = request.query_params.get("user", "")
    if wanted in ("", principal.user.name):
        return principal.user
    if not principal.is_admin:
        # Whether there is such a user is an admin's to know.
        raise NotFound(f"there is no user {wanted!r}")
    return await services_of(request).accounts.user_named(wanted)


def _address(query: Mapping[str, str]) -> str:
    return f"/dashboard?{urlencode(query)}" if query else "/dashboard"


def _more(query: JobsQuery, window: Window, found: JobPage, named: str) -> str:
    """Give the address of the page behind this one; empty for the last."""
    behind: dict[str, str] = {}
    end = window.offset + len(found.jobs)
    if found.next_after is not None:
        behind = {"after": write_cursor(found.next_after)}
    elif window.sort is JobSort.RUN_TIME and found.jobs and end < found.total:
        behind = {"offset": str(end)}
    return _address(({"user": named} if named else {}) | _chosen(query) | behind) if behind else ""


def _choices(query: JobsQuery) -> Mapping[str, tuple[str, Mapping[str, str], str]]:
    """Give the menus: name to label, choices and the chosen one; a value of the address that is not there is added."""
    menus = {
        "status": ("Status", STATUSES),
        "output_type": ("Made", _OUTPUTS),
        "sort_by": ("Sorted by", _SORTS),
        "sort_order": ("Order", _ORDERS),
    }
    return {
        name: (
            label,
            choices if (chosen := str(getattr(query, name))) in choices else {**choices, chosen: chosen},
            chosen,
        )
        for name, (label, choices) in menus.items()
    }


ROUTES = page_rows(
    (
        ("GET", "/dashboard", shown(show_jobs), "showJobs", "The caller's jobs, or to an admin a person's, as a page"),
        (
            "GET",
            "/dashboard/cards",
            shown(show_cards),
            "showJobCards",
            "Some of the caller's jobs, for a page that is open",
        ),
        ("GET", "/favicon.svg", show_icon, "showIcon", "The picture of the browser's tab"),
    )
)
"""Anybody may call the pages; each looks for itself who it is."""
