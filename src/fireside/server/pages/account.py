"""The page of one's own account: password, API keys, and browsers that are signed in. Sessions only."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

from starlette.requests import Request
from starlette.responses import Response

from fireside.accounts.passwords import LONGEST_PASSWORD, SHORTEST_PASSWORD
from fireside.config import MOST_DAYS
from fireside.domain.accounts import ALL_SCOPES, Principal, PrincipalKind, Scope, User
from fireside.domain.errors import BadRequest, NotFound, Refused
from fireside.server.callers import address_of, principal_of, refuse_foreign_origin, services_of
from fireside.server.pages.rendering import form_of, provider_of, redirect, set_session, with_fresh_session
from fireside.server.pages.rows import page_rows
from fireside.server.pages.shell import framed
from fireside.server.pages.sign_in import CLEAR_SITE_DATA
from fireside.server.refusals import status_of

_LIMITS = {"shortest": SHORTEST_PASSWORD, "longest": LONGEST_PASSWORD}
_DIGITS = 6
_DIFFER = "The two new passwords are not the same."


async def show_account(request: Request) -> Response:
    """Show the caller's own keys, and the form for the password."""
    user = _signed_in(request)
    if user is None:
        return redirect("/login?next=/account")
    return await with_fresh_session(request, await _account(request, user))


async def change_password(request: Request) -> Response:
    """Set the caller's password."""

    async def change(user: User, form: dict[str, str]) -> Response:
        if form.get("password", "") != form.get("again", ""):
            return await _account(request, user, password_problem=_DIFFER, status=400)
        former, password = form.get("former", ""), form.get("password", "")
        try:
            cookie = await services_of(request).sign_ins.change_password(user, former, password, address_of(request))
        except Refused as error:
            return await _account(request, user, password_problem=error.message, status=status_of(error))
        answer = redirect("/account?changed")
        set_session(request, answer, cookie)
        return answer

    return await _changed(request, change)


async def create_key(request: Request) -> Response:
    """Make a key and show it, this once."""

    async def create(user: User, form: dict[str, str]) -> Response:
        try:
            _, secret = await services_of(request).accounts.create_key(
                user, form.get("label", "").strip(), scopes=_scopes_of(form), works_for=_span_of(form)
            )
        except Refused as error:
            return await _account(request, user, key_problem=error.message, status=status_of(error))
        return await _account(request, user, new_key=secret)

    return await _changed(request, create)


async def revoke_key(request: Request) -> Response:
    """End one of the caller's keys."""

    async def revoke(user: User, form: dict[str, str]) -> Response:  # noqa: ARG001 - as the others
        accounts = services_of(request).accounts
        own = [key.id for key in await accounts.keys(user) if str(key.id) == request.path_params["key_id"]]
        for key_id in own:
            await accounts.revoke_key(key_id)
        return redirect("/account")

    return await _changed(request, revoke)


async def disconnect(request: Request) -> Response:
    """End a connection of the caller with an OpenID provider."""

    async def end(user: User, form: dict[str, str]) -> Response:  # noqa: ARG001 - as the others
        openid = services_of(request).openid
        try:
            if openid is None:
                raise NotFound("This server knows no OpenID provider.")
            await openid.disconnect(user, str(request.path_params["key"]))
        except Refused as error:
            return await _account(request, user, connection_problem=error.message, status=status_of(error))
        return redirect("/account#provider")

    return await _changed(request, end)


async def sign_out_everywhere(request: Request) -> Response:
    """End all of the caller's sessions, this one included."""

    async def end(user: User, form: dict[str, str]) -> Response:  # noqa: ARG001 - as the others
        await services_of(request).accounts.end_sessions(user)
        answer = redirect("/login?signed-out")
        answer.headers["Clear-Site-Data"] = CLEAR_SITE_DATA
        return answer

    return await _changed(request, end)


async def _changed(request: Request, change: Callable[[User, dict[str, str]], Awaitable[Response]]) -> Response:
    refuse_foreign_origin(request)
    user = _signed_in(request)
    return redirect("/login?next=/account") if user is None else await change(user, await form_of(request))


async def _account(
    request: Request,
    user: User,
    *,
    password_problem: str = "",
    key_problem: str = "",
    connection_problem: str = "",
    new_key: str = "",
    status: int = 200,
) -> Response:
    openid = services_of(request).openid
    keys = [key for key in await services_of(request).accounts.keys(user) if key.revoked_at is None]
    return framed(
        Principal(user=user, kind=PrincipalKind.SESSION),
        "account.html",
        "/account",
        status,
        keys=keys,
        now=services_of(request).clock(),
        new_key=new_key,
        provider=provider_of(request),
        connections=[] if openid is None else await openid.connections(user),
        connection_problem=connection_problem,
        key_problem=key_problem,
        password_problem=password_problem,
        is_changed="changed" in request.query_params and not password_problem,
        **_LIMITS,
    )


def _scopes_of(form: dict[str, str]) -> frozenset[Scope]:
    words = form.get("scopes", "").split()
    if not words:
        return ALL_SCOPES
    if not set(words) <= set(Scope):
        raise BadRequest("A key may submit, read or admin.")
    return frozenset(Scope(word) for word in words)


def _span_of(form: dict[str, str]) -> timedelta | None:
    days = form.get("days", "")
    if not days:
        return None
    if not (days.isascii() and days.isdecimal() and 1 <= int(days[:_DIGITS]) <= MOST_DAYS):
        raise BadRequest(f"A key ends after 1 to {MOST_DAYS} days, or never.")
    return timedelta(days=int(days))


def _signed_in(request: Request) -> User | None:
    """Who has a session; a key is for programs, and must not make further keys."""
    principal = principal_of(request)
    return principal.user if principal is not None and principal.kind is PrincipalKind.SESSION else None


ROUTES = page_rows(
    (
        ("GET", "/account", show_account, "showAccount", "The page of one's own account"),
        ("POST", "/account/password", change_password, "changePassword", "Set one's password"),
        ("POST", "/account/keys", create_key, "createOwnKey", "Make an API key of one's own"),
        ("POST", "/account/keys/{key_id}/revoke", revoke_key, "revokeOwnKey", "End an API key of one's own"),
        ("POST", "/account/connections/{key}/remove", disconnect, "disconnect", "End a connection with a provider"),
        ("POST", "/account/sign-out", sign_out_everywhere, "signOutEverywhere", "Sign out in all browsers"),
    )
)
"""Anybody may call them; who has no session is sent to sign in."""
