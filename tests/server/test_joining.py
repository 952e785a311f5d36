"""Workers that join: what they publish, once for all that are equal, and what is refused."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from blake3 import blake3
from tests.databases import Databases
from tests.jobs.workshop import ORIGIN, Workshop, open_workshop
from tests.publishing import BUILTIN

from fireside.client.fleet import FleetClient
from fireside.domain.ids import WorkerId
from fireside.domain.workers import Topic
from fireside.runtimes.base import ModelFile, RuntimeInfo, Subgraph, TemplateFile
from fireside.server.edge import build_edge
from fireside.wire.fleet_joining import JoinBody
from fireside.worker.joining import introduce

INFO = RuntimeInfo(
    kind="comfyui",
    version="0.3",
    definitions=BUILTIN,
    devices=({"name": "cpu", "type": "cpu"},),
    system={"os": "linux"},
    models={"vae": (ModelFile(name="a.safetensors", size_bytes=7),)},
    snapshot={"comfyui": {"commit": "abc"}},
    validators=("LoadImage",),
    subgraphs=(Subgraph(node_pack="custom_nodes.a", name="Upscale", data="{}"),),
    templates=(TemplateFile(node_pack="a", file="First.json", content=b"{}"),),
    translations={"de": {"nodeDefs": {}}},
)


class Counting(httpx.ASGITransport):
    """The way to the edge, which notes how many bytes each request sent."""

    def __init__(self, shop: Workshop) -> None:
        super().__init__(app=build_edge(shop.services))
        self.sent: list[tuple[str, int]] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.sent.append((request.url.path, len(await request.aread())))
        return await super().handle_async_request(request)


@pytest.fixture
async def shop(databases: Databases, tmp_path: Path) -> AsyncIterator[Workshop]:
    async with open_workshop(databases.config(tmp_path / "data")) as shop:
        yield shop


@pytest.fixture
def way(shop: Workshop) -> Counting:
    return Counting(shop)


async def join(shop: Workshop, way: Counting, name: str, info: RuntimeInfo = INFO, **labels: str) -> None:
    client = FleetClient(ORIGIN, shop.services.keys.worker_token(WorkerId(name)), transport=way)
    await introduce(info, boot_id=f"boot of {name}", labels=labels).tell(client)


def as_worker(shop: Workshop, name: str = "worker-1") -> Mapping[str, str]:
    return {"Authorization": f"Bearer {shop.services.keys.worker_token(WorkerId(name))}"}


async def test_two_hundred_equal_workers_send_their_bodies_once_and_a_small_request_each(
    shop: Workshop, way: Counting
) -> None:
    for number in range(200):
        await join(shop, way, f"gpu-{number}", rack=str(number % 4))

    joins = [size for path, size in way.sent if path == "/fleet/worker"]
    bodies = [path.split("/")[2] for path, _ in way.sent if path != "/fleet/worker"]
    assert (len(joins), sorted(bodies)) == (200, sorted(Topic))
    assert max(joins) < 1000
    fleet = await shop.desk.definitions.fleet()
    (kind,) = fleet.kinds.values()
    assert (len(kind.workers), kind.validators) == (200, {"LoadImage"})
    assert fleet.models == {"vae": {"a.safetensors": 7}}
    assert fleet.profiles[WorkerId("gpu-7")].labels == {"rack": "3"}


async def test_what_a_worker_tells_of_itself_is_remembered(shop: Workshop, way: Counting) -> None:
    await join(shop, way, "gpu-1", gpu="a")

    worker = await shop.store.worker(WorkerId("gpu-1"))

    assert worker is not None
    assert (worker.runtime, worker.labels, worker.boot_id) == ("comfyui", {"gpu": "a"}, "boot of gpu-1")
    snapshot = await shop.store.published(Topic.SNAPSHOT, [worker.snapshot_hash])
    assert msgspec.json.decode(snapshot[worker.snapshot_hash]) == INFO.snapshot


async def test_a_worker_that_comes_back_with_other_nodes_is_of_another_kind(shop: Workshop, way: Counting) -> None:
    await join(shop, way, "gpu-1")
    await join(shop, way, "gpu-1", _with_definitions(b"{}"))

    fleet = await shop.desk.definitions.fleet()

    assert (len(fleet.kinds), fleet.object_info) == (1, {})


async def test_until_a_worker_has_published_it_is_what_it_was(shop: Workshop, way: Counting) -> None:
    await join(shop, way, "gpu-1")
    body = introduce(_with_definitions(b"{}"), boot_id="b", labels={}).body
    async with httpx.AsyncClient(transport=way, base_url=ORIGIN, headers=as_worker(shop, "gpu-1")) as http:
        reply = await http.put("/fleet/worker", content=msgspec.json.encode(body))

    assert reply.json() == {"wants": ["definitions"]}
    assert "SaveImage" in await shop.desk.definitions.object_info()


def _with_definitions(definitions: bytes) -> RuntimeInfo:
    return RuntimeInfo(
        kind=INFO.kind, version=INFO.version, definitions=definitions, devices=INFO.devices, system=INFO.system,
        models=INFO.models, snapshot=INFO.snapshot, validators=INFO.validators,
    )  # fmt: skip


async def put(shop: Workshop, way: Counting, topic: str, content: bytes, **hashes: Any) -> httpx.Response:
    """Join as a worker that names these bytes under the topic, or what is told otherwise, and send them."""
    name = blake3(content).hexdigest()
    named: dict[str, Any] = {"definitions_hash": "", f"{topic}_hash": name} | hashes
    body = msgspec.json.encode(JoinBody(boot_id="b", runtime="x", version="1", **named))
    async with httpx.AsyncClient(transport=way, base_url=ORIGIN, headers=as_worker(shop)) as http:
        await http.put("/fleet/worker", content=body)
        return await http.put(f"/fleet/{topic}/{hashes.get(f'{topic}_hash', name)}", content=content)


@pytest.mark.parametrize(
    ("topic", "content"),
    [
        ("definitions", b"{"), ("definitions", b"[]"), ("models", b"[]"), ("models", b'{"vae": ["a"]}'),
        ("validators", b"{}"), ("snapshot", b"[]"), ("snapshot", b"\xff"),
    ],
)  # fmt: skip
async def test_what_cannot_be_read_is_refused(shop: Workshop, way: Counting, topic: str, content: bytes) -> None:
    answer = await put(shop, way, topic, content)

    assert answer.status_code == 400
    assert await shop.store.published(Topic(topic), [blake3(content).hexdigest()]) == {}


async def test_what_is_of_another_hash_is_refused(shop: Workshop, way: Counting) -> None:
    answer = await put(shop, way, "definitions", BUILTIN, definitions_hash="0" * 64)

    assert answer.status_code == 400
    assert await shop.store.published(Topic.DEFINITIONS, ["0" * 64]) == {}


async def test_what_a_worker_did_not_name_when_it_joined_is_refused(shop: Workshop, way: Counting) -> None:
    path = f"/fleet/definitions/{blake3(BUILTIN).hexdigest()}"
    async with httpx.AsyncClient(transport=way, base_url=ORIGIN, headers=as_worker(shop)) as http:
        never_joined = await http.put(path, content=BUILTIN)
        await join(shop, way, "worker-1", _with_definitions(b"{}"))
        other = await http.put(path, content=BUILTIN)

    assert [never_joined.status_code, other.status_code] == [404, 404]
