"""How often an editor's socket hears the counts of the queue."""

from uuid import UUID

from fireside.domain.ids import JobId
from fireside.events.heard import Heard
from fireside.events.listener import Listener
from fireside.server.v1.socket_pace import PacedListener
from fireside.store.records import QueueCounts


def _counts(queued: int) -> Heard:
    return Heard(counts=QueueCounts(queued=queued, held=0))


async def test_counts_are_held_back_and_the_latest_is_told() -> None:
    listener = Listener()
    paced = PacedListener(listener, seconds=0.2)
    other = Heard(job_id=JobId(UUID(int=1)))
    for heard in (_counts(3), _counts(2), other, _counts(1)):
        listener.put(heard)

    told = [await paced.next() for _ in range(3)]

    assert told == [_counts(3), other, _counts(1)]


async def test_without_a_pause_all_counts_are_told() -> None:
    listener = Listener()
    paced = PacedListener(listener, seconds=0.0)
    for queued in (3, 2, 1):
        listener.put(_counts(queued))

    assert [await paced.next() for _ in range(3)] == [_counts(3), _counts(2), _counts(1)]
