"""Workers in processes of their own that reach a server by its port alone: HTTP, and the bus through `/bus`."""

import json
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.faults.far import LOST_AFTER_SECONDS, FarWorker, Place, attempts, ends, status, submit, until

pytestmark = [pytest.mark.fault, pytest.mark.once, pytest.mark.timeout(600)]


@pytest.fixture
def place(start_server: Any, tmp_path: Path) -> Iterator[Place]:
    server = start_server("--workers=0", f"--worker-lost-after={LOST_AFTER_SECONDS}")
    yield from _opened(Place(server, tmp_path))


@pytest.fixture
def door(shared_server: Any, tmp_path: Path) -> Iterator[Place]:
    """A server for workers that it does not let in."""
    yield from _opened(Place(shared_server, tmp_path))


def _opened(place: Place) -> Iterator[Place]:
    yield place
    for worker in place.workers:
        worker.close()


def test_a_worker_elsewhere_joins_runs_jobs_and_is_listed(place: Place) -> None:
    worker = place.worker("gpu-1", "--label=site=far")
    client = place.server.client()

    for number in range(3):
        ends(place, client, submit(client, number))

    listed = place.becomes("gpu-1", "ready")
    assert (listed["origin"], listed["labels"], listed["jobs"]) == ("joined", {"site": "far"}, [])
    assert listed["up_seconds"] > 0
    assert listed["fireside"]
    assert listed["devices"]
    secret = json.loads((worker.folder / "worker.json").read_text())["secret"]
    assert secret not in worker.log() + place.server.log()
    assert (worker.folder / "worker.json").stat().st_mode & 0o077 == 0
    assert not place.server.children(" worker ")


def test_a_job_is_done_once_although_the_server_is_killed_meanwhile(place: Place, databases: Any) -> None:
    place.worker("gpu-1")
    client = place.server.client()
    job_id = submit(client, seconds=6.0)
    until(lambda: status(client, job_id) == "in_progress", place.logs)

    place.server.kill()
    place.server.start()

    ends(place, client, job_id)
    ends(place, client, submit(client, 2))
    assert attempts(place, databases, job_id) == [(1, "succeeded")]


def test_a_job_goes_on_while_its_worker_gets_one_key_after_the_other(
    start_server: Any, tmp_path: Path, databases: Any
) -> None:
    place = Place(start_server("--workers=0", "--worker-bus-hours=0.0012"), tmp_path)
    worker = place.worker("gpu-1")
    client = place.server.client()

    job_id = submit(client, seconds=6.0)

    ends(place, client, job_id)
    ends(place, client, submit(client, 2))
    assert "expired" not in worker.log()
    worker.close()
    assert attempts(place, databases, job_id) == [(1, "succeeded")]


def test_a_worker_that_is_told_to_stop_finishes_its_job_and_then_leaves(place: Place, databases: Any) -> None:
    worker = place.worker("gpu-1")
    client = place.server.client()
    job_id = submit(client, seconds=8.0)
    until(lambda: status(client, job_id) == "in_progress", place.logs)

    worker.tell(signal.SIGTERM)
    place.becomes("gpu-1", "draining")
    waiting = submit(client, 2)

    assert worker.wait() == 0
    assert status(client, job_id) == "completed"
    assert status(client, waiting) == "pending"
    place.becomes("gpu-1", "away")
    assert attempts(place, databases, job_id) == [(1, "succeeded")]


def test_a_worker_that_is_told_twice_gives_its_job_back(place: Place) -> None:
    worker = place.worker("gpu-1")
    client = place.server.client()
    job_id = submit(client, seconds=60.0)
    until(lambda: status(client, job_id) == "in_progress", place.logs)

    worker.tell(signal.SIGINT)
    place.becomes("gpu-1", "draining")
    worker.tell(signal.SIGINT)

    assert worker.wait() == 0
    assert status(client, job_id) == "pending"


def test_a_restart_needs_neither_token_nor_address(place: Place) -> None:
    worker = place.worker("gpu-1")
    worker.tell(signal.SIGTERM)
    assert worker.wait() == 0

    worker.start()

    place.becomes("gpu-1", "ready")
    client = place.server.client()
    ends(place, client, submit(client))


def test_a_killed_worker_is_replaced_by_its_next_process_and_its_job_runs_again(place: Place) -> None:
    worker = place.worker("gpu-1")
    client = place.server.client()
    job_id = submit(client, seconds=3.0)
    until(lambda: status(client, job_id) == "in_progress", place.logs)

    worker.tell(signal.SIGKILL)
    worker.wait()
    worker.start()

    ends(place, client, job_id)


def test_a_worker_that_is_removed_ends_and_its_job_goes_to_another(place: Place) -> None:
    first = place.worker("gpu-1")
    client = place.server.client()
    job_id = submit(client, seconds=4.0)
    until(lambda: status(client, job_id) == "in_progress", place.logs)
    place.worker("gpu-2")

    place.admin("DELETE", "/admin/api/workers/gpu-1")

    assert first.wait() == 1
    assert "sent this worker away" in first.log()
    assert "Traceback" not in first.log()
    ends(place, client, job_id)
    assert place.listed("gpu-1") == {"state": "unknown"}
    first.start()
    assert first.wait() == 1
    assert "does not know the worker gpu-1" in first.log()
    first.start(f"--token={place.token()}")
    until(
        lambda: (
            len([one for one in place.admin("GET", "/admin/api/workers")["workers"] if one["state"] == "ready"]) == 2
        )
    )


def test_a_worker_that_an_admin_drains_takes_no_jobs_also_after_restarts(place: Place) -> None:
    place.worker("gpu-1")
    client = place.server.client()
    place.admin("POST", "/admin/api/workers/gpu-1/drain")
    place.becomes("gpu-1", "drained")
    place.server.kill()
    place.server.start()
    place.becomes("gpu-1", "drained")
    job_id = submit(client)
    place.worker("gpu-2")
    ends(place, client, job_id)
    place.admin("POST", "/admin/api/workers/gpu-2/drain")
    place.becomes("gpu-2", "drained")
    waiting = submit(client, 2)
    assert status(client, waiting) == "pending"

    place.admin("POST", "/admin/api/workers/gpu-1/resume")

    ends(place, client, waiting)


def test_a_copy_of_a_worker_is_refused_while_the_first_is_there(place: Place) -> None:
    worker = place.worker("gpu-1")
    copy = FarWorker(place.tmp_path / "copy")
    place.workers.append(copy)
    shutil.copytree(worker.folder, copy.folder)
    second = FarWorker(worker.folder)

    copy.start()
    second.start()

    assert (second.wait(), copy.wait()) == (1, 1)
    assert "Another process of the worker gpu-1 is there" in copy.log()
    assert f"a worker runs in {worker.folder} already" in worker.log()
    client = place.server.client()
    ends(place, client, submit(client))


def test_a_worker_whose_bus_is_killed_goes_on(place: Place, databases: Any) -> None:
    place.worker("gpu-1")
    client = place.server.client()
    job_id = submit(client, seconds=2.0)
    until(lambda: status(client, job_id) == "in_progress", place.logs)

    (bus,) = place.server.children("nats-server")
    os.kill(bus, signal.SIGKILL)

    ends(place, client, job_id)
    assert attempts(place, databases, job_id) == [(1, "succeeded")]


@pytest.mark.parametrize(("options", "words"), [
    (["--token=fsj_" + "a" * 43], "the token is none of ours"),
    (["--token=", "--server="], "give --server URL and --token TOKEN"),
    (["--name=server"], "is not 'server'"),
    (["--ca=/nowhere"], "cannot use the certificates"),
])  # fmt: skip
def test_a_worker_that_cannot_join_ends_with_one_line_that_says_why(
    door: Place, options: list[str], words: str
) -> None:
    worker = FarWorker(door.tmp_path / "gpu-1")
    door.workers.append(worker)
    token = [] if any(option.startswith("--token") for option in options) else [f"--token={door.token()}"]
    server = [] if any(option.startswith("--server") for option in options) else [f"--server={door.server.url}"]

    worker.start(*server, *token, *options)

    assert worker.wait() == 1
    assert words in worker.log()
    assert "Traceback" not in worker.log()


def test_a_worker_for_a_while_leaves_by_itself_but_not_from_a_job_and_what_it_can_run_stays_known(
    place: Place, databases: Any
) -> None:
    token = place.token(reusable=True)
    options = (f"--server={place.server.url}", "--exit-when-idle=0.5", "--transient", "--label=pool=cloud")
    worker = FarWorker(place.tmp_path / "gpu-1", environment={"FIRESIDE_WORKER_TOKEN": token}, options=options)
    place.workers.append(worker)
    client = place.server.client()

    # Nothing is there to do: it comes, publishes what it can run, and goes.
    worker.start("--name=pod-1")
    assert worker.wait() == 0
    assert place.listed("pod-1")["state"] == "unknown"
    # Nobody is there who could run it, and it is taken all the same.
    job_id = submit(client, seconds=3.0, pool="cloud")
    worker.start("--name=pod-2")

    ends(place, client, job_id)
    assert worker.wait() == 0
    assert not place.admin("GET", "/admin/api/workers")["workers"]
    submit(client, 2, pool="cloud")
    assert attempts(place, databases, job_id) == [(1, "succeeded")]
