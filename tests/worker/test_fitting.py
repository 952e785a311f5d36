from uuid import UUID

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from fireside.domain.ids import JobId
from fireside.domain.jobs import Lease
from fireside.runtimes.base import Failed
from fireside.wire.fleet import EndReport, LeaseBody
from fireside.worker.fitting import failure_of, fitting_names, fitting_times

BUS_BYTES = 1024 * 1024
WORST = "\x01"
"""Six bytes of JSON."""
LEASE = LeaseBody.of(Lease(job_id=JobId(UUID(int=1)), attempt=1, fence=1))


def failed(**fields: object) -> Failed:
    plain = {"node_id": "1", "node_type": "T", "exception_type": "E", "exception_message": "boom"}
    return Failed(**(plain | fields))  # type: ignore[arg-type]


def test_what_is_small_is_told_as_it_is() -> None:
    inputs = {"image": [1.5, None, {"a": "b"}], "text": "words"}
    told = failure_of(failed(traceback=("line 1", "line 2"), current_inputs=inputs))
    assert (told.node_id, told.exception_message, told.traceback) == ("1", "boom", ("line 1", "line 2"))
    assert told.current_inputs == inputs
    assert fitting_names(("1", "2")) == ("1", "2")


def test_the_largest_report_fits_the_bus_and_so_does_what_listeners_are_told_of_it() -> None:
    long = WORST * 3_000_000
    names = tuple(f"{number}:{WORST * 50}" for number in range(20_000))
    failure = failure_of(
        failed(
            node_id=long,
            node_type=long,
            exception_type=long,
            exception_message=long,
            traceback=(long,) * 3 + ("x" * 100,) * 10_000,
            current_inputs={f"{number}{long[:100_000]}": {"deep": [long[:100_000]]} for number in range(50)},
        )
    )
    report = EndReport(
        lease=LEASE, outcome="failed", run_seconds=1.0, failure=failure,
        cached=fitting_names(names), executed=fitting_names(names),
    )  # fmt: skip
    assert len(msgspec.json.encode(report)) < BUS_BYTES


def test_of_a_long_traceback_the_end_is_kept() -> None:
    told = failure_of(failed(traceback=tuple(f"line {number} {'x' * 1000}" for number in range(5000))))
    assert told.traceback[-1].startswith("line 4999 ")
    assert 1 < len(told.traceback) < 5000


def test_a_large_input_is_cut_and_the_small_ones_beside_it_are_kept() -> None:
    told = failure_of(failed(current_inputs={"picture": "x" * 100_000, "seed": [7]}))
    assert told.current_inputs["seed"] == [7]
    assert told.current_inputs["picture"].startswith("xxx")
    assert told.current_inputs["picture"].endswith("…")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(st.dictionaries(st.text(), json_values), st.lists(st.text()))
def test_whatever_a_node_was_given_can_be_told(inputs: dict[str, object], traceback: list[str]) -> None:
    msgspec.json.encode(failure_of(failed(current_inputs=inputs, traceback=tuple(traceback))))


def test_times_of_nodes_are_kept_as_far_as_there_is_room() -> None:
    assert fitting_times([("1", 0.0), ("2", 1.5)]) == (("1", 0.0), ("2", 1.5))
    assert len(msgspec.json.encode(fitting_times([("x" * 1000, 1.0)] * 100))) < 20_000
