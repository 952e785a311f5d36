"""Times as columns keep them: whole microseconds since 1970 UTC, under the name `at` or one that ends in `_at`."""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def is_time(column: str) -> bool:
    """Whether a column of this name keeps a time."""
    return column == "at" or column.endswith("_at")


def to_time(value: int) -> datetime:
    """Read a time."""
    return _EPOCH + timedelta(microseconds=value)


def from_time(time: datetime) -> int:
    """Write a time."""
    return (time - _EPOCH) // _MICROSECOND
