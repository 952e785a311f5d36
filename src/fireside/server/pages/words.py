"""States and times in the words of the pages. Pure."""

from datetime import datetime, timedelta

from fireside.domain.jobs import JobState

_MINUTE = 60
_HOUR = 60 * _MINUTE
_DAY = 24 * _HOUR

STATE_WORDS = {
    JobState.QUEUED: "Waiting",
    JobState.ASSIGNED: "Next up",
    JobState.RUNNING: "Running",
    JobState.CANCELING: "Stopping",
    JobState.SUCCEEDED: "Done",
    JobState.FAILED: "Failed",
    JobState.CANCELED: "Canceled",
    JobState.EXPIRED: "Expired",
}
STATE_TONES = {
    JobState.QUEUED: "",
    JobState.ASSIGNED: "calm",
    JobState.RUNNING: "warm",
    JobState.CANCELING: "warm",
    JobState.SUCCEEDED: "good",
    JobState.FAILED: "bad",
    JobState.CANCELED: "",
    JobState.EXPIRED: "bad",
}
"""Classes of a badge."""


def ago(at: datetime, now: datetime) -> str:
    """Say how long ago something was; what is older than a week by its date."""
    seconds = (now - at).total_seconds()
    if seconds < _MINUTE:
        return "just now"
    if seconds < _HOUR:
        return f"{int(seconds // _MINUTE)} min ago"
    if seconds < _DAY:
        return f"{int(seconds // _HOUR)} h ago"
    days = int(seconds // _DAY)
    return f"{days} day{'' if days == 1 else 's'} ago" if days <= 7 else f"{at:%Y-%m-%d}"


def span(time: timedelta) -> str:
    """Say how long something took."""
    seconds = max(0.0, time.total_seconds())
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < _MINUTE:
        return f"{seconds:.1f} s"
    if seconds < _HOUR:
        return f"{int(seconds // _MINUTE)} min {int(seconds % _MINUTE)} s"
    if seconds < _DAY:
        return f"{int(seconds // _HOUR)} h {int(seconds % _HOUR // _MINUTE)} min"
    return f"{int(seconds // _DAY)} d {int(seconds % _DAY // _HOUR)} h"
