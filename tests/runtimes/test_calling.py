from typing import Any

import numpy as np
import pytest

from fireside.runtimes.builtin.calling import call_over_lists, put_together
from fireside.runtimes.builtin.node import Node, Output, Result


def declare(*outputs: Output, takes_lists: bool = False) -> Node:
    return Node(
        name="Node",
        display_name="",
        category="",
        summary="",
        run=Result,
        outputs=outputs,
        takes_lists=takes_lists,
    )


def test_a_shorter_list_repeats_its_last_value() -> None:
    calls = call_over_lists(declare(), lambda a, b: (a, b), {"a": (1, 2, 3), "b": ("x", "y")})

    assert calls == [(1, "x"), (2, "y"), (3, "y")]


def test_a_node_without_inputs_is_called_once() -> None:
    assert call_over_lists(declare(), lambda: "called", {}) == ["called"]


def test_a_node_that_takes_lists_gets_them_whole() -> None:
    calls = call_over_lists(declare(takes_lists=True), lambda a, b: (a, b), {"a": (1, 2, 3), "b": ()})

    assert calls == [([1, 2, 3], [])]


def test_an_empty_list_is_refused_with_the_name_of_its_input() -> None:
    with pytest.raises(ValueError, match="feeds b is empty"):
        call_over_lists(declare(), lambda a, b: (a, b), {"a": (1,), "b": ()})


def test_plain_outputs_are_collected_and_lists_are_joined() -> None:
    node = declare(Output("INT"), Output("INT", is_list=True))
    computed = put_together(node, [Result((1, [10, 11])), Result((2, [])), Result((3, [12]))])

    assert computed.values == ((1, 2, 3), (10, 11, 12))


def test_what_calls_show_is_joined_by_key() -> None:
    shown: list[dict[str, tuple[Any, ...]] | None] = [{"text": ("a",)}, None, {"text": ("b", "c"), "flag": (True,)}]
    computed = put_together(declare(), [Result(ui=ui) for ui in shown])

    assert computed.ui == {"text": ("a", "b", "c"), "flag": (True,)}


def test_a_node_that_shows_nothing_has_no_output_to_tell() -> None:
    assert put_together(declare(), [Result()]).ui is None


def test_a_wrong_number_of_values_is_an_error_of_the_node() -> None:
    with pytest.raises(TypeError, match="gave 1 values for 2 outputs"):
        put_together(declare(Output("INT"), Output("INT")), [Result((1,))])


def test_pixels_become_read_only() -> None:
    computed = put_together(declare(Output("IMAGE")), [Result((np.zeros(3),))])
    pixels = computed.values[0][0]

    assert not pixels.flags.writeable
