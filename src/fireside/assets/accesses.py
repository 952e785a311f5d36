"""When assets were read last: noted in memory and written now and then, so that no reader waits for a write.

What was noted and not written yet is lost when the process is killed.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from fireside.domain.assets import Asset
from fireside.domain.ids import AssetId
from fireside.store.store import Store

_EVERY = timedelta(minutes=1)
_AT_ONCE = 200
_MOST = 100_000


class Accesses:
    """Notes of reading; an asset that was read less than a minute ago is not noted again."""

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock
        self._noted: dict[AssetId, datetime] = {}

    def note(self, asset: Asset) -> None:
        """Note that an asset is read now."""
        now = self._clock()
        if now - asset.accessed_at >= _EVERY and len(self._noted) < _MOST:
            self._noted[asset.id] = now

    async def flush(self) -> None:
        """Write what was noted, a few assets at a time."""
        noted, self._noted = self._noted, {}
        ids = list(noted)
        for start in range(0, len(ids), _AT_ONCE):
            some = ids[start : start + _AT_ONCE]
            await self._store.touch_assets(some, max(noted[asset_id] for asset_id in some))
