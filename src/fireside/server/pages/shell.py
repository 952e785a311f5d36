"""The frame of the pages behind the login: who may see one, where else one can go, and what a refusal looks like.

A page is a function of the request and the caller. `shown` makes a handler of one that shows something, `changed` of
one that a form sends to; both send strangers to sign in and turn refusals into pages.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from fireside.domain.accounts import Principal, PrincipalKind
from fireside.domain.errors import Forbidden, Refused, TooMany, Unavailable
from fireside.server.callers import note_author, principal_of, refuse_foreign_origin
from fireside.server.pages.failures import title_of
from fireside.server.pages.rendering import page, redirect, with_fresh_session
from fireside.server.refusals import status_of
from fireside.server.routes import Handler

Page = Callable[[Request, Principal], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Place:
    """Where the navigation leads; `is_for_admins` leaves it out for everybody else."""

    path: str
    label: str
    is_for_admins: bool = False


PLACES = (
    Place("/", "Editor"),
    Place("/dashboard", "Jobs"),
    Place("/dashboard/usage", "Usage"),
    Place("/dashboard/fleet", "Fleet", is_for_admins=True),
    Place("/dashboard/models", "Models", is_for_admins=True),
    Place("/dashboard/people", "People", is_for_admins=True),
    Place("/dashboard/system", "System", is_for_admins=True),
)
_ADMINS_ONLY = "This page is for the admins of this server."


def shown(show: Page, *, for_admins: bool = False) -> Handler:
    """Make the handler of a page; who is nobody is sent to sign in, and comes back."""

    async def handler(request: Request) -> Response:
        principal = principal_of(request)
        if principal is None:
            return redirect(f"/login?next={quote(_address_of(request), safe='/')}")
        return await with_fresh_session(request, await _shown(request, principal, show, for_admins=for_admins))

    return handler


def changed(change: Page, *, for_admins: bool = False) -> Handler:
    """Make the handler of a form; what another site's page has sent is refused before anything is looked at."""

    async def handler(request: Request) -> Response:
        refuse_foreign_origin(request)
        principal = principal_of(request)
        if principal is None:
            return redirect("/login")
        return await _shown(request, principal, change, for_admins=for_admins)

    return handler


def framed(principal: Principal, template: str, at: str, status: int = 200, **values: Any) -> Response:
    """Render a template that extends `shell.html`; `at` is the path of the place that it belongs to."""
    return page(template, status, **frame_of(principal, at), **values)


def frame_of(principal: Principal, at: str) -> dict[str, Any]:
    """Give what `shell.html` asks for."""
    return {
        "user": principal.user,
        "is_admin": principal.is_admin,
        "can_sign_out": principal.kind is not PrincipalKind.LOCAL,
        "places": [place for place in PLACES if principal.is_admin or not place.is_for_admins],
        "at": at,
    }


async def _shown(request: Request, principal: Principal, show: Page, *, for_admins: bool) -> Response:
    try:
        if for_admins and not principal.is_admin:
            raise Forbidden(_ADMINS_ONLY)
        if for_admins:
            note_author(request)
        return await show(request, principal)
    except (Refused, Unavailable) as error:
        status = status_of(error)
        answer = framed(principal, "refusal.html", "", status, title=title_of(status), message=error.message)
        if isinstance(error, TooMany | Unavailable):
            answer.headers["Retry-After"] = str(error.retry_after)
        return answer


def _address_of(request: Request) -> str:
    return f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path
