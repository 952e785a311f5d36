from uuid import UUID

import pytest

from fireside.domain.ids import JobId, WorkerId
from fireside.events.parts import Parts
from fireside.wire.live import MOST_PARTS, NodeFrame, PreviewFrame

ONE, OTHER = JobId(UUID(int=1)), JobId(UUID(int=2))
WORKER = WorkerId("w")


def part(number: int, of: int, sequence: int = 0) -> PreviewFrame:
    return PreviewFrame(
        fence=1, sequence=sequence, node_id="1", display_node_id="1", mime="image/png", part=number, parts=of
    )


def test_pictures_of_two_runs_come_together_beside_each_other() -> None:
    parts = Parts()

    assert parts.whole(ONE, WORKER, part(0, 2), b"a") is None
    assert parts.whole(OTHER, WORKER, part(0, 2), b"x") is None
    node = NodeFrame(fence=1, sequence=2, node_id="1", display_node_id="1")
    assert parts.whole(ONE, WORKER, node, b"") == (node, b"")
    assert parts.whole(ONE, WORKER, part(1, 2, 3), b"b") == (part(0, 1, 3), b"ab")
    assert parts.whole(OTHER, WORKER, part(1, 2, 4), b"y") == (part(0, 1, 4), b"xy")


@pytest.mark.parametrize("came", [(1,), (0, 2), (1, 2), (0, 0, 2), (0, 1, 1, 2)])
def test_a_picture_that_misses_a_part_is_missing_and_the_next_one_is_not(came: tuple[int, ...]) -> None:
    parts = Parts()

    assert [parts.whole(ONE, WORKER, part(number, 3), b"-") for number in came] == [None] * len(came)
    assert [parts.whole(ONE, WORKER, part(number, 3), b"%d" % number) for number in range(3)][2] == (part(0, 1), b"012")


def test_what_never_ends_is_bounded() -> None:
    parts = Parts()
    for number in range(20):
        parts.whole(JobId(UUID(int=number)), WORKER, part(0, 2), b"-")

    assert len(parts._begun) == 8
    assert parts.whole(ONE, WORKER, part(0, MOST_PARTS + 1), b"-") is None
    assert parts.whole(ONE, WORKER, part(-1, 2), b"-") is None
    assert len(parts._begun) == 8
