from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fireside.graphs.fingerprint import fingerprint_graph


def graph(**changed: Any) -> dict[str, Any]:
    sampler = {
        "model": ["loader", 0],
        "positive": ["text", 0],
        "seed": 1,
        "steps": 20,
        "cfg": 7.0,
        "sampler_name": "euler",
        "noise_seed": 5,
        "control_after_generate": "randomize",
    }
    return {
        "loader": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "base.safetensors"}},
        "text": {"class_type": "CLIPTextEncode", "inputs": {"text": "a cat", "clip": ["loader", 1]}},
        "photo": {"class_type": "LoadImage", "inputs": {"image": "cat.png"}},
        "sampler": {"class_type": "KSampler", "inputs": sampler | changed},
        "save": {"class_type": "SaveImage", "inputs": {"images": ["sampler", 0], "filename_prefix": "a"}},
    }


@pytest.mark.parametrize(
    "changed",
    [
        {"seed": 2},
        {"noise_seed": 6},
        {"control_after_generate": "fixed"},
        {"cfg": 7.5},
        {"seed": {"__value__": 3}},
    ],
)
def test_what_costs_no_time_is_the_same_kind_of_work(changed: Any) -> None:
    assert fingerprint_graph(graph(**changed)) == fingerprint_graph(graph())


@pytest.mark.parametrize(
    "changed",
    [
        {"steps": 21},
        {"sampler_name": "heun"},
        {"cfg": 1.0},
        {"model": ["loader", 1]},
        {"positive": ["loader", 0]},
        {"width": 512},
    ],
)
def test_what_costs_time_is_another_kind_of_work(changed: Any) -> None:
    assert fingerprint_graph(graph(**changed)) != fingerprint_graph(graph())


@pytest.mark.parametrize(
    ("node", "name", "value"),
    [
        ("text", "text", "a dog\nin the rain"),
        ("photo", "image", "dog.JPG"),
        ("photo", "image", "sub/dog.webp [output]"),
        ("photo", "image", "blake3:" + "0" * 64),
        ("save", "filename_prefix", "b"),
    ],
)
def test_texts_files_and_prefixes_are_not_looked_at(node: str, name: str, value: str) -> None:
    other = graph()
    other[node]["inputs"][name] = value

    assert fingerprint_graph(other) == fingerprint_graph(graph())


@pytest.mark.parametrize("text", ["one\ntwo", "x" * 300])
def test_texts_that_are_no_choice_are_not_looked_at_under_any_name(text: str) -> None:
    assert fingerprint_graph(graph(notes=text)) == fingerprint_graph(graph(notes="a.png"))
    assert fingerprint_graph(graph(notes=text)) != fingerprint_graph(graph(notes="short"))


def test_a_models_name_is_looked_at() -> None:
    other = graph()
    other["loader"]["inputs"]["ckpt_name"] = "xl.safetensors"

    assert fingerprint_graph(other) != fingerprint_graph(graph())


def test_ids_titles_and_order_mean_nothing() -> None:
    def renamed(value: Any) -> Any:
        return [f"n-{value[0]}", value[1]] if isinstance(value, list) else value

    other = {
        f"n-{node_id}": {
            **node,
            "inputs": {name: renamed(value) for name, value in reversed(node["inputs"].items())},
            "_meta": {"title": node_id},
        }
        for node_id, node in reversed(graph().items())
    }

    assert fingerprint_graph(other) == fingerprint_graph(graph())


def test_a_node_more_is_another_kind_of_work() -> None:
    other = graph() | {"more": {"class_type": "SaveImage", "inputs": {}}}

    assert fingerprint_graph(other) != fingerprint_graph(graph())


def test_a_chain_of_thousands_and_a_loop_have_a_fingerprint() -> None:
    chain = {str(n): {"class_type": "Blur", "inputs": {"image": [str(n - 1), 0]}} for n in range(20_000)}
    loop = chain | {"0": {"class_type": "Blur", "inputs": {"image": ["19999", 0]}}}

    assert len(fingerprint_graph(chain)) == len(fingerprint_graph(loop)) == 32


values = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()


def nodes(sources: str) -> st.SearchStrategy[Any]:
    links = st.tuples(st.sampled_from(sources), st.integers(0, 2)).map(list) if sources else values
    inputs = st.dictionaries(st.text(max_size=5), values | links)
    return st.fixed_dictionaries({"class_type": st.text(), "inputs": inputs})


@given(st.fixed_dictionaries({"a": nodes(""), "b": nodes("a"), "c": nodes("ab")}))
def test_any_graph_without_loops_has_one_fingerprint(graph: dict[str, Any]) -> None:
    assert fingerprint_graph(graph) == fingerprint_graph(dict(reversed(graph.items())))
