"""How far a model is on its way here, and how fast it came lately. Told the time from outside."""

from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

from fireside.wire.fleet import NeededModel

_LATELY_SECONDS = 10.0
_SAMPLE_SECONDS = 0.5


@dataclass(slots=True)
class Arrival:
    """One model on its way.

    Until its turn has come, what another worker of this machine may have fetched of the same one counts.
    """

    model: NeededModel
    part: Path
    _came: int | None = None
    _has_come: bool = False
    _samples: deque[tuple[float, int]] = field(default_factory=deque[tuple[float, int]])

    def begin(self, came: int, now: float) -> None:
        """Note how much is here, of which nothing came just now."""
        self._came, self._has_come = came, False
        self._samples.clear()
        self._samples.append((now, came))

    def note(self, came: int, now: float) -> None:
        """Note how much is here by now."""
        self._came, self._has_come = came, True
        if now - self._samples[-1][0] >= _SAMPLE_SECONDS:
            self._samples.append((now, came))

    @property
    def done_bytes(self) -> int:
        """Say how much is here."""
        if self._came is not None:
            return self._came
        try:
            return min(self.part.stat().st_size, self.model.size_bytes)
        except OSError:
            return 0

    def bytes_per_second(self, now: float) -> float | None:
        """Say how fast it came lately, also when it does not any more; None before anything has come."""
        while len(self._samples) > 1 and self._samples[1][0] <= now - _LATELY_SECONDS:
            self._samples.popleft()
        if self._came is None or not self._samples:
            return None
        since, before = self._samples[0]
        came, seconds = self._came - before, now - since
        return round(came / seconds, 1) if self._has_come and seconds >= _SAMPLE_SECONDS else None
