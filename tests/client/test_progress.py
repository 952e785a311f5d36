"""How far a job is, from the messages of the websocket."""

from typing import Any

import pytest

from fireside.client.progress import Progress, ProgressReader


def message(kind: str, **data: Any) -> dict[str, Any]:
    return {"type": kind, "data": {"prompt_id": "mine", **data}}


@pytest.fixture
def reader() -> ProgressReader:
    return ProgressReader("mine")


def test_cached_and_finished_nodes_count_as_done_once(reader: ProgressReader) -> None:
    reader.read(message("execution_start"))
    reader.read(message("execution_cached", nodes=["1", "2"]))
    reader.read(message("progress_state", nodes={"2": {"state": "finished"}, "3": {"state": "finished"}}))

    assert reader.progress.is_running
    assert reader.progress.finished_nodes == 3


def test_the_node_that_runs_is_shown_with_its_steps(reader: ProgressReader) -> None:
    reader.read(message("executing", node="7"))
    assert reader.progress == Progress(is_running=True, node_id="7")

    reader.read(message("progress", node="7", value=3, max=20))
    assert (reader.progress.step, reader.progress.steps) == (3, 20)

    reader.read(message("executing", node="8"))
    assert reader.progress == Progress(is_running=True, node_id="8")


@pytest.mark.parametrize("kind", ["execution_success", "execution_error", "execution_interrupted"])
def test_each_of_the_three_ends_ends_it(reader: ProgressReader, kind: str) -> None:
    assert reader.read(message(kind))
    assert reader.has_ended


@pytest.mark.parametrize(
    "foreign",
    [
        {"type": "execution_success", "data": {"prompt_id": "theirs"}},
        {"type": "status", "data": {"status": {"exec_info": {"queue_remaining": 1}}}},
        {"type": "execution_success"},
        {"type": "execution_success", "data": [1]},
        [1],
        None,
    ],
)
def test_messages_of_other_jobs_and_odd_ones_change_nothing(reader: ProgressReader, foreign: Any) -> None:
    assert not reader.read(foreign)
    assert reader.progress == Progress()
    assert not reader.has_ended


def test_the_last_word_without_a_node_keeps_what_is_shown(reader: ProgressReader) -> None:
    reader.read(message("executing", node="7"))
    reader.read(message("executing", node=None))

    assert reader.progress.node_id == "7"
