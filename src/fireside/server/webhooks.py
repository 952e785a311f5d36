"""The caller's webhooks: adding and removing them, their secrets, and the log of their messages."""

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from fireside.domain.errors import BadRequest, NotFound
from fireside.domain.ids import JobId
from fireside.domain.webhooks import EVENTS, EVERY_EVENT, Delivery, DeliveryState, Webhook
from fireside.server.answers import json_answer
from fireside.server.callers import services_of, user_of
from fireside.server.reading import read_body, read_query
from fireside.server.routes import Answer, Route
from fireside.store.webhook_verbs import OF_SUBMITS
from fireside.wire.refusals import RefusalBody
from fireside.wire.webhooks import (
    CreatedWebhookBody,
    DeliveriesBody,
    DeliveriesQuery,
    DeliveryBody,
    NewWebhookBody,
    SecretBody,
    WebhookBody,
    WebhooksBody,
)

_LARGEST_ID = (1 << 63) - 1


async def add_webhook(request: Request) -> Response:
    """Let a URL hear of all the caller's jobs."""
    services, user = services_of(request), user_of(request)
    wanted = await read_body(request, NewWebhookBody)
    services.desk.webhooks.check(wanted.url)
    events = sum({EVENTS[word].value for word in wanted.events}) if wanted.events else EVERY_EVENT
    sealed = services.webhook_secrets.new(user.id)
    webhook = await services.store.add_webhook(
        user.id, wanted.url, events, sealed, services.clock(), most=services.config.max_webhooks
    )
    secret = await services.webhook_secrets.show(user.id, webhook.id)
    shown = CreatedWebhookBody(**msgspec.structs.asdict(_shown(webhook)), secret=secret)
    return json_answer(shown, 201)


async def list_webhooks(request: Request) -> Response:
    """List the caller's webhooks."""
    webhooks = await services_of(request).store.webhooks(user_of(request).id)
    return json_answer(WebhooksBody(webhooks=[_shown(webhook) for webhook in webhooks]))


async def remove_webhook(request: Request) -> Response:
    """Forget a webhook and its messages."""
    webhook = await _webhook(request)
    await services_of(request).store.remove_webhook(webhook.id, user_id=webhook.user_id)
    return Response(status_code=204)


async def show_secret(request: Request) -> Response:
    """Show the secret of a webhook."""
    webhook = await _webhook(request)
    return _secret(await services_of(request).webhook_secrets.show(webhook.user_id, webhook.id))


async def rotate_secret(request: Request) -> Response:
    """Give a webhook another secret."""
    webhook = await _webhook(request)
    return await _rotated(request, webhook.id)


async def show_submit_secret(request: Request) -> Response:
    """Show the secret that signs for webhooks which submits name."""
    return _secret(await services_of(request).webhook_secrets.show(user_of(request).id, OF_SUBMITS))


async def rotate_submit_secret(request: Request) -> Response:
    """Change the secret that signs for webhooks which submits name."""
    return await _rotated(request, OF_SUBMITS)


async def list_deliveries(request: Request) -> Response:
    """List messages, the newest first."""
    wanted = read_query(request, DeliveriesQuery)
    if (
        max(wanted.webhook_id or 0, wanted.before or 0) > _LARGEST_ID
        or min(wanted.webhook_id or 0, wanted.before or 0) < -_LARGEST_ID
    ):
        raise BadRequest("There are no ids as large as that.")
    deliveries = await services_of(request).store.deliveries(
        user_of(request).id,
        job_id=JobId(wanted.job_id) if wanted.job_id else None,
        webhook_id=wanted.webhook_id,
        state=DeliveryState(wanted.state) if wanted.state else None,
        before=wanted.before,
        limit=wanted.limit,
    )
    return json_answer(DeliveriesBody(deliveries=[_told(delivery) for delivery in deliveries]))


async def resend(request: Request) -> Response:
    """Send a message again, behind those that wait for the same receiver."""
    services = services_of(request)
    again = await services.store.resend(
        _number(request, "There is no such message."), services.clock(), user_id=user_of(request).id
    )
    if again is None:
        raise NotFound("There is no such message.")
    return json_answer(_told(again), 202)


async def _webhook(request: Request) -> Webhook:
    number = _number(request, "There is no such webhook.")
    webhook = await services_of(request).store.webhook(number, user_id=user_of(request).id)
    if webhook is None or not webhook.is_standing:
        raise NotFound("There is no such webhook.")
    return webhook


def _number(request: Request, message: str) -> int:
    text = str(request.path_params["id"])
    if not (text.isascii() and text.isdecimal()) or len(text) > len(str(_LARGEST_ID)) or int(text) > _LARGEST_ID:
        raise NotFound(message)
    return int(text)


async def _rotated(request: Request, webhook_id: int) -> Response:
    services = services_of(request)
    secret, until = await services.webhook_secrets.rotate(user_of(request).id, webhook_id, services.clock())
    return json_answer(SecretBody(secret=secret, former_valid_until=until))


def _secret(secret: str) -> Response:
    return json_answer(SecretBody(secret=secret))


def _shown(webhook: Webhook) -> WebhookBody:
    return WebhookBody(
        id=webhook.id,
        url=webhook.url,
        events=[word for word, event in EVENTS.items() if webhook.events & event.value],
        created_at=webhook.created_at,
        failures=webhook.failures,
        retry_at=webhook.due_at,
        off_since=webhook.off_at,
    )


def _told(delivery: Delivery) -> DeliveryBody:
    return DeliveryBody(
        id=delivery.id,
        message_id=f"msg_{delivery.message_id.hex}",
        webhook_id=delivery.webhook_id,
        url=delivery.url,
        job_id=delivery.job_id,
        event=delivery.event.word,
        created_at=delivery.created_at,
        state=delivery.state.value,
        attempts=delivery.attempts,
        tried_at=delivery.tried_at,
        status=delivery.status,
        answer=delivery.answer,
        error=delivery.error,
        data=msgspec.Raw(delivery.data),
    )


_NO_WEBHOOK = Answer(text="The caller has no such webhook", body=RefusalBody)
_SECRET = Answer(text="The secret", body=SecretBody)
_TAG = "webhook"

ROUTES: tuple[Route, ...] = (
    Route(
        method="POST",
        path="/api/webhooks",
        handler=add_webhook,
        name="addWebhook",
        text="Let a URL hear of all the caller's jobs",
        tag=_TAG,
        body=NewWebhookBody,
        answers={
            201: Answer(text="The webhook, with its secret", body=CreatedWebhookBody),
            403: Answer(text="The operator does not allow this host", body=RefusalBody),
            409: Answer(text="There is a webhook of this URL", body=RefusalBody),
        },
    ),
    Route(
        method="GET",
        path="/api/webhooks",
        handler=list_webhooks,
        name="listWebhooks",
        text="List the caller's webhooks",
        tag=_TAG,
        answers={200: Answer(text="The webhooks", body=WebhooksBody)},
    ),
    Route(
        method="GET",
        path="/api/webhooks/secret",
        handler=show_submit_secret,
        name="showSubmitWebhookSecret",
        text="Show the secret that signs for webhooks which submits name",
        tag=_TAG,
        answers={200: _SECRET},
    ),
    Route(
        method="POST",
        path="/api/webhooks/secret",
        handler=rotate_submit_secret,
        name="rotateSubmitWebhookSecret",
        text="Change the secret that signs for webhooks which submits name; both are valid for a while",
        tag=_TAG,
        answers={200: _SECRET},
    ),
    Route(
        method="GET",
        path="/api/webhooks/deliveries",
        handler=list_deliveries,
        name="listWebhookDeliveries",
        text="List messages for the caller's webhooks, the newest first",
        tag=_TAG,
        query=DeliveriesQuery,
        answers={200: Answer(text="The messages", body=DeliveriesBody)},
    ),
    Route(
        method="POST",
        path="/api/webhooks/deliveries/{id}/resend",
        handler=resend,
        name="resendWebhookDelivery",
        text="Send a message again, behind those that wait for the same receiver",
        tag=_TAG,
        answers={
            202: Answer(text="The message, as it waits", body=DeliveryBody),
            404: Answer(text="The caller has no such message", body=RefusalBody),
        },
    ),
    Route(
        method="DELETE",
        path="/api/webhooks/{id}",
        handler=remove_webhook,
        name="removeWebhook",
        text="Forget a webhook and its messages",
        tag=_TAG,
        answers={204: Answer(text="It is forgotten"), 404: _NO_WEBHOOK},
    ),
    Route(
        method="GET",
        path="/api/webhooks/{id}/secret",
        handler=show_secret,
        name="showWebhookSecret",
        text="Show the secret of a webhook",
        tag=_TAG,
        answers={200: _SECRET, 404: _NO_WEBHOOK},
    ),
    Route(
        method="POST",
        path="/api/webhooks/{id}/secret",
        handler=rotate_secret,
        name="rotateWebhookSecret",
        text="Give a webhook another secret; both are valid for a while",
        tag=_TAG,
        answers={200: _SECRET, 404: _NO_WEBHOOK},
    ),
)
