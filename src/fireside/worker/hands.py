"""Which jobs a worker has in hand: one that computes, at most one that is made ready, and those on their way out.

Plain state; it starts and stops nothing, except that the next job hears when its turn has come.
"""

from collections.abc import Iterator

from fireside.wire.fleet import MOST_FINISHING
from fireside.worker.run import Run


class Hands:
    """Those of one worker."""

    def __init__(self) -> None:
        self.running: Run | None = None
        self.next: Run | None = None
        self.finishing: list[Run] = []
        """Those that have nothing more to compute, and whose end is being reported."""

    def __iter__(self) -> Iterator[Run]:
        yield from self.finishing
        yield from (run for run in (self.running, self.next) if run is not None)

    @property
    def has_room(self) -> bool:
        """Whether another job may come, to begin at once or to be made ready."""
        return self.next is None and len(self.finishing) <= MOST_FINISHING

    def take(self, run: Run) -> bool:
        """Take a job for which there is room; whether it begins at once."""
        self.next = run
        self.go_on()
        return run is self.running

    def go_on(self) -> None:
        """Let the next job have its turn, if nothing computes and not too many results are on their way."""
        run = self.next
        if run is not None and self.running is None and len(self.finishing) <= MOST_FINISHING:
            self.running, self.next = run, None
            run.turn.set()

    def computed(self, run: Run) -> bool:
        """Go on when the runtime is done with a job; whether it was at it."""
        if run is not self.running:
            return False
        self.running = None
        self.finishing.append(run)
        self.go_on()
        run.has_neighbor = self.running is not None and run.reports_together
        if self.running is not None:
            self.running.has_neighbor = run.has_neighbor
        return True

    def set_aside(self, run: Run) -> None:
        """Have room for another next job before this one, which will not begin, is put down."""
        if run is self.next:
            self.next = None
            self.finishing.append(run)

    def put_down(self, run: Run) -> None:
        """Let go of a job that is over."""
        if run is self.running:
            self.running = None
        elif run is self.next:
            self.next = None
        else:
            self.finishing.remove(run)
