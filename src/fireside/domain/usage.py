"""What users use: counted by days and months in UTC, and held against what they may use.

A job counts on the day it ends. Months begin anew on their first day; what is stored counts as long as it is there.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

_FIRST_DAY = date(1970, 1, 1)
_GPU_US = 1_000_000
_UNITS = ((1024**4, "TiB"), (1024**3, "GiB"), (1024**2, "MiB"), (1024, "KiB"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """The most that a user may use in a month, and store; None: no limit."""

    gpu_seconds: float | None = None
    jobs: int | None = None
    stored_bytes: int | None = None

    @property
    def gpu_us(self) -> int | None:
        """The GPU-seconds in whole microseconds, as they are counted."""
        return None if self.gpu_seconds is None else int(self.gpu_seconds * _GPU_US)


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What was used: jobs that ended, the seconds they had a GPU, and the bytes of the files they made."""

    jobs: int = 0
    gpu_us: int = 0
    made_bytes: int = 0

    @property
    def gpu_seconds(self) -> float:
        """The seconds, to the millisecond."""
        return round(self.gpu_us / _GPU_US, 3)

    def __add__(self, other: "Usage") -> "Usage":
        """Put two together."""
        return Usage(
            jobs=self.jobs + other.jobs,
            gpu_us=self.gpu_us + other.gpu_us,
            made_bytes=self.made_bytes + other.made_bytes,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthlyUse:
    """What a user has used this month, how many jobs have not ended, and how many bytes are stored."""

    used: Usage
    active: int
    stored_bytes: int


def day_number(at: datetime | date) -> int:
    """Count the days since 1970, in UTC."""
    day = at.astimezone(UTC).date() if isinstance(at, datetime) else at
    return (day - _FIRST_DAY).days


def day_of(number: int) -> date:
    """Give the day of a number."""
    return _FIRST_DAY + timedelta(days=number)


def month_of(at: datetime | date) -> date:
    """Give the first day of a time's month, in UTC."""
    day = at.astimezone(UTC).date() if isinstance(at, datetime) else at
    return day.replace(day=1)


def next_month(first: date) -> date:
    """Give the first day of the month behind this one."""
    return (first + timedelta(days=31)).replace(day=1)


def why_refused(quota: Quota, use: MonthlyUse, now: datetime) -> str:
    """Say which quota a submit meets, and what to do about it."""
    again = next_month(month_of(now))
    when = f"It begins anew on {again.day} {again:%B %Y} (UTC); ask your admin for more."
    if quota.stored_bytes is not None and use.stored_bytes >= quota.stored_bytes:
        shown, limit = bytes_in_words(use.stored_bytes), bytes_in_words(quota.stored_bytes)
        return f"Your files take {shown} of the {limit} that you may store: delete some, or ask your admin for more."
    if quota.gpu_us is not None and use.used.gpu_us >= quota.gpu_us:
        used = f"{use.used.gpu_seconds:,.0f} of {quota.gpu_seconds:,.0f}"
        return f"Your GPU-seconds of this month are used up ({used}). {when}"
    counted = f"{use.used.jobs:,} have ended and {use.active:,} have not, of {quota.jobs or 0:,}"
    return f"Your jobs of this month are used up ({counted}). {when}"


def bytes_in_words(count: int) -> str:
    """Write a number of bytes as people read it."""
    for size, unit in _UNITS:
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} byte{'' if count == 1 else 's'}"
