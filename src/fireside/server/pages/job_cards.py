"""A job as the plain page shows it: words and links, ready for a template that escapes them. Does no I/O."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from urllib.parse import urlencode

import msgspec

from fireside.domain.jobs import Job

_THUMBNAIL_PIXELS = "256"
_TEXT_CHARACTERS = 280


@dataclass(frozen=True, slots=True, kw_only=True)
class JobCard:
    """What the page shows of one job; empty texts are left out. `file` and `thumbnail` are addresses of our own."""

    id: str
    status: str
    created_at: datetime
    took: str
    outputs: int
    error: str
    text: str
    media: str
    file: str
    thumbnail: str


def card_of(job: Job) -> JobCard:
    """Make the card of a job."""
    preview = _object(job.preview)
    file = _view_address(preview)
    media = _text(preview, "mediaType")
    return JobCard(
        id=str(job.id),
        status=job.state.value,
        created_at=job.created_at,
        took=f"{job.run_time.total_seconds():.1f} s" if job.is_terminal and job.run_time else "",
        outputs=job.outputs_count,
        error=_error_text(_object(job.error)),
        text=_text(preview, "content")[:_TEXT_CHARACTERS],
        media=media or "file",
        file=file,
        thumbnail=f"{file}&res={_THUMBNAIL_PIXELS}" if file and media == "images" else "",
    )


def _view_address(preview: dict[str, Any]) -> str:
    filename = _text(preview, "filename")
    if not filename:
        return ""
    names = {"filename": filename, "subfolder": _text(preview, "subfolder"), "type": _text(preview, "type") or "output"}
    return f"/api/view?{urlencode(names)}"


def _error_text(error: dict[str, Any]) -> str:
    message, node = _text(error, "exception_message").strip(), _text(error, "node_type")
    return f"{node}: {message}" if node and message else message


def _object(encoded: bytes | None) -> dict[str, Any]:
    decoded: Any = msgspec.json.decode(encoded) if encoded else None
    return cast("dict[str, Any]", decoded) if isinstance(decoded, dict) else {}


def _text(fields: dict[str, Any], name: str) -> str:
    value = fields.get(name)
    return value if isinstance(value, str) else ""
