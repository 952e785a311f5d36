import json
import struct
from typing import Any

import pytest

from fireside.runtimes.base import (
    CachedNodes,
    Failed,
    Finished,
    Interrupted,
    NodeOutput,
    NodeStarted,
    NodeState,
    Preview,
    Progress,
    ProgressState,
    ProgressText,
    RunEvent,
)
from fireside.runtimes.comfyui.messages import (
    ErrorMessage,
    HistoryEntry,
    HistoryMeta,
    HistoryStatus,
    read_binary,
    read_event,
    read_text,
)
from fireside.runtimes.comfyui.translating import Translator

GRAPH = {"1": {"class_type": "First", "inputs": {}}, "2": {"class_type": "Second", "inputs": {}}}
CACHED = ("execution_cached", {"nodes": []})


@pytest.fixture
def translator() -> Translator:
    return Translator(GRAPH, ["s3cret"])


def hear(translator: Translator, *frames: tuple[str, dict[str, Any]]) -> list[RunEvent]:
    """Read each frame as the websocket brings it and give all that it means."""
    events: list[RunEvent] = []
    for kind, data in frames:
        message = read_text(json.dumps({"type": kind, "data": {**data, "prompt_id": "p"}}))
        if message is not None:
            events.extend(translator.translate(message))
    return events


def preview(node_id: str | None, picture: bytes = b"picture") -> bytes:
    if node_id is None:
        return struct.pack(">II", 1, 2) + picture
    metadata = json.dumps({"node_id": node_id, "display_node_id": "1", "prompt_id": "p", "image_type": "image/png"})
    return struct.pack(">II", 4, len(metadata)) + metadata.encode() + picture


def test_each_message_becomes_its_event(translator: Translator) -> None:
    state = {"value": 1, "max": 4, "state": "running", "display_node_id": "2", "real_node_id": "2"}
    events = hear(
        translator,
        ("execution_start", {}),
        ("execution_cached", {"nodes": ["1"]}),
        ("progress_state", {"nodes": {"2": state}}),
        ("executing", {"node": "2", "display_node": "2"}),
        ("progress", {"node": "2", "value": 1, "max": 4}),
        ("executed", {"node": "2", "display_node": "2", "output": {"text": ["x"]}}),
        ("execution_success", {}),
        ("executing", {"node": None}),
    )

    running = NodeState(
        node_id="2",
        display_node_id="2",
        parent_node_id=None,
        real_node_id="2",
        class_type="Second",
        state="running",
        value=1,
        max=4,
    )
    assert events == [
        CachedNodes(nodes=("1",)),
        ProgressState(nodes=(running,)),
        NodeStarted(node_id="2", display_node_id="2"),
        Progress(node_id="2", value=1, max=4),
        NodeOutput(node_id="2", display_node_id="2", output={"text": ["x"]}),
        Finished(),
    ]


def test_the_reused_nodes_come_first_and_once_whatever_is_heard(translator: Translator) -> None:
    events = hear(translator, ("executing", {"node": "1"}), CACHED, CACHED)

    assert events == [CachedNodes(nodes=()), NodeStarted(node_id="1", display_node_id="1")]


@pytest.mark.parametrize("data", [{"node": "1", "output": None}, {"node": "1"}])
def test_a_node_with_nothing_to_show_shows_nothing(translator: Translator, data: dict[str, Any]) -> None:
    assert hear(translator, CACHED, ("executed", data)) == [CachedNodes(nodes=())]


def test_previews_say_whose_they_are_or_are_the_running_nodes(translator: Translator) -> None:
    hear(translator, CACHED, ("executing", {"node": "2.0.1", "display_node": "2"}))
    named, unnamed = read_binary(preview("1")), read_binary(preview(None))
    assert named is not None
    assert unnamed is not None

    assert [*translator.translate(named), *translator.translate(unnamed)] == [
        Preview(node_id="1", display_node_id="1", mime="image/png", data=b"picture"),
        Preview(node_id="2.0.1", display_node_id="2", mime="image/png", data=b"picture"),
    ]


def test_what_a_node_says_in_words_is_told(translator: Translator) -> None:
    hear(translator, CACHED, ("executing", {"node": "2.0.1", "display_node": "2"}))
    said = read_binary(struct.pack(">II", 3, 5) + b"2.0.1" + b"640 by 480")
    assert said is not None

    assert list(translator.translate(said)) == [ProgressText(node_id="2.0.1", text="640 by 480")]


def test_words_of_the_run_before_are_not_taken_for_a_beginning(translator: Translator) -> None:
    late = read_binary(struct.pack(">II", 3, 1) + b"1late")
    assert late is not None

    assert list(translator.translate(late)) == []


def test_a_preview_of_the_run_before_is_not_taken_for_a_beginning(translator: Translator) -> None:
    late = read_binary(preview(None))
    assert late is not None

    assert list(translator.translate(late)) == []


def test_executed_nodes_are_told_in_the_order_they_were_started(translator: Translator) -> None:
    events = hear(
        translator,
        CACHED,
        *(("executing", {"node": node}) for node in ("9", "4", "7")),
        ("execution_interrupted", {"node_id": "7", "executed": ["4", "9"]}),
    )

    assert events[-1] == Interrupted(node_id="7", node_type="", executed=("9", "4"))


def test_secrets_are_taken_out_of_what_is_told(translator: Translator) -> None:
    told = {
        "node_id": "1",
        "node_type": "First",
        "exception_message": "bad key s3cret",
        "traceback": ["line with s3cret"],
        "current_inputs": {"key": ["s3cret"], "nested": [{"deep": "Bearer s3cret"}]},
    }
    (_, failed) = hear(translator, ("execution_error", told))

    assert isinstance(failed, Failed)
    assert "s3cret" not in repr(failed)
    assert failed.current_inputs == {"key": ["(hidden)"], "nested": [{"deep": "Bearer (hidden)"}]}


def test_a_blocked_node_is_told_when_the_rest_has_run(translator: Translator) -> None:
    blocked = {"node_id": "1", "exception_type": "ExecutionBlocked", "exception_message": "Execution Blocked: no"}
    before = hear(translator, CACHED, ("execution_error", blocked), ("executing", {"node": "2"}))
    (end,) = hear(translator, ("execution_success", {}))

    assert [type(event) for event in before] == [CachedNodes, NodeStarted]
    assert isinstance(end, Failed)
    assert (end.node_id, end.node_type) == ("1", "First")


def test_an_end_in_an_odd_shape_is_an_end(translator: Translator) -> None:
    (_, end) = hear(translator, ("execution_error", {"node_id": {"odd": 1}, "exception_message": "what it said"}))

    assert isinstance(end, Failed)
    assert end.exception_message == "what it said"


@pytest.mark.parametrize(
    "frame", ["", "[]", "nonsense", '{"type": 5}', '{"type": "executed", "data": []}', '{"type": "crystools.monitor"}']
)
def test_what_is_not_for_a_run_is_passed_over(frame: str) -> None:
    assert read_text(frame) is None


@pytest.mark.parametrize("frame", [b"", b"\0\0\0", struct.pack(">II", 3, 9) + b"text", struct.pack(">II", 4, 9) + b"{"])
def test_binary_frames_of_other_kinds_are_passed_over(frame: bytes) -> None:
    assert read_binary(frame) is None


def test_numbers_that_are_no_json_become_null(translator: Translator) -> None:
    message = read_text('{"type": "executed", "data": {"prompt_id": "p", "node": 2, "output": {"x": [NaN, Infinity]}}}')
    assert message is not None

    assert list(translator.translate(message))[-1] == NodeOutput(
        node_id="2", display_node_id="2", output={"x": [None, None]}
    )


def test_the_history_tells_what_was_not_heard_and_nothing_twice(translator: Translator) -> None:
    hear(translator, CACHED, ("executed", {"node": "1", "output": {"text": ["heard"]}}))
    entry = HistoryEntry(
        outputs={"1": {"text": ["heard"]}, "2": {"text": ["missed"]}},
        meta={"2": HistoryMeta(display_node="20")},
        status=HistoryStatus(completed=True, messages=[CACHED, ("execution_success", {"prompt_id": "p"})]),
    )

    assert list(translator.from_history(entry)) == [
        NodeOutput(node_id="2", display_node_id="20", output={"text": ["missed"]}),
        Finished(),
    ]


def test_the_history_alone_tells_a_whole_failed_run(translator: Translator) -> None:
    said = {"node_id": "2", "node_type": "Second", "exception_message": "no", "exception_type": "ValueError"}
    entry = HistoryEntry(
        status=HistoryStatus(messages=[("execution_cached", {"nodes": ["1"]}), ("execution_error", said)])
    )

    first, end = translator.from_history(entry)
    assert first == CachedNodes(nodes=("1",))
    assert isinstance(end, Failed)
    assert (end.node_id, end.exception_type) == ("2", "ValueError")


@pytest.mark.parametrize(("status", "end"), [("success", Finished), ("error", Failed)])
def test_a_history_without_words_ends_by_its_status(translator: Translator, status: str, end: type[RunEvent]) -> None:
    events = list(translator.from_history(HistoryEntry(status=HistoryStatus(status_str=status))))

    assert isinstance(events[-1], end)


def test_a_second_try_tells_nothing_twice(translator: Translator) -> None:
    executed = ("executed", {"node": "1", "output": {"text": ["x"]}})
    hear(translator, CACHED, executed)
    translator.try_again()

    assert hear(translator, CACHED, executed, ("execution_success", {})) == [Finished()]


def test_a_traceback_may_be_one_text() -> None:
    message = read_event("execution_error", {"traceback": "one text", "prompt_id": "p"})

    assert isinstance(message, ErrorMessage)
    (_, failed) = Translator({}).translate(message)
    assert isinstance(failed, Failed)
    assert failed.traceback == ("one text",)
