"""The library of users' files behind a request."""

from starlette.requests import Request

from fireside.assets.library import Library, library_with
from fireside.server.callers import services_of


def library_of(request: Request) -> Library:
    """Put together what the verbs about files need."""
    services = services_of(request)
    return library_with(services.config, services.store, services.blobs, services.clock)
