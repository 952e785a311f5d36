"""What was used within some days, put together for routes and pages, and written as CSV."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from fireside.domain.accounts import User
from fireside.domain.errors import BadRequest
from fireside.domain.ids import UserId
from fireside.domain.usage import MonthlyUse, Quota, Usage, month_of
from fireside.jobs.submit import quota_of
from fireside.server.services import Services
from fireside.store.usage_verbs import DayUse, WorkflowUse

NO_KEY = "no key"
_MOST_DAYS = 3660
_FORMULAS = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Days, the first and the last included."""

    first: date
    last: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What was used in a span, with the names of users and keys."""

    span: Span
    days: Sequence[DayUse]
    workflows: Sequence[WorkflowUse]
    users: Mapping[UserId, str]
    keys: Mapping[int, str]

    @property
    def total(self) -> Usage:
        """All of it together."""
        return total_of(self.days)

    def key_of(self, use: DayUse) -> str:
        """Name the key of a day's use, by its label or else by how it begins."""
        return NO_KEY if use.key_id is None else self.keys.get(use.key_id, f"key {use.key_id}")

    def user_of(self, use: DayUse | WorkflowUse) -> str:
        """Name the user of a use."""
        return self.users.get(use.user_id, "")


def read_span(first: str, last: str, now: datetime) -> Span:
    """Read the days that are asked for; this month's where none are. Raises `BadRequest`."""
    month = month_of(now)
    span = Span(first=_day("from", first, month), last=_day("to", last, now.date()))
    if span.first > span.last:
        raise BadRequest(f"from is {span.first} and to is {span.last}: the first day comes first")
    if span.last - span.first > timedelta(days=_MOST_DAYS):
        raise BadRequest("these are more than ten years: ask for fewer days")
    return span


async def report_of(services: Services, user: User | None, span: Span) -> Report:
    """Read what the user, or everybody, has used."""
    user_id = None if user is None else user.id
    users = [user] if user is not None else await services.accounts.users()
    return Report(
        span=span,
        days=await services.store.usage_by_day(user_id, span.first, span.last),
        workflows=await services.store.usage_by_workflow(user_id, span.first, span.last),
        users={one.id: one.name for one in users},
        keys={key.id: key.label or f"{key.prefix}…" for key in await services.accounts.keys(user)},
    )


async def month_of_user(services: Services, user: User) -> tuple[MonthlyUse, Quota]:
    """Say what the user has used this month, and may."""
    return await services.store.month_use(user.id, services.clock()), quota_of(services.config, user)


def total_of(uses: Iterable[DayUse | WorkflowUse]) -> Usage:
    """Put uses together."""
    return sum((use.usage for use in uses), Usage())


def csv_of(report: Report) -> str:
    """Write the days as a table that spreadsheets open; no cell of a user's is a formula there."""
    written = io.StringIO()
    table = csv.writer(written)
    table.writerow(("day", "user", "key_id", "key", "jobs", "gpu_seconds", "made_bytes"))
    for use in report.days:
        about = (use.day, _safe(report.user_of(use)), use.key_id or "", _safe(report.key_of(use)))
        table.writerow((*about, use.usage.jobs, f"{use.usage.gpu_seconds:.3f}", use.usage.made_bytes))
    return written.getvalue()


def _day(name: str, text: str, default: date) -> date:
    try:
        return date.fromisoformat(text) if text else default
    except ValueError as error:
        raise BadRequest(f"{name} is a day, such as {default}") from error


def _safe(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULAS) else text
