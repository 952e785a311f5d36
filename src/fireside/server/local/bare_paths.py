"""ComfyUI's own paths: what it serves at `/prompt` and at `/api/prompt` alike, this server does too.

A row of another module is given its twin at the bare path here, with the same handler, unless the bare path has a row
of its own because ComfyUI answers there otherwise than the Cloud API does below `/api`. At both paths the key may stand
in the address: these are the routes of small scripts, which can send a URL and nothing else.
"""

from collections.abc import Iterable
from dataclasses import replace

from fireside.server.routes import Route

_API = "/api"
_PATHS = (
    "/api/prompt",
    "/api/queue",
    "/api/history",
    "/api/interrupt",
    "/api/free",
    "/api/jobs",
    "/api/view",
    "/api/upload",
    "/api/object_info",
    "/api/models",
    "/api/embeddings",
    "/api/experiment/models",
    "/api/features",
    "/api/system_stats",
    "/api/extensions",
    "/api/settings",
    "/api/users",
    "/api/userdata",
    "/api/i18n",
    "/api/workflow_templates",
    "/api/global_subgraphs",
    "/api/node_replacements",
    "/api/view_metadata",
    "/api/internal",
)
"""What ComfyUI serves at both paths, or at the bare one alone; each with all that lies below it."""


def at_both_paths(routes: Iterable[Route]) -> tuple[Route, ...]:
    """Add to the rows the twins of those that ComfyUI has at bare paths, and let the key stand in their address."""
    rows = [replace(route, token_in_query=True) if is_local(route.path) else route for route in routes]
    known = {(route.method, route.path) for route in rows}
    twins = [_twin(route) for route in rows if route.path.startswith(f"{_API}/") and is_local(route.path)]
    return (*rows, *(twin for twin in twins if (twin.method, twin.path) not in known))


def is_local(path: str) -> bool:
    """Tell whether a path is one of ComfyUI's own, bare or below `/api`."""
    below = path if path.startswith(f"{_API}/") else _API + path
    return any(below == one or below.startswith(f"{one}/") for one in _PATHS)


def _twin(route: Route) -> Route:
    return replace(route, path=route.path.removeprefix(_API), name=f"{route.name}AtBarePath", twin_of=route.path)
