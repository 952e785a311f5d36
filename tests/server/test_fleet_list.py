"""The fleet as an admin sees it."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from fireside.domain.ids import WorkerId
from fireside.domain.workers import Worker
from fireside.server.fleet_list import fleet_list
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
    (body,) = fleet_list({ONE: joined()}, {ONE: presence} if presence is not None else {})

    assert body.state == state


def test_what_a_worker_said_when_it_joined_and_says_now_is_put_together() -> None:
    now = Presence(
        boot_id="a", runtime="comfyui", ready=False, draining=True, reason="it broke", leases=(LEASE,),
        devices=({**CARD, "vram_free": 10},),
    )  # fmt: skip

    (body,) = fleet_list({ONE: joined()}, {ONE: now})

    assert (body.runtime, body.version, body.labels) == ("comfyui", "0.3.75", {"site": "home"})
    assert (body.reason, body.jobs, body.joined_at) == ("it broke", [JOB], NOON)
    assert body.devices == [{**CARD, "vram_free": 10}]


def test_a_worker_that_has_not_joined_yet_is_listed_too() -> None:
    (body,) = fleet_list({}, {ONE: said(ready=False, draining=True, reason="no torch")})

    assert (body.id, body.state, body.reason, body.joined_at) == (ONE, "draining", "no torch", None)
