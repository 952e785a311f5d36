"""The exam of `Store`, continued: messages for webhooks are written with what they tell of, and wait in order."""

import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from tests.watching import Log, WatchedDatabase

from fireside.domain.accounts import User
from fireside.domain.errors import Conflict, TooMany
from fireside.domain.ids import JobId, WorkerId
from fireside.domain.jobs import Job
from fireside.domain.lifecycle import Verb, advance
from fireside.domain.webhooks import EVERY_EVENT, Delivery, DeliveryState, Tried, Webhook, WebhookEvent
from fireside.store.database import Database
from fireside.store.records import JobBody, NewJob, NodeRecord
from fireside.store.store import Changed, Store

NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
SECOND, MINUTE, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(days=1)
URL, OTHER_URL = "https://one.example/", "https://two.example/"


@pytest.fixture
async def store(database: Database) -> Store:
    return Store(database, has_webhooks=True)


async def submit(store: Store, user: User, *, url: str | None = None, at: datetime = NOW) -> Job:
    body = JobBody(graph=b"{}", extra_data=b"{}", outputs=())
    new = NewJob(id=JobId(uuid4()), user_id=user.id, body=body, webhook_url=url, labels={"a": "b"})
    return await store.add_job(new, at, max_queued=None)


async def advanced(store: Store, job: Job, verb: Verb, at: datetime) -> Job:
    lease = job.lease if verb in (Verb.START, Verb.SUCCEED) else None
    worker_id = WorkerId("w") if verb is Verb.ASSIGN else None
    return await store.change_job(job, advance(job, verb, at, lease=lease, worker_id=worker_id))


async def standing(store: Store, user: User, url: str = URL, events: int = EVERY_EVENT) -> Webhook:
    return await store.add_webhook(user.id, url, events, b"sealed", NOW, most=9)


async def taken(store: Store, user: User, now: datetime) -> list[Webhook]:
    return list(await store.take_webhooks(user.id, now, now + MINUTE, limit=9))


async def told(store: Store, user: User) -> list[str]:
    """The events of the user's messages, the oldest first."""
    return [one.event.word for one in reversed(await store.deliveries(user.id, limit=99))]


async def head(store: Store, webhook: Webhook) -> Delivery:
    found = await store.next_delivery(webhook.id)
    assert found is not None
    return found


async def test_each_event_of_a_job_is_written_with_it_and_in_order(store: Store, ann: User, bob: User) -> None:
    webhook = await standing(store, ann)

    job = await submit(store, ann)
    await submit(store, bob)
    job = await advanced(store, job, Verb.ASSIGN, NOW + SECOND)
    job = await advanced(store, job, Verb.START, NOW + 2 * SECOND)
    record = NodeRecord(node_id="9", display_node_id="9", output={"text": ["x"]})
    for _ in range(2):
        await store.add_output(job, record, [], at=NOW + 3 * SECOND)
    await advanced(store, job, Verb.SUCCEED, NOW + 4 * SECOND)

    messages = list(reversed(await store.deliveries(ann.id, limit=99)))
    assert [one.event for one in messages] == list(WebhookEvent)
    assert {(one.webhook_id, one.url, one.job_id, one.state) for one in messages} == {
        (webhook.id, URL, job.id, DeliveryState.PENDING)
    }
    assert [one.created_at - NOW for one in messages] == [SECOND * n for n in (0, 2, 3, 4)]
    data = [json.loads(one.data) for one in messages]
    assert data[0] == {"job_id": str(job.id), "status": "queued", "metadata": {"a": "b"}}
    assert data[2] | {"output": {"text": ["x"]}, "node_id": "9"} == data[2]
    assert (data[3]["status"], data[3]["metadata"], data[3]["error"]) == ("succeeded", {"a": "b"}, None)
    assert await store.deliveries(bob.id, limit=99) == []


async def test_a_change_that_is_refused_tells_nobody(store: Store, ann: User) -> None:
    await standing(store, ann)
    job = await submit(store, ann)
    await advanced(store, job, Verb.CANCEL, NOW)

    with pytest.raises(Changed):
        await advanced(store, job, Verb.CANCEL, NOW)

    assert await told(store, ann) == ["job.queued", "job.finished"]


async def test_a_webhook_that_a_submit_names_hears_of_that_job_alone(store: Store, ann: User, bob: User) -> None:
    job = await submit(store, ann, url=URL)
    await submit(store, ann)
    await submit(store, bob, url=URL)
    await advanced(store, job, Verb.CANCEL, NOW)

    messages = await store.deliveries(ann.id, limit=99)
    assert [(one.event.word, one.job_id) for one in messages] == [("job.finished", job.id), ("job.queued", job.id)]
    assert await store.webhooks(ann.id) == []


async def test_a_webhook_hears_what_it_chose_and_of_each_event_once(store: Store, ann: User) -> None:
    await standing(store, ann, URL, WebhookEvent.FINISHED.value)
    await standing(store, ann, OTHER_URL)

    job = await submit(store, ann, url=OTHER_URL)
    await advanced(store, job, Verb.CANCEL, NOW)

    messages = reversed(await store.deliveries(ann.id, limit=99))
    assert sorted((one.url, one.event.word) for one in messages) == [
        (URL, "job.finished"), (OTHER_URL, "job.finished"), (OTHER_URL, "job.queued"),
    ]  # fmt: skip


async def test_a_store_without_webhooks_writes_nothing(database: Database, store: Store, ann: User) -> None:
    await standing(store, ann)

    await submit(Store(database), ann)

    assert await told(store, ann) == []


async def test_who_has_no_webhook_pays_nothing_for_them(database: Database, ann: User, bob: User) -> None:
    log: Log = []
    store = Store(WatchedDatabase(database, log), has_webhooks=True)
    await standing(store, bob)
    log.clear()

    job = await submit(store, ann)
    job = await advanced(store, job, Verb.ASSIGN, NOW)
    job = await advanced(store, job, Verb.START, NOW)
    await store.add_output(job, NodeRecord(node_id="9", display_node_id="9", output={}), [], at=NOW)
    await advanced(store, job, Verb.SUCCEED, NOW)
    of_ann = [query for query, _ in log if "webhook" in query]
    await submit(store, bob)

    assert of_ann == []
    assert ("add_webhook_deliveries", 0) in log


async def test_standing_webhooks_are_their_owners_and_only_so_many(store: Store, ann: User, bob: User) -> None:
    one = await store.add_webhook(ann.id, URL, 1, b"s", NOW, most=1)

    with pytest.raises(Conflict):
        await store.add_webhook(ann.id, URL, 2, b"s", NOW, most=1)
    with pytest.raises(TooMany):
        await store.add_webhook(ann.id, OTHER_URL, 1, b"s", NOW, most=1)
    assert await store.webhooks(ann.id) == [one]
    assert await store.webhook(one.id, user_id=ann.id) == one
    assert await store.webhook(one.id, user_id=bob.id) is None
    assert not await store.remove_webhook(one.id, user_id=bob.id)
    assert await store.webhook_secret(ann.id, one.id) is not None
    assert await store.remove_webhook(one.id, user_id=ann.id)
    assert await store.webhook_secret(ann.id, one.id) is None


async def test_secrets_are_each_webhooks_own_or_that_of_all_submits(store: Store, ann: User) -> None:
    one = await standing(store, ann)
    assert await store.rotate_webhook_secret(ann.id, 0, b"x", NOW) is None
    of_submits = await store.keep_webhook_secret(ann.id, b"first")

    assert await store.keep_webhook_secret(ann.id, b"second") == of_submits
    assert await store.webhook_secret(ann.id, 12345) == of_submits
    rotated = await store.rotate_webhook_secret(ann.id, one.id, b"new", NOW + DAY)
    assert rotated == await store.webhook_secret(ann.id, one.id)
    assert rotated is not None
    assert (rotated.sealed, rotated.former_sealed, rotated.former_expires_at) == (b"new", b"sealed", NOW + DAY)


async def test_messages_go_one_after_the_other_and_wait_while_their_receiver_is_away(store: Store, ann: User) -> None:
    webhook = await standing(store, ann)
    first, second = await submit(store, ann), await submit(store, ann)

    assert await store.users_of_due_webhooks(NOW) == [ann.id]
    (one,) = await taken(store, ann, NOW)
    assert await taken(store, ann, NOW) == []
    assert (await head(store, webhook)).job_id == first.id
    await store.note_try(one, await head(store, webhook), Tried(at=NOW, error="away"))
    assert await taken(store, ann, NOW + 4 * SECOND) == []
    (one,) = await taken(store, ann, NOW + 5 * SECOND)
    assert one.failures == 1
    await store.note_try(one, await head(store, webhook), Tried(at=NOW + 6 * SECOND, status=204))
    assert (await head(store, webhook)).job_id == second.id
    (one,) = await taken(store, ann, NOW + 6 * SECOND)
    assert one.failures == 0
    await store.note_try(one, await head(store, webhook), Tried(at=NOW + 7 * SECOND, status=200, answer="ok"))
    assert await taken(store, ann, NOW + DAY) == []
    assert await store.users_of_due_webhooks(NOW + DAY) == []
    over = await store.deliveries(ann.id, state=DeliveryState.DELIVERED, limit=9)
    assert [(each.job_id, each.attempts, each.status, each.answer) for each in over] == [
        (second.id, 1, 200, "ok"), (first.id, 2, 204, None),
    ]  # fmt: skip


async def test_after_a_day_all_that_waited_as_long_is_given_up(store: Store, ann: User) -> None:
    webhook = await standing(store, ann)
    for hours in (0, 0, 23):
        await submit(store, ann, at=NOW + timedelta(hours=hours))
    later = NOW + DAY

    (one,) = await taken(store, ann, later)
    await store.note_try(one, await head(store, webhook), Tried(at=later, status=500))

    states = [each.state.value for each in await store.deliveries(ann.id, limit=9)]
    assert states == ["pending", "failed", "failed"]
    assert await taken(store, ann, later) == []
    assert await taken(store, ann, later + MINUTE)


async def switch_off(store: Store, user: User) -> Webhook:
    await submit(store, user)
    (one,) = await taken(store, user, NOW)
    await store.note_try(one, await head(store, one), Tried(at=NOW, status=410))
    return one


async def test_a_webhook_whose_receiver_is_gone_is_off_and_hears_nothing_more(store: Store, ann: User) -> None:
    await standing(store, ann)
    await submit(store, ann)
    gone = await switch_off(store, ann)
    await submit(store, ann)

    (webhook,) = await store.webhooks(ann.id)
    assert (webhook.id, webhook.off_at, webhook.due_at) == (gone.id, NOW, None)
    assert await store.users_of_due_webhooks(NOW + DAY) == []
    assert [one.state for one in await store.deliveries(ann.id, limit=9)] == [DeliveryState.FAILED] * 2


async def test_a_webhook_that_is_off_is_on_again_when_its_url_is_added_again(store: Store, ann: User) -> None:
    gone = await standing(store, ann)
    await switch_off(store, ann)

    again = await store.add_webhook(ann.id, URL, WebhookEvent.QUEUED.value, b"other", NOW, most=1)

    assert (again.id, again.off_at, again.events) == (gone.id, None, WebhookEvent.QUEUED.value)
    secret = await store.webhook_secret(ann.id, gone.id)
    assert secret is not None
    assert secret.sealed == b"sealed"
    await submit(store, ann)
    assert await taken(store, ann, NOW + SECOND)


async def test_a_webhook_that_is_off_is_on_again_when_a_submit_names_its_url(store: Store, ann: User) -> None:
    first = await submit(store, ann, url=URL)
    (one,) = await taken(store, ann, NOW)
    await store.note_try(one, await head(store, one), Tried(at=NOW, status=410))
    await advanced(store, first, Verb.CANCEL, NOW)
    assert await told(store, ann) == ["job.queued"]

    await submit(store, ann, url=URL)

    assert await told(store, ann) == ["job.queued"] * 2
    assert await taken(store, ann, NOW + SECOND)


async def test_a_message_can_be_sent_again_to_a_webhook_that_is_off(store: Store, ann: User) -> None:
    await standing(store, ann)
    await switch_off(store, ann)
    (failed,) = await store.deliveries(ann.id, limit=9)

    again = await store.resend(failed.id, NOW + SECOND, user_id=ann.id)

    assert again is not None
    (one,) = await taken(store, ann, NOW + SECOND)
    await store.note_try(one, again, Tried(at=NOW + SECOND, status=200))
    (webhook,) = await store.webhooks(ann.id)
    assert webhook.off_at == NOW
    assert (await store.deliveries(ann.id, limit=1))[0].state is DeliveryState.DELIVERED


async def test_a_message_is_sent_again_as_the_same_one(store: Store, ann: User, bob: User) -> None:
    webhook = await standing(store, ann)
    await submit(store, ann)
    (one,) = await taken(store, ann, NOW)
    sent = await head(store, webhook)
    await store.note_try(one, sent, Tried(at=NOW, status=200))

    assert await store.resend(sent.id, NOW + SECOND, user_id=bob.id) is None
    again = await store.resend(sent.id, NOW + SECOND, user_id=ann.id)

    assert again is not None
    assert (again.id > sent.id, again.message_id, again.data) == (True, sent.message_id, sent.data)
    assert await taken(store, ann, NOW + SECOND)
    assert await head(store, webhook) == again


async def test_messages_are_listed_by_job_and_webhook_in_pages(store: Store, ann: User, bob: User) -> None:
    webhook = await standing(store, ann)
    jobs = [await submit(store, ann) for _ in range(3)]
    newest, middle, _ = await store.deliveries(ann.id, limit=9)

    assert await store.deliveries(ann.id, limit=1) == [newest]
    assert await store.deliveries(ann.id, before=newest.id, limit=1) == [middle]
    assert [one.job_id for one in await store.deliveries(ann.id, job_id=jobs[0].id, limit=9)] == [jobs[0].id]
    assert await store.deliveries(bob.id, job_id=jobs[0].id, limit=9) == []
    assert len(await store.deliveries(ann.id, webhook_id=webhook.id, limit=9)) == 3
    assert await store.deliveries(ann.id, webhook_id=webhook.id + 1, limit=9) == []


async def test_what_was_over_long_ago_is_forgotten_with_webhooks_nothing_is_left_of(store: Store, ann: User) -> None:
    job = await submit(store, ann, url=URL)
    (one,) = await taken(store, ann, NOW)
    await store.note_try(one, await head(store, one), Tried(at=NOW, status=200))

    await store.forget_deliveries(NOW + DAY)
    assert await told(store, ann) == []
    await advanced(store, job, Verb.CANCEL, NOW + SECOND)
    assert await told(store, ann) == ["job.finished"]
    (one,) = await taken(store, ann, NOW + SECOND)
    await store.note_try(one, await head(store, one), Tried(at=NOW + SECOND, status=200))
    await store.forget_deliveries(NOW + DAY)
    assert await store.webhook(one.id, user_id=ann.id) is None
