"""The store's verbs about idempotency keys: used once, and forgotten in time.

A key is claimed in the transaction that writes what it is for (`JobVerbs.add_job`, `AssetVerbs.record_asset`), so that
it is used up exactly if that is there. Nothing gives a key back, because nothing is written of what is refused.
"""

from datetime import datetime

from fireside.domain.ids import UserId
from fireside.store.database import Statement
from fireside.store.records import IdempotencyKey
from fireside.store.refusals import KeyReused
from fireside.store.verbs import Verbs

CLAIM = "claim_key"


class KeyVerbs(Verbs):
    """Idempotency keys."""

    async def remove_expired_keys(self, expired_at: datetime) -> int:
        """Forget the keys that were claimed then or before; answer how many."""
        return len(await self._write("remove_expired_keys", {"expired_at": expired_at}))


def claim_of(user_id: UserId, key: IdempotencyKey, now: datetime) -> Statement:
    """Give the statement that uses a key up, or meets no row."""
    params = {"user_id": user_id, "route": key.route, "key": key.key, "now": now, "expired_at": key.expired_at}
    return Statement(CLAIM, params, expect=1)


def reused() -> KeyReused:
    """Refuse a key that was used before."""
    return KeyReused("This Idempotency-Key was used before; look for the job or file that came of it.")
