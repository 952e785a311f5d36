"""The pages by which people come in: with a password, by a one-time link, by an invitation; and out again.

A link's GET only shows a form. The POST behind it consumes the link, so that the previews that mail and chat programs
fetch do not use it up; and because every POST of a page must come from our own origin, nobody can sign a browser in
from elsewhere.
"""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from fireside.accounts.passwords import LONGEST_PASSWORD, SHORTEST_PASSWORD
from fireside.accounts.tokens import SESSION_COOKIE
from fireside.domain.errors import NotFound, Refused, TooMany
from fireside.server.callers import address_of, principal_of, refuse_foreign_origin, services_of
from fireside.server.pages.rendering import (
    TEMPLATES,
    form_of,
    is_https,
    own_path,
    page,
    provider_of,
    redirect,
    signed_in,
)
from fireside.server.pages.rows import page_rows
from fireside.server.refusals import status_of

_GONE = 410
CLEAR_SITE_DATA = '"storage"'
_SIGN_OUT_SCRIPT = (TEMPLATES / "signed-out.js").read_bytes()
_STATIC_HEADERS = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-cache"}
_USED_UP = "This link does not work: it is used up, too old, or not whole. Make another."
_DIFFER = "The two passwords are not the same."
_LIMITS = {"shortest": SHORTEST_PASSWORD, "longest": LONGEST_PASSWORD}


async def show_login(request: Request) -> Response:
    """Ask for name and password, or for a link; who is signed in already goes on."""
    path = own_path(request.query_params.get("next", "/"))
    if principal_of(request) is not None:
        return redirect(path)
    return _login_page(request, path=path, has_left="signed-out" in request.query_params)


async def sign_in(request: Request) -> Response:
    """Sign in with name and password, or with a link, or its last part, that was pasted."""
    refuse_foreign_origin(request)
    form = await form_of(request)
    path = own_path(form.get("next", "/"))
    if "token" in form:
        return await _use_link(request, form["token"].strip().rstrip("/").rpartition("/")[2])
    name = form.get("name", "").strip()
    try:
        cookie = await services_of(request).sign_ins.with_password(name, form.get("password", ""), address_of(request))
    except Refused as error:
        return _login_page(request, problem=error.message, status=status_of(error), path=path, name=name, why=error)
    return signed_in(request, cookie, path)


async def show_link(request: Request) -> Response:
    """Show the button that uses the link in the address."""
    return page("link.html", days=services_of(request).config.session_days)


async def use_link(request: Request) -> Response:
    """Sign in with the link in the address."""
    refuse_foreign_origin(request)
    return await _use_link(request, request.path_params["token"])


async def show_password_link(request: Request) -> Response:
    """Ask for a new password, for the user of the link in the address."""
    return await _choose(request, problem="", status=200)


async def use_password_link(request: Request) -> Response:
    """Set the password of the link's user, and sign in."""
    sign_ins = services_of(request).sign_ins
    return await _chosen(request, lambda token, form: sign_ins.use_password_link(token, form["password"]), _choose)


async def show_invitation(request: Request) -> Response:
    """Ask the guest for a name and a password."""
    return await _welcome(request, problem="", status=200)


async def accept_invitation(request: Request) -> Response:
    """Make the guest a user, and sign in."""
    sign_ins = services_of(request).sign_ins
    return await _chosen(
        request,
        lambda token, form: sign_ins.accept(token, form.get("name", "").strip(), form["password"]),
        _welcome,
    )


async def sign_out(request: Request) -> Response:
    """End the caller's session, and have the browser forget what the editor kept in it."""
    refuse_foreign_origin(request)
    cookie = request.cookies.get(SESSION_COOKIE)
    if cookie:
        await services_of(request).accounts.end_session(cookie)
    answer = redirect("/login?signed-out")
    answer.delete_cookie(SESSION_COOKIE, httponly=True, samesite="lax", secure=is_https(request))
    answer.headers["Clear-Site-Data"] = CLEAR_SITE_DATA
    return answer


async def show_sign_out_script(request: Request) -> Response:  # noqa: ARG001 - every handler takes the request
    """Give the script that clears the editor's storage where browsers do not heed Clear-Site-Data."""
    return Response(_SIGN_OUT_SCRIPT, media_type="text/javascript", headers=_STATIC_HEADERS)


async def _use_link(request: Request, token: str) -> Response:
    cookie = await services_of(request).accounts.use_login_link(token)
    if cookie is None:
        return _login_page(request, problem=_USED_UP, status=_GONE)
    return signed_in(request, cookie, "/")


async def _chosen(
    request: Request,
    use: Callable[[str, dict[str, str]], Awaitable[str]],
    ask_again: Callable[..., Awaitable[Response]],
) -> Response:
    """Take a form in which a password is chosen, twice the same."""
    refuse_foreign_origin(request)
    form = await form_of(request)
    name = form.get("name", "").strip()
    if form.get("password", "") != form.get("again", ""):
        return await ask_again(request, problem=_DIFFER, status=400, name=name)
    try:
        cookie = await use(request.path_params["token"], {"password": "", **form})
    except NotFound as error:
        return _login_page(request, problem=error.message, status=_GONE)
    except Refused as error:
        return await ask_again(request, problem=error.message, status=status_of(error), name=name)
    return signed_in(request, cookie, "/")


async def _choose(request: Request, *, problem: str, status: int, name: str = "") -> Response:  # noqa: ARG001 - as `_welcome`
    try:
        user = await services_of(request).sign_ins.user_of_password_link(request.path_params["token"])
    except NotFound as error:
        return _login_page(request, problem=error.message, status=_GONE)
    return page("password.html", status, name=user.name, problem=problem, **_LIMITS)


async def _welcome(request: Request, *, problem: str, status: int, name: str = "") -> Response:
    try:
        invitation = await services_of(request).sign_ins.invitation(request.path_params["token"])
    except NotFound as error:
        return _login_page(request, problem=error.message, status=_GONE)
    return page(
        "invitation.html",
        status,
        fixed=invitation.name,
        name=name,
        problem=problem,
        provider=provider_of(request),
        token=request.path_params["token"],
        **_LIMITS,
    )


def _login_page(
    request: Request,
    *,
    problem: str = "",
    status: int = 200,
    path: str = "/",
    name: str = "",
    has_left: bool = False,
    why: Refused | None = None,
) -> Response:
    minutes = services_of(request).config.login_link_minutes
    answer = page(
        "login.html",
        status,
        problem=problem,
        minutes=minutes,
        path=path,
        name=name,
        has_left=has_left,
        provider=provider_of(request),
    )
    if isinstance(why, TooMany):
        answer.headers["Retry-After"] = str(why.retry_after)
    return answer


ROUTES = page_rows(
    (
        ("GET", "/login", show_login, "showLogin", "The page to sign in"),
        ("POST", "/login", sign_in, "signIn", "Sign in with a password, or a pasted link"),
        ("GET", "/login/{token}", show_link, "showLink", "The page of a login link"),
        ("POST", "/login/{token}", use_link, "useLink", "Sign in with a login link"),
        ("GET", "/password/{token}", show_password_link, "showPasswordLink", "The page to choose a new password"),
        ("POST", "/password/{token}", use_password_link, "usePasswordLink", "Choose a new password"),
        ("GET", "/invite/{token}", show_invitation, "showInvitation", "The page of an invitation"),
        ("POST", "/invite/{token}", accept_invitation, "acceptInvitation", "Become a user"),
        ("POST", "/logout", sign_out, "signOut", "Sign out"),
        (
            "GET",
            "/signed-out.js",
            show_sign_out_script,
            "showSignOutScript",
            "The script that forgets the editor's drafts",
        ),
    )
)
"""Anybody may call them."""
