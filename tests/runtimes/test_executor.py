"""What only the executor of the builtin runtime does: lets go of memory, bounds its cache, refuses bad graphs."""

import dataclasses
import gc
import threading
import weakref
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fireside.runtimes.base import CachedNodes, Failed, Finished, NodeOutput, NodeStarted, RunEvent, Task
from fireside.runtimes.builtin.cache import Cache
from fireside.runtimes.builtin.context import Context
from fireside.runtimes.builtin.executor import Executor
from fireside.runtimes.builtin.node import Input, Node, Output, Result
from fireside.runtimes.builtin.nodes import NODES

MIB = 1024 * 1024
made: list[weakref.ref[Any]] = []


def node(class_type: str, **inputs: Any) -> dict[str, Any]:
    return {"class_type": class_type, "inputs": inputs}


def _make(_: Context, number: int) -> Result:
    pixels = np.full((1, 8, 8, 3), number, np.float32)
    made.append(weakref.ref(pixels))
    return Result((pixels,))


def _use(_: Context, image: Any) -> Result:
    return Result((1,))


def _count(_: Context, after: int) -> Result:
    gc.collect()
    return Result(ui={"alive": (sum(ref() is not None for ref in made),)})


def declare(name: str, run: Callable[..., Result], entry: Input, *outputs: Output) -> Node:
    return Node(name=name, display_name=name, category="", summary="", run=run, inputs=(entry,), outputs=outputs)


OWN = {
    "Make": declare("Make", _make, Input("number", "INT"), Output("IMAGE")),
    "Use": declare("Use", _use, Input("image", "IMAGE"), Output("INT")),
    "Count": declare("Count", _count, Input("after", "INT")),
}


@pytest.fixture(autouse=True)
def _nothing_made() -> None:
    made.clear()


def execute(executor: Executor, graph: Mapping[str, Any], outputs: tuple[str, ...], folder: Path) -> list[RunEvent]:
    events: list[RunEvent] = []
    task = Task(task_id="task", graph=graph, outputs=outputs, inputs={}, extra_data={}, folder=folder)
    executor.execute(task, threading.Event(), events.append)
    return events


def shown(events: list[RunEvent]) -> list[Mapping[str, Any]]:
    return [event.output for event in events if isinstance(event, NodeOutput)]


def started(events: list[RunEvent]) -> list[str]:
    return [event.node_id for event in events if isinstance(event, NodeStarted)]


def test_a_result_that_nobody_needs_any_more_is_let_go_during_the_run(tmp_path: Path) -> None:
    graph = {"1": node("Make", number=1), "2": node("Use", image=["1", 0]), "3": node("Count", after=["2", 0])}

    assert shown(execute(Executor(OWN, Cache(0)), graph, ("3",), tmp_path)) == [{"alive": [0]}]


def test_a_result_that_somebody_still_needs_is_kept(tmp_path: Path) -> None:
    graph = {
        "1": node("Make", number=1),
        "2": node("Use", image=["1", 0]),
        "3": node("Count", after=["2", 0]),
        "4": node("Use", image=["1", 0]),
        "5": node("Count", after=["4", 0]),
    }
    events = execute(Executor(OWN, Cache(0)), graph, ("3", "5"), tmp_path)

    assert shown(events) == [{"alive": [1]}, {"alive": [0]}]
    assert started(events) == ["1", "2", "3", "4", "5"]


def test_a_former_result_that_this_run_does_not_need_is_not_kept_alive_by_it(tmp_path: Path) -> None:
    cache = Cache(MIB)
    executor = Executor(OWN, cache)
    graph = {"1": node("Make", number=1), "2": node("Use", image=["1", 0]), "3": node("Count", after=["2", 0])}
    execute(executor, {"1": graph["1"], "2": graph["2"]}, ("2",), tmp_path)

    events: list[RunEvent] = []

    def forget_when_told_what_is_reused(event: RunEvent) -> None:
        events.append(event)
        if isinstance(event, CachedNodes):
            cache.clear()

    task = Task(task_id="again", graph=graph, outputs=("3",), inputs={}, extra_data={}, folder=tmp_path)
    executor.execute(task, threading.Event(), forget_when_told_what_is_reused)
    assert events[0] == CachedNodes(nodes=("1", "2"))
    assert shown(events) == [{"alive": [0]}]


def test_results_of_former_runs_are_forgotten_when_they_take_too_much_memory(tmp_path: Path) -> None:
    executor = Executor(OWN, Cache(2000))
    graph = {"1": node("Make", number=1), "2": node("Use", image=["1", 0])}
    execute(executor, graph, ("2",), tmp_path)
    execute(executor, {"1": node("Make", number=2), "2": node("Use", image=["1", 0])}, ("2",), tmp_path)
    gc.collect()

    assert [ref() is not None for ref in made] == [False, True]


def test_an_interrupt_before_the_first_node_runs_none(tmp_path: Path) -> None:
    events: list[RunEvent] = []
    stop = threading.Event()
    stop.set()
    task = Task(
        task_id="task",
        graph={"1": node("Make", number=1)},
        outputs=("1",),
        inputs={},
        extra_data={},
        folder=tmp_path,
    )
    Executor(OWN, Cache(0)).execute(task, stop, events.append)

    assert [type(event).__name__ for event in events] == ["CachedNodes", "Interrupted"]


def test_an_interrupt_stops_also_a_run_that_is_reused_throughout(tmp_path: Path) -> None:
    executor = Executor(OWN, Cache(MIB))
    graph = {"1": node("Count", after=1)}
    execute(executor, graph, ("1",), tmp_path)

    events: list[RunEvent] = []
    stop = threading.Event()
    stop.set()
    task = Task(task_id="again", graph=graph, outputs=("1",), inputs={}, extra_data={}, folder=tmp_path)
    executor.execute(task, stop, events.append)
    assert [type(event).__name__ for event in events] == ["CachedNodes", "Interrupted"]


@pytest.mark.parametrize("written", [5, 5.0, "5"])
def test_a_number_may_be_written_in_other_ways(tmp_path: Path, written: Any) -> None:
    executor = Executor(OWN, Cache(MIB))
    execute(executor, {"1": node("Make", number=5)}, ("1",), tmp_path)

    events = execute(executor, {"1": node("Make", number=written)}, ("1",), tmp_path)
    assert events[0] == CachedNodes(nodes=("1",))


@pytest.mark.parametrize(
    ("graph", "node_id", "message"),
    [
        ({}, "1", "no node 1"),
        ({"1": "text"}, "1", "no node 1"),
        ({"1": node("Nothing")}, "1", "no node class 'Nothing'"),
        ({"1": node("Use", image=["2", 0]), "2": node("Use", image=["1", 0])}, "1", "its own result"),
        ({"1": node("Use", image=["1", 0])}, "1", "its own result"),
        ({"1": node("Use", image=["2", 7]), "2": node("Make", number=1)}, "1", "slot"),
        ({"1": node("Make", number="many")}, "1", "not INT"),
        ({"1": node("Make", number=None)}, "1", "not INT"),
    ],
)
def test_a_graph_that_validation_should_have_refused_fails(
    tmp_path: Path, graph: dict[str, Any], node_id: str, message: str
) -> None:
    events = execute(Executor(OWN, Cache(0)), graph, ("1",), tmp_path)

    assert events[0] == CachedNodes(nodes=())
    (end,) = events[1:]
    assert isinstance(end, Failed)
    assert (end.node_id, end.exception_type) == (node_id, "ValidationError")
    assert message in end.exception_message


def test_an_input_that_is_missing_fails_its_node(tmp_path: Path) -> None:
    end = execute(Executor(OWN, Cache(0)), {"1": node("Make")}, ("1",), tmp_path)[-1]

    assert isinstance(end, Failed)
    assert (end.node_id, end.node_type, end.exception_type) == ("1", "Make", "TypeError")


def test_results_cannot_be_changed_by_the_nodes_that_share_them(tmp_path: Path) -> None:
    def spoil(_: Context, image: Any) -> Result:
        image[:] = 0
        return Result((1,))

    nodes = {**OWN, "Use": dataclasses.replace(OWN["Use"], run=spoil)}
    graph = {"1": node("Make", number=1), "2": node("Use", image=["1", 0])}
    end = execute(Executor(nodes, Cache(0)), graph, ("2",), tmp_path)[-1]

    assert isinstance(end, Failed)
    assert "read-only" in end.exception_message


def test_inputs_that_are_not_plain_are_described_in_a_failure(tmp_path: Path) -> None:
    graph = {"1": node("EmptyImage", width=4, height=2, batch_size=1, color=0), "2": _failing("1")}
    end = execute(Executor(NODES, Cache(0)), graph, ("2",), tmp_path)[-1]

    assert isinstance(end, Failed)
    assert end.current_inputs["image"] == ["float32 1x2x4x3"]
    assert len(end.current_inputs["message"][0]) == 1000


def test_a_failure_keeps_what_was_computed_before_it(tmp_path: Path) -> None:
    executor = Executor(NODES, Cache(MIB))
    empty = node("EmptyImage", width=4, height=2, batch_size=1, color=0)
    execute(executor, {"1": empty, "2": _failing("1")}, ("2",), tmp_path)

    events = execute(executor, {"1": empty, "2": node("PreviewAny", source=["1", 0])}, ("2",), tmp_path)
    assert events[0] == CachedNodes(nodes=("1",))
    assert events[-1] == Finished()


def _failing(source: str) -> dict[str, Any]:
    return node("FiresideFail", image=[source, 0], message="m" * 5000, how="raise")
