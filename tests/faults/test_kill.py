"""kill -9 of the server, of the bus and of workers, in the middle of a hundred jobs: nothing is lost, nothing twice."""

import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from tests.databases import Databases
from tests.faults.load import load_of

pytestmark = [pytest.mark.fault, pytest.mark.timeout(600)]

JOBS = 100
_PATIENCE_SECONDS = 240.0
_LOOK_SECONDS = 0.1
ENDED = ("completed", "failed", "cancelled")


def _graph(number: int, seconds: float = 0.15) -> dict[str, Any]:
    return {
        "1": {"class_type": "EmptyImage", "inputs": {"width": 16, "height": 16, "batch_size": 1, "color": number}},
        "2": {"class_type": "FiresideSleep", "inputs": {"image": ["1", 0], "seconds": seconds, "steps": 3}},
        "3": {"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": f"killed/{number}"}},
    }


def _submit_all(clients: list[httpx.Client]) -> dict[str, httpx.Client]:
    owners: dict[str, httpx.Client] = {}
    for number in range(JOBS):
        client = clients[number % len(clients)]
        answer = client.post("/api/prompt", json={"prompt": _graph(number)}).raise_for_status()
        owners[answer.json()["prompt_id"]] = client
    return owners


def _counts(client: httpx.Client) -> Counter[str]:
    jobs = client.get("/api/jobs", params={"limit": 1000}).raise_for_status().json()["jobs"]
    return Counter(job["status"] for job in jobs)


def _wait(clients: list[httpx.Client], enough: Callable[[Counter[str]], bool]) -> Counter[str]:
    """Ask until the counts of all clients together are as wished; a server that is away is asked again."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    counts: Counter[str] = Counter()
    while time.monotonic() < deadline:
        try:
            counts = sum((_counts(client) for client in clients), Counter())
        except httpx.TransportError:
            counts = Counter()
        if enough(counts):
            return counts
        time.sleep(_LOOK_SECONDS)
    raise AssertionError(f"still {counts} after {_PATIENCE_SECONDS:.0f} s")


def _some_have_run(counts: Counter[str]) -> bool:
    return counts["completed"] >= JOBS // 10


def _all_have_ended(counts: Counter[str]) -> bool:
    return sum(counts[status] for status in ENDED) == JOBS


def _assert_each_ended_once(databases: Databases, server: Any, owners: dict[str, httpx.Client]) -> None:
    for job_id, client in owners.items():
        job = client.get(f"/api/jobs/{job_id}").raise_for_status().json()
        assert (job["id"], job["status"]) == (job_id, "completed"), job.get("execution_error")
        (image,) = job["outputs"]["3"]["images"]
        bytes_of = client.get("/api/view", params=image, follow_redirects=True).raise_for_status().content
        assert bytes_of.startswith(b"\x89PNG")
        assert bytes_of.endswith(b"IEND\xaeB`\x82")
    assert server.stop() == 0
    with databases.raw(server.data_dir) as execute:
        ended = execute("SELECT job.id FROM job_attempt JOIN job ON job.pk = job_pk WHERE outcome = 'succeeded'")
    finished = Counter(job_id for (job_id,) in ended)
    assert finished == Counter(UUID(job_id) for job_id in owners)
    assert list((server.data_dir / "blobs" / "unfinished").iterdir()) == []


def _two_users(server: Any) -> list[httpx.Client]:
    return [server.client(server.add_user(name)) for name in ("ada", "bob")]


def test_a_killed_server_loses_no_job_and_runs_none_twice(start_server: Any, databases: Databases) -> None:
    server = start_server("--workers=2")
    clients = _two_users(server)
    owners = _submit_all(clients)
    _wait(clients, _some_have_run)

    server.kill()
    server.start()

    _wait(clients, _all_have_ended)
    _assert_each_ended_once(databases, server, owners)


def test_a_server_killed_under_load_does_all_it_said_yes_to_and_nothing_twice(
    start_server: Any, databases: Databases
) -> None:
    server = start_server("--workers=2")
    with load_of(_two_users(server)) as load:
        server.kill()
        load.is_in_trouble()
        server.start()

    assert Counter(load.ends.values()) == {"completed": len(load.ends)}
    assert server.stop() == 0
    with databases.raw(server.data_dir) as execute:
        submitted = execute("SELECT id FROM job")
        ended = execute("SELECT job.id FROM job_attempt JOIN job ON job.pk = job_pk WHERE outcome = 'succeeded'")
    assert Counter(job_id for (job_id,) in ended) == Counter(job_id for (job_id,) in submitted)
    assert {job_id for (job_id,) in submitted} == {UUID(job_id) for job_id in load.ends}


def test_a_killed_bus_comes_back_and_no_job_is_lost(start_server: Any, databases: Databases) -> None:
    server = start_server("--workers=2")
    clients = _two_users(server)
    owners = _submit_all(clients)
    _wait(clients, _some_have_run)

    (bus,) = server.children("nats-server")
    os.kill(bus, signal.SIGKILL)

    _wait(clients, _all_have_ended)
    _assert_each_ended_once(databases, server, owners)


def test_a_killed_worker_is_replaced_and_its_job_runs_elsewhere(start_server: Any, databases: Databases) -> None:
    server = start_server("--workers=2")
    clients = _two_users(server)
    owners = _submit_all(clients)
    _wait(clients, _some_have_run)

    victim = server.children(" worker ")[0]
    os.kill(victim, signal.SIGKILL)

    _wait(clients, _all_have_ended)
    _assert_each_ended_once(databases, server, owners)


def test_no_child_outlives_a_killed_server(start_server: Any) -> None:
    server = start_server("--workers=2")
    children = server.children("")
    assert len(children) >= 3

    server.kill()

    deadline = time.monotonic() + 60
    while any(_lives(pid) for pid in children) and time.monotonic() < deadline:
        time.sleep(_LOOK_SECONDS)
    assert not any(_lives(pid) for pid in children)


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZXx"
    except (FileNotFoundError, ProcessLookupError):
        return False
