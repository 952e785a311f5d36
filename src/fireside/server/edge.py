"""The edge: from the tables of routes to one ASGI application.

Every request goes the same way: who calls, may they, the handler, and refusals in the route's shape. The admin socket
gets an application of its own, where everybody is the admin.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import lru_cache, partial

import structlog
from starlette.applications import Starlette
from starlette.convertors import PathConvertor, register_url_convertor  # codespell:ignore convertors
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, WebSocketRoute
from starlette.routing import Route as StarletteRoute
from starlette.types import ASGIApp
from starlette.websockets import WebSocket, WebSocketDisconnect

from fireside.domain.errors import FiresideError, RateLimited, Unavailable
from fireside.server.authentication import admit
from fireside.server.callers import count_address, count_user, services_of
from fireside.server.leaving import Leaving
from fireside.server.local_ports import serves
from fireside.server.metered import Metered, note_route, route_of
from fireside.server.openapi import openapi_document
from fireside.server.pages.failures import failed, refused, wants_page
from fireside.server.pages.rendering import give_notice
from fireside.server.rates import Standing, nearest
from fireside.server.refusals import refuse, refuse_plainly, status_of
from fireside.server.routes import Access, Refusal, Route, SocketRoute
from fireside.server.secured import Secured
from fireside.server.services import Services
from fireside.server.tables import FLEET_ROUTES, ROUTES, SOCKETS
from fireside.server.v2.envelope import RequestIds, enveloped, is_enveloped, refuse_in_envelope

Endpoint = Callable[[Request], Awaitable[Response]]


class _WholePath(PathConvertor):
    """Starlette's own path ends at a line break, and what is refused for one would not be found at all."""

    regex = r"[\s\S]*"


register_url_convertor("whole_path", _WholePath())
_GONE = 499
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
# The API v2 has no words of its own for these.
_ENVELOPED = {"method_not_allowed": "invalid_request", "refused": "invalid_request"}
_SOCKET_PATHS = frozenset(socket.path for socket in SOCKETS)
_NO_SOCKET = "This is a websocket: open it with ws:// or wss:// in a program that speaks that."
_log = structlog.get_logger(__name__)


def build_edge(
    services: Services, *, as_admin: bool = False, only_fleet: bool = False, local_user: str | None = None
) -> ASGIApp:
    """Put the application together: the public one, `as_admin` the admin socket's, `only_fleet` that of own workers.

    With `local_user` it is that of the port where everybody is the user of this name.
    """
    routes, sockets = (FLEET_ROUTES, ()) if only_fleet else (ROUTES, SOCKETS)
    if local_user is not None:
        routes = [route for route in routes if serves(route)]
        sockets = [socket for socket in sockets if socket.access is Access.USER]
    app = Starlette(
        routes=_routes(routes, sockets, as_admin=as_admin),
        exception_handlers={HTTPException: _refuse_http, Exception: _refuse_fault},
    )
    # A slash too many is a path that is not there: clients that follow no redirects must not meet one.
    app.router.redirect_slashes = False
    app.state.services = services
    app.state.local_user = local_user
    app.state.openapi = partial(_openapi, services.public_url)
    is_https = services.public_url.startswith("https://") and not as_admin and local_user is None
    secured = Secured(RequestIds(app), hsts_seconds=services.config.hsts_seconds if is_https else 0)
    return Leaving(Metered(secured, services.meters), services.stopping)


# Written when it is asked for, once for all applications of a server: it takes longer than all else here.
@lru_cache(maxsize=4)
def _openapi(public_url: str) -> bytes:
    return openapi_document(ROUTES, server_url=public_url)


def _routes(routes: Sequence[Route], sockets: Sequence[SocketRoute], *, as_admin: bool) -> list[BaseRoute]:
    # One entry a path, so that the answer to a method it does not take can name those it takes.
    paths: dict[str, dict[str, Endpoint]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method] = _endpoint(route, as_admin=as_admin)
    made: list[BaseRoute] = [
        StarletteRoute(path.replace(":path}", ":whole_path}"), _by_method(endpoints), methods=list(endpoints))
        for path, endpoints in paths.items()
    ]
    return made + [WebSocketRoute(route.path, _socket_endpoint(route, as_admin=as_admin)) for route in sockets]


def _by_method(endpoints: Mapping[str, Endpoint]) -> Endpoint:
    known = dict(endpoints)
    if "GET" in known:
        known.setdefault("HEAD", known["GET"])

    async def endpoint(request: Request) -> Response:
        return await known[request.method](request)

    return endpoint


def _endpoint(route: Route, *, as_admin: bool) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        note_route(request.scope, route.path)
        give_notice(services_of(request).maintenances.notice)
        standing: Standing | None = None
        try:
            if route.is_rated and not as_admin:
                standing = count_address(request)
            await admit(
                request,
                route.access,
                scope=route.scope,
                as_admin=as_admin,
                token_in_query=route.token_in_query,
            )
            if route.is_rated and not as_admin:
                standing = nearest(standing, count_user(request, is_change=route.is_change))
            if route.is_change:
                services_of(request).maintenances.refuse_change()
            return _with_standing(await route.handler(request), standing)
        except FiresideError as error:
            _note_refusal(route, error)
            return _with_standing(_refusal(route, request, error), standing)
        except ClientDisconnect:
            return Response(status_code=_GONE)

    return endpoint


def _refusal(route: Route, request: Request, error: FiresideError) -> Response:
    if route.refusal is Refusal.PAGE and wants_page(request):
        answer = refused(error)
    elif route.refusal is Refusal.ENVELOPE:
        answer = refuse_in_envelope(error)
    else:
        answer = refuse(error, route.refusal)
    if isinstance(error, RateLimited):
        answer.headers.update(error.headers)
    return answer


def _with_standing(answer: Response, standing: Standing | None) -> Response:
    if standing is not None:
        for name, value in standing.headers().items():
            answer.headers.setdefault(name, value)
    return answer


def _note_refusal(route: Route, error: FiresideError) -> None:
    """Note what is the server's own fault; why it cannot serve now its loops say, once for all who ask meanwhile."""
    if isinstance(error, Unavailable):
        _log.warning("refused for now", route=route.name, code=error.code)
    elif status_of(error) >= 500:
        _log.warning("request failed", route=route.name, code=error.code, reason=error.message)


def _socket_endpoint(route: SocketRoute, *, as_admin: bool) -> Callable[[WebSocket], Awaitable[None]]:
    async def endpoint(socket: WebSocket) -> None:
        try:
            if not as_admin and route.access is Access.USER:
                count_address(socket)
            in_query = route.access is Access.USER
            await admit(socket, route.access, scope=route.scope, as_admin=as_admin, token_in_query=in_query)
            await route.handler(socket)
        except FiresideError as error:
            await socket.send_denial_response(refuse(error))
        except WebSocketDisconnect:
            return

    return endpoint


async def _refuse_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    headers = dict(error.headers or {})
    code, message = "refused", str(error.detail)
    if error.status_code == 404:
        code, message = "not_found", f"There is nothing at {request.url.path}."
    if error.status_code == 404 and request.url.path in _SOCKET_PATHS:
        return refuse_plainly(426, "upgrade_required", _NO_SOCKET, {"Upgrade": "websocket", "Connection": "Upgrade"})
    if error.status_code == 405:
        code = "method_not_allowed"
        # From a set: in an order of our own, in which HEAD comes after GET.
        headers["Allow"] = ", ".join(sorted(headers.get("Allow", "GET").split(", "), key=_METHODS.index))
        message = f"{request.url.path} does not take {request.method}; it takes {headers['Allow']}."
    if wants_page(request):
        return failed(error.status_code, message, headers)
    if is_enveloped(request.url.path):
        return enveloped(error.status_code, _ENVELOPED.get(code, code), message, headers=headers)
    return refuse_plainly(error.status_code, code, message, headers)


async def _refuse_fault(request: Request, error: Exception) -> Response:
    # Starlette raises it again after this answer, and the server logs it with its traceback. A path may hold a secret.
    _log.error("request broke", route=route_of(request.scope), kind=type(error).__name__)
    fault = FiresideError(str(error))
    if wants_page(request):
        return refused(fault)
    return refuse_in_envelope(fault) if is_enveloped(request.url.path) else refuse(fault)
