"""Workers bring what they made to the bucket itself, under the lease of their job, and through the server otherwise."""

import base64
import hashlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from blake3 import blake3
from tests.blob_places import all_of
from tests.databases import SqliteDatabases
from tests.jobs.workshop import ORIGIN, PlayedWorker, Workshop, open_workshop
from tests.object_server import ObjectServer
from tests.worker.station import Station, empty, node, open_station, picture, save

from fireside.blobs.direct import DirectBucket
from fireside.domain.ids import BlobHash, WorkerId
from fireside.domain.jobs import Job, JobState, Lease
from fireside.jobs.rescue import rescue_job
from fireside.server.edge import build_edge
from fireside.store.records import JobBody, StagedInput
from fireside.upkeep.collector import BlobCollector
from fireside.wire.fleet import LeaseBody
from fireside.worker import collecting

pytestmark = pytest.mark.once
CONTENT = b"\x89PNG\r\n\x1a\n" + bytes(64)
HASH = blake3(CONTENT).hexdigest()
DAY = timedelta(days=1)


@pytest.fixture
async def shop(databases: SqliteDatabases, tmp_path: Path, in_bucket: dict[str, Any]) -> AsyncIterator[Workshop]:
    config = databases.config(tmp_path / "data", port=0, max_upload_bytes=1_000_000, **in_bucket)
    async with open_workshop(config) as shop:
        yield shop


@pytest.fixture
async def worker(shop: Workshop) -> PlayedWorker:
    return await shop.worker()


@pytest.fixture
async def http(shop: Workshop) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=build_edge(shop.services))
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
        yield client


@pytest.fixture
async def station(shop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Station]:
    """A worker none of whose outputs is small enough to come along."""
    monkeypatch.setattr(collecting, "_SENT_ALONG_BYTES", 0)
    async with open_station(shop, tmp_path / "worker") as station:
        yield station


def as_worker(shop: Workshop, name: str = "worker-1") -> dict[str, str]:
    return {"Authorization": f"Bearer {shop.services.keys.worker_token(WorkerId(name))}"}


def wish(lease: Lease, **more: Any) -> dict[str, Any]:
    """Ask for a place for these bytes, for the job of the lease."""
    return {
        "lease": msgspec.to_builtins(LeaseBody.of(lease)),
        "hash": HASH,
        "size_bytes": len(CONTENT),
        "sha256": [base64.b64encode(hashlib.sha256(CONTENT).digest()).decode()],
    } | more


async def brought(shop: Workshop, http: httpx.AsyncClient, lease: Lease) -> dict[str, Any]:
    """Begin, and send the bytes to the bucket; gives what is to be said then."""
    begun = (await http.post("/fleet/uploads", json=wish(lease), headers=as_worker(shop))).raise_for_status().json()
    (part,) = begun["parts"]
    async with httpx.AsyncClient(timeout=60) as anybody:
        sent = await anybody.put(part["url"], headers=part["headers"], content=CONTENT)
    etags = [sent.raise_for_status().headers["etag"]]
    return {"lease": wish(lease)["lease"], "upload": begun["upload"], "etags": etags}


async def objects_of(shop: Workshop) -> list[str]:
    direct = shop.services.blobs.direct
    assert isinstance(direct, DirectBucket)
    page = await shop.services.blobs.list_blobs("", limit=1000)
    return [blob.hash for blob in page.blobs]


async def outputs(shop: Workshop, job: Job) -> list[tuple[str, bytes]]:
    """What a job has made, as it is read."""
    return [
        (asset.file.name, await all_of(shop.services.blobs.read(asset.hash)))
        for asset in await shop.store.job_assets(job.id)
    ]


async def test_an_output_goes_to_the_bucket_and_never_through_the_server(
    shop: Workshop, station: Station, objects: ObjectServer
) -> None:
    ann = await shop.user("ann")
    photo = await station.keep(picture())
    graph = {"1": node("LoadImage", image="photo.png"), "2": save("1")}
    staged = StagedInput(value="photo.png", hash=photo, size_bytes=len(picture()))
    job = await shop.submit(
        ann, body=JobBody(graph=msgspec.json.encode(graph), extra_data=b"{}", outputs=("2",), inputs=(staged,))
    )
    await station.hand_out(job)
    await station.becomes(job, JobState.SUCCEEDED)

    ((name, content),) = await outputs(shop, job)
    assert (name, content[:4]) == ("station_00001_.png", b"\x89PNG")
    assert station.uploads() == []
    assert [one for one in station.gate.asked if one.startswith("PUT /blobs/")] != []
    assert any(asked.startswith("GET /blobs/") for asked in station.gate.asked)
    assert len(await objects_of(shop)) == 2


async def test_equal_bytes_are_brought_once(shop: Workshop, station: Station) -> None:
    ann = await shop.user("ann")
    graph = {"1": empty(), "2": save("1")}
    first, second = await station.submit(ann, graph), await station.submit(ann, graph)
    for job in (first, second):
        await station.hand_out(job)
        await station.becomes(job, JobState.SUCCEEDED)

    assert [name for job in (first, second) for name, _ in await outputs(shop, job)] == [
        "station_00001_.png",
        "station_00002_.png",
    ]
    assert len([one for one in station.gate.asked if one.startswith("PUT /blobs/")]) == 1


async def test_where_the_bucket_refuses_the_server_takes_the_bytes(
    shop: Workshop, station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    direct = shop.services.blobs.direct
    assert isinstance(direct, DirectBucket)
    # As a clock that is far behind would: what is signed is over already.
    monkeypatch.setattr(direct, "_clock", lambda: datetime.now(UTC) - DAY)
    job = await station.submit(await shop.user("ann"), {"1": empty(), "2": save("1")})
    await station.hand_out(job)
    await station.becomes(job, JobState.SUCCEEDED)

    assert len(await outputs(shop, job)) == 1
    assert len(station.uploads()) == 1


async def test_what_is_there_need_not_be_brought(shop: Workshop, worker: PlayedWorker, http: httpx.AsyncClient) -> None:
    lease = await shop.started(await shop.submit(await shop.user("ann")), worker)
    missing = await http.head(f"/fleet/blobs/{HASH}", headers=as_worker(shop))
    assert (missing.status_code, missing.headers["fireside-part-bytes"]) == (404, "67108864")
    await shop.services.blobs.write_bytes(CONTENT, limit_bytes=None)
    await shop.services.blobs.set_aside(BlobHash(HASH), datetime.now(UTC))

    answer = await http.post("/fleet/uploads", json=wish(lease), headers=as_worker(shop))

    assert answer.json() == {"upload": "", "parts": []}
    assert (await http.head(f"/fleet/blobs/{HASH}", headers=as_worker(shop))).status_code == 200


async def test_to_say_twice_that_bytes_have_come_does_no_harm(
    shop: Workshop, worker: PlayedWorker, http: httpx.AsyncClient
) -> None:
    lease = await shop.started(await shop.submit(await shop.user("ann")), worker)
    done = await brought(shop, http, lease)

    for _ in range(2):
        answer = await http.put("/fleet/uploads", json=done, headers=as_worker(shop))
        assert (answer.status_code, answer.json()) == (200, {"hash": HASH, "size_bytes": len(CONTENT)})
    assert await objects_of(shop) == [HASH]


async def test_who_lost_the_job_can_bring_nothing_and_what_came_goes(
    shop: Workshop, worker: PlayedWorker, http: httpx.AsyncClient, objects: ObjectServer
) -> None:
    lease = await shop.started(await shop.submit(await shop.user("ann")), worker)
    done = await brought(shop, http, lease)
    await rescue_job(shop.desk, await shop.held(lease), lost=True)

    answers = [
        await http.put("/fleet/uploads", json=done, headers=as_worker(shop)),
        await http.post("/fleet/uploads", json=wish(lease), headers=as_worker(shop)),
    ]

    assert [(one.status_code, one.json()["code"]) for one in answers] == [(409, "stale_lease")] * 2
    assert await objects_of(shop) == []
    assert await shop.services.blobs.sweep_unfinished(datetime.now(UTC) + DAY) == 0


async def test_another_worker_cannot_take_over_what_one_has_brought(
    shop: Workshop, worker: PlayedWorker, http: httpx.AsyncClient
) -> None:
    ann = await shop.user("ann")
    lease = await shop.started(await shop.submit(ann), worker)
    done = await brought(shop, http, lease)
    theirs = await shop.started(await shop.submit(ann), await shop.worker("worker-2"))
    forged = done | {"lease": wish(theirs)["lease"]}

    for wrong in (forged, done | {"upload": "x.y"}, done | {"upload": ""}):
        answer = await http.put("/fleet/uploads", json=wrong, headers=as_worker(shop, "worker-2"))
        assert (answer.status_code, answer.json()["code"]) == (409, "upload_gone")
    assert await objects_of(shop) == []


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"hash": "../../etc"}, 400),
        ({"size_bytes": -1}, 400),
        ({"size_bytes": 1_000_001}, 413),
        ({"sha256": []}, 400),
        ({"sha256": ["x"]}, 400),
    ],
    ids=["hash", "negative", "large", "no sum", "wrong sum"],
)
async def test_a_wish_that_is_not_as_it_should_be_is_refused(
    shop: Workshop, worker: PlayedWorker, http: httpx.AsyncClient, fields: dict[str, Any], status: int
) -> None:
    lease = await shop.started(await shop.submit(await shop.user("ann")), worker)

    answer = await http.post("/fleet/uploads", json=wish(lease, **fields), headers=as_worker(shop))

    assert answer.status_code == status


async def test_where_files_are_in_a_folder_nothing_is_brought_past_the_server(
    databases: SqliteDatabases, tmp_path: Path
) -> None:
    async with open_workshop(databases.config(tmp_path / "folder", port=0)) as shop:
        lease = await shop.started(await shop.submit(await shop.user("ann")), await shop.worker())
        transport = httpx.ASGITransport(app=build_edge(shop.services))
        async with httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers=as_worker(shop)) as client:
            assert "fireside-part-bytes" not in (await client.head(f"/fleet/blobs/{HASH}")).headers
            assert (await client.post("/fleet/uploads", json=wish(lease))).status_code == 404


async def test_the_collector_never_takes_what_is_being_brought_or_was_said_to_be_there(
    shop: Workshop, worker: PlayedWorker, http: httpx.AsyncClient
) -> None:
    """A collector of another server to which all that nothing refers to is old, while workers come with equal bytes."""
    grace = timedelta(hours=1)
    collector = BlobCollector(shop.store, shop.services.blobs, grace=grace)
    lease = await shop.started(await shop.submit(await shop.user("ann")), worker)
    done = await brought(shop, http, lease)
    await http.put("/fleet/uploads", json=done, headers=as_worker(shop))

    for round_ in range(3):
        # Told that the bytes are there; then they are old, and walked over once before the record.
        assert (await http.post("/fleet/uploads", json=wish(lease), headers=as_worker(shop))).json()["parts"] == []
        await collector.step(datetime.now(UTC) + (round_ + 1) * 2 * grace)
    shown = {
        "lease": wish(lease)["lease"], "node_id": "9", "display_node_id": "9",
        "output": {"images": [{"filename": "a.png", "subfolder": "", "type": "output"}]},
        "files": [{"key": "images", "index": 0, "hash": HASH, "size_bytes": len(CONTENT)}],
    }  # fmt: skip
    answer = await http.post(f"/fleet/jobs/{lease.job_id}/outputs", json=shown, headers=as_worker(shop))
    assert answer.status_code == 204
    for days in range(1, 4):
        await collector.step(datetime.now(UTC) + days * DAY)

    assert await all_of(shop.services.blobs.read(BlobHash(HASH))) == CONTENT
