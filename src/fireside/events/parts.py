"""Pictures that were too large for one message of the bus, put together again.

A worker sends the parts in order, and the bus keeps it; where one is missing the picture is, as any frame may be.
"""

from msgspec.structs import replace

from fireside.domain.ids import JobId, WorkerId
from fireside.wire.live import MOST_PARTS, Frame, PreviewFrame

_MOST_AT_ONCE = 8


class Parts:
    """The pictures of a user's runs that have begun to come, the newest few of them."""

    def __init__(self) -> None:
        self._begun: dict[tuple[JobId, WorkerId], list[bytes]] = {}

    def whole(self, job_id: JobId, worker_id: WorkerId, frame: Frame, picture: bytes) -> tuple[Frame, bytes] | None:
        """Give a frame that is whole, and the picture with its last part; None for what is kept or of no use."""
        if not isinstance(frame, PreviewFrame) or frame.parts == 1:
            return frame, picture
        run = (job_id, worker_id)
        parts = self._begun.pop(run, [])
        if frame.part == 0:
            parts = []
        if not (frame.part == len(parts) < frame.parts <= MOST_PARTS):
            return None
        parts.append(picture)
        if len(parts) == frame.parts:
            return replace(frame, part=0, parts=1), b"".join(parts)
        self._begun[run] = parts
        if len(self._begun) > _MOST_AT_ONCE:
            del self._begun[next(iter(self._begun))]
        return None
