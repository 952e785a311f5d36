"""Which workers are to be told, again, to stop a run: one told once may not have heard it.

Plain state, told the time from outside. Nobody is told in the first moment, because the first word, or the run's own
end, is then on its way.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from fireside.domain.ids import WorkerId
from fireside.domain.jobs import Lease

_SAY_AGAIN = timedelta(seconds=1)

RunToStop = tuple[WorkerId, Lease]


class Reminders:
    """Remembers since when each run should have stopped, or when its worker was told last."""

    def __init__(self) -> None:
        self._since: dict[RunToStop, datetime] = {}

    def due(self, wanted: Iterable[RunToStop], now: datetime) -> list[RunToStop]:
        """Give those of the runs whose worker is to be told now; what is not wanted any more is forgotten."""
        self._since = {run: self._since.get(run, now) for run in wanted}
        due = [run for run, since in self._since.items() if not timedelta(0) <= now - since < _SAY_AGAIN]
        self._since |= dict.fromkeys(due, now)
        return due
