"""Webhooks as their owners add, see and resend them. All of it is ours; times are ISO 8601."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

EventWord = Literal["job.queued", "job.started", "job.output", "job.finished"]
DeliveryWord = Literal["pending", "delivered", "failed"]


class NewWebhookBody(msgspec.Struct, frozen=True, kw_only=True):
    """Body of `POST /api/webhooks`."""

    url: Annotated[str, Meta(min_length=1, max_length=4096)]
    events: Annotated[list[EventWord], Meta(min_length=1)] | None = None


class WebhookBody(msgspec.Struct, frozen=True, kw_only=True):
    """A receiver of all the caller's events that it chose."""

    id: int
    url: str
    events: list[str]
    created_at: datetime
    failures: Annotated[int, Meta(description="Tries that failed since the last one that did not.")]
    retry_at: Annotated[datetime | None, Meta(description="When the next message is tried; null when none waits.")]
    off_since: Annotated[
        datetime | None,
        Meta(description="When its receiver answered 410 and it was switched off; add the URL again to switch it on."),
    ]


class CreatedWebhookBody(WebhookBody, frozen=True, kw_only=True):
    """A webhook that was just added, with its secret."""

    secret: str


class WebhooksBody(msgspec.Struct, frozen=True, kw_only=True):
    """The caller's webhooks."""

    webhooks: list[WebhookBody]


class SecretBody(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What messages are signed with; after a change, until when the former secret signs as well."""

    secret: str
    former_valid_until: datetime | None = None


class DeliveriesQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which messages are listed, the newest first."""

    job_id: UUID | None = None
    webhook_id: int | None = None
    state: DeliveryWord | None = None
    before: Annotated[int, Meta(description="Only messages with a smaller id, for the next page.")] | None = None
    limit: Annotated[int, Meta(ge=1, le=1000)] = 100


class DeliveryBody(msgspec.Struct, frozen=True, kw_only=True):
    """A message for a webhook, and what came of the last try."""

    id: int
    message_id: str
    webhook_id: int
    url: str
    job_id: UUID
    event: str
    created_at: datetime
    state: DeliveryWord
    attempts: int
    tried_at: datetime | None
    status: int | None
    answer: str | None
    error: str | None
    data: Any


class DeliveriesBody(msgspec.Struct, frozen=True, kw_only=True):
    """Messages, the newest first."""

    deliveries: list[DeliveryBody]
