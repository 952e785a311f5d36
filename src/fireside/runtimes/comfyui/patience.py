"""How long to wait before ComfyUI is started once more: not at all at first, longer the more often it happens."""

import time
from collections.abc import Callable

_WITHIN_SECONDS = 300.0
_FIRST_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 60.0
# The very first start, and one repair.
_UNPUNISHED_STARTS = 2


class Patience:
    """Remembers the starts of the last minutes."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._starts: list[float] = []

    def pause(self) -> float:
        """Count a start and give the seconds to wait before it."""
        now = self._clock()
        self._starts = [*(at for at in self._starts if now - at < _WITHIN_SECONDS), now]
        excess = len(self._starts) - _UNPUNISHED_STARTS
        return 0.0 if excess <= 0 else min(_FIRST_PAUSE_SECONDS * 2 ** (excess - 1), _LONGEST_PAUSE_SECONDS)
