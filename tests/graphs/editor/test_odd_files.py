"""Files that are broken somewhere: they are converted or refused, and nothing else ever happens."""

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.graphs.editor.cases import CASES
from tests.graphs.editor.test_convert import convert

from fireside.domain.errors import TooLarge
from fireside.graphs.errors import InvalidGraph

FILES = {name: json.dumps(build()) for name, build in CASES.items()}
ODD = st.recursive(
    st.none() | st.booleans() | st.integers(-30, 30) | st.floats(allow_nan=False) | st.sampled_from(["", "1", "*"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["id", "name", "link"]), inner),
    max_leaves=6,
)


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """All places of a JSON, as container and key."""
    left = [value]
    while left:
        container = left.pop()
        for key in container if isinstance(container, dict) else range(len(container)):
            yield container, key
            if isinstance(container[key], dict | list):
                left.append(container[key])


@settings(max_examples=400, deadline=None)
@given(name=st.sampled_from(sorted(FILES)), data=st.data())
def test_a_broken_file_is_converted_or_refused(name: str, data: st.DataObject) -> None:
    workflow = json.loads(FILES[name])
    for _ in range(data.draw(st.integers(1, 3))):
        places = list(_places(workflow))
        container, key = places[data.draw(st.integers(0, len(places) - 1))]
        container[key] = data.draw(ODD)

    with suppress(InvalidGraph, TooLarge):
        json.dumps(convert(workflow).graph)
