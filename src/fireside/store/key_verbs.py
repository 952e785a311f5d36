"""The store's verbs about idempotency keys: used once, given back when nothing has come of it, forgotten in time.

A job's key is claimed in the transaction that queues the job (`JobVerbs.add_job`), so that it is used up exactly if
the job is there. What has no such transaction claims its key before, and gives it back.
"""

from datetime import datetime

from fireside.domain.ids import UserId
from fireside.store.database import Statement, Unexpected
from fireside.store.records import IdempotencyKey
from fireside.store.refusals import KeyReused
from fireside.store.verbs import Verbs

CLAIM = "claim_key"


class KeyVerbs(Verbs):
    """Idempotency keys."""

    async def claim_key(self, user_id: UserId, key: IdempotencyKey, now: datetime) -> None:
        """Use the key up; raises `KeyReused` when somebody has."""
        try:
            await self._database.write([claim_of(user_id, key, now)])
        except Unexpected as error:
            raise reused() from error

    async def release_key(self, user_id: UserId, key: IdempotencyKey) -> None:
        """Let the key be used again."""
        await self._write("release_key", {"user_id": user_id, "route": key.route, "key": key.key})

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
