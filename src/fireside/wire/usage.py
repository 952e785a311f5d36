"""What was used, as users see it of themselves and an admin of everybody. Days and months are those of UTC."""

from datetime import date
from typing import Annotated

import msgspec
from msgspec import Meta

Day = Annotated[str, Meta(description="A day, as 2026-01-31.", pattern=r"^([0-9]{4}-[0-9]{2}-[0-9]{2})?$")]


class UsageQuery(msgspec.Struct, frozen=True, kw_only=True, rename={"first": "from", "last": "to"}):
    """Parameters of `GET /api/usage`; without days, this month's."""

    first: Day = ""
    last: Day = ""


class AllUsageQuery(UsageQuery, frozen=True, kw_only=True, rename={"first": "from", "last": "to"}):
    """Parameters of `GET /admin/api/usage`; without a name everybody's."""

    user: str = ""


class UsageBody(msgspec.Struct, frozen=True, kw_only=True):
    """Jobs that have ended, the seconds they had a GPU, and the bytes of the files that they made."""

    jobs: int
    gpu_seconds: float
    made_bytes: int


class DayUsageBody(UsageBody, frozen=True, kw_only=True):
    """What was used on a day by one key; `key` is its label, `key_id` null for what came without one."""

    day: date
    user: str
    key_id: int | None
    key: str


class WorkflowUsageBody(UsageBody, frozen=True, kw_only=True):
    """What a workflow has used in the month that begins so."""

    month: date
    user: str
    workflow_id: str


class QuotaBody(msgspec.Struct, frozen=True, kw_only=True):
    """What may be used in a month, and stored; null is no limit."""

    gpu_seconds: float | None
    jobs: int | None
    stored_bytes: int | None


class MonthBody(msgspec.Struct, frozen=True, kw_only=True):
    """What the caller has used this month and stores now, and what they may."""

    month: date
    used: UsageBody
    active_jobs: int
    stored_bytes: int
    quota: QuotaBody


class AllUsageBody(msgspec.Struct, frozen=True, kw_only=True):
    """Answer of `GET /admin/api/usage`; `stored_bytes` are those of each user now; workflows, the dearest."""

    first: date
    last: date
    total: UsageBody
    days: list[DayUsageBody]
    workflows: list[WorkflowUsageBody]
    stored_bytes: dict[str, int]


class OwnUsageBody(msgspec.Struct, frozen=True, kw_only=True):
    """Answer of `GET /api/usage`."""

    first: date
    last: date
    total: UsageBody
    days: list[DayUsageBody]
    workflows: list[WorkflowUsageBody]
    this_month: MonthBody
