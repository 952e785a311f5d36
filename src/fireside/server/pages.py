"""The plain pages: sign in by a one-time link, see one's jobs, sign out. No scripts.

A login link's GET only shows a button. The POST behind it consumes the link, so that the previews that mail and chat
programs fetch do not use it up; and because every POST of a page must come from our own origin, nobody can sign a
browser in from elsewhere.
"""

from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from fireside.accounts.tokens import SESSION_COOKIE
from fireside.domain.accounts import PrincipalKind
from fireside.domain.errors import TooLarge
from fireside.domain.jobs import TERMINAL_STATES
from fireside.domain.listing import JobFilter, Window
from fireside.server.callers import principal_of, refuse_foreign_origin, services_of
from fireside.server.job_cards import card_of
from fireside.server.routes import Access, Route

JOBS_PER_PAGE = 24
_TEMPLATES = Path(__file__).parent / "templates"
_STYLE = (_TEMPLATES / "pages.css").read_bytes()
_ICON = (_TEMPLATES / "favicon.svg").read_bytes()
_FORM_BYTES = 8192
_SEE_OTHER = 303
_GONE = 410
_PAGE_DIGITS = 7
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
        "frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    # A link's address is a secret until it is used, and Origin must stay on our own forms' posts.
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_STATIC_HEADERS = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-cache"}
_USED_UP = "This link does not work: it is used up, too old, or not whole. Make another."

_environment = Environment(loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined)


async def show_jobs(request: Request) -> Response:
    """Show a page of the caller's jobs, newest first; who is nobody is sent to sign in."""
    principal = principal_of(request)
    if principal is None:
        return RedirectResponse("/login", _SEE_OTHER, headers=_HEADERS)
    page = _page_number(request.query_params.get("page", "1"))
    window = Window(offset=(page - 1) * JOBS_PER_PAGE, limit=JOBS_PER_PAGE)
    found = await services_of(request).store.list_jobs(principal.user.id, JobFilter(), window)
    pages = max(1, -(-found.total // JOBS_PER_PAGE))
    return _page(
        "jobs.html",
        user=principal.user,
        can_sign_out=principal.kind is not PrincipalKind.LOCAL,
        jobs=[card_of(job) for job in found.jobs],
        total=found.total,
        page=page,
        pages=pages,
        newer=min(page - 1, pages) if page > 1 else None,
        older=page + 1 if page < pages else None,
        is_live=any(job.state not in TERMINAL_STATES for job in found.jobs),
    )


async def show_login(request: Request) -> Response:
    """Say how to get a link, and take one that is pasted."""
    return _login_page(request)


async def show_link(request: Request) -> Response:
    """Show the button that uses the link in the address."""
    return _page("link.html", days=services_of(request).config.session_days)


async def use_pasted_link(request: Request) -> Response:
    """Sign in with a link, or its last part, from the form."""
    form = parse_qs((await _small_body(request)).decode("utf-8", "replace"))
    pasted = form.get("token", [""])[0].strip()
    return await _sign_in(request, pasted.rstrip("/").rpartition("/")[2])


async def use_link(request: Request) -> Response:
    """Sign in with the link in the address."""
    return await _sign_in(request, request.path_params["token"])


async def sign_out(request: Request) -> Response:
    """End the caller's session."""
    refuse_foreign_origin(request)
    cookie = request.cookies.get(SESSION_COOKIE)
    if cookie:
        await services_of(request).accounts.end_session(cookie)
    answer = RedirectResponse("/login", _SEE_OTHER, headers=_HEADERS)
    answer.delete_cookie(SESSION_COOKIE, httponly=True, samesite="lax", secure=_is_https(request))
    return answer


async def show_style(request: Request) -> Response:  # noqa: ARG001 - every handler takes the request
    """Give the pages' style sheet."""
    return Response(_STYLE, media_type="text/css", headers=_STATIC_HEADERS)


async def show_icon(request: Request) -> Response:  # noqa: ARG001 - every handler takes the request
    """Give the picture of the browser's tab."""
    return Response(_ICON, media_type="image/svg+xml", headers=_STATIC_HEADERS)


async def _sign_in(request: Request, token: str) -> Response:
    services = services_of(request)
    refuse_foreign_origin(request)
    cookie = await services.accounts.use_login_link(token)
    if cookie is None:
        return _login_page(request, problem=_USED_UP, status=_GONE)
    answer = RedirectResponse("/", _SEE_OTHER, headers=_HEADERS)
    answer.set_cookie(
        SESSION_COOKIE,
        cookie,
        max_age=services.config.session_days * 86400,
        httponly=True,
        samesite="lax",
        secure=_is_https(request),
    )
    return answer


def _login_page(request: Request, *, problem: str = "", status: int = 200) -> Response:
    minutes = services_of(request).config.login_link_minutes
    return _page("login.html", status, problem=problem, minutes=minutes)


def _page(template: str, status: int = 200, **values: Any) -> Response:
    return HTMLResponse(_environment.get_template(template).render(values), status, headers=_HEADERS)


def _is_https(request: Request) -> bool:
    return services_of(request).public_url.startswith("https://")


def _page_number(text: str) -> int:
    return max(1, int(text)) if text.isascii() and text.isdecimal() and len(text) < _PAGE_DIGITS else 1


async def _small_body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _FORM_BYTES:
            raise TooLarge(f"this form takes at most {_FORM_BYTES} bytes")
    return bytes(body)


ROUTES = tuple(
    Route(
        method=method,
        path=path,
        handler=handler,
        name=name,
        text=text,
        tag="pages",
        access=Access.PUBLIC,
        is_documented=False,
    )
    for method, path, handler, name, text in (
        ("GET", "/", show_jobs, "showJobs", "The caller's jobs as a page"),
        ("GET", "/login", show_login, "showLogin", "The page that explains signing in"),
        ("POST", "/login", use_pasted_link, "usePastedLink", "Sign in with a pasted link"),
        ("GET", "/login/{token}", show_link, "showLink", "The page of a login link"),
        ("POST", "/login/{token}", use_link, "useLink", "Sign in with a login link"),
        ("POST", "/logout", sign_out, "signOut", "Sign out"),
        ("GET", "/pages.css", show_style, "showStyle", "The style of the pages"),
        ("GET", "/favicon.svg", show_icon, "showIcon", "The picture of the browser's tab"),
    )
)
"""Anybody may call the pages; each looks for itself who it is."""
