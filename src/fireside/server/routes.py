"""What a route is: one row that says everything about it.

The tables of rows drive the routing, who may call, the OpenAPI document and the test that walks all routes, so none of
them can forget one. What a handler does is its own module's business.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.websockets import WebSocket

from fireside.domain.accounts import Scope

Handler = Callable[[Request], Awaitable[Response]]
SocketHandler = Callable[[WebSocket], Awaitable[None]]
JSON = "application/json"
TEXT = "text/plain"
_LOOKING = frozenset({"GET", "HEAD"})


class Access(StrEnum):
    """Who may call a route."""

    PUBLIC = "public"
    """Anybody; the published contract says so, or the route shows nothing of anybody's."""
    USER = "user"
    """Whoever is known: by key, session or admin socket."""
    ADMIN = "admin"
    METRICS = "metrics"
    """An admin, or whoever shows the token of the setting `metrics_token`: figures, which are nobody's."""
    WORKER = "worker"
    NEWCOMER = "newcomer"
    """Whoever shows a token to join the fleet with; whether it is still good is the handler's to say."""


class Refusal(StrEnum):
    """The shape in which a route refuses; JSON but for the last two."""

    PLAIN = "plain"
    """`{code, message, error}`, all texts: the Cloud API's and, by `error`, the local API's."""
    PROMPT = "prompt"
    """`{error: {type, message, details, extra_info}, node_errors, code, message}`: what a submit is refused with."""
    ASSET = "asset"
    """`{code, message, error: {code, message, details}}`, codes in capitals: what routes of assets refuse with."""
    ENVELOPE = "envelope"
    """`{error: {code, message, details}}`: the API v2's."""
    TEXT = "text"
    """The message alone, as plain text; only who is not known is told so in JSON, as everywhere."""
    PAGE = "page"
    """A page, where somebody went there in a browser; for programs as `plain`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One status a route answers with; `body` is its JSON's type, None for a body that is empty or no JSON."""

    text: str
    body: Any = None
    media_types: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FormPart:
    """One part of a multipart form."""

    name: str
    text: str
    is_file: bool = False
    required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One method at one path. `path` is written as in OpenAPI, `{name}` for one segment and `{name:path}` for several.

    `name` is the operation's id. `query` is a struct whose fields are the parameters, `body` the type of a JSON body,
    `form` the parts of a multipart one, `raw_body` the media types of one that is taken as it is; a route that has
    several of these takes any of them, by its Content-Type. Statuses that every
    route may answer (401, 403, 503 and so on) need no row in `answers`. `token_in_query` lets the key stand in the URL,
    for programs that cannot send headers. `twin_of` names the path of another row with the same handler. `needs` is the
    scope that an API key must have, where that is not what `scope` reads from access and method. What is
    `always_taken` is not refused in maintenance.
    """

    method: str
    path: str
    handler: Handler
    name: str
    text: str
    tag: str
    access: Access = Access.USER
    needs: Scope | None = None
    refusal: Refusal = Refusal.PLAIN
    query: type[msgspec.Struct] | None = None
    body: Any = None
    body_is_optional: bool = False
    form: tuple[FormPart, ...] = ()
    raw_body: tuple[str, ...] = ()
    answers: Mapping[int, Answer] = field(default_factory=dict[int, Answer])
    token_in_query: bool = False
    twin_of: str = ""
    is_documented: bool = True
    always_taken: bool = False

    @property
    def is_rated(self) -> bool:
        """Whether requests are counted: all but those of workers, probes and what measures the server."""
        return self.access in (Access.PUBLIC, Access.USER, Access.ADMIN) and self.tag != "health"

    @property
    def is_change(self) -> bool:
        """Whether it is refused in maintenance: it changes something, and is no worker's report nor a way in or out."""
        changes = self.scope in (Scope.SUBMIT, Scope.ADMIN) and self.method not in _LOOKING
        return changes and not self.always_taken

    @property
    def scope(self) -> Scope | None:
        """The scope that an API key must have here; None where no key of a user is asked for."""
        if self.needs is not None:
            return self.needs
        if self.access is Access.USER:
            return Scope.READ if self.method in _LOOKING else Scope.SUBMIT
        return Scope.ADMIN if self.access in (Access.ADMIN, Access.METRICS) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class SocketRoute:
    """A websocket's path. Its callers are always known: users by header, cookie or `token` in the query.

    Workers show theirs in a header.
    """

    path: str
    handler: SocketHandler
    name: str
    access: Access = Access.USER

    @property
    def scope(self) -> Scope | None:
        """The scope that an API key must have here; None where no key of a user is asked for."""
        return Scope.READ if self.access is Access.USER else None
