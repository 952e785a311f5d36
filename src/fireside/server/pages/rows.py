"""How the pages write their rows of the route table: who they are for is the same for all."""

from collections.abc import Iterable

from fireside.domain.accounts import Scope
from fireside.server.routes import Access, Handler, Refusal, Route

PageRow = tuple[str, str, Handler, str, str]
"""Method, path, handler, name, text."""
_OF_ADMINS = (
    "everybody",
    "fleet",
    "worker-tokens",
    "models",
    "people",
    "invitations",
    "system",
    "keys",
    "audit",
    "maintenance",
)
_ALWAYS = ("/login", "/logout", "/dashboard/maintenance")
_FOR_ADMINS = tuple(f"/dashboard/{name}" for name in _OF_ADMINS)


def page_rows(rows: Iterable[PageRow]) -> tuple[Route, ...]:
    """Make routes of pages: anybody may call them, and each looks for itself who it is."""
    return tuple(
        Route(
            method=method,
            path=path,
            handler=handler,
            name=name,
            text=text,
            tag="pages",
            access=Access.PUBLIC,
            needs=_scope_of(method, path),
            always_taken=path.startswith(_ALWAYS),
            refusal=Refusal.PAGE,
            is_documented=False,
        )
        for method, path, handler, name, text in rows
    )


def _scope_of(method: str, path: str) -> Scope:
    """Say what the key of a program must have that goes to a page; browsers come without one."""
    if path.startswith(_FOR_ADMINS):
        return Scope.ADMIN
    return Scope.READ if method == "GET" else Scope.SUBMIT
