"""`GET /api/v2/jobs/{id}/events`: what a stream tells, in which order, and who is let go."""

import asyncio
from base64 import b64decode
from functools import partial
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from tests.jobs.workshop import until
from tests.server.v1.house import WORKER, House
from tests.server.v2.house import Caller, error_of
from tests.server.v2.published import Published
from tests.server.v2.streams import opened
from tests.server.v2.test_jobs import show

from fireside.domain.jobs import Job
from fireside.runtimes.base import CachedNodes, NodeStarted, NodeState, Preview, ProgressState
from fireside.server.authentication import admit
from fireside.server.routes import Access
from fireside.server.v1.rendering import job_id_of
from fireside.server.v2.events import streaming
from fireside.worker.telling import LiveEvent, Telling

PICTURE = Preview(node_id="1", display_node_id="1", mime="image/jpeg", data=b"\xff\xd8\xff picture")


def steps(value: float, of: float = 20) -> ProgressState:
    return ProgressState(nodes=(_node("1", "EmptyImage", "running", value, of),))


def _node(node_id: str, class_type: str, state: str, value: float, of: float) -> NodeState:
    return NodeState(
        node_id=node_id,
        display_node_id=node_id,
        parent_node_id=None,
        real_node_id=node_id,
        class_type=class_type,
        state=state,
        value=value,
        max=of,
    )


class Worker:
    """Tells of a run as its worker does."""

    def __init__(self, house: House, job: Job) -> None:
        self._bus = house.services.bus
        self._telling = Telling(self._bus, job.user_id, WORKER, job.lease)

    async def tell(self, *events: LiveEvent) -> None:
        for event in events:
            await self._telling.tell(event)
        await self._telling.settle()
        await self._bus.flush()


@pytest.mark.statement(153, 154)
async def test_a_stream_tells_a_whole_life_in_order(house: House, ann: Caller, contract: Published | None) -> None:
    job_id = (await ann.submit())["id"]
    async with opened(ann, job_id) as stream:
        worker = Worker(house, await house.start(job_id))
        await stream.until("running")
        await worker.tell(CachedNodes(nodes=()), NodeStarted(node_id="1", display_node_id="1"), steps(5))
        await stream.until("progress")
        await worker.tell(PICTURE)
        await stream.until("preview")
        await show(house, job_id)
        await stream.until("output")
        await house.end(job_id, "succeeded")
        events = await stream.to_the_end()

    words = list(dict.fromkeys(stream.words()))
    assert words == ["queued", "running", "progress", "preview", "output", "succeeded"]
    assert stream.is_whole
    assert stream.status == 200
    assert stream.headers["content-type"] == "text/event-stream"
    assert (stream.headers["cache-control"], stream.headers["x-accel-buffering"]) == ("no-cache", "no")
    assert b"\nid:" not in stream.raw
    (output,) = [data for name, data in events if name == "output"]
    job = await ann.job(job_id)
    assert [output] == job["outputs"]
    assert events[-1] == ("status", {"status": "succeeded", "outputs": job["outputs"]})
    (preview,) = [data for name, data in events if name == "preview"]
    assert (preview["content_type"], b64decode(preview["data_base64"])) == ("image/jpeg", PICTURE.data)
    schemas = {"status": "StatusEvent", "progress": "Progress", "preview": "PreviewEvent", "output": "Output"}
    for name, data in events:
        if contract is not None:
            contract.validate({"$ref": f"#/components/schemas/{schemas[name]}"}, data)


async def test_progress_weighs_nodes_and_steps(house: House, ann: Caller) -> None:
    job_id = (await ann.submit())["id"]
    worker = Worker(house, await house.start(job_id))
    async with opened(ann, job_id) as stream:
        await stream.until("progress")
        await worker.tell(NodeStarted(node_id="1", display_node_id="1"), steps(5))
        await stream.until_raw(b'"step":5,')
        _, progress = stream.events[-1]
        shown = (await ann.job(job_id))["progress"]

    assert progress == {
        "value": 0.125,
        "nodes_done": 0,
        "nodes_total": 2,
        "current_node": "1",
        "current_node_class": "EmptyImage",
        "step": 5,
        "steps": 20,
        "message": "EmptyImage 5/20",
    }
    assert shown == progress


async def test_who_comes_later_hears_first_how_far_it_is(house: House, ann: Caller) -> None:
    job_id = (await ann.submit())["id"]
    worker = Worker(house, await house.start(job_id))
    async with opened(ann, job_id) as first:
        await worker.tell(NodeStarted(node_id="1", display_node_id="1"), steps(5), PICTURE)
        await show(house, job_id)
        await first.until("output")
        await first.until("preview")
        async with opened(ann, job_id) as second:
            events = await second.until("output")

    assert [name for name, _ in events] == ["status", "progress", "preview", "output"]
    assert events[1][1]["step"] == 5


@pytest.mark.statement(154)
async def test_the_stream_of_a_job_that_is_over_tells_its_outputs_and_its_end(house: House, ann: Caller) -> None:
    job_id = (await ann.submit())["id"]
    await house.start(job_id)
    await show(house, job_id)
    await house.end(job_id, "succeeded")
    canceled = (await ann.submit())["id"]
    await ann.http.post(f"/api/v2/jobs/{canceled}/cancel")

    async with opened(ann, job_id) as with_outputs, opened(ann, canceled) as without:
        await with_outputs.to_the_end()
        await without.to_the_end()

    assert with_outputs.words() == ["running", "output", "succeeded"]
    assert without.words() == ["canceled"]
    assert with_outputs.is_whole


async def test_an_output_that_nobody_told_of_comes_before_the_end(house: House, ann: Caller) -> None:
    job_id = (await ann.submit())["id"]
    await house.start(job_id)
    async with opened(ann, job_id) as stream:
        await stream.until("running")
        house.services.desk.announcer.tell = _untold  # pyright: ignore[reportAttributeAccessIssue]
        await show(house, job_id)
        del house.services.desk.announcer.tell
        await house.end(job_id, "succeeded")
        await stream.to_the_end()

    assert [word for word in stream.words() if word != "progress"] == ["running", "output", "succeeded"]


async def _untold(*_: Any) -> None:
    """Lose a message, as a bus may."""


@pytest.mark.statement(151)
async def test_being_canceled_is_a_status_and_so_is_the_place_in_the_queue(house: House, ann: Caller) -> None:
    first, job_id = (await ann.submit())["id"], (await ann.submit())["id"]
    async with opened(ann, job_id) as stream:
        await ann.http.post(f"/api/v2/jobs/{first}/cancel")
        await stream.until("queued", times=2)
        await house.start(job_id)
        await stream.until("running")
        await ann.http.post(f"/api/v2/jobs/{job_id}/cancel")
        await stream.until("canceling")
        await house.end(job_id, "interrupted")
        events = await stream.to_the_end()

    statuses = [data for name, data in events if name == "status"]
    assert [(one["status"], one.get("queue_position")) for one in statuses] == [
        *(("queued", 2), ("queued", 1), ("running", None), ("canceling", None), ("canceled", None))
    ]


async def test_a_stream_hears_of_its_own_job_only(house: House, ann: Caller) -> None:
    one, other = (await ann.submit())["id"], (await ann.submit())["id"]
    async with opened(ann, one) as stream:
        await house.succeed(other)
        await house.succeed(one)
        await stream.to_the_end()

    assert stream.words().count("succeeded") == 1
    assert stream.words()[-1] == "succeeded"


async def test_a_stream_shows_no_picture_of_another_job(house: House, ann: Caller) -> None:
    one, other = (await ann.submit())["id"], (await ann.submit())["id"]
    mine, foreign = Worker(house, await house.start(one)), Worker(house, await house.start(other))
    async with opened(ann, one) as stream, opened(ann, other) as beside:
        await stream.until("progress")
        await foreign.tell(NodeStarted(node_id="1", display_node_id="1"), PICTURE)
        await beside.until("preview")
        await mine.tell(NodeStarted(node_id="1", display_node_id="1"), steps(5))
        await stream.until_raw(b'"step":5,')

    assert "preview" not in stream.words()


class TestPace:
    @pytest.fixture
    def settings(self) -> dict[str, Any]:
        return {"stream_updates_per_second": 5.0}

    async def test_progress_comes_so_often_a_second_and_the_last_one_is_not_lost(
        self, house: House, ann: Caller
    ) -> None:
        job_id = (await ann.submit())["id"]
        worker = Worker(house, await house.start(job_id))
        async with opened(ann, job_id) as stream:
            await stream.until("progress")
            began = asyncio.get_running_loop().time()
            for step in range(1, 101):
                await worker.tell(steps(step, of=1000))
                # One after the other, so that only the stream itself can hold them back.
                await until(partial(_stands_at, house, ann, job_id, step))
            await stream.until_raw(b'"step":100,')
            seconds = asyncio.get_running_loop().time() - began
            told = stream.words().count("progress")

        assert 2 <= told <= 2 + 5 * seconds + 1

    async def test_a_preview_that_is_too_large_for_clients_is_left_out(self, house: House, ann: Caller) -> None:
        job_id = (await ann.submit())["id"]
        worker = Worker(house, await house.start(job_id))
        large = Preview(node_id="1", display_node_id="1", mime="image/jpeg", data=b"\xff\xd8\xff" + b"x" * 1_000_000)
        async with opened(ann, job_id) as stream:
            await stream.until("progress")
            await worker.tell(NodeStarted(node_id="1", display_node_id="1"), large, steps(1))
            await stream.until_raw(b'"step":1,')
            await worker.tell(PICTURE)
            events = await stream.until("preview")

        previews = [b64decode(data["data_base64"]) for name, data in events if name == "preview"]
        assert previews == [PICTURE.data]


def _stands_at(house: House, caller: Caller, job_id: str, step: float) -> bool:
    standing = house.services.hub.standing_of(caller.user.id, job_id_of(job_id))
    return standing is not None and [node.value for node in standing.nodes] == [step]


class TestFew:
    @pytest.fixture
    def settings(self) -> dict[str, Any]:
        return {"max_streams_per_user": 2}

    @pytest.mark.statement(155, 160)
    async def test_one_stream_too_many_is_refused_until_another_ends(
        self, house: House, ann: Caller, bob: Caller
    ) -> None:
        job_id, bobs = (await ann.submit())["id"], (await bob.submit())["id"]
        path = f"/api/v2/jobs/{job_id}/events"
        async with opened(ann, job_id):
            async with opened(ann, job_id), opened(bob, bobs):
                answer = await ann.http.get(path)
                error_of(answer, 429, "too_many_streams")
                assert answer.headers["retry-after"] == "5"
                assert (await ann.job(job_id))["status"] == "queued"
            async with opened(ann, job_id) as stream:
                assert stream.status == 200


def app_with(house: House, **seconds: float) -> Starlette:
    """An application whose streams have other times."""
    handler = streaming(**seconds)

    async def endpoint(request: Request) -> Response:
        await admit(request, Access.USER)
        return await handler(request)

    app = Starlette(routes=[Route("/api/v2/jobs/{id}/events", endpoint)])
    app.state.services, app.state.local_user = house.services, None
    return app


@pytest.mark.statement(153)
async def test_a_silent_stream_shows_that_it_is_alive(house: House, ann: Caller) -> None:
    job_id = (await ann.submit())["id"]
    async with opened(ann, job_id, app=app_with(house, keep_alive_seconds=0.05)) as stream:
        await stream.until_raw(b": keepalive\n\n: keepalive\n\n")

        assert stream.words() == ["queued"]


async def test_a_client_that_does_not_read_is_let_go_and_nobody_waits_for_it(house: House, ann: Caller) -> None:
    job_id = (await ann.submit())["id"]
    worker = Worker(house, await house.start(job_id))
    async with (
        opened(ann, job_id, app=app_with(house, send_seconds=0.2)) as deaf,
        opened(ann, job_id) as other,
    ):
        await deaf.until("running")
        deaf.is_reading = False
        await worker.tell(NodeStarted(node_id="1", display_node_id="1"), steps(1))
        await other.until_raw(b'"step":1,')
        await deaf.to_the_end()
        await worker.tell(steps(2))
        await other.until_raw(b'"step":2,')

    assert not deaf.is_whole


async def test_who_may_listen_no_more_is_let_go(house: House, ann: Caller) -> None:
    job_id = (await ann.submit())["id"]
    accounts = house.services.accounts
    async with opened(ann, job_id, app=app_with(house, look_seconds=0.05)) as stream:
        await stream.until("queued")
        for key in await accounts.keys(ann.user):
            await accounts.revoke_key(key.id)
        await stream.to_the_end()

    assert not stream.is_whole


async def test_a_server_that_stops_ends_its_streams_in_order(house: House, ann: Caller) -> None:
    job_id = (await ann.submit())["id"]
    async with opened(ann, job_id) as stream:
        await house.services.hub.close()
        await stream.to_the_end()

    assert stream.is_whole
    assert stream.words() == ["queued"]


async def test_a_client_that_goes_gives_its_seat_back(house: House, ann: Caller) -> None:
    job_id = (await ann.submit())["id"]
    async with opened(ann, job_id) as stream:
        stream.leave()
        await stream.to_the_end()

    assert ann.user.id not in house.services.hub._channels
