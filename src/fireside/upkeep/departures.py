"""Removes what deleted users leave behind: their jobs, their files, and then every trace of them, in small steps."""

from datetime import datetime

import structlog

from fireside.domain.ids import UserId
from fireside.domain.retention import Retention
from fireside.jobs.cancel import cancel_job
from fireside.jobs.desk import Desk

_NOTHING_STAYS = Retention(jobs=0)
_JOBS_WEIGHT = 64
_ASSETS_AT_ONCE = 200
_log = structlog.get_logger(__name__)


class Departures:
    """Sees deleted users off."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def see_off(self, now: datetime) -> None:
        """Remove all that can be removed now; a job that a worker still holds is canceled, and goes the next time."""
        for user_id in await self._desk.store.departing_users():
            await self._cancel_all(user_id)
            await self._remove_all(user_id, now)
            if await self._desk.store.forget_user(user_id):
                _log.info("a deleted user is gone", user_id=user_id)

    async def _cancel_all(self, user_id: UserId) -> None:
        for job in await self._desk.store.active_jobs(user_id):
            await cancel_job(self._desk, user_id, job.id)

    async def _remove_all(self, user_id: UserId, now: datetime) -> None:
        store = self._desk.store
        while await store.prune_history(user_id, _NOTHING_STAYS, now, weight=_JOBS_WEIGHT):
            pass
        while await store.remove_assets_of(user_id, limit=_ASSETS_AT_ONCE):
            pass
