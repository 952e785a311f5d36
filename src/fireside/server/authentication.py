"""Who calls: an API key, a browser's session, a worker's token, or whoever could open the admin socket or a local port.

A credential that is shown and not known is refused, never passed over for another one.
"""

import hmac

import structlog
from starlette.requests import HTTPConnection

from fireside.accounts.tokens import SESSION_COOKIE
from fireside.domain.accounts import Principal, PrincipalKind, Role, Scope
from fireside.domain.errors import Forbidden, ScopeMissing, Unauthenticated
from fireside.server.callers import local_user_of, note_author, principal_of, refuse_foreign_origin, services_of
from fireside.server.local_ports import refuse_foreign_pages
from fireside.server.routes import Access
from fireside.store.audit_verbs import act_as

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_ADMINS_ONLY = "Only an admin may do this."
_UNKNOWN_KEY = "This API key is not known here: it is mistyped, revoked, or its time is over."


async def admit(
    connection: HTTPConnection,
    access: Access,
    *,
    scope: Scope | None = None,
    as_admin: bool = False,
    token_in_query: bool = False,
) -> None:
    """Find out who calls and note it on the connection; raises `Unauthenticated` or `Forbidden`.

    What an admin's route changes is written down under the caller's name. A key that lacks the `scope` is refused, also
    where anybody may call.

    `as_admin` says that the connection came in by the admin socket, which only the server's own user can open.
    """
    act_as(None)
    if access in _MACHINES:
        await _MACHINES[access](connection)
        return
    if access is Access.METRICS and _shows_metrics_token(connection):
        return
    if local_user_of(connection) is not None:
        refuse_foreign_pages(connection)
    if as_admin:
        admin = await services_of(connection).accounts.first_admin()
        connection.state.principal = Principal(user=admin, kind=PrincipalKind.SOCKET)
        note_author(connection)
        return
    connection.state.principal = await _principal(
        connection, is_public=access is Access.PUBLIC, in_query=token_in_query
    )
    principal = principal_of(connection)
    if access is Access.PUBLIC:
        if principal is not None:
            _check_scope(principal, scope)
        return
    if principal is None:
        raise Unauthenticated("Show who you are: send an API key as X-API-Key, or sign in.")
    # In every line that this request has written.
    structlog.contextvars.bind_contextvars(user_id=principal.user.id)
    if principal.kind is PrincipalKind.SESSION:
        _check_origin(connection)
    _check_rights(principal, access, scope)
    if access is Access.ADMIN:
        note_author(connection)


def _check_rights(principal: Principal, access: Access, scope: Scope | None) -> None:
    is_for_admins = access in (Access.ADMIN, Access.METRICS)
    # To somebody who is no admin a key with more scopes would not help.
    if is_for_admins and principal.user.role is not Role.ADMIN:
        raise Forbidden(_ADMINS_ONLY)
    _check_scope(principal, scope)
    if is_for_admins and not principal.is_admin:
        raise Forbidden(_ADMINS_ONLY)


def _check_scope(principal: Principal, scope: Scope | None) -> None:
    if scope is not None and scope not in principal.scopes:
        raise ScopeMissing(scope)


async def _principal(connection: HTTPConnection, *, is_public: bool, in_query: bool) -> Principal | None:
    accounts = services_of(connection).accounts
    key = _shown_key(connection, in_query=in_query)
    if key is not None:
        principal = await accounts.authenticate(key)
        if principal is None and not is_public:
            raise Unauthenticated(_UNKNOWN_KEY)
        return principal
    local_user = local_user_of(connection)
    if local_user is not None:
        # A browser sends its cookie to every port of a host, so it says nothing here.
        return await accounts.local_user(local_user)
    cookie = connection.cookies.get(SESSION_COOKIE)
    return await accounts.session(cookie) if cookie else None


def _shown_key(connection: HTTPConnection, *, in_query: bool) -> str | None:
    key = connection.headers.get("x-api-key")
    if key is None:
        key = _bearer(connection)
    if key is None and in_query:
        key = connection.query_params.get("token")
    return key


def _shows_metrics_token(connection: HTTPConnection) -> bool:
    token, shown = services_of(connection).config.metrics_token, _bearer(connection)
    return bool(token) and shown is not None and hmac.compare_digest(shown.encode(), token.encode())


def _bearer(connection: HTTPConnection) -> str | None:
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


async def _admit_worker(connection: HTTPConnection) -> None:
    services, token = services_of(connection), _bearer(connection) or ""
    worker_id, enrollment = services.keys.worker_of_token(token), None
    if worker_id is None:
        enrollment = await services.enrollments.worker_of(token)
        if enrollment is None:
            raise Unauthenticated(
                "This is for workers, and the token is none of ours, or of a worker that was removed."
            )
        worker_id = enrollment.worker_id
    connection.state.worker_id = worker_id
    connection.state.enrollment = enrollment


async def _admit_newcomer(connection: HTTPConnection) -> None:
    services = services_of(connection)
    address = connection.client.host if connection.client is not None else ""
    services.join_guesses.check(address)
    token = await services.enrollments.token(_bearer(connection) or "")
    if token is None:
        services.join_guesses.note(address)
        raise Unauthenticated(
            "This is for workers that join, and the token is none of ours: `fireside worker-token create` makes one."
        )
    connection.state.join_token = token


def _check_origin(connection: HTTPConnection) -> None:
    """A browser sends its cookie whoever made it ask, so what changes something must come from our own pages."""
    is_socket = connection.scope["type"] == "websocket"
    if is_socket or connection.scope["method"] not in _SAFE_METHODS:
        refuse_foreign_origin(connection)


_MACHINES = {Access.WORKER: _admit_worker, Access.NEWCOMER: _admit_newcomer}
