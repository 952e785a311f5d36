"""Files of safetensors are told by their headers, and nothing else passes for one."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from fireside.wire.safetensors import MOST_HEADER_BYTES, NotSafetensors, checked_safetensors


def file_of(header: Any, data: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def tensor(begin: int, end: int, *shape: int, dtype: str = "F32") -> dict[str, Any]:
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [begin, end]}


GOOD = file_of(
    {
        "__metadata__": {"format": "pt"},
        "b": tensor(8, 16, 4, dtype="BF16"),
        "a": tensor(0, 8, 2),
        "e": tensor(16, 16, 0),
    },
    bytes(16),
)


async def passed(content: bytes, step: int) -> bytes:
    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(content), step):
            yield content[start : start + step]

    return b"".join([chunk async for chunk in checked_safetensors(chunks())])


@pytest.mark.parametrize("step", [1, 7, 4096])
async def test_a_good_file_passes_unchanged_however_it_is_cut(step: int) -> None:
    assert await passed(GOOD, step) == GOOD


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\x80\x02cos\nsystem\nq\x00.", id="a pickle"),
        pytest.param(b"PK\x03\x04" + bytes(100), id="a zip"),
        pytest.param(GOOD[:20], id="a piece of the header"),
        pytest.param(GOOD[:-1], id="a byte short"),
        pytest.param(GOOD + b"x", id="a byte more"),
        pytest.param((MOST_HEADER_BYTES + 1).to_bytes(8, "little") + b"{}", id="an endless header"),
        pytest.param((2**63).to_bytes(8, "little") + b"{}", id="a header beyond all bounds"),
        pytest.param(file_of(b"[]"), id="a header that is no object"),
        pytest.param(file_of(b"{'a'}"), id="a header that is no JSON"),
        pytest.param(file_of(b"[" * 100_000), id="a deep header"),
        pytest.param(file_of({"a": 7}), id="a tensor that is none"),
        pytest.param(file_of({"a": tensor(0, 8, 3)}, bytes(8)), id="more numbers than bytes"),
        pytest.param(file_of({"a": tensor(0, 8, -2)}, bytes(8)), id="fewer than none"),
        pytest.param(file_of({"a": tensor(4, 12, 2)}, bytes(12)), id="a gap"),
        pytest.param(file_of({"a": tensor(0, 8, 2), "b": tensor(4, 12, 2)}, bytes(12)), id="two in one place"),
        pytest.param(file_of({"a": tensor(8, 0, 2)}, bytes(8)), id="from behind"),
        pytest.param(file_of({"a": tensor(0, 800, 200)}, bytes(8)), id="beyond the end"),
        pytest.param(file_of({"a": tensor(0, 8, *[1] * 100_000, 2)}, bytes(8)), id="too many dimensions"),
        pytest.param(file_of({"__metadata__": {"a": 1}}), id="metadata that is no text"),
    ],
)
async def test_what_is_no_such_file_is_refused(content: bytes) -> None:
    with pytest.raises(NotSafetensors):
        await passed(content, 4096)
