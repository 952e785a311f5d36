"""The messages of a websocket, made of what a listener hears."""

import struct
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import msgspec
import pytest
from tests.events.histories import (
    JOB,
    OTHER_JOB,
    assigned,
    cached,
    ended,
    node,
    output,
    preview,
    progress,
    queued,
    started,
    state,
)

from fireside.domain.ids import JobId
from fireside.events.heard import Heard
from fireside.server.v1.socket_messages import SocketMessages
from fireside.store.records import QueueCounts
from fireside.wire.live import Fact, Frame, TaskProgress

ID = str(JOB)
NULL = {"type": "executing", "data": {"node": None, "prompt_id": ID}}
START = {"type": "execution_start", "data": {"prompt_id": ID, "timestamp": 1000}}
NONE_CACHED = {"type": "execution_cached", "data": {"nodes": [], "prompt_id": ID, "timestamp": 1000}}
EXECUTED = {
    "type": "executed",
    "data": {"node": "2", "display_node": "2", "output": {"text": ["2"]}, "prompt_id": ID},
}


def heard_of(told: Fact | Frame, job_id: JobId = JOB, picture: bytes = b"") -> Heard:
    if isinstance(told, Fact):
        return Heard(job_id=JobId(told.job_id), fact=told)
    return Heard(job_id=job_id, frame=told, picture=picture)


def frames_of(messages: SocketMessages, heard: Iterable[Heard]) -> list[Any]:
    """The frames for what was heard: decoded texts, and bytes."""
    frames = [frame for one in heard for frame in messages.of(one)]
    return [frame if isinstance(frame, bytes) else msgspec.json.decode(frame) for frame in frames]


def texts_of(*told: Fact | Frame) -> list[dict[str, Any]]:
    return frames_of(SocketMessages("me"), map(heard_of, told))


def test_the_first_status_names_the_socket() -> None:
    counts = [Heard(counts=QueueCounts(queued=2, held=1)), Heard(counts=QueueCounts(queued=0, held=0))]

    assert frames_of(SocketMessages("me"), counts) == [
        {"type": "status", "data": {"status": {"exec_info": {"queue_remaining": 3}}, "sid": "me"}},
        {"type": "status", "data": {"status": {"exec_info": {"queue_remaining": 0}}}},
    ]


def test_a_run_from_start_to_end() -> None:
    told = (
        *(queued(), assigned(), started(), cached(1, 1, "1"), state(2), node(3), progress(4)),
        *(output(), state(5, state="finished"), ended()),
    )
    node_state = {
        "value": 1.0,
        "max": 2.0,
        "state": "running",
        "node_id": "2",
        "prompt_id": ID,
        "display_node_id": "2",
        "parent_node_id": None,
        "real_node_id": "2",
        "class_type": "KSampler",
    }

    assert texts_of(*told) == [
        START,
        {"type": "execution_cached", "data": {"nodes": ["1"], "prompt_id": ID, "timestamp": 1001}},
        {"type": "progress_state", "data": {"prompt_id": ID, "nodes": {"2": node_state}}},
        {"type": "executing", "data": {"node": "2", "display_node": "2", "prompt_id": ID}},
        {"type": "progress", "data": {"value": 1.0, "max": 20.0, "prompt_id": ID, "node": "2"}},
        EXECUTED,
        {"type": "progress_state", "data": {"prompt_id": ID, "nodes": {"2": node_state | {"state": "finished"}}}},
        {"type": "execution_success", "data": {"prompt_id": ID, "timestamp": 2000}},
        NULL,
    ]


def test_whole_numbers_of_progress_are_told_without_a_fraction() -> None:
    whole, broken = state(2), state(2, value=0.5, max=1e300)
    messages = SocketMessages("me")

    told = [str(frame) for one in (started(), whole, progress(3), broken) for frame in messages.of(heard_of(one))]

    assert '"value":1,"max":2,' in told[-3]
    assert '"value":1,"max":20,' in told[-2]
    assert '"value":0.5,"max":1e300,' in told[-1]


def test_a_failure_has_every_field_that_clients_read() -> None:
    error = {
        "node_id": "2",
        "node_type": "KSampler",
        "exception_message": "boom",
        "exception_type": "RuntimeError",
        "traceback": ["line 1", "line 2"],
        "current_inputs": {"seed": [1]},
        "current_outputs": {},
    }

    *_, end, last = texts_of(started(), ended("failed", error=error, executed=("1",)))

    assert end["type"] == "execution_error"
    assert end["data"] == error | {"prompt_id": ID, "executed": ["1"], "timestamp": 2000}
    assert last == NULL


@pytest.mark.parametrize("word", ["failed", "expired"])
def test_a_failure_that_nobody_explained_has_them_too(word: Any) -> None:
    end, last = texts_of(ended(word))

    assert end["type"] == "execution_error"
    assert {name: type(value) for name, value in end["data"].items()} == {
        "prompt_id": str,
        "node_id": str,
        "node_type": str,
        "executed": list,
        "exception_message": str,
        "exception_type": str,
        "traceback": list,
        "current_inputs": dict,
        "current_outputs": dict,
        "timestamp": int,
    }
    assert end["data"]["exception_message"]
    assert last == NULL


def test_a_job_canceled_while_it_ran_says_where() -> None:
    end, last = texts_of(started(), state(), ended("canceled", node_id="2", executed=("1",)))[-2:]

    assert end["type"] == "execution_interrupted"
    assert end["data"] == {
        "prompt_id": ID,
        "node_id": "2",
        "node_type": "KSampler",
        "executed": ["1"],
        "timestamp": 2000,
    }
    assert last == NULL


def test_a_job_canceled_while_it_waited_is_interrupted_nowhere_and_was_never_started() -> None:
    nowhere = {"prompt_id": ID, "node_id": None, "node_type": None, "executed": [], "timestamp": 2000}

    assert texts_of(queued(), ended("canceled")) == [{"type": "execution_interrupted", "data": nowhere}, NULL]


@pytest.mark.parametrize("told", [state(), node(), progress(), output(), ended()])
def test_what_was_cached_is_told_right_after_the_start_even_when_nobody_said(told: Fact | Frame) -> None:
    assert texts_of(started(), told)[:2] == [START, NONE_CACHED]


def test_what_was_cached_is_told_once() -> None:
    texts = texts_of(started(), state(1), cached(2, 1, "1"), cached(3), ended())

    assert [text["type"] for text in texts].count("execution_cached") == 1


def test_outputs_that_come_with_the_end_are_told_before_it_and_once() -> None:
    messages = SocketMessages("me")
    end = Heard(job_id=JOB, fact=ended(), outputs=(output("2"), output("3")))

    texts = frames_of(messages, [heard_of(started()), heard_of(output("2")), end])

    assert [(text["type"], text["data"].get("node")) for text in texts] == [
        ("execution_start", None),
        ("execution_cached", None),
        ("executed", "2"),
        ("executed", "3"),
        ("execution_success", None),
        ("executing", None),
    ]


def test_a_success_whose_start_was_not_heard_is_told_whole() -> None:
    texts = frames_of(SocketMessages("me"), [Heard(job_id=JOB, fact=ended(), outputs=(output("2"),))])

    assert [text["type"] for text in texts] == [
        *("execution_start", "execution_cached", "executed", "execution_success", "executing")
    ]
    assert texts[2] == EXECUTED


def test_a_run_that_begins_anew_is_told_anew_and_not_as_an_end() -> None:
    texts = texts_of(started(1), output("2"), queued(2), assigned(3), started(3), output("2", 3), ended("succeeded", 3))

    assert [text["type"] for text in texts] == [
        *("execution_start", "execution_cached", "executed"),
        *("execution_start", "execution_cached", "executed", "execution_success", "executing"),
    ]


def test_frames_of_a_job_that_does_not_run_are_left_out() -> None:
    assert texts_of(state(), node(), output(), preview()) == []
    assert len(texts_of(started(), ended())) == len(texts_of(started(), ended(), state(), output())) == 4


def test_two_jobs_at_once_do_not_mix() -> None:
    messages = SocketMessages("me")
    told = [
        heard_of(one)
        for pair in (
            (started(), started(job_id=OTHER_JOB)),
            (output(), output(job_id=OTHER_JOB)),
            (ended(), ended("canceled", job_id=OTHER_JOB)),
        )
        for one in pair
    ]

    texts = frames_of(messages, told)

    assert [text["type"] for text in texts if text["data"]["prompt_id"] == ID] == [
        *("execution_start", "execution_cached", "executed", "execution_success", "executing")
    ]
    assert [text["type"] for text in texts if text["data"]["prompt_id"] == str(OTHER_JOB)] == [
        *("execution_start", "execution_cached", "executed", "execution_interrupted", "executing")
    ]


@pytest.mark.parametrize(("mime", "number"), [("image/jpeg", 1), ("image/png", 2)])
def test_a_preview_is_bytes_behind_two_numbers(mime: str, number: int) -> None:
    heard = [heard_of(started()), heard_of(cached()), heard_of(preview(2, mime=mime), picture=b"picture")]

    assert frames_of(SocketMessages("me"), heard)[-1] == struct.pack(">II", 1, number) + b"picture"


@pytest.mark.parametrize("mime", ["image/jpeg", "image/png"])
def test_a_client_that_reads_metadata_learns_what_a_preview_is_of(mime: str) -> None:
    messages = SocketMessages("me")
    messages.with_metadata = True
    inner = state(2, node_id="3.0.5", display_node_id="3", parent_node_id="3", real_node_id="5")
    told: Sequence[Heard] = [
        *(heard_of(one) for one in (started(), cached(), inner)),
        heard_of(preview(3, node_id="3.0.5", mime=mime), picture=b"picture"),
        heard_of(preview(4, node_id="9", mime=mime), picture=b""),
    ]

    known, unknown = frames_of(messages, told)[-2:]

    assert decoded(known) == (
        {
            "node_id": "3.0.5",
            "prompt_id": ID,
            "display_node_id": "3.0.5",
            "parent_node_id": "3",
            "real_node_id": "5",
            "image_type": mime,
        },
        b"picture",
    )
    head, rest = decoded(unknown)
    assert (head["real_node_id"], head["parent_node_id"], rest) == ("9", None, b"")


def decoded(frame: bytes) -> tuple[dict[str, Any], bytes]:
    kind, length = struct.unpack_from(">II", frame)
    assert kind == 4
    return msgspec.json.decode(frame[8 : 8 + length]), frame[8 + length :]


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ({"status": "created", "bytes_total": 0, "bytes_done": 0}, {"progress": 0.0}),
        ({"status": "running", "bytes_total": 0, "bytes_done": 7}, {"progress": 0.0}),
        ({"status": "running", "bytes_total": 8, "bytes_done": 2}, {"progress": 25.0}),
        ({"status": "running", "bytes_total": 8, "bytes_done": 9}, {"progress": 100.0}),
        ({"status": "completed", "bytes_total": 0, "bytes_done": 7, "asset_id": UUID(int=5)}, {"progress": 100.0}),
        ({"status": "failed", "bytes_total": 8, "bytes_done": 2, "error": "gone"}, {"progress": 25.0}),
    ],
)
def test_a_file_that_is_fetched_is_told_in_percent(told: dict[str, Any], shown: dict[str, Any]) -> None:
    progress = TaskProgress(task_id=UUID(int=9), asset_name="a.safetensors", **told)

    (message,) = frames_of(SocketMessages("me"), [Heard(task=progress)])

    optional = {name: str(told[name]) for name in ("asset_id", "error") if name in told}
    data = {"task_id": str(UUID(int=9)), "asset_name": "a.safetensors", "status": told["status"], **shown, **optional}
    counts = {"bytes_total": told["bytes_total"], "bytes_downloaded": told["bytes_done"]}
    assert message == {"type": "asset_download", "data": data | counts}
