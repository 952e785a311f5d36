"""`object_info` as bytes: the known nodes, with the caller's own files in the lists that name files.

The editor reads it at every start, and it is megabytes, so what was written once is kept by what it was written from.
A client that has it already is told so before anything is written.
"""

import asyncio
import gzip
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from blake3 import blake3

from fireside.graphs.definitions import fill_input_files

_KEPT = 16
_GZIP_LEVEL = 5


@dataclass(frozen=True, slots=True)
class Written:
    """The bytes, plain and packed."""

    plain: bytes
    packed: bytes


class Catalogue:
    """Keeps what was written last; names what it would write without writing it."""

    def __init__(self) -> None:
        self._source: Mapping[str, Any] | None = None
        self._source_digest = b""
        self._kept: OrderedDict[str, Written] = OrderedDict()

    async def tag(self, object_info: Mapping[str, Any], names: Sequence[str]) -> str:
        """Name the bytes for these definitions and files: equal ones, and only they, have one tag."""
        if object_info is not self._source:
            digest = await asyncio.to_thread(lambda: blake3(msgspec.json.encode(object_info)).digest())
            self._source, self._source_digest = object_info, digest
        return blake3(self._source_digest + msgspec.json.encode(names)).hexdigest()

    async def written(self, tag: str, object_info: Mapping[str, Any], names: Sequence[str]) -> Written:
        """Give the bytes of this tag."""
        kept = self._kept.get(tag)
        if kept is None:
            kept = await asyncio.to_thread(_write, object_info, names)
        self._kept[tag] = kept
        self._kept.move_to_end(tag)
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return kept


def _write(object_info: Mapping[str, Any], names: Sequence[str]) -> Written:
    plain = msgspec.json.encode(fill_input_files(object_info, names))
    return Written(plain, gzip.compress(plain, _GZIP_LEVEL, mtime=0))
