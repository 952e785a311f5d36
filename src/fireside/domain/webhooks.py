"""What webhooks are: receivers of a user's events, and the messages that wait for them or have reached them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import Enum, StrEnum
from uuid import UUID

from fireside.domain.ids import JobId, UserId

TRIED_FOR = timedelta(days=1)
"""How long a message is tried."""
_FIRST_PAUSE = timedelta(seconds=5)
_LONGEST_PAUSE = timedelta(minutes=15)
_LONGEST_WISH = timedelta(hours=1)
_GONE = 410
_BUSY = frozenset({429, 503})
_MOST_DIGITS = 9


class WebhookEvent(Enum):
    """What a message tells; the number is its bit in the choice of a webhook."""

    QUEUED = 1
    STARTED = 2
    OUTPUT = 4
    FINISHED = 8

    @property
    def word(self) -> str:
        """Its name, as choices and messages have it."""
        return f"job.{self.name.lower()}"


EVENTS = {event.word: event for event in WebhookEvent}
EVERY_EVENT = sum(event.value for event in WebhookEvent)


class DeliveryState(StrEnum):
    """Whether a message has reached its receiver."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """What messages are signed with, sealed; for a while after a change also with what was before."""

    sealed: bytes
    former_sealed: bytes | None = None
    former_expires_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """A receiver of a user's messages, which get there one after the other.

    A standing one hears of all the user's jobs, any other one of those that named its URL. `failures` counts the tries
    that failed since the last one that did not. `due_at` is when somebody may try, None when nothing waits. One whose
    receiver has said that it is gone hears nothing more from `off_at` on.
    """

    id: int
    user_id: UserId
    url: str
    events: int
    is_standing: bool
    failures: int
    due_at: datetime | None
    created_at: datetime
    off_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One message for one webhook. `data` is JSON; `answer` is the beginning of the last answer's body."""

    id: int
    webhook_id: int
    url: str
    user_id: UserId
    job_id: JobId
    message_id: UUID
    event: WebhookEvent
    data: bytes
    created_at: datetime
    state: DeliveryState
    attempts: int = 0
    tried_at: datetime | None = None
    over_at: datetime | None = None
    status: int | None = None
    answer: str | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What came of a try: the receiver's status, if it answered, or why it did not.

    `wish` is for how long the receiver wants to be left alone, as its `Retry-After` says.
    """

    at: datetime
    status: int | None = None
    answer: str | None = None
    error: str | None = None
    wish: timedelta | None = None

    @property
    def is_taken(self) -> bool:
        """Whether the receiver has the message now."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def is_gone(self) -> bool:
        """Whether the receiver wants no messages any more, as Standard Webhooks have it say."""
        return self.status == _GONE

    def state_for(self, delivery: Delivery) -> DeliveryState:
        """Say where the message stands after this: it is tried for a day, unless its receiver is gone for good."""
        if self.is_taken:
            return DeliveryState.DELIVERED
        is_over = self.is_gone or self.at - delivery.created_at >= TRIED_FOR
        return DeliveryState.FAILED if is_over else DeliveryState.PENDING


def pause_after(failures: int, tried: Tried) -> timedelta:
    """How long a receiver is left alone that has failed so many times in a row; one that is busy may say it itself."""
    if tried.wish is not None and tried.status in _BUSY:
        return min(_LONGEST_WISH, max(_FIRST_PAUSE, tried.wish))
    return min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** min(failures - 1, 16))


def wish_of(retry_after: str | None, now: datetime) -> timedelta | None:
    """Read a `Retry-After`, which is seconds or a date (RFC 9110, 10.2.3); None for what is neither."""
    if not retry_after:
        return None
    if retry_after.isascii() and retry_after.isdecimal():
        return timedelta(seconds=int(retry_after[:_MOST_DIGITS]))
    try:
        return parsedate_to_datetime(retry_after) - now
    except (ValueError, TypeError, OverflowError):
        return None  # also of a date without a zone, which is nobody's time
