"""The node definitions that submits are validated against: the union of what workers have ever published.

They are remembered in the store, so that the absence of a worker never refuses a submit.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from fireside.domain.errors import NoDefinitions
from fireside.graphs.definitions import NodeDefinitions, blank_input_files, decode_object_info
from fireside.store.records import DefinitionSet
from fireside.store.store import Store


class DefinitionBook:
    """The known definitions, parsed once for each change of them."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._hashes: tuple[str, ...] = ()
        self._definitions: NodeDefinitions | None = None
        self._object_info: dict[str, Any] = {}
        self._reading = asyncio.Lock()

    async def refresh(self) -> None:
        """Read what has been published; called at start, when a worker joins, and by upkeep."""
        async with self._reading:
            sets = await self._store.latest_definitions()
            hashes = tuple(sorted(found.hash for found in sets))
            if hashes == self._hashes or not sets:
                return
            # Reading a large fleet's definitions takes a while; the loop goes on meanwhile.
            self._object_info, self._definitions = await asyncio.to_thread(_read, sets)
            self._hashes = hashes

    async def definitions(self) -> NodeDefinitions:
        """Give the definitions; `NoDefinitions` when no worker of any kind was ever here."""
        if self._definitions is None:
            await self.refresh()
        if self._definitions is None:
            raise NoDefinitions("no worker has joined yet, so no node is known; start a worker and try again")
        return self._definitions

    async def object_info(self) -> Mapping[str, Any]:
        """Give the definitions as ComfyUI's object_info, with empty lists of input files."""
        await self.definitions()
        return self._object_info


def _read(sets: Sequence[DefinitionSet]) -> tuple[dict[str, Any], NodeDefinitions]:
    """Put the sets together; where two know the same class, the first kind of runtime by name says what it is."""
    merged: dict[str, Any] = {}
    for found in sorted(sets, key=lambda found: found.runtime):
        merged = decode_object_info(found.body) | merged
    merged = blank_input_files(merged)
    return merged, NodeDefinitions.parse(msgspec.json.encode(merged))
