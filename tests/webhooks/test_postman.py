"""Messages on their way to real receivers, over a real store, under a clock of the test's own."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from tests.databases import Databases
from tests.outbound.site import Names, way_out
from tests.webhooks.receiver import Receiver, receiving, verify

from fireside.accounts.sealing import Sealer
from fireside.accounts.webhook_secrets import WebhookSecrets
from fireside.domain.accounts import Role, User
from fireside.domain.ids import JobId
from fireside.domain.jobs import Job
from fireside.domain.lifecycle import Verb, advance
from fireside.domain.webhooks import EVERY_EVENT, DeliveryState, Webhook
from fireside.events.webhooks import Postman
from fireside.outbound.client import Patience
from fireside.store.records import JobBody, NewJob
from fireside.store.store import Store

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
DEADLINE_SECONDS = 60.0
BODY = JobBody(graph=b"{}", extra_data=b"{}", outputs=())


@dataclass(kw_only=True)
class Office:
    """The store, the postman, and the time."""

    store: Store
    names: Names
    now: datetime = NOON
    postmen: list[Postman] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.secrets = WebhookSecrets(self.store, Sealer(b"k" * 32), overlap=timedelta(hours=24))
        self.postman = self.hire()

    def hire(self, *, most_of_a_user: int = 2) -> Postman:
        postman = Postman(
            self.store,
            way_out(self.names, private=("hooks.test",)),
            self.secrets,
            patience=Patience(total=timedelta(seconds=30)),
            clock=lambda: self.now,
            most_of_a_user=most_of_a_user,
        )
        self.postmen.append(postman)
        return postman

    async def user(self, name: str) -> User:
        return await self.store.add_user(name, Role.MEMBER, NOON)

    async def webhook(self, user: User, receiver: Receiver) -> Webhook:
        sealed = self.secrets.new(user.id)
        return await self.store.add_webhook(user.id, receiver.url, EVERY_EVENT, sealed, self.now, most=9)

    async def submit(self, user: User, *, url: str | None = None) -> Job:
        new = NewJob(id=JobId(uuid4()), user_id=user.id, body=BODY, webhook_url=url)
        return await self.store.add_job(new, self.now, max_queued=None)

    async def cancel(self, job: Job) -> None:
        await self.store.change_job(job, advance(job, Verb.CANCEL, self.now))

    async def go(self, later: timedelta = timedelta()) -> None:
        """Let the time pass, and everything that is due come to something."""
        self.now += later
        await self.postman.tick(self.now)
        async with asyncio.timeout(DEADLINE_SECONDS):
            await self.postman.settle()


@pytest.fixture
async def office(databases: Databases, tmp_path: Path) -> AsyncIterator[Office]:
    names = Names()
    names.give("hooks.test", ["127.0.0.1"])
    async with databases.opened(tmp_path / "data") as database:
        office = Office(store=Store(database, has_webhooks=True), names=names)
        yield office
        for postman in office.postmen:
            await postman.stop()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver


async def test_a_message_is_signed_as_standard_webhooks_says(office: Office, receiver: Receiver) -> None:
    ann = await office.user("ann")
    webhook = await office.webhook(ann, receiver)
    job = await office.submit(ann)

    await office.go()

    ((headers, body),) = receiver.tries
    assert verify(await office.secrets.show(ann.id, webhook.id), headers, body)
    assert not verify(await office.secrets.show(ann.id, 0), headers, body)
    assert not verify(await office.secrets.show(ann.id, webhook.id), headers, body + b" ")
    assert headers["webhook-id"].startswith("msg_")
    assert headers["webhook-timestamp"] == str(int(NOON.timestamp()))
    assert headers["content-type"] == "application/json"
    told = json.loads(body)
    assert (told["type"], told["timestamp"], told["data"]["job_id"]) == (
        "job.queued", "2026-01-02T12:00:00Z", str(job.id),
    )  # fmt: skip


async def test_a_known_message_has_the_signature_of_the_specification() -> None:
    # The example of the specification's own libraries.
    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    assert verify("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", headers, b'{"test": 2432232314}')


async def test_a_receiver_that_was_down_gets_every_message_in_order(office: Office, receiver: Receiver) -> None:
    ann = await office.user("ann")
    await office.webhook(ann, receiver)
    receiver.status = 503
    jobs = [await office.submit(ann) for _ in range(3)]
    for _ in range(5):
        await office.go(timedelta(minutes=10))
    for job in jobs:
        await office.cancel(job)
    tried = {headers["webhook-id"] for headers, _ in receiver.tries}

    receiver.status = 200
    await office.go(timedelta(minutes=15))

    assert (len(receiver.tries) - 6, len(tried)) == (5, 1)
    assert receiver.events == ["job.queued"] * 3 + ["job.finished"] * 3
    assert [message["data"]["job_id"] for message in receiver.messages] == [str(job.id) for job in (*jobs, *jobs)]
    states = {one.state for one in await office.store.deliveries(ann.id, limit=99)}
    assert states == {DeliveryState.DELIVERED}


async def test_the_pauses_grow_and_a_message_is_given_up_after_a_day(office: Office, receiver: Receiver) -> None:
    ann = await office.user("ann")
    await office.webhook(ann, receiver)
    receiver.status = 500
    await office.submit(ann)
    hours = 0.0
    while hours < 25:
        await office.go(timedelta(minutes=1))
        hours += 1 / 60

    assert 90 < len(receiver.tries) < 110
    (delivery,) = await office.store.deliveries(ann.id, limit=9)
    assert (delivery.state, delivery.status, delivery.answer) == (DeliveryState.FAILED, 500, "what I think of it")


@pytest.mark.parametrize(
    ("status", "wish", "seconds"),
    [
        (503, "120", 120),
        (429, "Fri, 02 Jan 2026 12:02:00 GMT", 120),
        (429, "86400", 3600),
        (429, "1", 5),
        (500, "120", 5),
        (503, "soon", 5),
    ],
)
async def test_a_busy_receiver_is_left_alone_for_as_long_as_it_says(
    office: Office, receiver: Receiver, status: int, wish: str, seconds: int
) -> None:
    ann = await office.user("ann")
    await office.webhook(ann, receiver)
    await office.submit(ann)
    receiver.status, receiver.headers = status, {"Retry-After": wish}
    await office.go()

    receiver.status = 200
    await office.go(timedelta(seconds=seconds - 1))
    assert not receiver.messages
    await office.go(timedelta(seconds=1))

    assert receiver.events == ["job.queued"]


async def test_a_receiver_that_is_gone_is_asked_once_and_its_webhook_is_off(office: Office, receiver: Receiver) -> None:
    ann = await office.user("ann")
    webhook = await office.webhook(ann, receiver)
    for _ in range(3):
        await office.submit(ann)
    receiver.status = 410

    await office.go()
    receiver.status = 200
    await office.submit(ann)
    await office.go(timedelta(days=1))

    assert (len(receiver.tries), receiver.messages) == (1, [])
    deliveries = await office.store.deliveries(ann.id, limit=9)
    assert {(one.state, one.status) for one in deliveries} == {
        (DeliveryState.FAILED, 410), (DeliveryState.FAILED, None),
    }  # fmt: skip
    assert len(deliveries) == 3
    again = await office.webhook(ann, receiver)
    await office.submit(ann)
    await office.go()
    assert (again.id, receiver.events) == (webhook.id, ["job.queued"])


async def test_a_slow_receiver_delays_nobody_elses_messages(office: Office, receiver: Receiver) -> None:
    ann, bob = await office.user("ann"), await office.user("bob")
    receiver.is_slow = True
    async with receiving() as quick, receiving() as anns_quick:
        await office.webhook(ann, receiver)
        await office.webhook(ann, anns_quick)
        await office.webhook(bob, quick)
        for _ in range(3):
            await office.submit(ann)
            await office.submit(bob)

        async with asyncio.timeout(DEADLINE_SECONDS):
            await office.postman.tick(office.now)
            await receiver.reached.wait()
            while len(quick.messages) + len(anns_quick.messages) < 6:
                await asyncio.wait(office.postman._tasks, return_when=asyncio.FIRST_COMPLETED)

        assert len(receiver.tries) == 1
        assert not receiver.messages
        receiver.let_go.set()
        await office.postman.settle()
        assert len(receiver.messages) == 3


async def test_slow_receivers_of_one_user_take_only_so_many_places(office: Office, receiver: Receiver) -> None:
    ann, bob = await office.user("ann"), await office.user("bob")
    receiver.is_slow = True
    for number in range(5):
        await office.submit(ann, url=f"{receiver.url}?{number}")
    async with receiving() as quick:
        # So that what is on its way to it can be counted, too.
        quick.is_slow = True
        await office.webhook(bob, quick)
        await office.submit(bob)
        async with asyncio.timeout(DEADLINE_SECONDS):
            for _ in range(3):
                await office.postman.tick(office.now)
            assert len(office.postman._tasks) == 3
            await quick.reached.wait()
    receiver.let_go.set()
    await office.postman.settle()
    assert len(receiver.messages) == 5


async def test_what_was_under_way_when_a_server_died_is_sent_by_another(office: Office, receiver: Receiver) -> None:
    ann = await office.user("ann")
    await office.webhook(ann, receiver)
    await office.submit(ann)
    receiver.is_slow = True
    await office.postman.tick(office.now)
    async with asyncio.timeout(DEADLINE_SECONDS):
        await receiver.reached.wait()
    await office.postman.stop()
    receiver.is_slow = False

    office.postman = office.hire()
    await office.go(timedelta(seconds=59))
    assert len(receiver.tries) == 1
    await office.go(timedelta(seconds=1))

    assert receiver.events == ["job.queued"]
    assert len({headers["webhook-id"] for headers, _ in receiver.tries}) == 1


async def test_for_a_while_after_a_change_both_secrets_are_valid(office: Office, receiver: Receiver) -> None:
    ann = await office.user("ann")
    webhook = await office.webhook(ann, receiver)
    old = await office.secrets.show(ann.id, webhook.id)
    new, until = await office.secrets.rotate(ann.id, webhook.id, office.now)
    assert (old != new, until) == (True, NOON + timedelta(hours=24))

    await office.submit(ann)
    await office.go()
    await office.submit(ann)
    await office.go(timedelta(hours=24))

    during, after = receiver.tries
    assert (verify(old, *during), verify(new, *during)) == (True, True)
    assert (verify(old, *after), verify(new, *after)) == (False, True)


async def test_a_webhook_that_a_submit_names_is_signed_with_the_users_own_secret(
    office: Office, receiver: Receiver
) -> None:
    ann = await office.user("ann")
    await office.submit(ann, url=receiver.url)
    await office.submit(ann)

    await office.go()

    ((headers, body),) = receiver.tries
    assert verify(await office.secrets.show(ann.id, 0), headers, body)


async def test_a_receiver_at_a_private_address_is_not_reached(office: Office, receiver: Receiver) -> None:
    ann = await office.user("ann")
    await office.submit(ann, url=f"http://127.0.0.1:{receiver.port}/hook")

    await office.go()

    assert not receiver.tries
    (delivery,) = await office.store.deliveries(ann.id, limit=9)
    assert delivery.state is DeliveryState.PENDING
    assert "not public" in str(delivery.error)


async def test_secrets_do_not_lie_open_in_the_database(
    office: Office, receiver: Receiver, databases: Databases, tmp_path: Path
) -> None:
    ann = await office.user("ann")
    webhook = await office.webhook(ann, receiver)
    (key,) = await office.secrets.keys(ann.id, webhook.id, office.now)

    assert key not in databases.bytes_kept(tmp_path / "data")
