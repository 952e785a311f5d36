"""The store's verbs about webhooks: who hears of a user's jobs, and the messages on their way there."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from fireside.domain.errors import Conflict, TooMany
from fireside.domain.ids import JobId, UserId
from fireside.domain.webhooks import (
    TRIED_FOR,
    Delivery,
    DeliveryState,
    Secret,
    Tried,
    Webhook,
    WebhookEvent,
    pause_after,
)
from fireside.store.database import Row, Transaction
from fireside.store.verbs import Verbs

OF_SUBMITS = 0
"""Stands for a webhook's id where the secret is meant that signs for all webhooks which submits name."""

_NEWEST = (1 << 63) - 1


class WebhookVerbs(Verbs):
    """Webhooks, their secrets, and their messages."""

    async def add_webhook(
        self, user_id: UserId, url: str, events: int, sealed: bytes, now: datetime, *, most: int
    ) -> Webhook:
        """Let a URL hear of all the user's jobs; raises `Conflict` when it does already, and `TooMany`.

        A webhook that was switched off is switched on again, and keeps its secret.
        """
        return await self._database.decide(lambda tx: _add(tx, user_id, url, events, sealed, now, most))

    async def webhooks(self, user_id: UserId) -> Sequence[Webhook]:
        """List the user's standing webhooks."""
        return [_webhook_of(row) for row in await self._all("webhooks_of_user", {"user_id": user_id})]

    async def webhook(self, webhook_id: int, *, user_id: UserId) -> Webhook | None:
        """Read a webhook of the user."""
        row = await self._one("webhook_by_id", {"id": webhook_id, "user_id": user_id})
        return _webhook_of(row) if row else None

    async def remove_webhook(self, webhook_id: int, *, user_id: UserId) -> bool:
        """Forget a webhook of the user with all its messages; whether there was one."""
        return await self._database.decide(lambda tx: _remove(tx, webhook_id, user_id))

    async def webhook_secret(self, user_id: UserId, webhook_id: int) -> Secret | None:
        """Read what the webhook's messages are signed with: its own secret, or that of all that submits name."""
        row = await self._one("webhook_secret", {"user_id": user_id, "webhook_id": webhook_id})
        return _secret_of(row) if row else None

    async def keep_webhook_secret(self, user_id: UserId, sealed: bytes) -> Secret:
        """Give the secret of all webhooks that submits name, which is this one if there was none."""
        mine = {"user_id": user_id, "webhook_id": OF_SUBMITS}
        await self._write("keep_webhook_secret", mine | {"sealed": sealed})
        (row,) = await self._all("webhook_secret", mine)
        return _secret_of(row)

    async def rotate_webhook_secret(
        self, user_id: UserId, webhook_id: int, sealed: bytes, former_expires_at: datetime
    ) -> Secret | None:
        """Sign with this secret from now on, and until then also with the former one; None when there was none."""
        params = {"user_id": user_id, "webhook_id": webhook_id, "sealed": sealed}
        rows = await self._write("rotate_webhook_secret", params | {"former_expires_at": former_expires_at})
        return _secret_of(rows[0]) if rows else None

    async def users_of_due_webhooks(self, now: datetime) -> Sequence[UserId]:
        """Say whose webhooks may be tried now."""
        return [UserId(row["user_id"]) for row in await self._all("users_of_due_webhooks", {"now": now})]

    async def take_webhooks(self, user_id: UserId, now: datetime, until: datetime, *, limit: int) -> Sequence[Webhook]:
        """Take webhooks whose time has come; until then nobody else takes them."""
        params = {"user_id": user_id, "now": now, "until": until, "limit": limit}
        return [_webhook_of(row) for row in await self._write("take_due_webhooks", params)]

    async def next_delivery(self, webhook_id: int) -> Delivery | None:
        """Read the first message that waits for a webhook."""
        row = await self._one("next_delivery", {"webhook_id": webhook_id})
        return _delivery_of(row) if row else None

    async def note_try(self, webhook: Webhook, delivery: Delivery | None, tried: Tried) -> None:
        """Write what came of a try, and when the webhook may be tried again; without a message, that none waits.

        A webhook whose receiver is gone is switched off, and what waits for it is given up.
        """
        await self._database.decide(lambda tx: _note(tx, webhook, delivery, tried))

    async def deliveries(
        self,
        user_id: UserId,
        *,
        job_id: JobId | None = None,
        webhook_id: int | None = None,
        state: DeliveryState | None = None,
        before: int | None = None,
        limit: int,
    ) -> Sequence[Delivery]:
        """List the user's messages, those of a job or of a webhook, the newest first."""
        params = {
            "user_id": user_id,
            "job_id": job_id,
            "webhook_id": webhook_id,
            "state": state.value if state else None,
            "before": _NEWEST if before is None else before,
            "limit": limit,
        }
        query = "deliveries_of_user" if job_id is None else "deliveries_of_job"
        return [_delivery_of(row) for row in await self._all(query, params)]

    async def resend(self, delivery_id: int, now: datetime, *, user_id: UserId) -> Delivery | None:
        """Send a message of the user again, behind those that wait; None when there is no such message."""
        return await self._database.decide(lambda tx: _resend(tx, delivery_id, now, user_id))

    async def forget_deliveries(self, over_before: datetime) -> None:
        """Remove messages that were over long ago, and webhooks that nothing is left of."""
        await self._write("forget_deliveries", {"before": over_before})
        await self._write("forget_webhooks", {"before": over_before})


def _add(tx: Transaction, user_id: UserId, url: str, events: int, sealed: bytes, now: datetime, most: int) -> Webhook:
    standing = tx.run("webhooks_of_user", {"user_id": user_id})
    there = next((row for row in standing if row["url"] == url), None)
    if there is not None and there["off_at"] is None:
        raise Conflict("There is a webhook of this URL already; remove it first to change its events.")
    if there is None and len(standing) >= most:
        raise TooMany(f"You have {most} webhooks, which is as many as there may be; remove one first.", retry_after=60)
    (row,) = tx.run("add_webhook", {"user_id": user_id, "url": url, "events": events, "now": now}, expect=1)
    tx.run("keep_webhook_secret", {"user_id": user_id, "webhook_id": row["pk"], "sealed": sealed})
    return _webhook_of(row)


def _remove(tx: Transaction, webhook_id: int, user_id: UserId) -> bool:
    tx.run("remove_webhook_secret", {"user_id": user_id, "webhook_id": webhook_id})
    return bool(tx.run("remove_webhook", {"id": webhook_id, "user_id": user_id}))


def _note(tx: Transaction, webhook: Webhook, delivery: Delivery | None, tried: Tried) -> None:
    failures = 0 if tried.is_taken or delivery is None else webhook.failures + 1
    if delivery is not None:
        state = tried.state_for(delivery)
        over_at = None if state is DeliveryState.PENDING else tried.at
        outcome = {"status": tried.status, "answer": tried.answer, "error": tried.error, "over_at": over_at}
        tx.run("note_try", {"id": delivery.id, "state": state.value, "now": tried.at} | outcome)
        if tried.is_gone:
            _switch_off(tx, webhook, tried.at)
            return
        if state is DeliveryState.FAILED:
            given_up = {"now": tried.at, "before": tried.at - TRIED_FOR, "error": "It waited for a day."}
            tx.run("give_up_deliveries", {"webhook_id": webhook.id} | given_up)
    next_at = tried.at + pause_after(failures, tried) if failures else tried.at
    tx.run("let_webhook_wait", {"webhook_id": webhook.id, "failures": failures, "next_at": next_at})


def _switch_off(tx: Transaction, webhook: Webhook, now: datetime) -> None:
    mine = {"webhook_id": webhook.id, "now": now}
    tx.run("give_up_all_deliveries", mine | {"error": "Its receiver is gone: it answered 410 to the message before."})
    tx.run("switch_webhook_off", mine)


def _resend(tx: Transaction, delivery_id: int, now: datetime, user_id: UserId) -> Delivery | None:
    rows = tx.run("resend_delivery", {"id": delivery_id, "user_id": user_id, "now": now})
    if not rows:
        return None
    tx.run("wake_webhook", {"webhook_id": rows[0]["webhook_pk"], "now": now})
    (row,) = tx.run("delivery_by_id", {"id": rows[0]["pk"], "user_id": user_id}, expect=1)
    return _delivery_of(row)


def _webhook_of(row: Row) -> Webhook:
    return Webhook(
        id=row["pk"],
        user_id=UserId(row["user_id"]),
        url=row["url"],
        events=row["events"],
        is_standing=bool(row["is_standing"]),
        failures=row["failures"],
        due_at=row["due_at"],
        created_at=row["created_at"],
        off_at=row["off_at"],
    )


def _secret_of(row: Row) -> Secret:
    return Secret(sealed=row["sealed"], former_sealed=row["former_sealed"], former_expires_at=row["former_expires_at"])


def _delivery_of(row: Row) -> Delivery:
    return Delivery(
        id=row["pk"],
        webhook_id=row["webhook_pk"],
        url=row["url"],
        user_id=UserId(row["user_id"]),
        job_id=JobId(UUID(str(row["job_id"]))),
        message_id=UUID(str(row["message_id"])),
        event=WebhookEvent(row["event"]),
        data=row["data"],
        created_at=row["created_at"],
        state=DeliveryState(row["state"]),
        attempts=row["attempts"],
        tried_at=row["tried_at"],
        over_at=row["over_at"],
        status=row["status"],
        answer=row["answer"],
        error=row["error"],
    )
