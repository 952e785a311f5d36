"""Bodies of the routes that the editor and comfy-cli ask at their start."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta


class UsersBody(msgspec.Struct, frozen=True, kw_only=True):
    """Answer of `GET /api/users`: one user, whose data are kept here; who that is, the session or key says."""

    storage: str = "server"
    migrated: bool = True


class BillingStatusBody(msgspec.Struct, frozen=True, kw_only=True):
    """Answer of `GET /api/billing/status`: nothing is billed here, and nothing runs out."""

    is_active: bool = True
    has_funds: bool = True
    subscription_status: str = "active"
    subscription_tier: str = "self-hosted"


class WorkspaceBody(msgspec.Struct, frozen=True, kw_only=True):
    """Answer of `GET /api/workspaces/current`: everybody has one of their own."""

    id: str
    name: str
    type: Annotated[str, Meta(description="Always `personal`.")] = "personal"
    role: Annotated[str, Meta(description="Always `owner`.")] = "owner"


class LogSize(msgspec.Struct, frozen=True, kw_only=True):
    """How large the terminal is that the log was written to; there is none."""

    cols: int = 80
    rows: int = 24


class RawLogBody(msgspec.Struct, frozen=True, kw_only=True):
    """Answer of `GET /internal/logs/raw`: always empty, because a log of the server is everybody's."""

    entries: list[dict[str, Any]] = []
    size: LogSize = LogSize()


class SubgraphSource(msgspec.Struct, frozen=True, kw_only=True):
    """Which node pack a blueprint comes from."""

    node_pack: str


class GlobalSubgraphInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A blueprint in the answer of `GET /api/global_subgraphs`."""

    source: str
    name: str
    info: SubgraphSource


class GlobalSubgraph(msgspec.Struct, frozen=True, kw_only=True):
    """Answer of `GET /api/global_subgraphs/{id}`: `data` is a workflow in the editor's own JSON."""

    source: str
    name: str
    info: SubgraphSource
    data: str
