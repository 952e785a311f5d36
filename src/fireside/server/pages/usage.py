"""The page of what was used: one's own for everybody, of one user or of all for an admin."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TypeVar
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from fireside.domain.accounts import Principal, User
from fireside.domain.errors import NotFound
from fireside.domain.usage import Usage, bytes_in_words, month_of
from fireside.server.callers import services_of
from fireside.server.pages.charts import Bar, Scale, bars, scale_of
from fireside.server.pages.rows import page_rows
from fireside.server.pages.shell import framed, shown
from fireside.server.services import Services
from fireside.server.usage_report import Report, Span, month_of_user, read_span, report_of
from fireside.store.usage_verbs import DayUse, WorkflowUse

PLACE = "/dashboard/usage"
EVERYBODY = "*"
"""What is asked for instead of a name; no name is this."""
_MOST_DAYS_DRAWN = 100
_MOST_WEEKS_DRAWN = 53
_WEEK = timedelta(days=7)
_MOST_ROWS = 50
_MINUTE = 60
_HOUR = 60 * _MINUTE
_Use = TypeVar("_Use", DayUse, WorkflowUse)

_GPU_UNITS = (("hours", 3600.0), ("minutes", 60.0), ("seconds", 1.0), ("milliseconds", 0.001))


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What one of them has used; `share` is of all GPU-seconds, in percent."""

    name: str
    usage: Usage
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """How much of a quota is used up."""

    name: str
    words: str
    percent: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A chart of bars."""

    name: str
    bars: Sequence[Bar]
    scale: Scale
    summary: str


async def show_usage(request: Request, principal: Principal) -> Response:
    """Show what was used in some days, by day, key or user, and workflow."""
    services, query = services_of(request), request.query_params
    wanted = query.get("user", "")
    user = await _whose(services, principal, wanted)
    span = read_span(query.get("from", ""), query.get("to", ""), services.clock())
    report = await report_of(services, user, span)
    stored = await services.store.stored_bytes()
    return framed(
        principal,
        "usage.html",
        PLACE,
        span=span,
        whose=wanted if principal.is_admin else "",
        of=None if user is None else user.name,
        is_own=user is not None and user.id == principal.user.id,
        users=[one.name for one in await services.accounts.users()] if principal.is_admin else [],
        total=report.total,
        stored=sum(stored.values()) if user is None else stored.get(user.id, 0),
        limits=await _limits(services, user) if user is not None else [],
        charts=_charts(report),
        unit=_unit(span),
        owners=_by_user(report) if user is None else _by_key(report),
        workflows=_by_workflow(report, is_of_all=user is None)[:_MOST_ROWS],
        days=sorted(_sums(report.days, lambda use: str(use.day)).items(), reverse=True),
        spans=_spans(span, services.clock(), wanted),
        table=_table(span, user, principal),
        gpu_time=gpu_time,
        size=bytes_in_words,
    )


def gpu_time(usage: Usage) -> str:
    """Say how long GPUs were used."""
    seconds = usage.gpu_seconds
    if seconds < 1:
        return f"{1000 * seconds:.0f} ms" if seconds else "0 s"
    if seconds < _HOUR:
        return f"{seconds:.1f} s" if seconds < _MINUTE else f"{seconds / _MINUTE:.1f} min"
    return f"{seconds / _HOUR:,.1f} h"


async def _whose(services: Services, principal: Principal, wanted: str) -> User | None:
    """Say whose usage is shown, None for everybody's."""
    if wanted in ("", principal.user.name):
        return principal.user
    if not principal.is_admin:
        # Whether there is such a user is an admin's to know.
        raise NotFound(f"there is no user {wanted!r}")
    return None if wanted == EVERYBODY else await services.accounts.user_named(wanted)


async def _limits(services: Services, user: User) -> list[Limit]:
    use, quota = await month_of_user(services, user)
    seconds, jobs = use.used.gpu_seconds, use.used.jobs + use.active
    found: list[Limit] = []
    if quota.gpu_seconds is not None:
        words = f"{seconds:,.0f} of {quota.gpu_seconds:,.0f} s"
        found.append(Limit(name="GPU time this month", words=words, percent=_percent(seconds, quota.gpu_seconds)))
    if quota.jobs is not None:
        words = f"{jobs:,} of {quota.jobs:,}"
        found.append(Limit(name="Jobs this month", words=words, percent=_percent(jobs, quota.jobs)))
    if quota.stored_bytes is not None:
        words = f"{bytes_in_words(use.stored_bytes)} of {bytes_in_words(quota.stored_bytes)}"
        found.append(Limit(name="Files", words=words, percent=_percent(use.stored_bytes, quota.stored_bytes)))
    return found


def _percent(part: float, whole: float) -> float:
    return min(100.0, round(100 * part / whole, 1)) if whole else 100.0


def _unit(span: Span) -> str:
    days = (span.last - span.first).days + 1
    return "day" if days <= _MOST_DAYS_DRAWN else "week" if days <= 7 * _MOST_WEEKS_DRAWN else "month"


def _charts(report: Report) -> list[Drawn]:
    unit, span = _unit(report.span), report.span
    starts = _starts(span, unit)
    sums = _sums(report.days, lambda use: str(_start(use.day, unit, span.first)))
    uses = [sums.get(str(start), Usage()) for start in starts]
    words = [f"{start:%B %Y}" if unit == "month" else str(start) for start in starts]
    prefix = "week from " if unit == "week" else ""
    gpu_seconds = [use.gpu_seconds for use in uses]
    unit_of_gpus, gpu_size = gpu_unit(max(gpu_seconds))
    gpu_times = [seconds / gpu_size for seconds in gpu_seconds]
    jobs = [float(use.jobs) for use in uses]
    most = max(range(len(uses)), key=lambda number: uses[number].gpu_us)
    many = max(range(len(uses)), key=lambda number: uses[number].jobs)
    gpu_scale, job_scale = scale_of(gpu_times), scale_of(jobs, at_least=2)
    return [
        Drawn(
            name=f"GPU-{unit_of_gpus} by {unit}",
            bars=bars(gpu_times, [f"{prefix}{w}: {gpu_time(u)}" for w, u in zip(words, uses, strict=True)], gpu_scale),
            scale=gpu_scale,
            summary=f"The most is {gpu_time(uses[most])}: {prefix}{words[most]}.",
        ),
        Drawn(
            name=f"Jobs by {unit}",
            bars=bars(jobs, [f"{prefix}{w}: {u.jobs:,}" for w, u in zip(words, uses, strict=True)], job_scale),
            scale=job_scale,
            summary=f"The most is {uses[many].jobs:,}: {prefix}{words[many]}.",
        ),
    ]


def gpu_unit(most: float) -> tuple[str, float]:
    """Choose the largest unit of which there is one, so that a scale has numbers that people read: word and seconds."""
    return next(((word, size) for word, size in _GPU_UNITS if most >= size), _GPU_UNITS[-1])


def _starts(span: Span, unit: str) -> list[date]:
    days = (span.first + timedelta(days=number) for number in range((span.last - span.first).days + 1))
    return list(dict.fromkeys(_start(day, unit, span.first) for day in days))


def _start(day: date, unit: str, first: date) -> date:
    if unit == "month":
        return month_of(day)
    return day if unit == "day" else first + (day - first) // _WEEK * _WEEK


def _sums(uses: Iterable[_Use], name_of: Callable[[_Use], str]) -> dict[str, Usage]:
    sums: dict[str, Usage] = {}
    for use in uses:
        name = name_of(use)
        sums[name] = sums.get(name, Usage()) + use.usage
    return sums


def _by_user(report: Report) -> list[Row]:
    return _rows(_sums(report.days, report.user_of))


def _by_key(report: Report) -> list[Row]:
    # Two keys may have the same label.
    names = {str(use.key_id): report.key_of(use) for use in report.days}
    return _rows(_sums(report.days, lambda use: str(use.key_id)), names)


def _by_workflow(report: Report, *, is_of_all: bool) -> list[Row]:
    def name_of(use: WorkflowUse) -> str:
        return f"{report.user_of(use)}: {use.workflow}" if is_of_all else use.workflow

    return _rows(_sums(report.workflows, name_of))


def _rows(sums: Mapping[str, Usage], names: Mapping[str, str] | None = None) -> list[Row]:
    """Give the dearest first."""
    whole = sum(usage.gpu_us for usage in sums.values())
    rows = [
        Row(name=name if names is None else names[name], usage=usage, share=_percent(usage.gpu_us, whole))
        for name, usage in sums.items()
    ]
    return sorted(rows, key=lambda row: (-row.usage.gpu_us, -row.usage.jobs, row.name))


def _spans(span: Span, now: datetime, wanted: str) -> list[tuple[str, str, bool]]:
    """Give the spans that people want most: words, address, and whether it is the one that is shown."""
    today, month = now.date(), month_of(now)
    former = month_of(month - timedelta(days=1))
    usual = (
        ("This month", month, today),
        ("Last month", former, month - timedelta(days=1)),
        ("30 days", today - timedelta(days=29), today),
        ("12 months", (month - timedelta(days=330)).replace(day=1), today),
    )
    return [
        (words, f"{PLACE}?{_query(first, last, wanted)}", (span.first, span.last) == (first, last))
        for words, first, last in usual
    ]


def _table(span: Span, user: User | None, principal: Principal) -> str:
    """Name the same as CSV."""
    if user is not None and user.id == principal.user.id:
        return f"/api/usage.csv?{_query(span.first, span.last, '')}"
    return f"/admin/api/usage.csv?{_query(span.first, span.last, '' if user is None else user.name)}"


def _query(first: date, last: date, user: str) -> str:
    return urlencode({"from": first, "to": last} | ({"user": user} if user else {}))


ROUTES = page_rows((("GET", PLACE, shown(show_usage), "showUsagePage", "What was used as a page"),))
"""Anybody may call the page; it looks for itself who it is."""
