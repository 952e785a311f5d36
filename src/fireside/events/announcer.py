"""Telling the other processes what has been committed.

An announcement only makes listeners faster: whoever misses one reads the same from the store. Where there are several
servers, facts travel on the live subjects of their job under the name `server`, so that a listener gets facts and
frames in one order. A server that is alone has nobody to send them to: it tells its own hub.
"""

from collections.abc import Awaitable, Callable

import structlog

from fireside.bus.client import Bus
from fireside.bus.errors import BusError
from fireside.bus.subjects import live, live_tasks
from fireside.domain.ids import JobId, UserId, WorkerId
from fireside.wire.live import Fact, TaskProgress, encode_fact, encode_task

TELLER = WorkerId("server")
"""Stands where frames name their worker; no worker may be called so."""

_log = structlog.get_logger(__name__)


Hear = Callable[[UserId, Fact | TaskProgress], Awaitable[None]]
"""Tells the listeners of this process; see `Hub.hear`."""


class Announcer:
    """Tells facts; called after the commit they tell of, never before."""

    def __init__(self, bus: Bus, *, hear: Hear | None = None) -> None:
        """With `hear` no other server listens, so that nothing is sent; without it all hear over the bus, we too."""
        self._bus = bus
        self._hear = hear

    async def tell_task(self, user_id: UserId, progress: TaskProgress) -> None:
        """Tell whoever listens to this user how far a task is; silently does without a bus that is away."""
        if self._hear is not None:
            await self._hear(user_id, progress)
            return
        try:
            await self._bus.publish(live_tasks(user_id, TELLER), encode_task(progress))
        except BusError as error:
            _log.info("task not announced", user_id=user_id, task_id=str(progress.task_id), reason=str(error))

    async def tell(self, user_id: UserId, fact: Fact) -> None:
        """Tell whoever listens to this user; silently does without a bus that is away."""
        if self._hear is not None:
            await self._hear(user_id, fact)
            return
        try:
            await self._bus.publish(live(user_id, JobId(fact.job_id), TELLER), encode_fact(fact))
        except BusError as error:
            _log.info("fact not announced", user_id=user_id, job_id=str(fact.job_id), reason=str(error))
