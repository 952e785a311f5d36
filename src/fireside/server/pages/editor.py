"""The editor's page, for who is signed in, and the files that it loads.

The editor keeps drafts in the browser. So a browser carries a mark that says whose they are, and whoever signs in with
another one, however they do it, is given a page that empties the browser's storage before the editor begins.
"""

from dataclasses import replace
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from fireside.domain.accounts import Principal, PrincipalKind
from fireside.domain.errors import NotFound
from fireside.server.callers import principal_of, services_of
from fireside.server.editor.packs import OWN
from fireside.server.editor.static_files import NEVER_KEPT, StaticFiles
from fireside.server.pages.rendering import TEMPLATES, is_https, page, redirect, with_fresh_session
from fireside.server.pages.rows import page_rows
from fireside.server.pages.shell import framed
from fireside.server.routes import Access

MARK_COOKIE = "fireside_drafts_of"
_PAGE = "index.html"
_HEADERS = {
    # Scripts and styles stand in the page as it comes, and it decodes pictures by WebAssembly. All else stays here: no
    # address of another host can be reached from it, whatever a workflow or a node pack's script asks for.
    "content-security-policy": (
        "default-src 'self'; script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data: blob:; media-src 'self' data: blob:; font-src 'self' data:; "
        "connect-src 'self' data: blob:; worker-src 'self' blob:; frame-src 'none'; object-src 'none'; "
        "base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
    ),
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    # Never from a cache: who has signed out must come to the page to sign in.
    "cache-control": NEVER_KEPT,
}
# The button of another service's accounts, of which nobody has one here.
_STYLE = b'[data-testid="login-button"] { display: none !important; }\n'
_SCRIPT = (TEMPLATES / "other-user.js").read_bytes()
_STATIC_HEADERS = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-cache"}


async def show_editor(request: Request) -> Response:
    """Show the editor; who is nobody is sent to sign in, and comes back."""
    principal = principal_of(request)
    if principal is None:
        return redirect(_login_address(request))
    editor = services_of(request).editor
    if editor.files is None:
        answer = framed(principal, "no_editor.html", "/")
    elif _has_anothers_drafts(request, principal):
        answer = page("other_user.html", mark=editor.mark_of(principal.user.id), is_secure=is_https(request))
    else:
        answer = await editor.files.answer(request, _PAGE, _HEADERS)
    return await with_fresh_session(request, answer)


async def show_file(request: Request) -> Response:
    """Give one of the editor's files; they are the same for everybody and say nothing of anybody."""
    return await _files(request).answer(request, request.url.path.removeprefix("/"))


async def show_extension(request: Request) -> Response:
    """Give a file of the editor's own extensions, of ours, or of a node pack that the operator allows."""
    editor, path = services_of(request).editor, str(request.path_params["file"])
    name, _, file = path.partition("/")
    if name == OWN:
        return await editor.own.answer(request, file)
    if name in editor.packs:
        return await editor.packs[name].answer(request, file)
    return await _files(request).answer(request, f"extensions/{path}")


async def show_template(request: Request) -> Response:
    """Give an example workflow, or a picture of it, from the first folder that has it."""
    file = str(request.path_params["file"])
    for files in services_of(request).editor.templates:
        if file in await files.names():
            return await files.answer(request, file)
    raise NotFound("There is no such example workflow.")


async def show_help(request: Request) -> Response:
    """Give the text that explains a node."""
    texts = services_of(request).editor.help
    if texts is None:
        raise NotFound("No texts about nodes are installed here.")
    return await texts.answer(request, str(request.path_params["file"]))


async def show_style(request: Request) -> Response:  # noqa: ARG001 - every handler takes the request
    """Give the style sheet that the editor asks of its server."""
    return Response(_STYLE, media_type="text/css", headers=_STATIC_HEADERS)


async def show_script(request: Request) -> Response:  # noqa: ARG001 - every handler takes the request
    """Give the script of the page that empties the browser's storage."""
    return Response(_SCRIPT, media_type="text/javascript", headers=_STATIC_HEADERS)


def _has_anothers_drafts(request: Request, principal: Principal) -> bool:
    """Tell whether what lies in the browser may be another user's; a local port is an origin of its one user's."""
    if principal.kind is PrincipalKind.LOCAL:
        return False
    return request.cookies.get(MARK_COOKIE) != services_of(request).editor.mark_of(principal.user.id)


def _login_address(request: Request) -> str:
    query = request.url.query
    return f"/login?next={quote(f'/?{query}', safe='')}" if query else "/login"


def _files(request: Request) -> StaticFiles:
    files = services_of(request).editor.files
    if files is None:
        raise NotFound("The editor is not installed here.")
    return files


_PAGES = page_rows(
    (
        ("GET", "/", show_editor, "showEditor", "The editor"),
        ("GET", "/assets/{file:path}", show_file, "showEditorAsset", "A file of the editor"),
        ("GET", "/fonts/{file:path}", show_file, "showEditorFont", "A font of the editor"),
        ("GET", "/cursor/{file:path}", show_file, "showEditorCursor", "A cursor of the editor"),
        ("GET", "/scripts/{file:path}", show_file, "showEditorScript", "A module that scripts of node packs import"),
        ("GET", "/materialdesignicons.min.css", show_file, "showEditorIcons", "The icons of the editor"),
        ("GET", "/user.css", show_style, "showEditorStyle", "The style sheet that the editor asks of its server"),
        ("GET", "/other-user.js", show_script, "showOtherUserScript", "The script that lets another user begin afresh"),
    )
)
"""Anybody may call them; the page looks for itself who it is, and the files are nobody's."""
ROUTES = _PAGES + tuple(
    replace(route, access=Access.USER)
    for route in page_rows(
        (
            (
                "GET",
                "/extensions/{file:path}",
                show_extension,
                "showExtensionFile",
                "A file of the editor's extensions",
            ),
            ("GET", "/templates/{file:path}", show_template, "showTemplate", "An example workflow, or its picture"),
            ("GET", "/docs/{file:path}", show_help, "showNodeHelp", "The text that explains a node"),
        )
    )
)
"""What a server has installed and allowed is for its users to know."""
