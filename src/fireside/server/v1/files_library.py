"""The library of users' files behind a request, with the limits of the settings."""

from pathlib import Path

from starlette.requests import Request

from fireside.assets.library import Library
from fireside.assets.pictures import PictureLimits
from fireside.server.callers import services_of


def library_of(request: Request) -> Library:
    """Put together what the verbs about files need."""
    services = services_of(request)
    config = services.config
    limits = PictureLimits(
        max_bytes=config.max_picture_bytes, max_edge=config.max_picture_edge, max_pixels=config.max_picture_pixels
    )
    return Library(
        store=services.store,
        blobs=services.blobs,
        limits=limits,
        scratch=Path(config.data_dir) / "scratch",
        clock=services.clock,
    )
