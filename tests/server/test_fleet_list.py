"""The fleet as an admin sees it."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from fireside.domain.ids import WorkerId
from fireside.domain.workers import Enrollment, Worker
from fireside.server.fleet_list import Books, fleet_list
from fireside.wire.fleet import LeaseBody, Presence

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
ONE = WorkerId("local-1")
JOB = UUID(int=7)
CARD = {"name": "cuda:0", "type": "cuda", "vram_total": 100, "vram_free": 90}
LEASE = LeaseBody(job_id=JOB, attempt=1, fence=1)


def joined() -> Worker:
    return Worker(
        id=ONE, boot_id="a", runtime="comfyui", version="0.3.75", definitions_hash="d", joined_at=NOON,
        devices=(CARD,), labels={"site": "home"},
    )  # fmt: skip


def said(*, ready: bool = True, draining: bool = False, reason: str = "", busy: bool = False) -> Presence:
    return Presence(
        boot_id="a", runtime="comfyui", ready=ready, draining=draining, reason=reason, leases=(LEASE,) if busy else ()
    )


@pytest.mark.parametrize(
    ("presence", "state"),
    [
        (said(), "ready"),
        (said(busy=True), "busy"),
        (said(ready=False), "starting"),
        (said(ready=False, draining=True, reason="it broke"), "draining"),
        (said(draining=True, busy=True), "draining"),
        (None, "away"),
    ],
)
def test_a_worker_is_in_one_state(presence: Presence | None, state: str) -> None:
    (body,) = fleet_list(Books(joined={ONE: joined()}), {ONE: presence} if presence is not None else {})

    assert body.state == state


def test_what_a_worker_said_when_it_joined_and_says_now_is_put_together() -> None:
    now = Presence(
        boot_id="a", runtime="comfyui", ready=False, draining=True, reason="it broke", leases=(LEASE,),
        devices=({**CARD, "vram_free": 10},),
    )  # fmt: skip

    (body,) = fleet_list(Books(joined={ONE: joined()}), {ONE: now})

    assert (body.runtime, body.version, body.labels) == ("comfyui", "0.3.75", {"site": "home"})
    assert (body.reason, body.jobs, body.joined_at) == ("it broke", [JOB], NOON)
    assert body.devices == [{**CARD, "vram_free": 10}]


def test_a_job_behind_the_one_that_a_worker_computes_is_ready() -> None:
    reported, runs, ready = (LeaseBody(job_id=UUID(int=number), attempt=1, fence=1) for number in (1, 2, 3))
    now = Presence(
        boot_id="a",
        runtime="comfyui",
        ready=True,
        draining=False,
        leases=(reported, runs, ready),
        finishing=(reported,),
    )

    (body,) = fleet_list(Books(joined={ONE: joined()}), {ONE: now})

    assert body.jobs == [reported.job_id, runs.job_id, ready.job_id]
    assert body.ready == [ready.job_id]


def test_a_worker_that_has_not_joined_yet_is_listed_too() -> None:
    (body,) = fleet_list(Books(), {ONE: said(ready=False, draining=True, reason="no torch")})

    assert (body.id, body.state, body.reason, body.joined_at) == (ONE, "draining", "no torch", None)


@pytest.mark.parametrize(("presence", "state"), [
    (said(), "drained"), (said(busy=True), "draining"), (said(ready=False), "drained"), (None, "away"),
])  # fmt: skip
def test_a_worker_that_an_admin_lets_rest_is_draining_until_it_has_nothing_left(
    presence: Presence | None, state: str
) -> None:
    books = Books(joined={ONE: joined()}, drained={ONE})

    (body,) = fleet_list(books, {ONE: presence} if presence is not None else {})

    assert (body.state, body.reason) == (state, "an admin lets it take no more jobs")


def enrolled(name: str = ONE) -> Enrollment:
    return Enrollment(
        number=3, worker_id=WorkerId(name), protocol=1, version="0.2.0", boot_id="a", enrolled_at=NOON, booted_at=None
    )


def test_a_worker_of_another_machine_says_which_fireside_it_has_and_when_it_came() -> None:
    now = Presence(boot_id="a", runtime="comfyui", ready=True, up_seconds=7.5)

    (body,) = fleet_list(Books(joined={ONE: joined()}, enrolled={ONE: enrolled()}), {ONE: now})

    assert (body.origin, body.fireside, body.enrolled_at, body.up_seconds) == ("joined", "0.2.0", NOON, 7.5)


def test_one_that_was_let_in_and_has_not_come_yet_is_listed() -> None:
    (body,) = fleet_list(Books(enrolled={ONE: enrolled()}), {})

    assert (body.id, body.state, body.origin) == (ONE, "away", "joined")


def test_one_that_was_removed_is_not_listed_also_while_what_it_could_run_is_still_known() -> None:
    assert fleet_list(Books(joined={ONE: joined()}, removed={ONE}), {}) == []
    assert len(fleet_list(Books(joined={ONE: joined()}, removed={ONE}, enrolled={ONE: enrolled()}), {})) == 1
