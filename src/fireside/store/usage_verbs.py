"""The store's verbs about what was used, and how the fleet was. What a job has used is written with its end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from fireside.domain.ids import UserId
from fireside.domain.usage import MonthlyUse, Usage, day_number, day_of, month_of
from fireside.store.database import Row, Statement
from fireside.store.rows import month_use_of
from fireside.store.times import from_time
from fireside.store.verbs import Verbs

_SLOT_US = 300_000_000
_MOST_WORKFLOWS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class DayUse:
    """What a user has used on a day by one key, or by none."""

    user_id: UserId
    day: date
    key_id: int | None
    usage: Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowUse:
    """What a user's workflow has used in a month."""

    user_id: UserId
    month: date
    workflow: str
    usage: Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetSample:
    """How the fleet was within five minutes, each number at its most."""

    at: datetime
    workers: int
    busy: int
    waiting: int


class UsageVerbs(Verbs):
    """Reading what was used; a user of None is everybody."""

    async def month_use(self, user_id: UserId, now: datetime) -> MonthlyUse:
        """Say what the user has used this month, and what is stored."""
        (row,) = await self._all("use_of_month", {"user_id": user_id, "month": day_number(month_of(now))})
        return month_use_of(row)

    async def usage_by_day(self, user_id: UserId | None, first: date, last: date) -> Sequence[DayUse]:
        """Read what was used on the days from first to last, both included, in their order."""
        query = "all_usage_by_day" if user_id is None else "usage_by_day"
        params = {"user_id": user_id, "first": day_number(first), "last": day_number(last)}
        return [
            DayUse(
                user_id=UserId(row["user_id"]),
                day=day_of(row["day"]),
                key_id=row["key_id"] or None,
                usage=_usage_of(row),
            )
            for row in await self._all(query, params)
        ]

    async def usage_by_workflow(self, user_id: UserId | None, first: date, last: date) -> Sequence[WorkflowUse]:
        """Read what workflows used in the months of these days, the dearest first, at most a thousand."""
        query = "all_usage_by_workflow" if user_id is None else "usage_by_workflow"
        span = {"first": day_number(month_of(first)), "last": day_number(last), "limit": _MOST_WORKFLOWS}
        return [
            WorkflowUse(
                user_id=UserId(row["user_id"]),
                month=day_of(row["month"]),
                workflow=row["workflow"],
                usage=_usage_of(row),
            )
            for row in await self._all(query, span | {"user_id": user_id})
        ]

    async def stored_bytes(self) -> Mapping[UserId, int]:
        """Say how many bytes each user stores."""
        return {UserId(row["user_id"]): row["bytes"] for row in await self._all("stored_bytes")}

    async def sample_fleet(self, now: datetime, *, workers: int, busy: int, forget_before: datetime) -> None:
        """Note how the fleet is, and forget how it was before some time."""
        at = from_time(now)
        sample = {"slot": at // _SLOT_US, "at": now, "workers": workers, "busy": busy}
        old = {"slot": from_time(forget_before) // _SLOT_US}
        await self._database.write([Statement("sample_fleet", sample), Statement("forget_fleet_samples", old)])

    async def fleet_samples(self, since: datetime) -> Sequence[FleetSample]:
        """Read how the fleet was since a time, oldest first."""
        rows = await self._all("fleet_samples", {"slot": from_time(since) // _SLOT_US})
        return [FleetSample(**row) for row in rows]


def _usage_of(row: Row) -> Usage:
    return Usage(jobs=row["jobs"], gpu_us=row["gpu_us"], made_bytes=row["made_bytes"])
