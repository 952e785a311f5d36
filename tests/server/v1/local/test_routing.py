"""Who is told of which job over a websocket: a client of what it submitted, at a local port; everybody, elsewhere."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from tests.databases import Databases
from tests.events.stage import Player, Stage
from tests.server.v1.sockets import Ear, Site, open_site, types
from websockets.exceptions import InvalidStatus

from fireside.app import assemble
from fireside.domain.accounts import User
from fireside.domain.ids import JobId
from fireside.domain.jobs import Job
from fireside.runtimes.base import CachedNodes, NodeStarted, Preview
from fireside.server.edge import build_edge
from fireside.store.records import JobBody, NewJob

RUN = ["execution_start", "execution_cached", "executing", "executed", "execution_success", "executing"]
FLAGS = {"type": "feature_flags", "data": {"supports_preview_metadata": True}}


@pytest.fixture
async def stage(databases: Databases, tmp_path: Path) -> AsyncIterator[Stage]:
    config = databases.config(tmp_path / "data")
    async with assemble(config, public_url="http://fireside.test") as assembly, AsyncExitStack() as doors:
        yield Stage(assembly=assembly, doors=doors)


@pytest.fixture
async def ann(stage: Stage) -> User:
    return await stage.user("ann")


@pytest.fixture
async def port(stage: Stage, ann: User) -> AsyncIterator[Site]:
    """The local port of ann."""
    async with open_site(stage, build_edge(stage.services, local_user="ann")) as site:
        yield site


@pytest.fixture
async def public(stage: Stage) -> AsyncIterator[Site]:
    async with open_site(stage, build_edge(stage.services)) as site:
        yield site


@pytest.fixture
async def worker(stage: Stage) -> Player:
    return await stage.worker()


async def submit(stage: Stage, user: User, client_id: str | None) -> Job:
    body = JobBody(graph=b"{}", extra_data=b"{}", outputs=())
    new = NewJob(id=JobId(uuid4()), user_id=user.id, body=body, client_id=client_id)
    job = await stage.services.store.add_job(new, stage.services.clock(), max_queued=None)
    await stage.services.desk.announce(job)
    return job


async def run(worker: Player, job: Job, *more: Any) -> None:
    lease = await worker.start(job)
    await worker.tell(lease, CachedNodes(nodes=()), NodeStarted(node_id="2", display_node_id="2"), *more)
    await worker.show(lease, "2")
    await worker.end(lease)


def told(ear: Ear, job: Job) -> list[str]:
    """What the socket has heard of a job."""
    texts = [one for one in ear.heard if isinstance(one, dict)]
    return types([text for text in texts if text["data"].get("prompt_id") == str(job.id)])


def pictures(ear: Ear) -> list[bytes]:
    return [one for one in ear.heard if isinstance(one, bytes)]


async def test_at_a_local_port_a_client_hears_of_its_own_jobs_and_of_nobodys(
    port: Site, stage: Stage, ann: User, worker: Player
) -> None:
    ear = await port.knock(clientId="one")
    others, nobodys, own = [await submit(stage, ann, client_id) for client_id in ("two", None, "one")]
    for job in (others, nobodys, own):
        await run(worker, job)

    await ear.until_over(own.id)

    assert told(ear, own) == RUN
    assert told(ear, nobodys) == RUN
    assert told(ear, others) == []


async def test_at_a_local_port_every_client_hears_how_much_there_is_to_do(port: Site, stage: Stage, ann: User) -> None:
    ear = await port.knock(clientId="one")
    first = await ear.until_type("status")

    await submit(stage, ann, "two")
    second = await ear.until_type("status")

    assert (first["data"]["sid"], "sid" in second["data"]) == ("one", False)
    assert second["data"]["status"]["exec_info"] == {"queue_remaining": 1}


async def test_at_a_local_port_a_client_without_a_name_is_given_one_that_it_hears_by(
    port: Site, stage: Stage, ann: User, worker: Player
) -> None:
    ear = await port.knock()
    sid = (await ear.until_type("status"))["data"]["sid"]
    job = await submit(stage, ann, sid)

    await run(worker, job)

    assert types(await ear.until_over(job.id)) == RUN


async def test_at_a_local_port_both_sockets_of_one_client_hear(
    port: Site, stage: Stage, ann: User, worker: Player
) -> None:
    ears = [await port.knock(clientId="one") for _ in range(2)]
    job = await submit(stage, ann, "one")
    await run(worker, job)

    for ear in ears:
        assert types(await ear.until_over(job.id)) == RUN


async def test_at_a_local_port_flags_are_answered(port: Site) -> None:
    ear = await port.knock(clientId="one")
    await ear.say(FLAGS)

    assert (await ear.until_type("feature_flags"))["data"]["supports_preview_metadata"] is True


async def test_on_the_public_port_every_socket_hears_of_every_job(
    public: Site, stage: Stage, ann: User, worker: Player
) -> None:
    ear = await public.ear(ann, clientId="one")
    job = await submit(stage, ann, "two")
    await run(worker, job)

    assert types(await ear.until_over(job.id)) == RUN


async def test_a_picture_that_does_not_say_whose_it_is_goes_to_the_client_of_its_job_alone(
    public: Site, stage: Stage, ann: User, worker: Player
) -> None:
    plain, knowing, other = [await public.ear(ann, clientId=name) for name in ("one", "two", "three")]
    await knowing.say(FLAGS)
    await knowing.until_type("feature_flags")
    job, nobodys = await submit(stage, ann, "one"), await submit(stage, ann, None)
    await run(worker, job, Preview(node_id="2", display_node_id="2", mime="image/png", data=b"own"))
    await run(worker, nobodys, Preview(node_id="2", display_node_id="2", mime="image/png", data=b"any"))

    for ear in (plain, knowing, other):
        await ear.until_over(nobodys.id)

    assert [picture[-3:] for picture in pictures(plain)] == [b"own", b"any"]
    assert [picture[-3:] for picture in pictures(knowing)] == [b"own", b"any"]
    assert [picture[-3:] for picture in pictures(other)] == [b"any"]


@pytest.mark.parametrize(
    ("name", "headers"),
    [
        ("127.0.0.1", {"Origin": "https://evil.test"}),
        ("127.0.0.1", {"Origin": "http://localhost:3000"}),
        ("127.0.0.1", {"Sec-Fetch-Site": "cross-site"}),
        ("evil.test", {"Origin": "http://evil.test"}),
        ("evil.test", {}),
    ],
)
async def test_a_page_of_another_origin_opens_no_socket(port: Site, name: str, headers: dict[str, str]) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await port.knock(headers=headers, name=name)

    assert refused.value.response.status_code == 403
    assert msgspec.json.decode(refused.value.response.body)["code"] == "forbidden"


async def test_a_page_of_the_port_itself_opens_a_socket(port: Site) -> None:
    ear = await port.knock(headers={"Origin": f"http://127.0.0.1:{port.port}", "Sec-Fetch-Site": "same-origin"})

    assert (await ear.until_type("status"))["data"]["sid"]
