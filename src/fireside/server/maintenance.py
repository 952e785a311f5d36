"""Maintenance: a time in which this server answers who looks, and refuses who changes.

What the store says of it holds for all servers; each looks again every second, so that no request has to. What workers
report is taken, so that jobs that were accepted go on.
"""

from collections.abc import Callable
from datetime import datetime

from fireside.domain.errors import BadRequest, InMaintenance
from fireside.domain.maintenance import Maintenance
from fireside.store.store import Store

_MOST_CHARACTERS = 500


class Maintenances:
    """What this server knows of maintenance."""

    def __init__(self, store: Store, clock: Callable[[], datetime], retry_seconds: int) -> None:
        self._store = store
        self._clock = clock
        self._retry_seconds = retry_seconds
        self.now: Maintenance | None = None
        """The maintenance that goes on, as of a second ago at most."""

    async def refresh(self, now: datetime) -> None:  # noqa: ARG002 - duties are told the time
        """Look again."""
        self.now = await self._store.maintenance()

    async def begin(self, reason: str) -> None:
        """Begin, or say another reason."""
        if len(reason) > _MOST_CHARACTERS or not reason.isprintable():
            raise BadRequest(f"a reason has at most {_MOST_CHARACTERS} printable characters")
        self.now = await self._store.begin_maintenance(reason, self._clock())

    async def end(self) -> None:
        """Take changes again."""
        await self._store.end_maintenance()
        self.now = None

    @property
    def notice(self) -> str:
        """What stands above every page; empty where there is nothing to say."""
        if self.now is None:
            return ""
        return "Maintenance: jobs that run go on, and nothing new is taken for now. " + self.now.reason

    def refuse_change(self) -> None:
        """Raise `InMaintenance` while nothing may be changed."""
        if self.now is not None:
            why = f": {self.now.reason}" if self.now.reason else "."
            raise InMaintenance(
                f"This server is in maintenance, and takes no changes for now; jobs that run go on{why}",
                retry_after=self._retry_seconds,
            )
