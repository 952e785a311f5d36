"""Whether bytes are a file of safetensors, told from its header alone; nothing of it is ever loaded or run.

The format: eight bytes with the length of a header (little endian), the header as a JSON object that says of each
tensor its type, its shape and where its bytes are, and those bytes without gaps up to the end of the file.
(https://github.com/huggingface/safetensors#format)
"""

from collections.abc import AsyncIterator
from math import prod
from typing import Annotated, Any

import msgspec

from fireside.domain.errors import BadRequest

MOST_HEADER_BYTES = 32 * 1024 * 1024
"""Headers with long metadata have one or two megabytes; the format itself allows 100 MB."""
_LENGTH_BYTES = 8
MOST_FIRST_BYTES = _LENGTH_BYTES + MOST_HEADER_BYTES
"""Within these the header ends, where there is one."""
_METADATA = "__metadata__"
_BITS = {
    **dict.fromkeys(("F64", "I64", "U64", "C64"), 64),
    **dict.fromkeys(("F32", "I32", "U32"), 32),
    **dict.fromkeys(("F16", "BF16", "I16", "U16"), 16),
    **dict.fromkeys(("BOOL", "I8", "U8", "F8_E4M3", "F8_E5M2", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ"), 8),
    **dict.fromkeys(("F6_E2M3", "F6_E3M2"), 6),
    "F4": 4,
}


class NotSafetensors(BadRequest):
    """These bytes are no file of safetensors."""

    code = "not_safetensors"


class _Tensor(msgspec.Struct, frozen=True):
    dtype: str
    shape: Annotated[list[int], msgspec.Meta(max_length=16)]
    data_offsets: tuple[int, int]


class SafetensorsCheck:
    """Looks at bytes as they come; `feed` and `finish` raise `NotSafetensors`."""

    def __init__(self) -> None:
        self._head = bytearray()
        self._came = 0
        self._size_bytes: int | None = None

    def feed(self, chunk: bytes | bytearray) -> None:
        """Take the next bytes; says what is wrong as soon as the header is here."""
        self._came += len(chunk)
        if self._size_bytes is not None:
            return
        self._head += chunk
        if len(self._head) < _LENGTH_BYTES:
            return
        length = int.from_bytes(self._head[:_LENGTH_BYTES], "little")
        if not 2 <= length <= MOST_HEADER_BYTES:
            raise NotSafetensors(f"This is no file of safetensors: its header would have {length} bytes.")
        if len(self._head) >= _LENGTH_BYTES + length:
            header = bytes(self._head[_LENGTH_BYTES : _LENGTH_BYTES + length])
            self._size_bytes = _LENGTH_BYTES + length + _data_bytes(header)
            self._head.clear()

    @property
    def has_header(self) -> bool:
        """Whether the whole header has come."""
        return self._size_bytes is not None

    def finish(self, size_bytes: int | None = None) -> None:
        """Hold the header against the size, by default as many bytes as have come."""
        size_bytes = self._came if size_bytes is None else size_bytes
        if self._size_bytes is None:
            raise NotSafetensors("This is no file of safetensors: it ends within its header.")
        if size_bytes != self._size_bytes:
            raise NotSafetensors(
                f"This file of safetensors is damaged: by its header it has {self._size_bytes} bytes, and it has"
                f" {size_bytes}."
            )


async def checked_safetensors(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Pass the bytes on; raises `NotSafetensors` at the first that cannot be part of such a file, or at the end."""
    check = SafetensorsCheck()
    async for chunk in chunks:
        check.feed(chunk)
        yield chunk
    check.finish()


def _data_bytes(header: bytes) -> int:
    """Read a header, and give how many bytes its tensors have; they follow each other without gaps."""
    try:
        entries = msgspec.json.decode(header, type=dict[str, Any])
        metadata = entries.pop(_METADATA, {})
        msgspec.convert(metadata, dict[str, str])
        tensors = msgspec.convert(entries, dict[str, _Tensor])
    except (msgspec.MsgspecError, RecursionError) as error:
        raise NotSafetensors(f"This is no file of safetensors: its header is not as it should be: {error}") from error
    end = 0
    for name, tensor in sorted(tensors.items(), key=lambda one: one[1].data_offsets):
        begin, after = tensor.data_offsets
        if begin != end or after < begin:
            raise NotSafetensors(f"This is no file of safetensors: {name!r} is not where the one before it ends.")
        if min(tensor.shape, default=0) < 0 or not _fits(tensor, after - begin):
            raise NotSafetensors(f"This is no file of safetensors: {name!r} has not as many bytes as its shape says.")
        end = after
    return end


def _fits(tensor: _Tensor, size_bytes: int) -> bool:
    """Whether the shape needs so many bytes; of types that are newer than this code nothing is known."""
    bits = _BITS.get(tensor.dtype)
    return bits is None or size_bytes == -(-prod(tensor.shape) * bits // 8)
