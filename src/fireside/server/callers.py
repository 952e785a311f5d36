"""What a handler knows of its request: the services, the caller, the origin."""

from starlette.requests import HTTPConnection

from fireside.domain.accounts import Principal, PrincipalKind, User
from fireside.domain.audit import Author
from fireside.domain.errors import Forbidden, Unauthenticated
from fireside.domain.ids import WorkerId
from fireside.server.rates import Standing
from fireside.server.services import Services
from fireside.store.audit_verbs import act_as

_OWN_SITES = frozenset({"same-origin", "none"})


def services_of(request: HTTPConnection) -> Services:
    """Give the services behind this edge."""
    services: Services = request.app.state.services
    return services


def local_user_of(request: HTTPConnection) -> str | None:
    """Name the user whose local port the request came in by; None for any other door."""
    name: str | None = getattr(request.app.state, "local_user", None)
    return name


def principal_of(request: HTTPConnection) -> Principal | None:
    """Say for whom the request acts, as the edge found out; None for nobody."""
    principal: Principal | None = getattr(request.state, "principal", None)
    return principal


def is_browsers(request: HTTPConnection) -> bool:
    """Tell whether a browser is asking by a session's cookie, and so the editor may be."""
    principal = principal_of(request)
    return principal is not None and principal.kind is PrincipalKind.SESSION


def caller_of(request: HTTPConnection) -> Principal:
    """Say for whom the request acts, on a route that is closed to nobody-in-particular."""
    principal = principal_of(request)
    if principal is None:
        raise Unauthenticated("Show who you are: send an API key as X-API-Key, or sign in.")
    return principal


def note_author(request: HTTPConnection) -> None:
    """Have what an admin changes by this request written down under their name."""
    principal = caller_of(request)
    act_as(
        Author(
            user_id=principal.user.id,
            name=principal.user.name,
            way=principal.kind,
            address=address_of(request),
            at=services_of(request).clock(),
        )
    )


def address_of(request: HTTPConnection) -> str:
    """Say from which address a request came, as far as the proxies that are trusted tell; empty on a socket."""
    return request.client.host if request.client is not None else ""


def count_address(request: HTTPConnection) -> Standing | None:
    """Count a request by its address; raises `RateLimited`. Ports of this machine's own users are not counted so."""
    if local_user_of(request) is not None:
        return None
    return services_of(request).rates.count_address(address_of(request))


def count_user(request: HTTPConnection, *, is_change: bool) -> Standing | None:
    """Count a request of who is known by now; raises `RateLimited`."""
    principal = principal_of(request)
    return None if principal is None else services_of(request).rates.count_user(principal.user.id, is_change=is_change)


def user_of(request: HTTPConnection) -> User:
    """Give the user that the request acts for."""
    return caller_of(request).user


def worker_of(request: HTTPConnection) -> WorkerId:
    """Say which worker calls, on a route that only workers may call."""
    worker_id: WorkerId = request.state.worker_id
    return worker_id


def refuse_foreign_origin(request: HTTPConnection) -> None:
    """Raise `Forbidden` for what another site's page has sent; programs, which tell no origin, pass."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    host = request.headers.get("host", "")
    own = {services_of(request).public_url, *(f"{scheme}://{host}" for scheme in _page_schemes(request))}
    if (site is not None and site not in _OWN_SITES) or (origin is not None and origin not in own):
        raise Forbidden("This was sent by another site's page.")


def _page_schemes(request: HTTPConnection) -> tuple[str, ...]:
    """The schemes of the pages that may have sent this: a websocket's page is http where the socket is ws."""
    return {"ws": ("http",), "wss": ("https",)}.get(request.url.scheme, (request.url.scheme,))
