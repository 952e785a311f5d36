"""Results of former runs, by signature; the least recently used go first when they take too much memory."""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

_SMALL_BYTES = 256


@dataclass(frozen=True, slots=True)
class Computed:
    """What a node has given: per output slot the list of its values, and what it shows."""

    values: tuple[tuple[Any, ...], ...]
    ui: dict[str, tuple[Any, ...]] | None = None

    @property
    def size_bytes(self) -> int:
        """About what it takes in memory."""
        shown = sum(len(str(items)) for items in (self.ui or {}).values())
        return _SMALL_BYTES + shown + sum(_size_of(value) for values in self.values for value in values)


class Cache:
    """A bounded memory of results."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._used_bytes = 0
        self._entries: OrderedDict[str, Computed] = OrderedDict()

    def get(self, signature: str) -> Computed | None:
        """Give the result and count it as used now."""
        entry = self._entries.get(signature)
        if entry is not None:
            self._entries.move_to_end(signature)
        return entry

    def put(self, signature: str, computed: Computed) -> None:
        """Keep a result unless it is larger than the whole cache."""
        if computed.size_bytes > self._max_bytes or signature in self._entries:
            return
        self._entries[signature] = computed
        self._used_bytes += computed.size_bytes
        while self._used_bytes > self._max_bytes:
            _, dropped = self._entries.popitem(last=False)
            self._used_bytes -= dropped.size_bytes

    def clear(self) -> None:
        """Forget everything."""
        self._entries.clear()
        self._used_bytes = 0


def _size_of(value: Any) -> int:
    if isinstance(value, np.ndarray):
        # A view keeps the whole array behind it alive.
        array = cast("NDArray[Any]", value)
        base = array.base if isinstance(array.base, np.ndarray) else array
        return max(base.nbytes, array.nbytes)
    if isinstance(value, str | bytes):
        return len(value)
    return _SMALL_BYTES
