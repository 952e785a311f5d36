"""The way in by an OpenID provider: off to it, and back. What it decides is in `accounts/openid.py`.

Both are plain GETs, for a form of ours may lead to no other host. Coming back needs the cookie of the browser that
went, so that nobody can be signed in as somebody else by a link.
"""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from fireside.accounts.openid import CALLBACK, FLOW_LASTS, OpenId
from fireside.domain.accounts import PrincipalKind, User
from fireside.domain.errors import FiresideError, NotFound, Refused, TooMany, Unavailable
from fireside.server.callers import address_of, principal_of, refuse_foreign_origin, services_of
from fireside.server.pages.rendering import (
    HEADERS,
    SEE_OTHER,
    is_https,
    own_path,
    page,
    redirect,
    set_session,
)
from fireside.server.pages.rows import page_rows
from fireside.server.refusals import status_of

FLOW_COOKIE = "fireside_openid"
_PATH = "/openid"


async def go_to_provider(request: Request) -> Response:
    """Send the browser to the provider; `connect` connects the account of who is signed in."""
    openid, query = _openid(request), request.query_params
    user = None
    if "connect" in query:
        refuse_foreign_origin(request)
        user = _signed_in(request)
        if user is None:
            return redirect("/login?next=/account")
    path = "/account" if user is not None else own_path(query.get("next", "/"))
    try:
        departure = await openid.depart(
            path, address=address_of(request), invitation=query.get("invitation", ""), user=user
        )
    except (Refused, Unavailable) as error:
        return _failed(request, openid, error)
    answer = RedirectResponse(departure.url, SEE_OTHER, headers=HEADERS)
    answer.set_cookie(
        FLOW_COOKIE,
        departure.cookie,
        max_age=round(FLOW_LASTS.total_seconds()),
        path=_PATH,
        httponly=True,
        samesite="lax",
        secure=is_https(request),
    )
    return answer


async def come_back(request: Request) -> Response:
    """Sign in whom the provider sends back."""
    openid = _openid(request)
    try:
        arrival = await openid.arrive(
            request.cookies.get(FLOW_COOKIE, ""),
            dict(request.query_params),
            _signed_in(request),
            address=address_of(request),
        )
    except (Refused, Unavailable) as error:
        return _failed(request, openid, error)
    answer = redirect(arrival.path)
    if arrival.session is not None:
        set_session(request, answer, arrival.session)
    return _without_flow(request, answer)


def _failed(request: Request, openid: OpenId, error: FiresideError) -> Response:
    answer = page("openid.html", status_of(error), problem=error.message, provider=openid.name)
    if isinstance(error, TooMany | Unavailable):
        answer.headers["Retry-After"] = str(error.retry_after)
    return _without_flow(request, answer)


def _without_flow(request: Request, answer: Response) -> Response:
    answer.delete_cookie(FLOW_COOKIE, path=_PATH, httponly=True, samesite="lax", secure=is_https(request))
    return answer


def _openid(request: Request) -> OpenId:
    openid = services_of(request).openid
    if openid is None:
        raise NotFound("This server knows no OpenID provider: sign in at /login.")
    return openid


def _signed_in(request: Request) -> User | None:
    principal = principal_of(request)
    return principal.user if principal is not None and principal.kind is PrincipalKind.SESSION else None


ROUTES = page_rows(
    (
        ("GET", _PATH, go_to_provider, "goToProvider", "Go and sign in with the OpenID provider"),
        ("GET", CALLBACK, come_back, "comeBackFromProvider", "Where the OpenID provider sends people back to"),
    )
)
"""Anybody may call them."""
