"""A job as the list shows it: words and links, ready for a template that escapes them. Does no I/O."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from urllib.parse import urlencode

import msgspec

from fireside.domain.jobs import Job
from fireside.server.pages.words import STATE_TONES, STATE_WORDS, ago, span

THUMBNAIL_PIXELS = 256
_TEXT_CHARACTERS = 280
_ERROR_CHARACTERS = 280
_SHORT_ID = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class JobCard:
    """What the list shows of one job; empty texts are left out. `thumbnail` is an address of our own."""

    id: str
    short_id: str
    stamp: str
    """Changes whenever the job does."""
    status: str
    tone: str
    is_active: bool
    created_at: datetime
    ago: str
    took: str
    outputs: int
    error: str
    text: str
    media: str
    thumbnail: str
    owner: str
    """Whose it is, where a list holds jobs of several people."""
    is_own: bool


def card_of(job: Job, now: datetime, *, owner: str = "", is_own: bool = True) -> JobCard:
    """Make the card of a job; whoever sees another's gets its picture from the job and not by a name of their own."""
    preview = object_of(job.preview)
    file = view_address(preview)
    media = text_of(preview, "mediaType")
    return JobCard(
        id=str(job.id),
        short_id=str(job.id)[:_SHORT_ID],
        stamp=f"{job.state}-{job.fence}-{job.outputs_count}",
        status=STATE_WORDS[job.state],
        tone=STATE_TONES[job.state],
        is_active=not job.is_terminal,
        created_at=job.created_at,
        ago=ago(job.created_at, now),
        took=span(job.run_time) if job.is_terminal and job.run_time else "",
        outputs=job.outputs_count,
        error=error_text(object_of(job.error))[:_ERROR_CHARACTERS],
        text=text_of(preview, "content")[:_TEXT_CHARACTERS],
        media=media or ("file" if file else ""),
        thumbnail=_thumbnail(job, file, is_own=is_own) if file and media == "images" else "",
        owner=owner,
        is_own=is_own,
    )


def _thumbnail(job: Job, file: str, *, is_own: bool) -> str:
    return f"{file}&res={THUMBNAIL_PIXELS}" if is_own else f"/dashboard/jobs/{job.id}/picture"


def view_address(preview: dict[str, Any]) -> str:
    """Give the address of the file that an output's item names; empty for an item without a file."""
    filename = text_of(preview, "filename")
    if not filename:
        return ""
    names = {
        "filename": filename,
        "subfolder": text_of(preview, "subfolder"),
        "type": text_of(preview, "type") or "output",
    }
    return f"/api/view?{urlencode(names)}"


def error_text(error: dict[str, Any]) -> str:
    """Say where and what an error was, in one text."""
    message, node = text_of(error, "exception_message").strip(), text_of(error, "node_type")
    return f"{node}: {message}" if node and message else message


def object_of(encoded: bytes | None) -> dict[str, Any]:
    """Read an object that is kept as JSON; empty for anything else."""
    decoded: Any = msgspec.json.decode(encoded) if encoded else None
    return cast("dict[str, Any]", decoded) if isinstance(decoded, dict) else {}


def text_of(fields: dict[str, Any], name: str) -> str:
    """Give a field that is a text; empty for anything else."""
    value = fields.get(name)
    return value if isinstance(value, str) else ""
