"""The page of the system: what `GET /admin/api/system` says, for people. Admins only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from fireside.domain.accounts import Principal
from fireside.domain.usage import bytes_in_words
from fireside.server.callers import services_of
from fireside.server.pages.charts import stack
from fireside.server.pages.rows import page_rows
from fireside.server.pages.shell import framed, shown
from fireside.server.pages.words import ago, span
from fireside.server.system_report import report_on_system
from fireside.wire.system import DiskBody, SettingBody

PLACE = "/dashboard/system"
_WORDS = {"well": "Well", "warning": "Look here", "problem": "Trouble"}
_TONES = {"well": "good", "warning": "warm", "problem": "bad"}
_LOOP_WORDS = {"running": "Running", "failing": "Failing", "resting": "Elsewhere"}
_LOOP_TONES = {"running": "good", "failing": "bad", "resting": ""}
_ORIGINS = {"file": "fireside.toml", "environment": "environment", "flag": "command line", "default": "default"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part of the disk, and where it stands in the bar, in percent."""

    name: str
    kind: str
    size: str
    begin: float
    width: float
    note: str = ""


async def show_system(request: Request, principal: Principal) -> Response:
    """Show how the server is."""
    services = services_of(request)
    report = await report_on_system(services)
    return framed(
        principal,
        "system.html",
        PLACE,
        report=report,
        url=services.public_url,
        words=_WORDS,
        tones=_TONES,
        loop_words=_LOOP_WORDS,
        loop_tones=_LOOP_TONES,
        failing=[loop for loop in report.loops if loop.state == "failing"],
        parts=parts_of(report.disk),
        free=bytes_in_words(report.disk.free_bytes),
        total=bytes_in_words(report.disk.total_bytes),
        chosen=[one for one in report.settings if one.origin != "default"],
        usual=[one for one in report.settings if one.origin == "default"],
        value_of=value_of,
        origins=_ORIGINS,
        every=_every,
        ago=partial(ago, now=report.at),
        counted=None if report.disk.blobs_counted_at is None else ago(report.disk.blobs_counted_at, report.at),
        size=bytes_in_words,
    )


def _every(seconds: float) -> str:
    return span(timedelta(seconds=seconds))


def parts_of(disk: DiskBody) -> Sequence[Part]:
    """Give the parts of the disk that are taken, ours first; what is on another disk is not among them."""
    ours = [
        ("Files", "files", (disk.blobs_bytes or 0) if disk.blobs_are_here else 0),
        ("Database", "database", (disk.database_bytes or 0) if disk.database_is_here else 0),
        ("Logs", "logs", disk.logs_bytes),
    ]
    used = disk.total_bytes - disk.free_bytes
    rest = ("Everything else", "rest", max(0, used - sum(count for *_, count in ours)))
    parts = [*ours, rest]
    places = stack([count for *_, count in parts], disk.total_bytes)
    return [
        Part(name=name, kind=kind, size=bytes_in_words(count), begin=begin, width=width)
        for (name, kind, count), (begin, width) in zip(parts, places, strict=True)
    ]


def value_of(setting: SettingBody) -> str:
    """Write a setting's value as people read it."""
    value: Any = setting.value
    if value is None:
        return "set, and not shown" if setting.is_set else "not set"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(setting.value) if isinstance(setting.value, list) and setting.value else "none"
    return str(value) if value != "" else "empty"


ROUTES = page_rows(
    (("GET", PLACE, shown(show_system, for_admins=True), "showSystemPage", "How the server is, as a page"),)
)
"""Anybody may call the page; it looks for itself who it is."""
