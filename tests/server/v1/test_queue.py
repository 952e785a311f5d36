"""`/api/queue` and `/api/interrupt`: seeing the queue, taking jobs out of it, stopping those that run."""

from typing import Any
from uuid import uuid4

import msgspec
import pytest
from tests.server.v1.house import GRAPH, Caller, House

from fireside.server.v1 import queue

NOBODYS = "0b0c7a1e-5f3a-4c8e-9a55-2b6f1d0e7c11"
BAD_CHANGES = (
    b"",
    b"{",
    b"[]",
    b"null",
    b'{"remove":[]}',
    b'{"delete":["x"],"clean":true}',
    b'{"delete":"x"}',
    b'{"delete":[1]}',
    b'{"delete":null}',
    b'{"clear":1}',
    b'{"clear":"true"}',
    b"\xff",
)


async def _queue(caller: Caller) -> tuple[list[str], list[str]]:
    body = await caller.get("/api/queue")
    return [item[1] for item in body["queue_running"]], [item[1] for item in body["queue_pending"]]


async def _statuses(caller: Caller, *job_ids: str) -> list[str]:
    return [(await caller.entry(job_id))["status"] for job_id in job_ids]


async def _change(caller: Caller, **change: Any) -> Any:
    answer = await caller.http.post("/api/queue", json=change)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.statement(76)
async def test_an_empty_queue_is_two_empty_lists(ann: Caller) -> None:
    assert await ann.get("/api/queue") == {"queue_running": [], "queue_pending": []}


@pytest.mark.statement(76)
async def test_an_item_has_its_place_its_id_its_graph_its_outputs_and_its_time(ann: Caller) -> None:
    job_id = await ann.submit()

    (item,) = (await ann.get("/api/queue"))["queue_pending"]

    place, prompt_id, graph, outputs, about = item
    assert (place, prompt_id, graph, outputs) == (1, job_id, GRAPH, ["2"])
    assert set(about) == {"create_time"}
    assert about["create_time"] // 1000 == (await ann.entry(job_id))["create_time"]


@pytest.mark.statement(77)
async def test_pending_jobs_come_in_the_order_they_will_run_numbered_from_one(ann: Caller) -> None:
    first, second = await ann.submit(), await ann.submit()
    front = await ann.submit(front=True)
    last = await ann.submit(number=1000)

    pending = (await ann.get("/api/queue"))["queue_pending"]

    assert [(item[0], item[1]) for item in pending] == [(1, front), (2, first), (3, second), (4, last)]


async def test_what_runs_what_waits_and_what_has_ended_are_told_apart(ann: Caller, house: House) -> None:
    running, held, waiting, done, canceling = [await ann.submit() for _ in range(5)]
    await house.start(running)
    await house.hold(held)
    await house.succeed(done)
    await house.start(canceling)
    await ann.http.post(f"/api/jobs/{canceling}/cancel")

    assert await _queue(ann) == ([running, canceling], [held, waiting])


async def test_each_user_sees_only_their_own(ann: Caller, bob: Caller) -> None:
    await bob.submit()

    assert await _queue(ann) == ([], [])


async def test_a_long_queue_is_shown_from_its_front(ann: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "MAX_LISTED", 2)
    ids = [await ann.submit() for _ in range(3)]

    assert (await _queue(ann))[1] == ids[:2]


async def test_a_queue_of_large_graphs_is_shown_as_far_as_it_fits(ann: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = [await ann.submit() for _ in range(3)]
    graph_bytes = len(msgspec.json.encode((await ann.get("/api/queue"))["queue_pending"][0][2]))
    monkeypatch.setattr(queue, "MAX_GRAPH_BYTES", 2 * graph_bytes)

    assert (await _queue(ann))[1] == ids[:2]


@pytest.mark.statement(78)
async def test_the_jobs_that_are_named_are_canceled_also_when_they_run(ann: Caller, house: House) -> None:
    waiting, running, done, untouched = [await ann.submit() for _ in range(4)]
    await house.start(running)
    await house.succeed(done)

    changed = await _change(ann, delete=[waiting, running, done, waiting, str(uuid4()), "x", ""])

    assert changed == {"deleted": [waiting, running], "cleared": False}
    assert await _statuses(ann, waiting, running, done, untouched) == [
        "cancelled",
        "in_progress",
        "completed",
        "pending",
    ]
    await house.end(running, "interrupted")
    assert await _statuses(ann, running) == ["cancelled"]


@pytest.mark.statement(79)
async def test_clearing_cancels_all_that_waits_and_nothing_that_runs(ann: Caller, house: House, bob: Caller) -> None:
    running, held, *waiting = [await ann.submit() for _ in range(150)]
    await house.start(running)
    await house.hold(held)
    theirs = await bob.submit()

    changed = await _change(ann, clear=True)

    assert changed["cleared"] is True
    assert set(changed["deleted"]) == {held, *waiting}
    assert await _queue(ann) == ([running], [])
    assert await _statuses(bob, theirs) == ["pending"]


async def test_both_can_be_asked_at_once_and_nothing_too(ann: Caller, house: House) -> None:
    running, waiting = await ann.submit(), await ann.submit()
    await house.start(running)

    assert await _change(ann) == {"deleted": [], "cleared": False}
    assert await _change(ann, clear=False, delete=[]) == {"deleted": [], "cleared": False}
    assert await _change(ann, clear=True, delete=[running]) == {"deleted": [running, waiting], "cleared": True}


async def test_jobs_of_others_are_passed_over(ann: Caller, bob: Caller) -> None:
    theirs = await bob.submit()

    assert await _change(ann, delete=[theirs]) == {"deleted": [], "cleared": False}
    assert await _statuses(bob, theirs) == ["pending"]


@pytest.mark.statement(80)
async def test_an_unknown_key_or_a_wrong_type_is_refused_and_nothing_is_canceled(ann: Caller) -> None:
    job_id = await ann.submit()

    for content in (*BAD_CHANGES, b'{"delete":["%s"],"remove":[]}' % job_id.encode()):
        answer = await ann.http.post("/api/queue", content=content)
        assert answer.status_code == 400, content
        assert {"code", "message", "error"} <= set(answer.json())

    assert await _statuses(ann, job_id) == ["pending"]


@pytest.mark.statement(73, 74)
async def test_an_interrupt_stops_all_that_runs_and_leaves_what_waits(ann: Caller, bob: Caller, house: House) -> None:
    first, second, waiting, theirs = await ann.submit(), await ann.submit(), await ann.submit(), await bob.submit()
    for job_id in (first, second, theirs):
        await house.start(job_id)

    answer = await ann.http.post("/api/interrupt")
    for job_id in (first, second):
        await house.end(job_id, "interrupted")

    assert (answer.status_code, answer.content) == (200, b"")
    assert await _statuses(ann, first, second, waiting) == ["cancelled", "cancelled", "pending"]
    await house.end(theirs, "succeeded")
    assert await _statuses(bob, theirs) == ["completed"]


async def test_an_interrupt_stops_a_job_that_a_worker_has_taken_and_not_begun(ann: Caller, house: House) -> None:
    job_id = await ann.submit()
    await house.hold(job_id)

    await ann.http.post("/api/interrupt")

    assert await _statuses(ann, job_id) == ["cancelled"]


@pytest.mark.statement(73)
async def test_an_interrupt_leaves_a_job_that_its_worker_has_ready_behind_another(
    ann: Caller, bob: Caller, house: House
) -> None:
    running, ready, theirs = await ann.submit(), await ann.submit(), await bob.submit()
    await house.start(running)
    await house.hold(ready)
    await house.hold(theirs)

    await bob.http.post("/api/interrupt")
    await ann.http.post("/api/interrupt")
    await house.end(running, "interrupted")

    assert await _statuses(ann, running, ready) == ["cancelled", "pending"]
    assert await _statuses(bob, theirs) == ["pending"]


@pytest.mark.statement(73)
async def test_an_interrupt_with_nothing_to_stop_is_well(ann: Caller) -> None:
    job_id = await ann.submit()

    assert (await ann.http.post("/api/interrupt")).status_code == 200
    assert await _statuses(ann, job_id) == ["pending"]


@pytest.mark.statement(75)
async def test_an_interrupt_of_one_job_stops_it_alone(ann: Caller, house: House) -> None:
    named, other, waiting = [await ann.submit() for _ in range(3)]
    await house.start(named)
    await house.start(other)

    for job_id in (named, waiting):
        assert (await ann.http.post("/api/interrupt", json={"prompt_id": job_id})).status_code == 200

    await house.end(named, "interrupted")
    await house.end(other, "succeeded")
    assert await _statuses(ann, named, other, waiting) == ["cancelled", "completed", "cancelled"]


@pytest.mark.parametrize("prompt_id", [NOBODYS, "x", "\0", 5, [1], {"a": 1}, True])
async def test_an_interrupt_of_what_is_no_job_of_mine_stops_nothing(ann: Caller, house: House, prompt_id: Any) -> None:
    running = await ann.submit()
    await house.start(running)

    assert (await ann.http.post("/api/interrupt", json={"prompt_id": prompt_id})).status_code == 200
    await house.end(running, "succeeded")

    assert await _statuses(ann, running) == ["completed"]


@pytest.mark.statement(74)
async def test_an_interrupt_of_anothers_job_stops_nothing(ann: Caller, bob: Caller, house: House) -> None:
    mine, theirs = await ann.submit(), await bob.submit()
    await house.start(mine)
    await house.start(theirs)

    assert (await ann.http.post("/api/interrupt", json={"prompt_id": theirs})).status_code == 200
    await house.end(mine, "succeeded")
    await house.end(theirs, "succeeded")

    assert await _statuses(ann, mine) == ["completed"]
    assert await _statuses(bob, theirs) == ["completed"]


@pytest.mark.statement(75)
@pytest.mark.parametrize(
    "content", [b"{", b"[]", b"null", b"\xff", b'"x"', b"[" * 10_000, b'{"prompt_id":null}', b"{}"]
)
async def test_a_broken_body_of_an_interrupt_means_all_that_runs(ann: Caller, house: House, content: bytes) -> None:
    running = await ann.submit()
    await house.start(running)

    answer = await ann.http.post("/api/interrupt", content=content, headers={"Content-Type": "text/plain"})
    await house.end(running, "succeeded")

    assert answer.status_code == 200
    assert await _statuses(ann, running) == ["cancelled"]


async def test_an_interrupt_is_not_read_without_end(ann: Caller) -> None:
    assert (await ann.http.post("/api/interrupt", content=b" " * (64 * 1024))).status_code == 200
    assert (await ann.http.post("/api/interrupt", content=b" " * (64 * 1024 + 1))).status_code == 413
