"""Queues that stand still: a user's, by their own wish or by an admin's, or everybody's."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from fireside.domain.ids import UserId


class PauseOrigin(StrEnum):
    """Who has paused a queue; each ends their own pauses alone, and the queue goes on when none is left."""

    OWNER = "owner"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """Nothing is handed out of the user's queue; of nobody's where `user_id` is None. What runs goes on."""

    user_id: UserId | None
    origin: PauseOrigin
    paused_at: datetime
    reason: str = ""
