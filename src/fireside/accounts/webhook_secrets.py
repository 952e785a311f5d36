"""What webhooks' messages are signed with: random keys, sealed at rest, shown to their owner, changed with an overlap.

The form is that of Standard Webhooks: `whsec_` and the key in base64.
"""

import base64
import secrets
from datetime import datetime, timedelta

from fireside.accounts.sealing import Sealer
from fireside.domain.errors import NotFound
from fireside.domain.ids import UserId
from fireside.domain.webhooks import Secret
from fireside.store.store import Store

_PREFIX = "whsec_"
_KEY_BYTES = 32


class WebhookSecrets:
    """The keys of all users' webhooks."""

    def __init__(self, store: Store, sealer: Sealer, *, overlap: timedelta) -> None:
        self._store = store
        self._sealer = sealer
        self._overlap = overlap

    def new(self, user_id: UserId) -> bytes:
        """Make a key, and give it sealed."""
        return self._sealer.seal(secrets.token_bytes(_KEY_BYTES), _context(user_id))

    async def keys(self, user_id: UserId, webhook_id: int, now: datetime) -> list[bytes]:
        """Give the keys to sign a message with: one, or two for a while after a change."""
        secret = await self._secret(user_id, webhook_id)
        sealed = [secret.sealed]
        if secret.former_sealed and secret.former_expires_at and now < secret.former_expires_at:
            sealed.append(secret.former_sealed)
        return [self._sealer.open(one, _context(user_id)) for one in sealed]

    async def show(self, user_id: UserId, webhook_id: int) -> str:
        """Give a webhook's secret as its receiver is told it; of 0, that of all webhooks which submits name."""
        return self._text(user_id, await self._secret(user_id, webhook_id))

    async def rotate(self, user_id: UserId, webhook_id: int, now: datetime) -> tuple[str, datetime]:
        """Give a webhook another secret, and say until when the former one signs as well; `NotFound`."""
        await self._secret(user_id, webhook_id)
        until = now + self._overlap
        rotated = await self._store.rotate_webhook_secret(user_id, webhook_id, self.new(user_id), until)
        if rotated is None:
            raise NotFound("There is no such webhook.")
        return self._text(user_id, rotated), until

    async def _secret(self, user_id: UserId, webhook_id: int) -> Secret:
        found = await self._store.webhook_secret(user_id, webhook_id)
        return found or await self._store.keep_webhook_secret(user_id, self.new(user_id))

    def _text(self, user_id: UserId, secret: Secret) -> str:
        return _PREFIX + base64.b64encode(self._sealer.open(secret.sealed, _context(user_id))).decode()


def _context(user_id: UserId) -> str:
    return f"webhooks of user {user_id}"
