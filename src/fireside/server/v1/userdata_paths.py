"""The paths that clients write into addresses, which the router has decoded too soon.

A file is one segment, its slashes percent-encoded: `/api/userdata/workflows%2Fa.json`. Only the undecoded address tells
`x%2Fmove%2Fy`, a file, from `x/move/y`, a move. Behind a proxy that decodes addresses, several segments are a file too.
"""

from collections.abc import Sequence
from urllib.parse import unquote

from starlette.requests import Request

from fireside.domain.errors import BadRequest
from fireside.domain.user_files import FilePath
from fireside.server.callers import services_of

_ROUTE = b"/userdata/"
_MOVE = "move"


def file_of(request: Request) -> FilePath:
    """Give the file that the address names; raises as `FilePath.checked`."""
    return _checked(request, _segments(request))


def is_move(request: Request) -> bool:
    """Tell whether the address is that of a move, and not of a file whose name only reads like one."""
    return _MOVE in _segments(request)[1:-1]


def files_of_move(request: Request) -> tuple[FilePath, FilePath]:
    """Give the source and the target of a move."""
    segments = _segments(request)
    at = segments.index(_MOVE, 1)
    return _checked(request, segments[:at]), _checked(request, segments[at + 1 :])


def _segments(request: Request) -> Sequence[str]:
    raw: bytes = request.scope.get("raw_path") or request.scope["path"].encode()
    _, _, named = raw.partition(_ROUTE)
    try:
        return [unquote(segment.decode("ascii"), errors="strict") for segment in named.split(b"/")]
    except UnicodeError as error:
        raise BadRequest("The path in the address is not UTF-8, percent-encoded.") from error


def _checked(request: Request, segments: Sequence[str]) -> FilePath:
    return FilePath.checked("/".join(segments), max_depth=services_of(request).config.max_userdata_depth)
