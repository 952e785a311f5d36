from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fireside.graphs.errors import InvalidGraph
from fireside.graphs.job_ids import parse_job_id

CANONICAL = "0b8fbe2c-6f0c-4d43-9a6a-2f8ab2f2c3de"


@given(st.uuids())
def test_a_canonical_id_is_taken_as_it_is(uuid: UUID) -> None:
    assert parse_job_id(str(uuid)) == uuid


def test_no_id_leaves_the_choice_to_us() -> None:
    assert parse_job_id(None) is None


@pytest.mark.parametrize(
    "value",
    [
        "ABC",
        "",
        CANONICAL.upper(),
        "{" + CANONICAL + "}",
        CANONICAL.replace("-", ""),
        "urn:uuid:" + CANONICAL,
        7,
        [],
        {},
    ],
)
def test_any_other_spelling_is_refused(value: Any) -> None:
    with pytest.raises(InvalidGraph) as refused:
        parse_job_id(value)
    body = refused.value.body()
    assert body["error"]["type"] == "invalid_prompt_id"
    assert body["error"]["message"] == "prompt_id must be a valid UUID"
    assert "canonical lowercase hyphenated UUID string" in body["error"]["details"]
    assert (body["error"]["extra_info"], body["node_errors"]) == ({}, {})
