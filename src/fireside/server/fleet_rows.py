"""The rows of routes that only workers may call; they are the server's own business and in no document."""

from fireside.server.routes import Access, Answer, Handler, Route


def fleet_route(method: str, path: str, handler: Handler, name: str, text: str, answers: dict[int, Answer]) -> Route:
    """Make a row."""
    return Route(
        method=method,
        path=path,
        handler=handler,
        name=name,
        text=text,
        tag="fleet",
        access=Access.WORKER,
        answers=answers,
        is_documented=False,
    )
