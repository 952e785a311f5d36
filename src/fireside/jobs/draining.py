"""How fast the queue drains, to tell whoever finds it full when there will be room."""

import math
from datetime import timedelta

from fireside.domain.ids import UserId
from fireside.jobs.desk import Desk

_WINDOW = timedelta(seconds=60)
_SOONEST_SECONDS = 1
_LATEST_SECONDS = 30
"""Nobody is sent away for longer, because nobody knows so much."""


async def seconds_until_room(desk: Desk, user_id: UserId | None) -> int:
    """Say in whole seconds when one more job, of this user or of anybody, will be over, by how many ended lately."""
    ended = await desk.store.count_ended_since(desk.clock() - _WINDOW, user_id=user_id)
    if not ended:
        return _LATEST_SECONDS
    return min(_LATEST_SECONDS, max(_SOONEST_SECONDS, math.ceil(_WINDOW.total_seconds() / ended)))
