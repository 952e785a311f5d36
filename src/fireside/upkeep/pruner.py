"""Removes ended jobs that are not kept any more, a few at a time, so that nobody who writes has to wait for it.

Being late leaves a history longer than it has to be, and nothing else.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime

from fireside.domain.ids import UserId
from fireside.domain.retention import Retention
from fireside.store.store import Store

_USERS_AT_ONCE = 500
_GOAL_SECONDS = 0.025
"""Half of what a change may take at most, because the next one may be a dearer one."""
_LEAST = 4
_MOST = 512
_FIRST = 16
_GROWTH = 1.25


class Pace:
    """How much one change takes, by how long the last ones took."""

    def __init__(self) -> None:
        self.weight = _FIRST

    def learn(self, seconds: float, *, was_full: bool) -> None:
        """Take less after a change that took too long, and more after a full one that did not."""
        if seconds > _GOAL_SECONDS:
            self.weight = max(_LEAST, int(self.weight * _GOAL_SECONDS / seconds))
        elif was_full:
            self.weight = min(_MOST, int(self.weight * _GROWTH))


class Pruner:
    """Prunes the histories of all users, by their own limits or else by the server's."""

    def __init__(
        self,
        store: Store,
        *,
        keep_jobs: int,
        keep_days: int,
        timer: Callable[[], float] = time.monotonic,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._store = store
        self._keep_jobs = keep_jobs
        self._keep_days = keep_days
        self._timer = timer
        self._pause = pause
        self._pace = Pace()

    async def prune(self, now: datetime) -> int:
        """Remove all that is not kept as of now, in turns among the users; answer how many jobs that were."""
        due = deque([one async for one in self._due(now)])
        total = 0
        while due:
            user_id, retention = due.popleft()
            pruned = await self._prune_some(user_id, retention, now)
            if pruned:
                total += pruned
                due.append((user_id, retention))
        return total

    async def _due(self, now: datetime) -> AsyncIterator[tuple[UserId, Retention]]:
        after = UserId(0)
        while histories := await self._store.ended_histories(after, limit=_USERS_AT_ONCE):
            for history in histories:
                jobs = self._keep_jobs if history.keep_jobs is None else history.keep_jobs
                days = self._keep_days if history.keep_days is None else history.keep_days
                retention = Retention.of(jobs, days)
                if retention.is_exceeded(history.ended, history.first_ended_at, now):
                    yield history.user_id, retention
            after = histories[-1].user_id

    async def _prune_some(self, user_id: UserId, retention: Retention, now: datetime) -> int:
        began = self._timer()
        weight = self._pace.weight
        pruned = await self._store.prune_history(user_id, retention, now, weight=weight)
        # With the commit, which on SQLite is most of it, and with whatever was written before in the same go.
        seconds = self._timer() - began
        self._pace.learn(seconds, was_full=pruned * 2 > weight)
        # Others who write have had their turn already; as long again is left to them and to the disk.
        await self._pause(seconds)
        return pruned
