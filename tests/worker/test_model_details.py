"""What can be told of a model, asked of a worker over the bus and shown to the editor."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import ClassVar

import httpx
import pytest
from PIL import Image
from tests.jobs.workshop import ORIGIN, Workshop
from tests.publishing import publish
from tests.worker.station import Station, WatchedRuntime, open_station

from fireside.domain.accounts import User
from fireside.jobs.model_details import ModelDetails
from fireside.runtimes.base import ModelFile, RuntimeInfo
from fireside.server.edge import build_edge
from fireside.wire.fleet import MOST_MODEL_BYTES

METADATA = {"modelspec.title": "猫"}


def png(width: int, height: int, mode: str = "RGB") -> bytes:
    buffer = BytesIO()
    Image.new(mode, (width, height)).save(buffer, "PNG")
    return buffer.getvalue()


class DescribingRuntime(WatchedRuntime):
    """A runtime that has models, and says what a test wants it to say of them."""

    asked: ClassVar[list[tuple[str, str]]] = []
    metadata: ClassVar[dict[str, bytes]] = {}
    pictures: ClassVar[dict[str, bytes]] = {}

    async def start(self) -> RuntimeInfo:
        names = ("bomb.pt", "deep/plain.safetensors", "slow.pt", "told.safetensors")
        files = tuple(ModelFile(name=name, size_bytes=1) for name in names)
        return replace(await super().start(), models={"loras": files})

    async def model_metadata(self, folder: str, name: str) -> bytes | None:
        self.asked.append((folder, name))
        if name == "slow.pt":
            raise TimeoutError("too slow")
        return self.metadata.get(name)

    async def model_preview(self, folder: str, name: str) -> bytes | None:
        self.asked.append((folder, name))
        return self.pictures.get(name)


@pytest.fixture
async def station(shop: Workshop, tmp_path: Path) -> AsyncIterator[Station]:
    DescribingRuntime.asked.clear()
    DescribingRuntime.metadata = {"told.safetensors": json.dumps(METADATA).encode()}
    DescribingRuntime.pictures = {"told.safetensors": png(900, 600), "deep/plain.safetensors": png(30, 20, "LA")}
    async with open_station(shop, tmp_path / "station", DescribingRuntime) as station:
        await station.is_free()
        yield station


@pytest.fixture
async def http(shop: Workshop, ann: User) -> AsyncIterator[httpx.AsyncClient]:
    _, key = await shop.services.accounts.create_key(ann)
    transport = httpx.ASGITransport(build_edge(shop.services))
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers={"X-API-Key": key}) as http:
        yield http


async def preview(http: httpx.AsyncClient, name: str, folder: str = "loras", place: str = "0") -> httpx.Response:
    return await http.get(f"/api/experiment/models/preview/{folder}/{place}/{name}")


@pytest.mark.usefixtures("station")
@pytest.mark.parametrize("base", ["/api", ""])
async def test_what_an_author_wrote_into_a_model_is_told(http: httpx.AsyncClient, base: str) -> None:
    answer = await http.get(f"{base}/view_metadata/loras", params={"filename": "told.safetensors"})

    assert (answer.status_code, answer.json()) == (200, METADATA)


@pytest.mark.usefixtures("station")
@pytest.mark.parametrize("name", ["told.safetensors", "told.webp", "told.safetensors.webp"])
async def test_the_picture_beside_a_model_is_shown_small(http: httpx.AsyncClient, name: str) -> None:
    answer = await preview(http, name)

    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/webp")
    assert answer.headers["x-content-type-options"] == "nosniff"
    with Image.open(BytesIO(answer.content)) as shown:
        assert (shown.format, shown.size) == ("WEBP", (512, 341))
    again = await http.get(str(answer.url), headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.usefixtures("station")
async def test_a_picture_of_a_model_in_a_folder_is_found(http: httpx.AsyncClient) -> None:
    answer = await preview(http, "deep/plain.webp")

    with Image.open(BytesIO(answer.content)) as shown:
        assert (shown.mode, shown.size) == ("RGBA", (30, 20))


@pytest.mark.usefixtures("station")
@pytest.mark.parametrize(
    ("name", "folder", "place"),
    [
        ("bomb.pt", "loras", "0"), ("nothing.webp", "loras", "0"), ("told.webp", "other", "0"),
        ("told.webp", "loras", "1"), ("told.webp", "loras", "x"), ("..%2F..%2Fetc%2Fpasswd", "loras", "0"),
    ],
)  # fmt: skip
async def test_where_there_is_no_picture_it_is_not_found(
    http: httpx.AsyncClient, name: str, folder: str, place: str
) -> None:
    assert (await preview(http, name, folder, place)).status_code == 404


@pytest.mark.usefixtures("station")
async def test_only_models_that_are_there_are_asked_for(http: httpx.AsyncClient) -> None:
    for name in ("../../etc/passwd", "nothing.safetensors", "slow.pt"):
        answer = await http.get("/api/view_metadata/loras", params={"filename": name})
        assert answer.status_code == 404

    assert DescribingRuntime.asked == [("loras", "slow.pt")]


@pytest.mark.usefixtures("station")
@pytest.mark.parametrize("odd", [b"no picture", b"", png(9000, 9000, "1")], ids=["text", "nothing", "too many pixels"])
async def test_what_is_no_picture_of_some_size_is_not_shown(http: httpx.AsyncClient, odd: bytes) -> None:
    DescribingRuntime.pictures = {"bomb.pt": odd}

    assert (await preview(http, "bomb.webp")).status_code == 404


@pytest.mark.usefixtures("station")
@pytest.mark.parametrize("odd", [b"[]", b"{", b'{"a": "' + b"x" * 9_000_000 + b'"}'], ids=["list", "cut", "too large"])
async def test_what_is_no_metadata_is_not_told(http: httpx.AsyncClient, odd: bytes) -> None:
    DescribingRuntime.metadata = {"bomb.pt": odd}

    assert (await http.get("/api/view_metadata/loras", params={"filename": "bomb.pt"})).status_code == 404


@pytest.mark.usefixtures("station")
async def test_what_the_bus_would_not_carry_is_not_told(http: httpx.AsyncClient) -> None:
    noise = "".join(f"{number * 0x9E3779B97F4A7C15 % 2**64:016x}" for number in range(MOST_MODEL_BYTES // 6))
    DescribingRuntime.metadata = {"told.safetensors": json.dumps({"noise": noise}).encode()}

    answer = await http.get("/api/view_metadata/loras", params={"filename": "told.safetensors"})

    assert answer.status_code == 404


async def test_an_answer_is_kept_for_a_while(shop: Workshop, station: Station) -> None:
    now = 0.0
    details = ModelDetails(shop.services.bus, shop.desk.definitions, timer=lambda: now)
    for seconds in (0.0, 299.0, 301.0):
        now = seconds
        assert await details.metadata("loras", "told.safetensors") is not None
        assert await details.preview("loras", "bomb.pt") is None

    assert len(DescribingRuntime.asked) == 4


async def test_what_is_kept_is_bounded(shop: Workshop, station: Station, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fireside.jobs.model_details._KEPT_BYTES", 1500)
    for _ in range(2):
        for name in ("told.safetensors", "bomb.pt"):
            await shop.desk.model_details.metadata("loras", name)

    assert len(DescribingRuntime.asked) == 4


async def test_where_no_worker_is_there_nothing_is_told(shop: Workshop, http: httpx.AsyncClient) -> None:
    await publish(shop.store, models={"loras": {"told.safetensors": 1}})

    assert (await preview(http, "told.webp")).status_code == 404
    assert (await http.get("/api/view_metadata/loras", params={"filename": "told.safetensors"})).status_code == 404


@pytest.mark.usefixtures("station")
async def test_strangers_are_shown_no_picture(http: httpx.AsyncClient) -> None:
    del http.headers["X-API-Key"]

    assert (await preview(http, "told.webp")).status_code == 404
    assert (await http.get("/api/view_metadata/loras", params={"filename": "told.safetensors"})).status_code == 401
    assert DescribingRuntime.asked == []
