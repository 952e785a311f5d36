"""Refusals and faults as pages, for people who went to an address in a browser; programs are told in JSON.

What the pages behind the login refuse is theirs to show (`shell`). This is for what fails before a page knows who looks
at it: an address that is not there, a form from elsewhere, a server that cannot read its store, a fault.
"""

from collections.abc import Mapping

from starlette.requests import HTTPConnection
from starlette.responses import Response

from fireside.domain.errors import FiresideError, TooMany, Unavailable
from fireside.server.pages.rendering import page
from fireside.server.refusals import status_of

_OF_PROGRAMS = ("/api/", "/admin/", "/fleet/", "/internal/")
_BROKEN = "Something went wrong in the server; its log says what. Trying again may help."
_TITLES = {
    401: "Sign in first",
    403: "Not for you",
    404: "Nothing is here",
    405: "Nothing is here",
    500: "That broke",
    503: "Come back in a moment",
}


def title_of(status: int) -> str:
    """Give the heading of a page that refuses with this status."""
    return _TITLES.get(status, "That did not work")


def wants_page(request: HTTPConnection) -> bool:
    """Tell whether a person is to read the answer: browsers ask for HTML by name where somebody goes, only there."""
    return "text/html" in request.headers.get("accept", "") and not request.url.path.startswith(_OF_PROGRAMS)


def failed(status: int, message: str, headers: Mapping[str, str] | None = None) -> Response:
    """Say that something is not there or did not work, to whoever it is."""
    answer = page("failure.html", status, title=title_of(status), message=message)
    answer.headers.update(headers or {})
    return answer


def refused(error: FiresideError) -> Response:
    """Show a refusal; of a fault no more than that there was one."""
    status = status_of(error)
    is_known = status < 500 or isinstance(error, Unavailable)
    retry = {"Retry-After": str(error.retry_after)} if isinstance(error, TooMany | Unavailable) else {}
    return failed(status, error.message if is_known else _BROKEN, retry)
