"""What webhooks are told of a change, as statements that belong to the change's own transaction.

A message is written down with what it tells of or not at all. Which webhooks hear of it is found by the statements
themselves, and a user who has none is spared them; sending is somebody else's business.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

import msgspec

from fireside.domain.ids import JobId, UserId
from fireside.domain.jobs import Job, JobState
from fireside.domain.webhooks import EVERY_EVENT, WebhookEvent
from fireside.store.database import Statement
from fireside.store.records import Ending, NewJob, NodeRecord
from fireside.store.rows import to_json

HEARD = "is_heard"
"""Says in the row of a change whether its user has any webhook."""


@dataclass(frozen=True, slots=True)
class Notice:
    """An event, and what is told of it beside the job's id."""

    event: WebhookEvent
    data: Mapping[str, Any]


def queued_event(new: NewJob) -> Notice:
    """Say that a job was accepted."""
    return Notice(WebhookEvent.QUEUED, {"status": JobState.QUEUED.value, "metadata": dict(new.labels)})


def changed_event(before: Job, after: Job, ending: Ending | None) -> Notice | None:
    """Say that a job runs, or that it has ended; None for any other change."""
    told: dict[str, Any] = {"status": after.state.value, "metadata": msgspec.Raw(after.metadata or b"{}")}
    if after.state is JobState.RUNNING and before.state is not JobState.RUNNING:
        return Notice(WebhookEvent.STARTED, told | {"started_at": after.started_at, "attempt": after.attempt})
    if not after.is_terminal:
        return None
    error = ending.error if ending and ending.error is not None else after.error
    summary = ending.summary if ending else None
    told |= {
        "started_at": after.started_at,
        "ended_at": after.ended_at,
        "outputs_count": summary.outputs_count if summary else after.outputs_count,
        "error": msgspec.Raw(error) if error else None,
    }
    return Notice(WebhookEvent.FINISHED, told)


def output_event(job: Job, record: NodeRecord) -> Notice:
    """Say what a node has shown, under the names as stored."""
    told = {"attempt": job.attempt, "node_id": record.node_id, "display_node_id": record.display_node_id}
    return Notice(WebhookEvent.OUTPUT, told | {"output": dict(record.output)})


def attaching(new: NewJob, now: datetime) -> list[Statement]:
    """Let the webhook that a submit names hear of its job."""
    if new.webhook_url is None:
        return []
    named = {"user_id": new.user_id, "url": new.webhook_url, "events": EVERY_EVENT, "now": now}
    return [
        Statement("name_webhook", named),
        Statement("attach_webhook", {"job_id": new.id, "url": new.webhook_url}, expect=1),
    ]


def notices(
    notice: Notice, user_id: UserId, job_id: JobId, now: datetime, *, is_heard: bool = False
) -> list[Statement]:
    """Write the event down for all that are to hear of it, and let them be tried.

    Unless it is known that somebody hears, this is done only where the change's first statement says so.
    """
    told = {"user_id": user_id, "job_id": job_id, "event": notice.event.value, "now": now}
    message = {"message_id": uuid4(), "data": to_json({"job_id": job_id, **notice.data})}
    only_if = None if is_heard else HEARD
    return [
        Statement("wake_webhooks_of_job", told, only_if=only_if),
        Statement("add_webhook_deliveries", told | message, only_if=only_if),
    ]
