"""Jobs over the API v2: what a poller sees of one, cancel, the graph behind it, and the envelope of every refusal."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from tests.server.v1.house import BOOM, GRAPH, ORIGIN, OUTPUTS, WORKER, House
from tests.server.v2.house import PNG, Caller, error_of

from fireside.assets.outputs import OutputPlace, output_assets
from fireside.domain.ids import JobId
from fireside.jobs.report import add_output
from fireside.server.fleet_outputs import take_output
from fireside.server.signed_urls import steady_url
from fireside.server.v1.rendering import job_id_of
from fireside.store.records import NodeRecord
from fireside.wire.fleet import LeaseBody, OutputBody

BELOW = ("", "/events", "/workflow", "/cancel")


async def show(house: House, job_id: str, content: bytes = PNG) -> None:
    """Let the worker report a picture with its bytes."""
    services = house.services
    written = await services.blobs.write_bytes(content, limit_bytes=None)
    job = await services.store.job(job_id_of(job_id))
    assert job is not None
    record = NodeRecord(node_id="2", display_node_id="2", output=OUTPUTS["2"])
    place = OutputPlace(key="images", index=0, hash=written.hash, came=written)
    files = await output_assets(services.blobs, job, record, [place], services.clock())
    await add_output(services.desk, WORKER, job.lease, record, files)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


async def test_a_job_is_seen_through_its_whole_life(house: House, ann: Caller) -> None:
    job_id = (await ann.submit())["id"]
    await house.start(job_id)
    running = await ann.job(job_id)
    await show(house, job_id)
    shown = await ann.job(job_id)
    await house.end(job_id, "succeeded")
    ended = await ann.job(job_id)

    assert (running["status"], running["queue_position"], running["outputs"]) == ("running", None, [])
    assert running["progress"] == {
        "value": 0,
        "nodes_done": 0,
        "nodes_total": 2,
        **dict.fromkeys(("current_node", "current_node_class", "step", "steps", "message")),
    }
    assert running["metrics"]["queue_ms"] >= 0
    assert running["metrics"]["execution_ms"] is None
    assert shown["outputs"] == ended["outputs"]
    assert (ended["status"], ended["progress"], ended["error"]) == ("succeeded", None, None)
    assert at(ended["created_at"]) <= at(ended["started_at"]) <= at(ended["completed_at"]) < at(ended["expires_at"])
    assert ended["metrics"]["execution_ms"] >= 0


@pytest.mark.statement(154)
async def test_an_output_is_an_asset_that_anybody_with_its_address_can_read(house: House, ann: Caller) -> None:
    job_id = (await ann.submit())["id"]
    await house.start(job_id)
    await show(house, job_id)

    (output,) = (await ann.job(job_id))["outputs"]

    assert (output["node_id"], output["name"], output["type"]) == ("2", "a_00001_.png", "image")
    assert (output["content_type"], output["size_bytes"], output["job_id"]) == ("image/png", len(PNG), job_id)
    assert output["hash"].startswith("blake3:")
    assert output["url"].startswith(f"{ORIGIN}/files/")
    stranger = await house.client({})
    assert (await stranger.get(output["url"])).content == PNG


async def test_a_text_that_a_node_shows_is_an_output_with_bytes_of_its_own(house: House, ann: Caller) -> None:
    job_id = (await ann.submit())["id"]
    job = await house.start(job_id)
    shown = {"text": ["héllo", 5, ""]}
    body = OutputBody(lease=LeaseBody.of(job.lease), node_id="2", display_node_id="2", output=shown, files=())
    await take_output(house.services, WORKER, body)
    await take_output(house.services, WORKER, body)
    await house.end(job_id, "succeeded")

    outputs = (await ann.job(job_id))["outputs"]

    assert [(one["type"], one["content_type"], one["size_bytes"]) for one in outputs] == [
        ("text", "text/plain", 6),
        ("text", "text/plain", 0),
    ]
    stranger = await house.client({})
    assert (await stranger.get(outputs[0]["url"])).content == "héllo".encode()
    assert (await ann.get(f"/api/jobs/{job_id}"))["outputs"] == {"2": shown}


async def test_a_poller_that_has_the_job_as_it_is_is_told_so(house: House, ann: Caller) -> None:
    job_id = (await ann.submit())["id"]
    path = f"/api/v2/jobs/{job_id}"
    await house.start(job_id)
    await show(house, job_id)
    first = await ann.http.get(path)

    again = await ann.http.get(path, headers={"If-None-Match": first.headers["etag"]})
    await house.end(job_id, "succeeded")
    changed = await ann.http.get(path, headers={"If-None-Match": first.headers["etag"]})

    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    assert changed.status_code == 200
    assert changed.headers["etag"] != first.headers["etag"]


async def test_a_node_that_broke_the_job_is_told_with_what_it_said(house: House, ann: Caller) -> None:
    job_id = (await ann.submit())["id"]
    await house.fail(job_id)

    job = await ann.job(job_id)

    assert job["status"] == "failed"
    assert job["error"] == {
        "code": "node_execution_error",
        "message": "boom",
        "node_id": BOOM.node_id,
        "class_type": BOOM.node_type,
        "traceback": "line 1\nline 2",
    }


async def test_a_job_whose_workers_were_lost_failed_of_no_node(house: House, ann: Caller) -> None:
    job_id = (await ann.submit())["id"]
    await house.lose(job_id)

    error = (await ann.job(job_id))["error"]

    assert (error["code"], error["node_id"], error["traceback"]) == ("lost", None, None)


@pytest.mark.statement(151, 159)
async def test_cancel_ends_what_waits_stops_what_runs_and_leaves_what_is_over(house: House, ann: Caller) -> None:
    waits, runs, over = [(await ann.submit())["id"] for _ in range(3)]
    await house.start(runs)
    await house.succeed(over)

    async def cancel(job_id: str) -> str:
        answer = await ann.http.post(f"/api/v2/jobs/{job_id}/cancel")
        assert answer.status_code == 200
        return answer.json()["status"]

    assert [await cancel(job_id) for job_id in (waits, runs, over)] == ["canceled", "canceling", "succeeded"]
    assert [await cancel(job_id) for job_id in (waits, runs, over)] == ["canceled", "canceling", "succeeded"]
    await house.end(runs, "interrupted")
    assert (await ann.job(runs))["status"] == "canceled"
    assert (await ann.get(f"/api/jobs/{runs}"))["status"] == "cancelled"


@pytest.mark.statement(152)
async def test_the_graph_behind_a_job_is_the_one_that_runs(ann: Caller) -> None:
    job = await ann.submit(extra_data={"api_key_comfy_org": "secret"})

    answer = await ann.get(f"/api/v2/jobs/{job['id']}/workflow")

    assert answer == {"workflow": GRAPH, "format": "api"}


@pytest.mark.statement(151)
async def test_what_is_not_there_and_what_is_anothers_is_not_found(ann: Caller, bob: Caller) -> None:
    foreign = (await bob.submit())["id"]
    for job_id in (foreign, str(uuid4()), "nonsense", uuid4().hex, "%00"):
        for below in BELOW:
            method = "POST" if below == "/cancel" else "GET"
            answer = await ann.http.request(method, f"/api/v2/jobs/{job_id}{below}")
            error_of(answer, 404, "not_found")
    assert (await bob.job(foreign))["status"] == "queued"


async def test_jobs_wait_at_places_of_their_own(house: House, ann: Caller, bob: Caller) -> None:
    await bob.submit()
    first, second = (await ann.submit())["id"], (await ann.submit())["id"]
    assert [(await ann.job(job_id))["queue_position"] for job_id in (first, second)] == [1, 2]

    await house.hold(first)

    assert [(await ann.job(job_id))["status"] for job_id in (first, second)] == ["queued", "queued"]
    assert [(await ann.job(job_id))["queue_position"] for job_id in (first, second)] == [1, 1]


class TestRetention:
    @pytest.fixture
    def settings(self) -> dict[str, Any]:
        return {"keep_days": 3}

    async def test_a_job_says_how_long_it_is_kept(self, house: House, ann: Caller) -> None:
        job = await ann.submit()
        ended = await house.succeed(job["id"])

        assert ended.ended_at is not None
        assert at(job["expires_at"]) - at(job["created_at"]) == timedelta(days=3)
        assert at((await ann.job(job["id"]))["expires_at"]) == ended.ended_at + timedelta(days=3)


async def test_an_address_in_a_job_stays_the_same_for_a_while_and_works_for_half_of_its_time(
    house: House, ann: Caller
) -> None:
    job_id = (await ann.submit())["id"]
    await house.start(job_id)
    await show(house, job_id)
    (asset,) = await house.services.store.job_assets(JobId(UUID(job_id)))

    signed = steady_url(house.services, asset)

    left = signed.expires_at - house.services.clock()
    span = timedelta(seconds=house.services.config.signed_url_seconds)
    assert span / 2 <= left <= span


@pytest.mark.statement(144)
@pytest.mark.parametrize(
    ("method", "path", "headers", "status", "code"),
    [
        ("GET", "/api/v2", {}, 404, "not_found"),
        ("GET", "/api/v2/", {}, 404, "not_found"),
        ("GET", "/api/v2/nowhere", {}, 404, "not_found"),
        ("DELETE", "/api/v2/jobs", {}, 405, "invalid_request"),
        ("GET", "/api/v2/jobs/x", {"Authorization": ""}, 401, "unauthorized"),
        ("GET", "/api/v2/jobs/x", {"Authorization": "Bearer nobody"}, 401, "unauthorized"),
        ("POST", "/api/v2/jobs", {"Authorization": "", "X-API-Key": "nobody"}, 401, "unauthorized"),
        ("POST", "/api/v2/jobs", {"Content-Length": "99999999999"}, 413, "payload_too_large"),
    ],
)
async def test_every_refusal_is_in_the_envelope(
    ann: Caller, method: str, path: str, headers: Mapping[str, str], status: int, code: str
) -> None:
    request = ann.http.build_request(method, path, headers=headers)
    for name, value in headers.items():
        if not value:
            del request.headers[name]

    answer = await ann.http.send(request)

    error = error_of(answer, status, code)
    assert error["message"]
    assert answer.headers["x-comfy-request-id"]


@pytest.mark.statement(144)
async def test_a_fault_of_ours_is_in_the_envelope_and_tells_nothing(
    house: House, ann: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> Any:
        raise RuntimeError("secret")

    monkeypatch.setattr(type(house.services.store), "job", broken)
    transport = httpx.ASGITransport(app=ann.http._transport.app, raise_app_exceptions=False)  # pyright: ignore
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers=ann.http.headers) as http:
        answer = await http.get(f"/api/v2/jobs/{uuid4()}")

    error_of(answer, 500, "upstream_error")
    assert "secret" not in answer.text
    assert answer.headers["x-comfy-request-id"]


async def test_a_key_in_x_api_key_does_too_and_every_answer_has_an_id_of_its_own(house: House, ann: Caller) -> None:
    key = ann.http.headers["authorization"].removeprefix("Bearer ")
    http = await house.client({"X-API-Key": key})
    job_id = (await ann.submit())["id"]

    answers = [await http.get(f"/api/v2/jobs/{job_id}") for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert len({answer.headers["x-comfy-request-id"] for answer in answers}) == 2
    assert "x-comfy-request-id" not in (await http.get("/api/jobs")).headers
