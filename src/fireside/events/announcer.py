"""Telling the other processes what has been committed.

An announcement only makes listeners faster: whoever misses one reads the same from the store. Facts travel on the
live subjects of their job under the name `server`, so that a listener gets facts and frames in one order.
"""

import structlog

from fireside.bus.client import Bus
from fireside.bus.errors import BusError
from fireside.bus.subjects import live, live_tasks
from fireside.domain.ids import JobId, UserId, WorkerId
from fireside.wire.live import Fact, TaskProgress, encode_fact, encode_task

TELLER = WorkerId("server")
"""Stands where frames name their worker; no worker may be called so."""

_log = structlog.get_logger(__name__)


class Announcer:
    """Publishes facts; called after the commit they tell of, never before."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def tell_task(self, user_id: UserId, progress: TaskProgress) -> None:
        """Tell whoever listens to this user how far a task is; silently does without a bus that is away."""
        try:
            await self._bus.publish(live_tasks(user_id, TELLER), encode_task(progress))
        except BusError as error:
            _log.info("task not announced", user_id=user_id, task_id=str(progress.task_id), reason=str(error))

    async def tell(self, user_id: UserId, fact: Fact) -> None:
        """Tell whoever listens to this user; silently does without a bus that is away."""
        try:
            await self._bus.publish(live(user_id, JobId(fact.job_id), TELLER), encode_fact(fact))
        except BusError as error:
            _log.info("fact not announced", user_id=user_id, job_id=str(fact.job_id), reason=str(error))
