"""What Prometheus is told, read with its own parser, and that the board for Grafana asks for nothing else."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_families
from prometheus_client.parser import text_string_to_metric_families
from websockets.sync.client import ClientConnection

from fireside import __version__

BOARD = Path(__file__).parents[2] / "deploy/grafana/fireside.json"
TOKEN = "let-prometheus-in"
SECONDS = 240
GRAPH: dict[str, Any] = {
    "1": {"class_type": "EmptyImage", "inputs": {"width": 8, "height": 8, "batch_size": 1, "color": 0}},
    "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "a"}},
}
_FUNCTIONS = {"sum", "max", "min", "by", "rate", "histogram_quantile", "topk", "count", "le", "job", "instance"}
Families = dict[str, Metric]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, make_server: Any) -> Iterator[Any]:
    folder = tmp_path_factory.mktemp("metrics") / "data"
    # The server's own worker is of the one pool, and of the other nobody knows anything.
    pools = "small=0..3 size=small, gpu=1..8"
    with make_server(folder, "--label=size=small", FIRESIDE_METRICS_TOKEN=TOKEN, FIRESIDE_POOLS=pools) as server:
        yield server


@pytest.fixture(scope="module")
def families(server: Any) -> Families:
    """What is told after one job of each kind of end has gone through."""
    key = server.add_user("ada")
    client = server.client(key)
    with server.watch(key) as socket:
        for color in (1, 2):
            graph = GRAPH | {"1": {**GRAPH["1"], "inputs": {**GRAPH["1"]["inputs"], "color": color}}}
            job = client.post("/api/prompt", json={"prompt": graph}).raise_for_status().json()["prompt_id"]
            _until_done(socket, job)
        output = client.get(f"/api/jobs/{job}").raise_for_status().json()["outputs"]["2"]["images"][0]
        client.get("/api/view", params=output, follow_redirects=True).raise_for_status()
        client.get("/api/nothing/here/bob")
        client.get("/api/jobs/not-an-id")
        return _families(_scrape(server))


def _until_done(socket: ClientConnection, job: str) -> None:
    while True:
        message = socket.recv(SECONDS)
        said = msgspec.json.decode(message) if isinstance(message, str) else {}
        if said.get("type") == "execution_success" and said["data"]["prompt_id"] == job:
            return


def _scrape(server: Any, **headers: str) -> httpx.Response:
    return httpx.get(
        f"{server.url}/metrics", headers={"Authorization": f"Bearer {TOKEN}", **headers}, timeout=SECONDS
    ).raise_for_status()


def _families(answer: httpx.Response) -> Families:
    return {one.name: one for one in text_string_to_metric_families(answer.text)}


def _value(families: Families, family: str, sample: str | None = None, **labels: str) -> float:
    found = [
        one.value
        for one in families[family].samples
        if one.name == (sample or family) and labels.items() <= one.labels.items()
    ]
    assert found, (family, sample, labels)
    return sum(found)


def test_requests_are_counted_by_the_route_that_took_them(families: Families) -> None:
    submitted = {"method": "POST", "route": "/api/prompt"}
    requests = ("fireside_http_requests", "fireside_http_requests_total")

    assert _value(families, *requests, **submitted, status="200") == 2
    assert _value(families, *requests, method="GET", route="none", status="404") == 1
    assert _value(families, *requests, method="GET", route="/api/jobs/{job_id}") == 2
    assert _value(families, "fireside_http_request_seconds", "fireside_http_request_seconds_count", **submitted) == 2


def test_jobs_are_counted_from_submit_to_end(families: Families) -> None:
    assert _value(families, "fireside_jobs_submitted", "fireside_jobs_submitted_total") == 2
    assert _value(families, "fireside_jobs_ended", "fireside_jobs_ended_total", state="succeeded") == 2
    assert _value(families, "fireside_jobs", state="succeeded") == 2
    assert _value(families, "fireside_jobs", state="queued") == 0
    for name in ("fireside_job_wait_seconds", "fireside_job_run_seconds"):
        assert _value(families, name, f"{name}_count") == 2
    assert _value(families, "fireside_dispatch_placements", "fireside_dispatch_placements_total") == 2
    assert _value(families, "fireside_dispatch_offers", "fireside_dispatch_offers_total", answer="accepted") == 2


def test_the_state_of_the_server_is_told(families: Families) -> None:
    assert _value(families, "fireside_leading") == 1
    assert _value(families, "fireside_bus_connected") == 1
    assert _value(families, "fireside_build_info", version=__version__) == 1
    assert sum(one.value for one in families["fireside_workers"].samples) == 1
    assert _value(families, "fireside_disk_free_bytes") > 0
    assert _value(families, "fireside_websockets_open") >= 1
    assert _value(families, "fireside_store_write_seconds", "fireside_store_write_seconds_count") > 2
    for direction in ("written", "read"):
        assert _value(families, "fireside_blob_bytes", "fireside_blob_bytes_total", direction=direction) > 0


def test_no_label_names_anybody(families: Families) -> None:
    labels = {
        (name, value)
        for family in families.values()
        if family.name.startswith("fireside_")
        for sample in family.samples
        for name, value in sample.labels.items()
        if name != "le"
    }

    assert {name for name, _ in labels} == {
        "method", "route", "status", "state", "answer", "direction", "version", "pool"
    }  # fmt: skip
    assert not [value for _, value in labels if "ada" in value or "bob" in value or re.search(r"[0-9a-f]{8}-", value)]


def test_how_many_workers_each_pool_should_have_is_told_with_the_same_token(server: Any, families: Families) -> None:
    def pools(path: str = "") -> httpx.Response:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        return httpx.get(f"{server.url}/admin/api/pools{path}", headers=headers, timeout=SECONDS)

    assert _value(families, "fireside_desired_workers", pool="gpu") == 1
    assert _value(families, "fireside_desired_workers", pool="small") in (0, 1)
    small, gpu = pools().raise_for_status().json()["pools"]
    assert (small["labels"], small["min"], small["max"], small["workers"]) == ({"size": "small"}, 0, 3, 1)
    assert gpu == {
        "name": "gpu", "labels": {"pool": "gpu"}, "min": 1, "max": 8,
        "wanted": 1, "desired": 1, "workers": 0, "busy": 0, "idle": [],
        "launchers": 0, "share": None,
    }  # fmt: skip
    assert pools("/gpu").raise_for_status().json() == gpu
    missing = pools("/tpu")
    assert (missing.status_code, "`pools`" in missing.json()["message"]) == (404, True)


def test_prometheus_gets_the_form_that_it_asks_for(server: Any, families: Families) -> None:
    answer = _scrape(server, Accept="application/openmetrics-text; version=1.0.0")

    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    assert families.keys() & {one.name for one in open_families(answer.text)} >= {"fireside_jobs", "fireside_workers"}


def test_only_admins_and_whoever_has_the_token_are_told(server: Any) -> None:
    member = server.add_user("eve")

    def asked(**headers: str) -> int:
        return httpx.get(f"{server.url}/metrics", headers=headers, timeout=SECONDS).status_code

    assert asked() == 401
    assert asked(Authorization="Bearer something else") == 401
    assert asked(**{"X-API-Key": TOKEN}) == 401
    assert asked(**{"X-API-Key": member}) == 403
    assert asked(**{"X-API-Key": server.key_of("admin")}) == 200
    assert asked(Authorization=f"Bearer {TOKEN}") == 200
    assert (
        httpx.get(f"{server.url}/api/jobs", headers={"Authorization": f"Bearer {TOKEN}"}, timeout=SECONDS).status_code
        == 401
    )


def test_the_board_asks_for_nothing_that_is_not_told(families: Families) -> None:
    board = json.loads(BOARD.read_text("utf-8"))
    samples = {sample.name: set(sample.labels) for family in families.values() for sample in family.samples}
    expressions = [target["expr"] for panel in board["panels"] for target in panel["targets"]]

    assert len(expressions) > 20
    for expression in expressions:
        bare = re.sub(r'"[^"]*"|\[[^\]]*\]', "", expression)
        names = set(re.findall(r"[a-z_]{3,}", bare)) - _FUNCTIONS
        metrics = {name for name in names if name in samples}
        labels = {label for name in metrics for label in samples[name]}
        assert metrics, expression
        assert names - metrics <= labels, expression


def test_the_board_stands_by_itself() -> None:
    board = json.loads(BOARD.read_text("utf-8"))
    places = [tuple(panel["gridPos"].values()) for panel in board["panels"]]

    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"]) == len(set(places))
    assert all(x + width <= 24 for x, _, width, _ in places)
