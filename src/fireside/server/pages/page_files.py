"""The styles and scripts of the pages: small files that come with the package, known by what is in them.

A page names a file with its digest, so that a browser keeps it for good and never has one that is outdated.
"""

from pathlib import Path

from blake3 import blake3
from starlette.requests import Request
from starlette.responses import Response

from fireside.domain.errors import NotFound
from fireside.server.pages.rows import page_rows

_FOLDER = Path(__file__).parent / "static"
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_FILES = {path.name: path.read_bytes() for path in sorted(_FOLDER.iterdir()) if path.suffix in _TYPES}
_DIGESTS = {name: blake3(content).hexdigest(length=8) for name, content in _FILES.items()}
_FOR_GOOD = "public, max-age=31536000, immutable"


def static_address(name: str) -> str:
    """Give the address by which a page names one of its files."""
    return f"/pages/{name}?v={_DIGESTS[name]}"


async def show_static(request: Request) -> Response:
    """Give a style sheet, script or picture of the pages; they are the same for everybody."""
    name = str(request.path_params["file"])
    if name not in _FILES:
        raise NotFound("The pages have no such file.")
    is_named_by_a_page = request.query_params.get("v") == _DIGESTS[name]
    headers = {
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": _FOR_GOOD if is_named_by_a_page else "no-cache",
        "ETag": f'"{_DIGESTS[name]}"',
    }
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    return Response(_FILES[name], media_type=_TYPES[Path(name).suffix], headers=headers)


ROUTES = page_rows((("GET", "/pages/{file}", show_static, "showPageFile", "A style sheet or script of the pages"),))
"""Anybody may call them."""
