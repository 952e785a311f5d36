"""Three servers behind a proxy, over a PostgreSQL, a bucket and a cluster of three NATS servers with TLS; six workers.

The workers have hosts of their own where the machine lets us make them, one of them behind a router; elsewhere they are
processes on ours, and no host is cut off.
All tests share them, and each begins with all of them well. The last one strikes them in turn; `soak.replicas` does the
same at length.
"""

import io
import itertools
import os
import random
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing

import httpx
import pytest
from soak.fleet import check
from soak.fleet_ends import jobs_of
from soak.fleet_faults import KINDS, Fault, Faults, Fleet
from soak.fleet_people import noise
from soak.replicas import WORKERS, crowd_of, direct, network_of_workers, run, running_replicas, sdk_python
from tests.faults.far import LOST_AFTER_SECONDS, Place, ends, submit, until
from tests.faults.network import Network, NoNetworks
from tests.postgres_server import PostgresServer
from websockets.sync.client import connect

pytestmark = [pytest.mark.fault, pytest.mark.network, pytest.mark.timeout(600)]

_GRAPH_SECONDS = 1.5
_PAUSE_SECONDS = 0.2
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def network() -> Iterator[Network | str]:
    """The workers' hosts, or why there are none."""
    with ExitStack() as stack:
        try:
            network = stack.enter_context(network_of_workers())
        except NoNetworks as why:
            yield str(why)
        else:
            yield network


@pytest.fixture(scope="module")
def whole_fleet(
    tmp_path_factory: pytest.TempPathFactory, postgres_server: PostgresServer, network: Network | str
) -> Iterator[Fleet]:
    folder = tmp_path_factory.mktemp("replicas")
    options = ["--drain-seconds=1", f"--worker-lost-after={LOST_AFTER_SECONDS}"]
    hosts = None if isinstance(network, str) else network
    with running_replicas(folder, postgres_server, hosts, options=options) as fleet:
        yield fleet


@pytest.fixture
def fleet(whole_fleet: Fleet) -> Fleet:
    whole_fleet.cluster.mend()
    return whole_fleet


@pytest.fixture
def clients(fleet: Fleet) -> Iterator[list[httpx.Client]]:
    """A new user's clients: one at each server itself."""
    key = fleet.servers[0].server.add_user(f"user{next(_numbers)}")
    with ExitStack() as stack:
        headers = {"X-API-Key": key}
        yield [
            stack.enter_context(httpx.Client(base_url=direct(fleet, number), headers=headers, timeout=90))
            for number in range(len(fleet.servers))
        ]


def test_workers_are_on_hosts_of_their_own(network: Network | str) -> None:
    if isinstance(network, str) and "CI" not in os.environ:
        pytest.skip(f"the workers are processes on loopback, and no host is cut off: {network}")
    assert isinstance(network, Network), network
    assert len(network.hosts) == WORKERS


def test_any_server_answers_what_was_begun_at_another(fleet: Fleet, clients: list[httpx.Client]) -> None:
    first, second, third = clients
    body = {"workflow": graph(1), "metadata": {"name": "once"}}
    job = first.post("/api/v2/jobs", json=body, headers={"Idempotency-Key": "once"}).raise_for_status().json()
    again = second.post("/api/v2/jobs", json=body, headers={"Idempotency-Key": "once"})
    assert again.json()["error"]["code"] == "idempotency_key_reuse"
    ended = ends(fleet.servers[2], third, job["id"])
    (image,) = ended["outputs"]["3"]["images"]
    # The link that one has signed the others serve, or the bucket itself.
    link = second.get("/api/view", params=image).headers["location"]
    assert httpx.get(link, follow_redirects=True).content.startswith(b"\x89PNG")


def test_a_worker_brings_large_files_to_the_bucket_itself(fleet: Fleet, clients: list[httpx.Client]) -> None:
    content = io.BytesIO()
    noise(next(_numbers)).save(content, "PNG")
    name = clients[0].post("/api/upload/image", files={"image": ("n.png", content.getvalue())}).json()["name"]
    inverting = {
        "1": {"class_type": "LoadImage", "inputs": {"image": name}},
        "2": {"class_type": "ImageInvert", "inputs": {"image": ["1", 0]}},
        "3": {"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": "large"}},
    }
    assert fleet.cluster.proxy is not None
    sent_before = fleet.cluster.proxy.sent_bytes
    by_the_last = {"fireside": {"require": {"number": str(WORKERS - 1)}}}
    answer = clients[0].post("/api/prompt", json={"prompt": inverting, "extra_data": by_the_last}).raise_for_status()

    ends(fleet.servers[1], clients[1], answer.json()["prompt_id"])

    assert fleet.cluster.proxy.sent_bytes - sent_before < len(content.getvalue()) / 2


def test_a_link_that_was_used_at_one_server_is_used_up_at_all_and_its_session_good_at_all(fleet: Fleet) -> None:
    link = httpx.URL(fleet.servers[0].server.login_link("admin")).path
    cookies = httpx.post(f"{direct(fleet, 1)}{link}").cookies
    assert cookies
    assert not httpx.post(f"{direct(fleet, 2)}{link}").cookies
    page = httpx.get(f"{direct(fleet, 2)}/dashboard", cookies=cookies, follow_redirects=True)
    assert page.status_code == 200
    assert "/login" not in str(page.url)


def test_previews_and_ends_reach_the_websocket_and_the_stream_at_other_servers(
    fleet: Fleet, clients: list[httpx.Client]
) -> None:
    key = clients[0].headers["X-API-Key"]
    address = f"{direct(fleet, 1).replace('http', 'ws')}/ws?clientId=w&token={key}"
    with connect(address, max_size=None) as socket:
        job_id = submit(clients[0], next(_numbers), seconds=_GRAPH_SECONDS)
        with clients[2].stream("GET", f"/api/v2/jobs/{job_id}/events", timeout=90) as stream:
            events = Counter(line for line in stream.iter_lines() if line.startswith("event: "))
        pictures, said = 0, ""
        while "execution_success" not in said:
            message = socket.recv(timeout=90)
            if isinstance(message, bytes):
                pictures += 1
            else:
                said += message
    assert pictures
    assert job_id in said
    assert events["event: status"] >= 2
    assert events["event: preview"] >= 1


def test_servers_that_are_restarted_one_after_the_other_say_so_and_drop_no_request_and_no_job(fleet: Fleet) -> None:
    assert fleet.cluster.proxy is not None
    url, key = fleet.cluster.proxy.url, fleet.servers[0].server.add_user(f"user{next(_numbers)}")
    stopped, failures, jobs = threading.Event(), list[str](), list[str]()

    def ask_again_and_again() -> None:
        with httpx.Client(base_url=url, headers={"X-API-Key": key}, timeout=90) as client:
            while not stopped.is_set():
                try:
                    jobs.append(submit(client, next(_numbers)))
                    client.get("/api/jobs", params={"limit": 1}).raise_for_status()
                except httpx.HTTPError as error:
                    failures.append(repr(error))
                stopped.wait(_PAUSE_SECONDS)

    threads = [threading.Thread(target=ask_again_and_again, daemon=True) for _ in range(2)]
    for thread in threads:
        thread.start()
    for number, place in enumerate(fleet.servers[:2]):
        restart(place, f"{direct(fleet, number)}/readyz")
    stopped.set()
    for thread in threads:
        thread.join(120)

    assert failures == []
    with httpx.Client(base_url=url, headers={"X-API-Key": key}, timeout=90) as client:
        until(lambda: completed(client) == len(jobs), fleet.cluster.logs)
    # One may have been on its way to a worker while the leader changed, but none was lost by a worker.
    rows = [row for job_id, row in jobs_of(fleet).items() if job_id in jobs]
    assert [(row.succeeded, row.losses) for row in rows] == [(1, 0)] * len(jobs)


def restart(place: Place, probe: str) -> None:
    """Restart a server as one does behind a proxy, which sees first that it is going to stop."""
    with httpx.Client() as client:
        assert client.get(probe).json()["stopping"] is False
        place.server.process.terminate()
        answer = until(lambda: (found := client.get(probe)).status_code == 503 and found)
    assert answer.json()["stopping"] is True
    assert answer.headers["connection"] == "close"
    assert place.server.process.wait(120) == 0
    place.server.start()


def completed(client: httpx.Client) -> int:
    answer = client.get("/api/jobs", params={"limit": 1, "status": "completed"}).raise_for_status()
    return answer.json()["pagination"]["total"]


def test_each_component_is_struck_in_turn_and_every_job_ends_once_for_every_client(
    fleet: Fleet, postgres_server: PostgresServer
) -> None:
    named = {kind.name: kind for kind in KINDS}
    struck = (
        ("host cut off for long", "host 3", LOST_AFTER_SECONDS + 1.5),
        ("server killed", "server 0", 1.0),
        ("bus killed", "bus 1", 1.0),
        ("host cut off", "host 5", 2.0),
        ("bucket killed", "objects 0", 1.0),
        ("worker killed", "worker 2", 1.0),
        ("server stopped", "server 1", 1.0),
        ("database stopped", "database 0", 1.0),
    )
    there = [(named[name], thing, lasts) for name, thing, lasts in struck if thing in fleet.things]
    plan = [Fault(0.5 + 1.2 * place, kind, thing, lasts) for place, (kind, thing, lasts) in enumerate(there)]
    before = jobs_of(fleet).keys()
    with ExitStack() as stack:
        # The database is tied to the thread that has started it.
        stack.callback(postgres_server.start)
        stack.callback(postgres_server.stop)
        faults = stack.enter_context(closing(Faults()))
        faults.plan(fleet, plan)
        crowd = crowd_of(fleet, stack, 100, 20, 9.0, random.Random(9))
        jobs, wrong = run(fleet, crowd, faults, 10.0, sdk_python(), 6)
        mine = {job_id: row for job_id, row in jobs.items() if job_id not in before}
        assert [*wrong, *check(fleet, crowd.people, mine)] == []
        assert faults.struck.total() == len(plan)


def graph(number: int) -> dict[str, object]:
    return {
        "1": {"class_type": "EmptyImage", "inputs": {"width": 16, "height": 16, "batch_size": 1, "color": number}},
        "3": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "replicas"}},
    }
