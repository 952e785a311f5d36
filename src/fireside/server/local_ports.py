"""A user's own port on loopback: no key, as with a ComfyUI, and therefore no pages of other sites.

A browser lets any page send requests to 127.0.0.1, and a name of the page's own can be made to mean 127.0.0.1. So
whoever asks must have asked for this machine by one of its own names, and must not be a page from elsewhere, for
reading too, since no credential tells a reader from a page. ComfyUI checks the origin alone.
"""

from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

from fireside.domain.errors import Forbidden
from fireside.server.routes import Access, Route

_OWN_NAMES = frozenset({"127.0.0.1", "localhost", "::1"})
_OWN_SITES = frozenset({"same-origin", "none"})
_SIGNING_IN = ("/login", "/logout")


def serves(route: Route) -> bool:
    """Tell whether a local port has this route: not those of admins and workers, nor those for signing in and out."""
    return route.access in (Access.PUBLIC, Access.USER) and not route.path.startswith(_SIGNING_IN)


def refuse_foreign_pages(connection: HTTPConnection) -> None:
    """Raise `Forbidden` for a request by another host's name, and for what a page from elsewhere has sent."""
    headers = connection.headers
    host = headers.get("host", "")
    if _name_in(host) not in _OWN_NAMES:
        raise Forbidden("This port answers as 127.0.0.1 or localhost only.")
    origin, site = headers.get("origin"), headers.get("sec-fetch-site")
    if origin is not None and origin.lower() != f"http://{host}".lower():
        raise Forbidden("This was sent by another site's page.")
    if site is not None and site not in _OWN_SITES and not _is_visit(connection):
        raise Forbidden("This was sent by another site's page.")


def _name_in(host: str) -> str:
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return ""


def _is_visit(connection: HTTPConnection) -> bool:
    """Tell whether somebody follows a link to here: the page that has the link sees nothing of it."""
    headers = connection.headers
    is_read = connection.scope["type"] == "http" and connection.scope["method"] in ("GET", "HEAD")
    return is_read and headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
