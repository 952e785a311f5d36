from collections.abc import Callable
from typing import Any

import pytest

from fireside.runtimes.base import Progress, ProgressState, RunEvent
from fireside.runtimes.builtin.board import Board

GRAPH: dict[str, Any] = {str(number): {"class_type": "Node"} for number in range(2000)}


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def told() -> list[RunEvent]:
    return []


@pytest.fixture
def board(told: list[RunEvent], clock: Callable[[], float]) -> Board:
    return Board(GRAPH, told.append, clock=clock)


def states(event: RunEvent) -> list[tuple[str, str, float, float]]:
    assert isinstance(event, ProgressState)
    return [(node.node_id, node.state, node.value, node.max) for node in event.nodes]


def test_a_finished_node_keeps_its_own_maximum(board: Board, told: list[RunEvent]) -> None:
    board.start("1")
    board.step("1", 3, 20)
    board.finish("1")

    assert states(told[-1]) == [("1", "finished", 20, 20)]


def test_a_broken_node_shows_how_far_it_came(board: Board, told: list[RunEvent]) -> None:
    board.start("1")
    board.step("1", 3, 20)
    board.fail("1")

    assert states(told[-1]) == [("1", "error", 3, 20)]


def test_steps_that_follow_at_once_are_left_out_but_never_the_last(board: Board, told: list[RunEvent]) -> None:
    board.start("1")
    for value in range(1, 101):
        board.step("1", value, 100)

    assert [event.value for event in told if isinstance(event, Progress)] == [1, 100]


def test_steps_with_time_between_them_are_all_told(board: Board, told: list[RunEvent], clock: Clock) -> None:
    board.start("1")
    for value in range(1, 6):
        clock.now += 0.1
        board.step("1", value, 5)

    assert [event.value for event in told if isinstance(event, Progress)] == [1, 2, 3, 4, 5]


def test_a_reused_node_is_told_with_the_next_message(board: Board, told: list[RunEvent]) -> None:
    board.reuse("1")
    assert told == []

    board.flush()
    assert states(told[-1]) == [("1", "finished", 1, 1)]


def test_nothing_new_is_not_told_again(board: Board, told: list[RunEvent]) -> None:
    board.start("1")
    board.flush()

    assert len(told) == 1


def test_messages_stay_few_in_a_large_graph_and_end_complete(board: Board, told: list[RunEvent]) -> None:
    for node_id in GRAPH:
        board.start(node_id)
        board.finish(node_id)
    board.flush()

    assert sum(len(states(event)) for event in told) < 20 * len(GRAPH)
    assert {state for _, state, _, _ in states(told[-1])} == {"finished"}
    assert len(states(told[-1])) == len(GRAPH)
