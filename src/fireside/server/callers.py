"""What a handler of the pages and the admin's routes knows of its request: the services, the caller, the origin."""

from starlette.requests import Request

from fireside.domain.accounts import Principal
from fireside.domain.errors import Forbidden
from fireside.server.services import Services

_OWN_SITES = frozenset({"same-origin", "none"})


def services_of(request: Request) -> Services:
    """Give the services behind this edge."""
    services: Services = request.app.state.services
    return services


def principal_of(request: Request) -> Principal | None:
    """Say for whom the request acts, as the edge found out; None for nobody."""
    principal: Principal | None = getattr(request.state, "principal", None)
    return principal


def refuse_foreign_origin(request: Request) -> None:
    """Raise `Forbidden` for a form that another site's page has sent; programs, which tell no origin, pass."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    own = {services_of(request).public_url, f"{request.url.scheme}://{request.headers.get('host', '')}"}
    if (site is not None and site not in _OWN_SITES) or (origin is not None and origin not in own):
        raise Forbidden("this form was sent by another site's page")
