"""The nodes and models at ComfyUI's bare paths; what is answered there is what the same path below `/api` answers."""

from dataclasses import replace

from fireside.server.routes import Route
from fireside.server.v1 import models, system

_PATHS = ("/api/object_info", "/api/models", "/api/embeddings")


def _bare(route: Route) -> Route:
    return replace(route, path=route.path.removeprefix("/api"), name=f"{route.name}Bare", is_documented=False)


ROUTES: tuple[Route, ...] = tuple(
    _bare(route) for route in (*system.ROUTES, *models.ROUTES) if route.path.startswith(_PATHS)
)
