"""How fast the queue drains, to tell whoever finds it full when there will be room."""

import math
from datetime import datetime, timedelta

from fireside.domain.ids import UserId
from fireside.jobs.desk import Desk
from fireside.store.records import Drain

_WINDOW = timedelta(seconds=60)
_SOONEST = timedelta(seconds=1)
_LATEST = timedelta(seconds=30)
"""Nobody is sent away for longer, because nobody knows so much."""


async def seconds_until_room(desk: Desk, user_id: UserId | None) -> int:
    """Say in whole seconds when one more job, of this user or of anybody, will be over, by how jobs ended lately."""
    now = desk.clock()
    pause = pause_of(await desk.store.drain_since(now - _WINDOW, user_id=user_id), now)
    return math.ceil(pause.total_seconds())


def pause_of(drain: Drain, now: datetime) -> timedelta:
    """Expect the next end after the mean time between the last ones, from the start of the first of them on.

    While none has ended, expect things to stand for as long again as they have: who asks anew waits longer each time.
    """
    if drain.ended and drain.begun_at is not None:
        expected = min(_WINDOW, now - drain.begun_at) / drain.ended
    elif drain.stands_since is not None:
        expected = now - drain.stands_since
    else:
        expected = _LATEST
    return min(_LATEST, max(_SOONEST, expected))
