"""Assets by the address of their bytes, which this server would fetch."""

from starlette.requests import Request
from starlette.responses import Response

from fireside.domain.errors import Forbidden


async def upload_from_url(request: Request) -> Response:  # noqa: ARG001  a handler
    """Refuse: nothing is fetched for users yet."""
    raise Forbidden("This server fetches no addresses for its users; download the file and send it as a form.")
