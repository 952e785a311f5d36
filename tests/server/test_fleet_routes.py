"""The workers' routes, as workers and those who would like to be one call them."""

import base64
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import msgspec
import pytest
from blake3 import blake3
from tests.databases import Databases
from tests.jobs.workshop import ORIGIN, PlayedWorker, Workshop, open_workshop

from fireside.domain.accounts import User
from fireside.domain.assets import FileName, Folder
from fireside.domain.ids import BlobHash, WorkerId
from fireside.domain.jobs import Lease
from fireside.jobs.rescue import rescue_job
from fireside.server.edge import build_edge
from fireside.store.records import JobBody, StagedInput
from fireside.wire.fleet import LeaseBody

PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)


@pytest.fixture
async def shop(databases: Databases, tmp_path: Path) -> AsyncIterator[Workshop]:
    async with open_workshop(databases.config(tmp_path / "data", max_upload_bytes=1000)) as shop:
        yield shop


@pytest.fixture
async def ann(shop: Workshop) -> User:
    return await shop.user("ann")


@pytest.fixture
async def worker(shop: Workshop) -> PlayedWorker:
    return await shop.worker()


@pytest.fixture
async def http(shop: Workshop) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=build_edge(shop.services))
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
        yield client


def as_worker(shop: Workshop, name: str = "worker-1") -> dict[str, str]:
    return {"Authorization": f"Bearer {shop.services.keys.worker_token(WorkerId(name))}"}


def hash_of(content: bytes) -> str:
    return blake3(content).hexdigest()


def lease_query(lease: Lease) -> dict[str, int]:
    return {"attempt": lease.attempt, "fence": lease.fence}


def shown(lease: Lease, item: Any, **file: Any) -> dict[str, Any]:
    """What a node has shown, as a worker reports it: one item, and one file at its place unless told otherwise."""
    return {
        "lease": msgspec.to_builtins(LeaseBody.of(lease)),
        "node_id": "9",
        "display_node_id": "9",
        "output": {"images": [item]},
        "files": [{"key": "images", "index": 0, "hash": hash_of(PNG), "size_bytes": len(PNG)} | file],
    }


async def upload(shop: Workshop, http: httpx.AsyncClient, content: bytes = PNG) -> None:
    answer = await http.put(f"/fleet/blobs/{hash_of(content)}", content=content, headers=as_worker(shop))
    assert answer.status_code == 200


async def test_a_worker_gets_the_work_it_holds_and_links_to_its_inputs(
    shop: Workshop, ann: User, worker: PlayedWorker, http: httpx.AsyncClient
) -> None:
    await upload(shop, http)
    inputs = (StagedInput(value="photo.png", hash=BlobHash(hash_of(PNG)), size_bytes=len(PNG)),)
    body = JobBody(graph=b'{"1":{}}', extra_data=b'{"a":1}', outputs=("1",), inputs=inputs)
    lease = await shop.assigned(await shop.submit(ann, body=body), worker)

    answer = await http.get(f"/fleet/jobs/{lease.job_id}", params=lease_query(lease), headers=as_worker(shop))

    work = answer.json()
    assert (work["graph"], work["extra_data"], work["outputs"], work["secrets"]) == ({"1": {}}, {"a": 1}, ["1"], {})
    (file,) = work["inputs"]
    assert (file["value"], file["hash"]) == ("photo.png", hash_of(PNG))
    assert (await http.get(file["url"])).content == PNG


async def test_a_worker_cannot_touch_the_job_of_another(
    shop: Workshop, ann: User, worker: PlayedWorker, http: httpx.AsyncClient
) -> None:
    await upload(shop, http)
    lease = await shop.started(await shop.submit(ann), worker)
    path, other = f"/fleet/jobs/{lease.job_id}", as_worker(shop, "worker-2")

    fetched = await http.get(path, params=lease_query(lease), headers=other)
    reported = await http.post(f"{path}/outputs", json=shown(lease, {"filename": "a.png"}), headers=other)

    assert [answer.status_code for answer in (fetched, reported)] == [409, 409]
    assert fetched.json()["code"] == "stale_lease"
    assert await shop.store.job_outputs(lease.job_id) == []


async def test_a_lease_that_is_over_opens_nothing_even_to_the_worker_that_has_the_job_again(
    shop: Workshop, ann: User, worker: PlayedWorker, http: httpx.AsyncClient
) -> None:
    await upload(shop, http)
    lease = await shop.started(await shop.submit(ann), worker)
    await shop.started(await rescue_job(shop.desk, await shop.held(lease), lost=True), worker)
    path, mine = f"/fleet/jobs/{lease.job_id}", as_worker(shop)

    fetched = await http.get(path, params=lease_query(lease), headers=mine)
    reported = await http.post(f"{path}/outputs", json=shown(lease, {"filename": "a.png"}), headers=mine)

    assert [answer.status_code for answer in (fetched, reported)] == [409, 409]
    assert await shop.store.job_outputs(lease.job_id) == []


@pytest.mark.parametrize("name", ["", "..", "../../etc/passwd", "a/b.png", "a\\b.png", "a\x00.png", "x" * 300])
async def test_a_forged_file_name_is_refused(
    shop: Workshop, ann: User, worker: PlayedWorker, http: httpx.AsyncClient, name: str
) -> None:
    await upload(shop, http)
    lease = await shop.started(await shop.submit(ann), worker)

    item = {"filename": name, "subfolder": "", "type": "output"}
    answer = await http.post(f"/fleet/jobs/{lease.job_id}/outputs", json=shown(lease, item), headers=as_worker(shop))

    assert answer.status_code == 400
    assert await shop.store.job_outputs(lease.job_id) == []


@pytest.mark.parametrize("subfolder", ["..", "a/../../b", "a\x00b"])
async def test_a_forged_subfolder_is_refused(
    shop: Workshop, ann: User, worker: PlayedWorker, http: httpx.AsyncClient, subfolder: str
) -> None:
    await upload(shop, http)
    lease = await shop.started(await shop.submit(ann), worker)

    item = {"filename": "a.png", "subfolder": subfolder, "type": "output"}
    answer = await http.post(f"/fleet/jobs/{lease.job_id}/outputs", json=shown(lease, item), headers=as_worker(shop))

    assert answer.status_code == 400


@pytest.mark.parametrize("folder", ["input", "elsewhere", "", None, ["output"]])
async def test_a_file_that_claims_to_stand_elsewhere_than_among_what_nodes_make_is_refused(
    shop: Workshop, ann: User, worker: PlayedWorker, http: httpx.AsyncClient, folder: Any
) -> None:
    await upload(shop, http)
    lease = await shop.started(await shop.submit(ann), worker)

    item = {"filename": "a.png", "subfolder": "", "type": folder}
    answer = await http.post(f"/fleet/jobs/{lease.job_id}/outputs", json=shown(lease, item), headers=as_worker(shop))

    assert answer.status_code == 400
    assert await shop.store.job_outputs(lease.job_id) == []


@pytest.mark.parametrize("folder", ["output", "temp"])
async def test_what_a_node_made_becomes_a_file_of_the_jobs_owner(
    shop: Workshop, ann: User, worker: PlayedWorker, http: httpx.AsyncClient, folder: str
) -> None:
    await upload(shop, http)
    lease = await shop.started(await shop.submit(ann), worker)

    item = {"filename": "a.png", "subfolder": "sub", "type": folder}
    answer = await http.post(f"/fleet/jobs/{lease.job_id}/outputs", json=shown(lease, item), headers=as_worker(shop))

    assert answer.status_code == 204
    name = FileName(folder=Folder(folder), subfolder="sub", name="a.png")
    made = (await shop.store.assets_by_files(ann.id, {name}))[name]
    assert (made.hash, made.size_bytes) == (hash_of(PNG), len(PNG))


@pytest.mark.parametrize(
    "file", [{"index": 1}, {"index": -1}, {"key": "gifs"}, {"hash": "0" * 64}, {"hash": "../../secret_key"}]
)
async def test_a_file_that_is_not_there_is_refused(
    shop: Workshop, ann: User, worker: PlayedWorker, http: httpx.AsyncClient, file: dict[str, Any]
) -> None:
    await upload(shop, http)
    lease = await shop.started(await shop.submit(ann), worker)

    body = shown(lease, {"filename": "a.png"}, **file)
    answer = await http.post(f"/fleet/jobs/{lease.job_id}/outputs", json=body, headers=as_worker(shop))

    assert answer.status_code == 400


async def test_an_output_under_the_path_of_another_job_is_refused(
    shop: Workshop, ann: User, worker: PlayedWorker, http: httpx.AsyncClient
) -> None:
    lease = await shop.started(await shop.submit(ann), worker)

    for job_id, status in ((uuid4(), 400), ("nonsense", 404)):
        body = shown(lease, {"filename": "a.png"})
        answer = await http.post(f"/fleet/jobs/{job_id}/outputs", json=body, headers=as_worker(shop))
        assert answer.status_code == status


async def test_bytes_are_told_from_those_that_are_not_here(shop: Workshop, http: httpx.AsyncClient) -> None:
    path, mine = f"/fleet/blobs/{hash_of(PNG)}", as_worker(shop)
    assert (await http.head(path, headers=mine)).status_code == 404

    await upload(shop, http)

    answer = await http.head(path, headers=mine)
    assert (answer.status_code, answer.headers["content-length"]) == (200, str(len(PNG)))
    assert (await http.head("/fleet/blobs/..", headers=mine)).status_code == 404


async def test_bytes_that_a_worker_need_not_send_are_wanted_from_now_on(
    shop: Workshop, http: httpx.AsyncClient
) -> None:
    await upload(shop, http)
    path = shop.services.blobs.local_path(BlobHash(hash_of(PNG)))
    assert path is not None
    os.utime(path, (0, 0))

    await http.head(f"/fleet/blobs/{hash_of(PNG)}", headers=as_worker(shop))

    assert path.stat().st_mtime > 0


@pytest.mark.parametrize(("blob", "content", "status"), [
    ("0" * 64, PNG, 409), ("nonsense", PNG, 400), (hash_of(bytes(1001)), bytes(1001), 413),
])  # fmt: skip
async def test_bytes_that_are_not_as_announced_are_not_kept(
    shop: Workshop, http: httpx.AsyncClient, blob: str, content: bytes, status: int
) -> None:
    answer = await http.put(f"/fleet/blobs/{blob}", content=content, headers=as_worker(shop))

    assert answer.status_code == status
    blobs = Path(shop.services.config.data_dir) / "blobs"
    assert [path for path in blobs.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("token", ["", "Bearer ", "Bearer fsw_worker-1.0000", "Basic eDp5", "Bearer fsw_../x.00"])
async def test_whoever_is_no_worker_stays_outside(http: httpx.AsyncClient, token: str) -> None:
    headers = {"Authorization": token} if token else {}

    for method, path in (("PUT", "/fleet/worker"), ("HEAD", "/fleet/blobs/x"), ("GET", f"/fleet/jobs/{uuid4()}")):
        assert (await http.request(method, path, headers=headers)).status_code == 401


async def test_a_small_file_comes_with_the_record_of_its_node(
    shop: Workshop, ann: User, worker: PlayedWorker, http: httpx.AsyncClient
) -> None:
    lease = await shop.started(await shop.submit(ann), worker)
    path, content = f"/fleet/jobs/{lease.job_id}/outputs", base64.b64encode(PNG).decode()
    other = base64.b64encode(PNG + b"!").decode()

    wrong = await http.post(path, json=shown(lease, {"filename": "a.png"}, content=other), headers=as_worker(shop))
    right = await http.post(path, json=shown(lease, {"filename": "a.png"}, content=content), headers=as_worker(shop))

    assert (wrong.status_code, wrong.json()["code"], right.status_code) == (409, "hash_mismatch", 204)
    (asset,) = await shop.store.job_assets(lease.job_id)
    assert (asset.hash, asset.content_type) == (hash_of(PNG), "image/png")


async def test_a_file_that_comes_along_is_no_larger_than_one_that_is_uploaded(
    shop: Workshop, ann: User, worker: PlayedWorker, http: httpx.AsyncClient
) -> None:
    lease = await shop.started(await shop.submit(ann), worker)
    large = bytes(1001)
    file = {"hash": hash_of(large), "size_bytes": 1001, "content": base64.b64encode(large).decode()}

    answer = await http.post(
        f"/fleet/jobs/{lease.job_id}/outputs", json=shown(lease, {"filename": "a"}, **file), headers=as_worker(shop)
    )

    assert answer.status_code == 413
    assert await shop.store.job_outputs(lease.job_id) == []
