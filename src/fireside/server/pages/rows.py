"""How the pages write their rows of the route table: who they are for is the same for all."""

from collections.abc import Iterable

from fireside.server.routes import Access, Handler, Refusal, Route

PageRow = tuple[str, str, Handler, str, str]
"""Method, path, handler, name, text."""


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
            refusal=Refusal.PAGE,
            is_documented=False,
        )
        for method, path, handler, name, text in rows
    )
