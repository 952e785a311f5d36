"""What all pages share: templates that escape, their headers, their forms, and the session's cookie."""

from contextvars import ContextVar
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from fireside.accounts.tokens import SESSION_COOKIE
from fireside.domain.errors import TooLarge
from fireside.server.callers import services_of
from fireside.server.pages.page_files import static_address

TEMPLATES = Path(__file__).parent / "templates"
SEE_OTHER = 303
_FORM_BYTES = 8192
HEADERS = {
    "Content-Security-Policy": (
        # Pictures of a running job come in its events, as blobs of the page's own.
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' blob:; media-src 'self'; "
        "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    # A link's address is a secret until it is used, and Origin must stay on our own forms' posts.
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}

_NOTICE: ContextVar[str] = ContextVar("notice", default="")
_environment = Environment(
    loader=FileSystemLoader(TEMPLATES), autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined
)


def give_notice(text: str) -> None:
    """Have this stand above every page that is rendered for this request; empty for nothing."""
    _NOTICE.set(text)


def page(template: str, status: int = 200, **values: Any) -> Response:
    """Render a page."""
    return HTMLResponse(
        _environment.get_template(template).render(values, static=static_address, notice=_NOTICE.get()),
        status,
        headers=HEADERS,
    )


def redirect(path: str) -> Response:
    """Send the browser to another page of ours, which it gets."""
    return RedirectResponse(path, SEE_OTHER, headers=HEADERS)


async def form_of(request: Request) -> dict[str, str]:
    """Read a small form, each field's first value; raises `TooLarge`."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _FORM_BYTES:
            raise TooLarge(f"this form takes at most {_FORM_BYTES} bytes")
    fields = parse_qs(bytes(body).decode("utf-8", "replace"), keep_blank_values=True)
    return {name: values[0] for name, values in fields.items()}


def own_path(text: str) -> str:
    """Give the path of ours that a form or a query asks to go on to; `/` for anything else."""
    parts = urlsplit(text)
    is_ours = text.startswith("/") and not text.startswith(("//", "/\\")) and not (parts.scheme or parts.netloc)
    return text if is_ours and text.isprintable() else "/"


def signed_in(request: Request, cookie: str, path: str) -> Response:
    """Give the browser a session's cookie and send it on."""
    answer = redirect(path)
    set_session(request, answer, cookie)
    return answer


def set_session(request: Request, answer: Response, cookie: str) -> None:
    """Give the browser a session's cookie along with an answer."""
    services = services_of(request)
    answer.set_cookie(
        SESSION_COOKIE,
        cookie,
        max_age=services.config.session_days * 86400,
        httponly=True,
        samesite="lax",
        secure=is_https(request),
    )


async def with_fresh_session(request: Request, answer: Response) -> Response:
    """Let a session go on under another cookie now and then, on the answers that are pages."""
    cookie = request.cookies.get(SESSION_COOKIE)
    renewed = await services_of(request).accounts.renewed_session(cookie) if cookie else None
    if renewed is not None:
        set_session(request, answer, renewed)
    return answer


def provider_of(request: Request) -> str:
    """Name the OpenID provider that people may sign in with; empty where there is none."""
    openid = services_of(request).openid
    return "" if openid is None else openid.name


def is_https(request: Request) -> bool:
    """Whether people reach this server by https."""
    return services_of(request).public_url.startswith("https://")
