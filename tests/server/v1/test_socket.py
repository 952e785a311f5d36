"""The websocket, as clients meet it: a real server, real sockets, and workers played by hand."""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from tests.databases import Databases
from tests.events.stage import BOOM, DEADLINE_SECONDS, Player, Stage
from tests.server.v1.sockets import Ear, Site, Text, open_site, types

from fireside.app import assemble
from fireside.domain.accounts import User
from fireside.domain.jobs import Job
from fireside.jobs.cancel import cancel_job
from fireside.runtimes.base import CachedNodes, NodeStarted, NodeState, Preview, Progress, ProgressState, ProgressText
from fireside.server.edge import build_edge
from fireside.server.v1 import socket
from fireside.wire.live import OutputAdded

FLAGS = {"type": "feature_flags", "data": {"supports_preview_metadata": True}}
RUN = ["execution_start", "execution_cached", "executing", "executed", "execution_success", "executing"]


@pytest.fixture
async def site(databases: Databases, tmp_path: Path) -> AsyncIterator[Site]:
    config = databases.config(tmp_path / "data")
    async with (
        assemble(config, public_url="http://fireside.test") as assembly,
        AsyncExitStack() as doors,
        open_site(Stage(assembly=assembly, doors=doors), build_edge(assembly.services)) as site,
    ):
        yield site


@pytest.fixture
async def ann(site: Site) -> User:
    return await site.stage.user("ann")


@pytest.fixture
async def worker(site: Site) -> Player:
    return await site.stage.worker()


async def run(worker: Player, job: Job) -> None:
    """Run the job to its good end, with one node that shows something."""
    lease = await worker.start(job)
    await worker.tell(lease, CachedNodes(nodes=()), NodeStarted(node_id="2", display_node_id="2"))
    await worker.show(lease, "2")
    await worker.end(lease)


# Connecting


@pytest.mark.statement(114)
@pytest.mark.parametrize("path", ["/ws", "/api/ws"])
async def test_the_first_message_names_the_socket_and_later_ones_do_not(site: Site, ann: User, path: str) -> None:
    ear = await site.ear(ann, path, clientId="mine")

    first = await ear.next()
    await site.stage.submit(ann)

    assert first == {"type": "status", "data": {"status": {"exec_info": {"queue_remaining": 0}}, "sid": "mine"}}
    assert await ear.next() == {"type": "status", "data": {"status": {"exec_info": {"queue_remaining": 1}}}}


@pytest.mark.parametrize("query", [{}, {"clientId": ""}])
async def test_a_socket_without_a_name_is_given_one(site: Site, ann: User, query: dict[str, str]) -> None:
    first = await (await site.ear(ann, **query)).next()

    assert isinstance(first, dict)
    assert len(bytes.fromhex(first["data"]["sid"])) == 16


@pytest.mark.statement(115, 122)
async def test_a_client_that_tells_its_flags_hears_ours(site: Site, ann: User) -> None:
    ear = await site.ear(ann)
    await ear.say(FLAGS)

    answer = await ear.until_type("feature_flags")

    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{site.port}") as http:
        assert answer["data"] == (await http.get("/api/features")).json()
    assert answer["data"]["supports_preview_metadata"] is True
    assert isinstance(answer["data"]["max_upload_size"], int)
    assert "supports_progress_text_metadata" not in answer["data"]
    assert types([one for one in ear.heard if isinstance(one, dict)])[0] == "status"


@pytest.mark.statement(115)
async def test_a_client_that_tells_no_flags_hears_ours_too(site: Site, ann: User) -> None:
    ear = await site.ear(ann)
    await ear.say({"type": "feature_flags"})

    assert (await ear.until_type("feature_flags"))["data"]["supports_preview_metadata"] is True


@pytest.mark.statement(115)
@pytest.mark.parametrize(
    "first",
    [
        {"type": "feature_flag", "data": {}},
        {"type": "feature_flags", "data": None},
        {"type": "feature_flags", "data": [1]},
        [],
        1,
        "",
        "not json",
        "[" * 100_000,
        "\ud7ff",
        b"\x00\xff",
        msgspec.json.encode(FLAGS),
    ],
)
async def test_after_any_other_first_message_flags_come_too_late_and_nothing_breaks(
    site: Site, ann: User, worker: Player, first: Any
) -> None:
    ear = await site.ear(ann)
    for message in (first, FLAGS, first, b"", "{}"):
        await ear.say(message)
    job = await site.stage.submit(ann)
    lease = await worker.start(job)
    await worker.tell(lease, Preview(node_id="2", display_node_id="2", mime="image/png", data=b"png"))
    await worker.end(lease)

    await ear.until_over(job.id)

    assert struct.pack(">II", 1, 2) + b"png" in ear.heard
    assert "feature_flags" not in types([one for one in ear.heard if isinstance(one, dict)])


async def test_a_message_that_is_too_large_is_not_taken(site: Site, ann: User) -> None:
    ear = await site.ear(ann)
    await ear.say("x" * (2 * 1024 * 1024))

    assert await ear.until_closed() == 1009


# Jobs


@pytest.mark.statement(116)
async def test_a_job_that_succeeds_is_told_in_the_order_clients_rely_on(site: Site, ann: User, worker: Player) -> None:
    ear = await site.ear(ann)
    job = await site.stage.submit(ann)

    await run(worker, job)

    texts = await ear.until_over(job.id)
    assert types(texts) == RUN
    assert texts[1]["data"]["nodes"] == []
    assert texts[3]["data"]["output"] == {"images": [{"filename": "a_00001_.png", "subfolder": "", "type": "output"}]}
    started_at, ended_at = texts[0]["data"]["timestamp"], texts[-2]["data"]["timestamp"]
    now = site.stage.services.clock().timestamp() * 1000
    assert now - 60_000 < started_at <= ended_at <= now


async def test_progress_is_told_by_node_and_by_step(site: Site, ann: User, worker: Player) -> None:
    ear = await site.ear(ann)
    job = await site.stage.submit(ann)
    lease = await worker.start(job)
    node = NodeState(
        node_id="3.0.5",
        display_node_id="3",
        parent_node_id="3",
        real_node_id="5",
        class_type="KSampler",
        state="running",
        value=1.5,
        max=20,
    )
    await worker.tell(lease, CachedNodes(nodes=("1",)), ProgressState(nodes=(node,)))
    await worker.tell(lease, Progress(node_id="3.0.5", value=1.5, max=20))
    await worker.end(lease)

    _, cached, state, step, *_ = await ear.until_over(job.id)

    assert cached["data"]["nodes"] == ["1"]
    assert state["data"]["nodes"]["3.0.5"] == msgspec.to_builtins(msgspec.json.decode(msgspec.json.encode(node))) | {
        "prompt_id": str(job.id)
    }
    assert step == {
        "type": "progress",
        "data": {"value": 1.5, "max": 20, "prompt_id": str(job.id), "node": "3.0.5"},
    }


@pytest.mark.statement(117)
async def test_a_job_that_fails_says_where_and_why(site: Site, ann: User, worker: Player) -> None:
    ear = await site.ear(ann)
    job = await site.stage.submit(ann)
    await worker.end(await worker.start(job), "failed", failure=BOOM, executed=("1",))

    texts = await ear.until_over(job.id)

    assert types(texts) == ["execution_start", "execution_cached", "execution_error", "executing"]
    assert texts[2]["data"].pop("timestamp") > 0
    assert texts[2]["data"] == {
        "prompt_id": str(job.id),
        "node_id": "2",
        "node_type": "SaveImage",
        "executed": ["1"],
        "exception_message": "boom",
        "exception_type": "RuntimeError",
        "traceback": ["line 1", "line 2"],
        "current_inputs": {"filename_prefix": ["a"]},
        "current_outputs": {},
    }


@pytest.mark.statement(118)
async def test_a_job_canceled_while_it_runs_is_interrupted_and_never_a_success(
    site: Site, ann: User, worker: Player
) -> None:
    ear = await site.ear(ann)
    job = await site.stage.submit(ann)
    lease = await worker.start(job)
    await cancel_job(site.stage.services.desk, ann.id, job.id)
    await worker.end(lease, "succeeded")

    texts = await ear.until_over(job.id)

    assert types(texts) == ["execution_start", "execution_cached", "execution_interrupted", "executing"]


@pytest.mark.statement(118)
async def test_a_job_canceled_while_it_waits_is_interrupted_too(site: Site, ann: User) -> None:
    ear = await site.ear(ann)
    job = await site.stage.submit(ann)
    await cancel_job(site.stage.services.desk, ann.id, job.id)

    assert types(await ear.until_over(job.id)) == ["execution_interrupted", "executing"]


@pytest.mark.statement(119)
async def test_when_a_success_is_told_the_job_reads_as_completed_with_its_outputs(
    site: Site, ann: User, worker: Player
) -> None:
    ear = await site.ear(ann)
    _, key = await site.stage.key(ann)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{site.port}", headers={"X-API-Key": key}) as http:
        for _ in range(5):
            job = await site.stage.submit(ann)
            running = asyncio.create_task(run(worker, job))
            await ear.until_type("execution_success")

            detail = (await http.get(f"/api/jobs/{job.id}")).json()

            assert detail["status"] == "completed"
            assert list(detail["outputs"]) == ["2"]
            await running


@pytest.mark.statement(120)
async def test_nothing_of_a_user_reaches_anybody_else(site: Site, ann: User, worker: Player) -> None:
    bob = await site.stage.user("bob")
    hers, his = await site.ear(ann, clientId="same"), await site.ear(bob, clientId="same")
    job, theirs = await site.stage.submit(ann), await site.stage.submit(bob)
    await run(worker, job)
    await run(worker, theirs)

    await hers.until_over(job.id)
    await his.until_over(theirs.id)

    assert job_ids(hers) == {str(job.id)}
    assert job_ids(his) == {str(theirs.id)}


@pytest.mark.statement(123)
async def test_all_messages_of_two_jobs_at_once_carry_their_own_id(site: Site, ann: User, worker: Player) -> None:
    ear, second = await site.ear(ann), await site.stage.worker("worker-2")
    jobs = [await site.stage.submit(ann) for _ in range(2)]
    leases = [await player.start(job) for player, job in zip((worker, second), jobs, strict=True)]
    for player, lease in zip((worker, second), leases, strict=True):
        await player.tell(lease, NodeStarted(node_id=f"node of {lease.job_id}", display_node_id="2"))
        await player.show(lease, f"node of {lease.job_id}")
    for player, lease in zip((worker, second), leases, strict=True):
        await player.end(lease)

    await ear.until_over(jobs[1].id)

    for text in ear.heard:
        assert isinstance(text, dict)
        assert text["type"] == "status" or text["data"]["prompt_id"] in {str(job.id) for job in jobs}
        node = text["data"].get("node")
        assert node is None or node == f"node of {text['data']['prompt_id']}"


async def test_all_sockets_of_a_user_hear_everything_also_those_of_one_name(
    site: Site, ann: User, worker: Player
) -> None:
    ears = [await site.ear(ann, clientId=name) for name in ("one", "one", "two")]
    job = await site.stage.submit(ann)
    await run(worker, job)

    assert [types(await ear.until_over(job.id)) for ear in ears] == [RUN] * 3


async def test_a_socket_that_opens_in_the_middle_of_a_run_hears_it_from_its_start(
    site: Site, ann: User, worker: Player
) -> None:
    job = await site.stage.submit(ann)
    lease = await worker.start(job)
    await worker.tell(lease, CachedNodes(nodes=("1",)), NodeStarted(node_id="2", display_node_id="2"))
    await worker.show(lease, "2")
    ear = await site.ear(ann)
    await ear.until_type("executed")
    await worker.end(lease)

    texts = await ear.until_over(job.id)

    assert types(texts)[:2] == ["execution_start", "execution_cached"]
    assert types(texts)[-2:] == ["execution_success", "executing"]
    assert sorted(types(texts)[2:-2]) == ["executed", "executing"]


async def test_what_a_node_says_comes_in_a_frame_of_its_own(site: Site, ann: User, worker: Player) -> None:
    ear = await site.ear(ann)
    job = await site.stage.submit(ann)
    lease = await worker.start(job)
    await worker.tell(lease, ProgressText(node_id="2.0.1", text="640 by 480"))
    await worker.end(lease)
    await ear.until_over(job.id)

    assert binary(ear) == struct.pack(">II", 3, 5) + b"2.0.1" + b"640 by 480"


@pytest.mark.statement(121)
@pytest.mark.parametrize(("mime", "number"), [("image/jpeg", 1), ("image/png", 2)])
async def test_previews_come_with_metadata_for_those_who_asked(
    site: Site, ann: User, worker: Player, mime: str, number: int
) -> None:
    plain, asked = await site.ear(ann), await site.ear(ann)
    await plain.say({"type": "feature_flags", "data": {"supports_preview_metadata": "true"}})
    await plain.until_type("feature_flags")
    await asked.say(FLAGS)
    await asked.until_type("feature_flags")
    job = await site.stage.submit(ann)
    lease = await worker.start(job)
    await worker.tell(lease, Preview(node_id="2", display_node_id="1", mime=mime, data=b"picture"))
    await worker.end(lease)
    for ear in (plain, asked):
        await ear.until_over(job.id)

    assert binary(plain) == struct.pack(">II", 1, number) + b"picture"
    frame = binary(asked)
    kind, length = struct.unpack_from(">II", frame)
    assert (kind, frame[8 + length :]) == (4, b"picture")
    assert msgspec.json.decode(frame[8 : 8 + length]) == {
        "node_id": "2",
        "prompt_id": str(job.id),
        "display_node_id": "1",
        "parent_node_id": None,
        "real_node_id": "2",
        "image_type": mime,
    }


async def test_a_client_that_does_not_read_holds_up_nobody_and_is_told_to_come_back(
    site: Site, ann: User, worker: Player, monkeypatch: pytest.MonkeyPatch
) -> None:
    # It is not told that it takes too long, however long that is here.
    monkeypatch.setattr(socket, "_SEND_SECONDS", 10 * DEADLINE_SECONDS)
    monkeypatch.setattr(socket, "_CLOSE_SECONDS", DEADLINE_SECONDS)
    slow, quick = await site.ear(ann), await site.ear(ann)
    job = await site.stage.submit(ann)
    lease = await worker.start(job)
    flood = asyncio.create_task(_flood(site, ann, job, lease.fence))
    heard = asyncio.create_task(quick.until_over(job.id))
    await flood
    await worker.end(lease)

    assert types(await heard).count("executed") == 300 + 11_000
    assert await slow.until_closed() == 1013


async def _flood(site: Site, user: User, job: Job, fence: int) -> None:
    """Tell more than a client that does not read can have waiting: first much, then many."""
    announcer = site.stage.services.desk.announcer
    for number in range(300 + 11_000):
        text = "x" * 65_536 if number < 300 else "x"
        await announcer.tell(
            user.id,
            OutputAdded(
                job_id=job.id,
                at=0,
                fence=fence,
                node_id=str(number),
                display_node_id=str(number),
                output={"text": [text]},
            ),
        )
        if number % 100 == 0:
            await site.stage.services.bus.flush()


def job_ids(ear: Ear) -> set[str]:
    texts: list[Text] = [one for one in ear.heard if isinstance(one, dict)]
    return {text["data"]["prompt_id"] for text in texts if text["type"] != "status"}


def binary(ear: Ear) -> bytes:
    (frame,) = [one for one in ear.heard if isinstance(one, bytes)]
    return frame
