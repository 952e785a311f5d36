"""A time in which the servers only read: what has begun goes on, and nothing new is taken."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Maintenance:
    """Since when, and why, as an admin has said it."""

    began_at: datetime
    reason: str
