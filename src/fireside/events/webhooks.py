"""Bringing webhooks' messages to their receivers, after the scheme of Standard Webhooks.

A receiver gets its messages one after the other, each until it has taken it, so that they arrive in order also after
it was away; receivers do not wait for each other, and a user's slow ones hold up nobody else's. One that is busy may
say for how long it wants to be left alone, one that is gone is switched off. A message may arrive twice, under the same
id. Which messages there are is decided where what they tell of is written.
"""

import asyncio
import base64
import hashlib
import hmac
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

import msgspec
import structlog

from fireside.domain.errors import FiresideError, Refused
from fireside.domain.ids import UserId
from fireside.domain.webhooks import Delivery, Tried, Webhook, wish_of
from fireside.outbound.client import Outbound, Patience
from fireside.store.store import Store

_log = structlog.get_logger(__name__)
_ANSWER_CHARACTERS = 500


class SigningKeys(Protocol):
    """What messages are signed with."""

    async def keys(self, user_id: UserId, webhook_id: int, now: datetime) -> Sequence[bytes]:
        """Give the keys of a webhook that are valid now."""
        ...


class Postman:
    """Takes webhooks whose time has come, some of each user at once."""

    def __init__(
        self,
        store: Store,
        outbound: Outbound,
        keys: SigningKeys,
        *,
        patience: Patience,
        clock: Callable[[], datetime],
        most_of_a_user: int,
    ) -> None:
        self._store = store
        self._outbound = outbound
        self._keys = keys
        self._patience = patience
        self._clock = clock
        self._most_of_a_user = most_of_a_user
        self._busy: Counter[UserId] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()

    async def tick(self, now: datetime) -> None:
        """Set out with every first message that may be tried now; does not wait until they have arrived."""
        for user_id in await self._store.users_of_due_webhooks(now):
            await self._set_out(user_id, now)

    async def stop(self) -> None:
        """Break off what is under way; it is tried again later."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def settle(self) -> None:
        """Wait until everything that is under way has come to something."""
        while self._tasks:
            await asyncio.gather(*self._tasks)

    async def _set_out(self, user_id: UserId, now: datetime) -> None:
        room = self._most_of_a_user - self._busy[user_id]
        if room <= 0:
            return
        # Whoever dies on the way is replaced by somebody else when a try can no longer be under way.
        until = now + 2 * self._patience.total
        for webhook in await self._store.take_webhooks(user_id, now, until, limit=room):
            self._busy[user_id] += 1
            task = asyncio.create_task(self._serve(webhook), name=f"webhook {webhook.id}")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _serve(self, webhook: Webhook) -> None:
        try:
            delivery = await self._store.next_delivery(webhook.id)
            tried = Tried(at=self._clock()) if delivery is None else await self._try(webhook, delivery)
            await self._store.note_try(webhook, delivery, tried)
            if tried.is_gone:
                _log.info("webhook switched off", webhook_id=webhook.id, user_id=webhook.user_id, reason="it is gone")
        except FiresideError as error:
            _log.warning("webhook not served", webhook_id=webhook.id, code=error.code, reason=error.message)
            return
        finally:
            self._busy[webhook.user_id] -= 1
        await self._set_out(webhook.user_id, self._clock())

    async def _try(self, webhook: Webhook, delivery: Delivery) -> Tried:
        now = self._clock()
        body = body_of(delivery)
        headers = {
            "Content-Type": "application/json",
            **signed_headers(delivery, body, now, await self._keys.keys(webhook.user_id, webhook.id, now)),
        }
        try:
            reply = await self._outbound.post(webhook.url, body, headers, patience=self._patience)
        except Refused as error:
            return Tried(at=self._clock(), error=error.message)
        answer = reply.head.decode("utf-8", "replace").replace("\0", "")[:_ANSWER_CHARACTERS]
        at = self._clock()
        return Tried(at=at, status=reply.status, answer=answer, wish=wish_of(reply.headers.get("retry-after"), at))


def body_of(delivery: Delivery) -> bytes:
    """Give the message as it is sent, the same at every try."""
    message = {"type": delivery.event.word, "timestamp": delivery.created_at, "data": msgspec.Raw(delivery.data)}
    return msgspec.json.encode(message)


def signed_headers(delivery: Delivery, body: bytes, now: datetime, keys: Sequence[bytes]) -> dict[str, str]:
    """Sign a message with each of the keys, for a receiver that may know any of them."""
    message_id, timestamp = f"msg_{delivery.message_id.hex}", str(int(now.timestamp()))
    signed = b".".join((message_id.encode(), timestamp.encode(), body))
    signatures = [base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode() for key in keys]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }
