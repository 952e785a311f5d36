"""The caller's queue in their own hands, over the routes."""

from typing import Any
from uuid import uuid4

import pytest
from tests.server.v1.house import Caller, House

from fireside.domain.accounts import Role


async def waiting_of(caller: Caller, job_id: str) -> dict[str, Any]:
    return (await caller.detail(job_id))["fireside"]["waiting"]


async def test_a_job_that_waits_says_why(house: House, ann: Caller) -> None:
    first, second = await ann.submit(), await ann.submit()

    said = await waiting_of(ann, second)

    assert (said["position"], said["reason"], said["missing"], said["starts_at"]) == (2, "no_worker", None, None)
    assert "away" in said["message"]
    await house.hold(first)
    assert (await waiting_of(ann, first))["reason"] == "starting"
    await house.succeed(second)
    assert "fireside" not in await ann.detail(second)


async def test_a_queue_is_paused_and_resumed_by_its_owner(ann: Caller, bob: Caller) -> None:
    job_id = await ann.submit()

    paused = await ann.http.post("/api/queue/pause", json={"reason": "lunch"})

    assert paused.status_code == 200
    assert (paused.json()["by"], paused.json()["user"], paused.json()["reason"]) == ("owner", "ann", "lunch")
    assert await ann.get("/api/queue/state") == {"waiting": 1, "with_workers": 0, "pauses": [paused.json()]}
    assert (await bob.get("/api/queue/state"))["pauses"] == []
    said = await waiting_of(ann, job_id)
    assert (said["reason"], said["message"]) == ("paused", "You have paused your queue: lunch")
    resumed = (await ann.http.post("/api/queue/resume")).json()
    assert resumed == {"resumed": True, "pauses": []}
    assert (await ann.http.post("/api/queue/resume")).json()["resumed"] is False


async def test_an_admins_pause_is_not_the_owners_to_end(house: House, ann: Caller) -> None:
    admin = await house.caller("root", role=Role.ADMIN)
    job_id = await ann.submit()

    assert (await admin.http.post("/admin/api/pause", json={"user": "ann", "reason": "disk"})).status_code == 200
    left = (await ann.http.post("/api/queue/resume")).json()

    assert (left["resumed"], [one["by"] for one in left["pauses"]]) == (False, ["admin"])
    assert (await waiting_of(ann, job_id))["reason"] == "paused_by_admin"
    await admin.http.post("/admin/api/pause", json={"user": None})
    assert (await waiting_of(ann, job_id))["reason"] == "fleet_paused"
    assert [one["user"] for one in (await admin.get("/admin/api/pauses"))["pauses"]] == [None, "ann"]
    for user in ("ann", None):
        assert (await admin.http.post("/admin/api/resume", json={"user": user})).json()["resumed"]
    assert (await ann.get("/api/queue/state"))["pauses"] == []


async def test_a_member_pauses_nobody_else(ann: Caller) -> None:

    for body in ({"user": None}, {"user": "ann"}):
        assert (await ann.http.post("/admin/api/pause", json=body)).status_code == 403
        assert (await ann.http.post("/admin/api/resume", json=body)).status_code == 403


async def test_an_admin_is_told_of_a_user_who_is_not_there(house: House) -> None:
    admin = await house.caller("root", role=Role.ADMIN)

    assert (await admin.http.post("/admin/api/pause", json={"user": "nobody"})).status_code == 404
    # Everybody is paused only by a null that is written.
    assert (await admin.http.post("/admin/api/pause", json={})).status_code == 400


async def test_a_job_is_moved(ann: Caller) -> None:
    a, b, c = [await ann.submit() for _ in range(3)]

    moved = await ann.http.post(f"/api/jobs/{c}/move", json={"to": "front"})

    assert moved.status_code == 200
    assert (moved.json()["id"], moved.json()["position"]) == (c, 1)
    assert (await ann.http.post(f"/api/jobs/{a}/move", json={"after": b})).json()["position"] == 3
    assert (await ann.http.post(f"/api/jobs/{a}/move", json={"before": b})).json()["position"] == 2
    assert [item[1] for item in (await ann.get("/api/queue"))["queue_pending"]] == [c, a, b]


@pytest.mark.parametrize(
    "body", [{}, {"to": "top"}, {"to": "front", "before": str(uuid4())}, {"before": "x"}, {"place": 1}, [], "front"]
)
async def test_a_move_that_says_nothing_is_refused(ann: Caller, body: Any) -> None:

    answer = await ann.http.post(f"/api/jobs/{await ann.submit()}/move", json=body)

    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")


async def test_only_ones_own_jobs_that_wait_are_moved(house: House, ann: Caller, bob: Caller) -> None:
    mine, theirs, running = await ann.submit(), await bob.submit(), await ann.submit()
    await house.start(running)

    for job_id, body, status in (
        (theirs, {"to": "front"}, 404),
        (mine, {"before": theirs}, 404),
        (str(uuid4()), {"to": "front"}, 404),
        ("x", {"to": "front"}, 404),
        (running, {"to": "front"}, 409),
        (mine, {"after": running}, 409),
        (mine, {"after": mine}, 400),
    ):
        assert (await ann.http.post(f"/api/jobs/{job_id}/move", json=body)).status_code == status
