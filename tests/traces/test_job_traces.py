"""The traces of jobs, from a real server with a real worker to a receiver that reads the protocol's own messages."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.traces.collector import Collector, Heard, running_collector

pytestmark = pytest.mark.once

HEADER = "the-key-of-the-collector"
CALLER = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
UNSAMPLED = "00-4bf92f3577b34da6a3ce929d0e0e4737-00f067aa0ba902b7-00"
MESSAGE = "what-the-message-of-the-failure-says"
OF_A_RUN = ("submit", "queue", "assign", "stage", "run", "EmptyImage", "SaveImage", "upload", "deliver")


def _graph(color: int, **between: Any) -> dict[str, Any]:
    """Make a picture and save it, with a node in between."""
    return {
        "1": {"class_type": "EmptyImage", "inputs": {"width": 8, "height": 8, "batch_size": 1, "color": color}},
        **({"2": {**between, "inputs": {"image": ["1", 0], **between["inputs"]}}} if between else {}),
        "3": {
            "class_type": "SaveImage",
            "inputs": {"images": ["2" if between else "1", 0], "filename_prefix": "a-name-of-a-file"},
        },
    }


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    with running_collector() as collector:
        yield collector


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, make_server: Any, collector: Collector) -> Iterator[Any]:
    folder = tmp_path_factory.mktemp("traces") / "data"
    environment = {"FIRESIDE_OTLP_ENDPOINT": collector.url, "FIRESIDE_OTLP_HEADERS": f"x-collector-key={HEADER}"}
    with make_server(folder, **environment) as server:
        yield server


@pytest.fixture(scope="module")
def client(server: Any) -> httpx.Client:
    return server.client(server.add_user("ada"))


def _submit(client: httpx.Client, graph: dict[str, Any], **headers: str) -> str:
    body = {"prompt": graph, "extra_data": {"fireside": {"reuse": False}}}
    return client.post("/api/prompt", json=body, headers=headers).raise_for_status().json()["prompt_id"]


def _only(spans: list[Heard], name: str) -> Heard:
    (found,) = [one for one in spans if one.name == name]
    return found


def test_every_step_of_a_job_is_a_span_of_one_trace(client: httpx.Client, collector: Collector) -> None:
    job = _submit(client, _graph(1))

    spans = collector.trace(job, *OF_A_RUN)

    assert sorted(one.name for one in spans) == sorted(["job", *OF_A_RUN])
    assert {one.trace_id for one in spans} == {job.replace("-", "")}
    assert len({one.span_id for one in spans}) == len(spans)


def test_spans_lie_within_their_parents(client: httpx.Client, collector: Collector) -> None:
    spans = collector.trace(_submit(client, _graph(2)), *OF_A_RUN)
    whole, run = _only(spans, "job"), _only(spans, "run")

    parents = {one.name: one.parent_id for one in spans}
    within = {whole.span_id: whole, run.span_id: run}

    assert parents.pop("job") == ""
    assert parents.pop("EmptyImage") == parents.pop("SaveImage") == run.span_id
    assert set(parents.values()) == {whole.span_id}
    for one in spans:
        around = within.get(one.parent_id, one)
        assert around.begin <= one.begin <= one.end <= around.end, (one.name, one, around)


def test_steps_follow_each_other(client: httpx.Client, collector: Collector) -> None:
    graph = _graph(3, class_type="FiresideSleep", inputs={"seconds": 0.2, "steps": 2})

    spans = collector.trace(_submit(client, graph), *OF_A_RUN, "FiresideSleep")

    names = ["submit", "queue", "stage", "run", "deliver"]
    begins = [_only(spans, name).begin for name in names]
    nodes = [_only(spans, name) for name in ("EmptyImage", "FiresideSleep", "SaveImage")]
    assert begins == sorted(begins)
    assert [one.end for one in nodes[:2]] == [one.begin for one in nodes[1:]]
    assert nodes[1].end - nodes[1].begin > 150_000_000


def test_spans_say_whose_and_where(client: httpx.Client, collector: Collector) -> None:
    spans = collector.trace(_submit(client, _graph(4)), *OF_A_RUN)

    users = {one.attributes["fireside.user.id"] for one in spans}
    assert len(users) == 1
    assert users.isdisjoint({0, 1})
    assert _only(spans, "run").attributes["fireside.worker.id"] == "local-1"
    assert _only(spans, "SaveImage").attributes["fireside.node.id"] == "3"
    assert _only(spans, "job").attributes["fireside.job.state"] == "succeeded"
    assert _only(spans, "upload").attributes["fireside.bytes"] > 0
    assert _only(spans, "job").resource["service.name"] == "fireside"
    assert {one.error for one in spans} == {None}


def test_a_caller_with_a_trace_finds_the_job_in_it(client: httpx.Client, collector: Collector) -> None:
    job = _submit(client, _graph(5), traceparent=CALLER)

    spans = collector.trace(job, *OF_A_RUN)

    assert {one.trace_id for one in spans} == {CALLER.split("-")[1]}
    assert _only(spans, "job").parent_id == CALLER.split("-")[2]


def test_a_caller_whose_trace_is_not_kept_gets_none(client: httpx.Client, collector: Collector) -> None:
    unsampled = _submit(client, _graph(6), traceparent=UNSAMPLED)

    collector.trace(_submit(client, _graph(7), traceparent="00-nothing"), *OF_A_RUN)

    assert collector.of_job(unsampled) == []


def test_a_job_that_fails_has_an_error_where_it_happened(client: httpx.Client, collector: Collector) -> None:
    graph = _graph(8, class_type="FiresideFail", inputs={"message": MESSAGE, "how": "raise"})

    spans = collector.trace(_submit(client, graph), "run", "FiresideFail")

    errors = {one.name: one.error for one in spans if one.error is not None}
    assert errors == {"job": "ValueError", "run": "ValueError", "FiresideFail": "ValueError"}
    assert _only(spans, "job").attributes["fireside.job.state"] == "failed"


def test_a_job_that_is_canceled_while_it_waits_or_runs_has_an_error(client: httpx.Client, collector: Collector) -> None:
    graph = _graph(9, class_type="FiresideSleep", inputs={"seconds": 3000, "steps": 10_000})
    running, waiting = _submit(client, graph), _submit(client, _graph(10))
    collector.wait(lambda: any(one.name == "assign" for one in collector.of_job(running)))

    for job in (waiting, running):
        client.post(f"/api/jobs/{job}/cancel").raise_for_status()
    waited, ran = collector.trace(waiting, "submit", "queue"), collector.trace(running, "stage")

    assert _only(waited, "job").error == _only(ran, "job").error == "canceled"
    assert "run" not in {one.name for one in waited}


def test_the_collector_is_shown_its_key_and_told_no_value_of_a_workflow(
    client: httpx.Client, collector: Collector
) -> None:
    body = {"prompt": _graph(12), "extra_data": {"api_key_comfy_org": "a-secret-of-a-partner"}}
    job = client.post("/api/prompt", json=body).raise_for_status().json()["prompt_id"]
    collector.trace(job, "submit")

    told = b"".join(collector.bodies)

    assert all(one["x-collector-key"] == HEADER for one in collector.requests)
    for secret in ("a-secret-of-a-partner", "a-name-of-a-file", MESSAGE, HEADER, client.headers["x-api-key"]):
        assert secret.encode() not in told


def test_no_child_of_the_server_knows_the_collectors_key(server: Any) -> None:
    children = [pid for pid in Path("/proc").glob("[0-9]*") if _parent(pid) == server.process.pid]

    assert children
    assert all(HEADER.encode() not in (pid / "environ").read_bytes() for pid in children)


def test_metrics_and_doctor_say_that_traces_arrive(client: httpx.Client, server: Any, collector: Collector) -> None:
    collector.trace(_submit(client, _graph(13)), *OF_A_RUN)

    assert b'fireside_trace_spans_total{fate="sent"}' in server.client().get("/metrics").content
    with server._admin() as admin:
        assert admin.get("/admin/api/doctor").json()["traces"] == ""


def _parent(pid: Path) -> int:
    try:
        return int((pid / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def test_a_collector_that_is_away_holds_nobody_up(start_server: Any) -> None:
    with running_collector() as gone:
        url = gone.url
    server = start_server(OTEL_EXPORTER_OTLP_ENDPOINT=url, FIRESIDE_OTLP_MAX_SPANS="5")
    client = server.client()
    job = _submit(client, _graph(14))

    with server.watch(server.key_of("admin")):
        _until_succeeded(client, job)

    with server._admin() as admin:
        assert "takes no traces" in admin.get("/admin/api/doctor").json()["traces"]
    assert client.get("/readyz").status_code == 200
    assert b'fireside_trace_spans_total{fate="dropped"}' in client.get("/metrics").content
    assert server.stop() == 0
    assert server.log().count("traces wait for their collector") <= 1


def test_what_waits_is_sent_when_the_collector_is_back_and_at_the_latest_when_the_server_stops(
    start_server: Any,
) -> None:
    with running_collector() as collector:
        collector.status = 503
        server = start_server(OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=f"{collector.url}/v1/traces")
        client = server.client()
        first = _submit(client, _graph(15))
        collector.wait(lambda: bool(collector.requests))

        collector.status = 200
        collector.trace(first, *OF_A_RUN)
        last = _submit(client, _graph(16))
        _until_succeeded(client, last)
        assert server.stop() == 0

        assert {"job", "run", "deliver"} <= {one.name for one in collector.of_job(last)}


def test_without_a_collector_nothing_is_spent(start_server: Any) -> None:
    server = start_server()
    client = server.client()
    _until_succeeded(client, _submit(client, _graph(17)))

    maps = Path(f"/proc/{server.process.pid}/maps").read_text()

    assert "/google/" not in maps
    with server._admin() as admin:
        assert admin.get("/admin/api/doctor").json()["traces"] is None
    assert "fireside_trace_spans_total{" not in client.get("/metrics").text


def _until_succeeded(client: httpx.Client, job: str) -> None:
    """Wait for the end on the job's own event stream."""
    with client.stream("GET", f"/api/v2/jobs/{job}/events") as stream:
        for line in stream.iter_lines():
            if line.startswith("data:") and json.loads(line[5:] or "{}").get("status") in ("completed", "succeeded"):
                return
    assert client.get(f"/api/job/{job}/status").json()["status"] == "success"
