from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fireside.domain.ids import AssetId
from fireside.graphs.asset_references import (
    AssetReference,
    MissingAsset,
    find_asset_references,
    replace_asset_references,
)

CAT = AssetId(UUID(int=1))
DOG = AssetId(UUID(int=2))
NAMES = {CAT: "cat.png", DOG: "dog.png"}


def reference(asset_id: Any, **hints: Any) -> dict[str, Any]:
    return {"__type": "core/ASSET", "info": {"id": str(asset_id), **hints}}


def test_references_are_found_anywhere_and_each_once() -> None:
    workflow = {"1": {"inputs": {"image": reference(CAT), "deep": [{"x": [reference(DOG)]}]}}, "2": [reference(CAT)]}

    assert find_asset_references(workflow) == [AssetReference(str(CAT), CAT), AssetReference(str(DOG), DOG)]


def test_references_are_replaced_with_file_names_in_a_copy() -> None:
    workflow = {"1": {"inputs": {"image": reference(CAT, hash="blake3:x"), "deep": [{"x": [reference(DOG), 5]}]}}}

    replaced = replace_asset_references(workflow, NAMES)

    assert replaced == {"1": {"inputs": {"image": "cat.png", "deep": [{"x": ["dog.png", 5]}]}}}
    assert find_asset_references(workflow) == [AssetReference(str(CAT), CAT), AssetReference(str(DOG), DOG)]


def test_a_reference_alone_is_its_file_name() -> None:
    assert replace_asset_references(reference(CAT), NAMES) == "cat.png"


def test_the_hints_of_a_reference_decide_nothing() -> None:
    assert replace_asset_references([reference(CAT, file_path="dog.png")], NAMES) == ["cat.png"]


@pytest.mark.parametrize(
    "malformed",
    [
        {"__type": "core/ASSET"},
        {"__type": "core/ASSET", "info": None},
        {"__type": "core/ASSET", "info": []},
        {"__type": "core/ASSET", "info": {}},
        {"__type": "core/ASSET", "info": {"id": None}},
        {"__type": "core/ASSET", "info": {"id": 5}},
        {"__type": "core/ASSET", "info": {"id": "no uuid"}},
        {"__type": "core/ASSET", "info": {"id": "\ud800"}},
        {"__type": "core/ASSET", "info": {"id": [str(CAT)]}},
    ],
)
def test_a_malformed_reference_is_missing(malformed: Any) -> None:
    with pytest.raises(MissingAsset) as refused:
        replace_asset_references({"1": [malformed]}, NAMES)
    assert refused.value.code == "missing_asset"
    assert refused.value.missing_ids in [(None,), ("no uuid",), ("?",)]


def test_all_missing_references_are_told_together() -> None:
    unknown = UUID(int=9)
    workflow = [reference(CAT), reference(unknown), {"x": reference("no uuid")}, reference(unknown)]

    with pytest.raises(MissingAsset) as refused:
        replace_asset_references(workflow, NAMES)
    assert refused.value.missing_ids == (str(unknown), "no uuid")
    assert str(unknown) in refused.value.message


@pytest.mark.parametrize(
    "value", [{"__type": "core/MODEL", "info": {"id": str(CAT)}}, {"type": "core/ASSET"}, {"__type": ["core/ASSET"]}]
)
def test_other_objects_are_no_references(value: Any) -> None:
    assert find_asset_references(value) == []
    assert replace_asset_references(value, {}) == value


def test_hostile_nesting_costs_no_stack() -> None:
    value: Any = reference(CAT)
    for _ in range(100_000):
        value = [value]

    assert len(find_asset_references(value)) == 1
    assert isinstance(replace_asset_references(value, NAMES), list)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(max_size=5), children, max_size=4),
)


@given(json_values)
def test_a_workflow_without_references_is_left_alone(workflow: Any) -> None:
    assert replace_asset_references(workflow, {}) == workflow
