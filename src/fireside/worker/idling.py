"""How long a worker has had nothing to do, so that one that was started for a while leaves by itself.

Plain counting, told from outside. The time that a runtime takes to come up is not idle; the time that one which does
not come up is left alone is, or a broken machine would be paid for without end.
"""


class Idling:
    """The idle time of one worker; without `seconds` it never is too long."""

    def __init__(self, seconds: float | None = None) -> None:
        self._seconds = seconds
        self._since: float | None = None

    def worked(self) -> None:
        """Note that a job has come: whatever was counted before is over."""
        self._since = None

    def is_too_long(self, now: float, *, is_idle: bool) -> bool:
        """Note how the worker is now, and say whether it has been idle for so long that it is to go."""
        if not is_idle:
            self._since = None
            return False
        self._since = now if self._since is None else self._since
        return self._seconds is not None and now - self._since >= self._seconds
