"""The registry of models, as an admin fills it."""

import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from blake3 import blake3
from tests.databases import Databases

from fireside.app import assemble
from fireside.domain.ids import BlobHash
from fireside.server.edge import build_edge
from fireside.server.services import Services

MAX_BYTES = 4096
HASH = "a" * 64


def safetensors(seed: int = 0) -> bytes:
    header = json.dumps({"a": {"dtype": "U8", "shape": [4], "data_offsets": [0, 4]}}).encode()
    return len(header).to_bytes(8, "little") + header + bytes([seed]) * 4


@dataclass
class Office:
    services: Services
    http: httpx.AsyncClient

    async def upload(self, path: str, content: bytes) -> httpx.Response:
        return await self.http.put(f"/admin/api/models/{path}", content=content)

    async def add(self, **changes: Any) -> httpx.Response:
        body = {"folder": "loras", "source_url": "https://models.example/a/ink.safetensors?download=true"}
        return await self.http.post("/admin/api/models", json=body | {"blake3": HASH, "size_bytes": 5} | changes)

    async def names(self) -> list[str]:
        models = (await self.http.get("/admin/api/models")).json()["models"]
        return [f"{one['folder']}/{one['name']}" for one in models]

    async def has(self, content: bytes) -> bool:
        return await self.services.blobs.stat(BlobHash(blake3(content).hexdigest())) is not None


@asynccontextmanager
async def opened(databases: Databases, folder: Path) -> AsyncGenerator[Office]:
    config = databases.config(folder / "data", model_hosts=("models.example",), max_model_bytes=MAX_BYTES)
    async with assemble(config, public_url="http://fireside.test") as assembly:
        transport = httpx.ASGITransport(app=build_edge(assembly.services, as_admin=True))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
            yield Office(assembly.services, http)


@pytest.fixture
async def office(databases: Databases, tmp_path: Path) -> AsyncIterator[Office]:
    async with opened(databases, tmp_path) as office:
        yield office


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def strict(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    """One that takes nothing of what the tests bring, so that they share it."""
    async with opened(databases, tmp_path_factory.mktemp("strict")) as office:
        yield office


async def test_an_uploaded_model_is_in_the_registry_with_its_bytes(office: Office) -> None:
    content = safetensors()

    answer = await office.upload("unet/styles/ink.safetensors", content)

    assert answer.status_code == 201
    body = answer.json()
    # ComfyUI has another name for the folder by now.
    assert (body["folder"], body["name"]) == ("diffusion_models", "styles/ink.safetensors")
    assert (body["blake3"], body["size_bytes"]) == (blake3(content).hexdigest(), len(content))
    assert (body["source_url"], body["workers"]) == (None, [])
    assert (await office.http.get("/admin/api/models/diffusion_models/styles/ink.safetensors")).json() == body
    assert await office.has(content)


@pytest.mark.parametrize(
    ("path", "content", "status", "code"),
    [
        pytest.param("loras/a.safetensors", b"\x80\x02cos\nsystem", 400, "not_safetensors", id="a pickle"),
        pytest.param("loras/a.safetensors", safetensors() + b"x", 400, "not_safetensors", id="a byte too many"),
        pytest.param("loras/a.safetensors", b"", 400, "bad_request", id="nothing"),
        pytest.param("loras/a.ckpt", b"PK", 415, "model_format_refused", id="another format"),
        pytest.param("loras/a", b"x", 415, "model_format_refused", id="no format"),
        pytest.param("loras/a.safetensors", safetensors() + bytes(MAX_BYTES), 413, "too_large", id="too large"),
        pytest.param("custom_nodes/a.safetensors", safetensors(), 400, "bad_request", id="no folder of models"),
        pytest.param("a%20b/a.safetensors", safetensors(), 400, "bad_request", id="an odd folder"),
        pytest.param("loras/%2e%2e/a.safetensors", safetensors(), 400, "bad_request", id="a way up"),
        pytest.param("loras/.a.safetensors", safetensors(), 400, "bad_request", id="a hidden file"),
        pytest.param("loras/a//b.safetensors", safetensors(), 400, "bad_request", id="an empty part"),
        pytest.param("loras/a%0Ab.safetensors", safetensors(), 400, "bad_request", id="a new line"),
        pytest.param("loras/a%5Cb.safetensors", safetensors(), 400, "bad_request", id="a backslash"),
    ],
)
@pytest.mark.asyncio(loop_scope="module")
async def test_what_is_no_model_is_refused_and_nothing_of_it_stays(
    strict: Office, path: str, content: bytes, status: int, code: str
) -> None:
    answer = await strict.upload(path, content)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert await strict.names() == []
    assert not await strict.has(content)


async def test_a_size_that_is_not_announced_is_bounded_too(office: Office) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield bytes([0]) * (MAX_BYTES // 2)

    answer = await office.http.put("/admin/api/models/loras/a.ckpt", content=chunks())
    assert answer.status_code == 415
    header = (2**20).to_bytes(8, "little")

    async def long_header() -> AsyncIterator[bytes]:
        yield header
        async for chunk in chunks():
            yield chunk

    answer = await office.http.put("/admin/api/models/loras/a.safetensors", content=long_header())

    assert answer.status_code == 413
    assert await office.names() == []


async def test_a_name_is_given_once_and_the_other_bytes_do_not_stay(office: Office) -> None:
    first, second = safetensors(1), safetensors(2)
    await office.upload("loras/ink.safetensors", first)

    answer = await office.upload("loras/ink.safetensors", second)

    assert (answer.status_code, answer.json()["code"]) == (409, "duplicate_model")
    assert await office.has(first)
    assert not await office.has(second)


async def test_a_model_at_an_address_has_the_name_of_that_unless_it_is_given_one(office: Office) -> None:
    first, second = await office.add(), await office.add(folder="vae", name="other.safetensors")

    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json()["source_url"] == "https://models.example/a/ink.safetensors?download=true"
    assert await office.names() == ["loras/ink.safetensors", "vae/other.safetensors"]


@pytest.mark.parametrize(
    ("changes", "status", "word"),
    [
        pytest.param({"source_url": "https://elsewhere.example/ink.safetensors"}, 403, "model_hosts", id="a host"),
        pytest.param({"source_url": "file:///etc/passwd.safetensors"}, 400, "http", id="a scheme"),
        pytest.param({"source_url": "https://models.example"}, 400, "name", id="no name"),
        pytest.param({"source_url": "https://models.example/ink.ckpt"}, 415, "model_formats", id="a format"),
        pytest.param({"blake3": "A" * 64}, 400, "hexadecimal", id="no hash"),
        pytest.param({"size_bytes": 0}, 400, "byte", id="no size"),
        pytest.param({"size_bytes": MAX_BYTES + 1}, 413, "max_model_bytes", id="a large size"),
        pytest.param({"size_bytes": 2**70}, 413, "max_model_bytes", id="a size beyond all bounds"),
        pytest.param({"sha256": HASH}, 400, "sha256", id="an unknown field"),
    ],
)
@pytest.mark.asyncio(loop_scope="module")
async def test_an_address_that_will_not_do_is_refused_with_what_to_do(
    strict: Office, changes: dict[str, Any], status: int, word: str
) -> None:
    answer = await strict.add(**changes)

    assert answer.status_code == status
    assert word in answer.json()["message"]
    assert await strict.names() == []


async def test_what_is_removed_is_gone_and_its_bytes_are_nobodys(office: Office) -> None:
    content = safetensors()
    await office.upload("loras/ink.safetensors", content)

    assert (await office.http.delete("/admin/api/models/loras/ink.safetensors")).status_code == 204

    assert await office.names() == []
    blob = BlobHash(blake3(content).hexdigest())
    assert await office.services.store.unused_blobs([blob]) == {blob}
    for method in ("GET", "DELETE"):
        answer = await office.http.request(method, "/admin/api/models/loras/ink.safetensors")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
