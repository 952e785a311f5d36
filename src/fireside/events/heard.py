"""What a listener hears, one thing at a time."""

from dataclasses import dataclass

from fireside.domain.ids import JobId
from fireside.store.records import QueueCounts
from fireside.wire.live import Fact, Frame, OutputAdded, TaskProgress


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """A fact of a job, a frame of its run (with its picture), new counts of the user's queue, or a task's progress.

    With a job's end come those `outputs` that were not told before.
    """

    job_id: JobId | None = None
    fact: Fact | None = None
    outputs: tuple[OutputAdded, ...] = ()
    frame: Frame | None = None
    picture: bytes = b""
    counts: QueueCounts | None = None
    task: TaskProgress | None = None
