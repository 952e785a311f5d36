"""Models on their way to a worker: whole and right, or not at all, from the server and from elsewhere."""

import asyncio
import contextlib
import re
import socket
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import msgspec
import pytest
from aiohttp import web
from blake3 import blake3

from fireside.client.fleet import FleetClient
from fireside.domain.ids import JobId
from fireside.domain.jobs import Lease
from fireside.runtimes.builtin.runtime import BuiltinRuntime
from fireside.wire.fleet import InputFile, ModelHosts, NeededModel, WorkBody
from fireside.worker.arriving import Arrival
from fireside.worker.fetching import Fetcher, ModelDownloadError, Tries
from fireside.worker.model_cache import ModelCache, NoRoom
from fireside.worker.patience import ServerAway, patiently

LEASE = Lease(job_id=JobId(UUID(int=7)), attempt=1, fence=1)
CONTENT = bytes(range(256)) * 40
HALF = len(CONTENT) // 2
TRIES = Tries(most=2, first_pause_seconds=0.0, room_pause_seconds=0.0, most_room_pauses=1)


@dataclass
class Source:
    """A host with one file, which does what its word says."""

    word: str = "ranges"
    content: bytes = CONTENT
    port: int = 0
    ranges: list[str] = field(default_factory=list[str])
    work: WorkBody | None = None
    redirects_to: str = ""
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    let_go: asyncio.Event = field(default_factory=asyncio.Event)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if request.path.startswith("/fleet/jobs/"):
            return web.Response(body=msgspec.json.encode(self.work), content_type="application/json")
        if self.redirects_to and "signature" not in request.query:
            raise web.HTTPFound(self.redirects_to)
        wanted = request.headers.get("Range", "")
        self.ranges.append(wanted)
        self.asked.set()
        if self.word.isdigit() or request.path == "/over":
            return web.Response(status=401 if request.path == "/over" else int(self.word))
        found = re.fullmatch(r"bytes=(\d+)-", wanted)
        start = int(found[1]) if found and self.word != "no ranges" else 0
        headers = {"Content-Range": f"bytes {start}-{len(self.content) - 1}/{len(self.content)}"} if start else {}
        response = web.StreamResponse(status=206 if start else 200, headers=headers)
        response.content_length = len(self.content) - start
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):
            await self._send(request, response, start)
        return response

    async def _send(self, request: web.Request, response: web.StreamResponse, start: int) -> None:
        if self.word in ("breaks", "waits") and not start:
            await response.write(self.content[:HALF])
            if self.word == "waits":
                await self.let_go.wait()
            assert request.transport is not None
            request.transport.close()
            return
        await response.write(self.content[start:])


class Shelf(BuiltinRuntime):
    """A runtime that finds models in a folder, and has some by itself."""

    def __init__(self, folder: Path, own: Mapping[str, Path] | None = None) -> None:
        super().__init__(folder / "runtime", interrupt_seconds=4.0)
        self._models = folder / "links"
        self._own = own or {}

    @property
    def fetched_models(self) -> Path:
        return self._models

    async def model_paths(self, names: Sequence[str]) -> Mapping[str, Path]:
        return self._own

    def content(self, name: str = "model.ckpt") -> bytes:
        return (self._models / "checkpoints" / name).read_bytes()


@pytest.fixture
async def source() -> AsyncGenerator[Source]:
    made = Source()
    app = web.Application()
    app.router.add_get("/{path:.*}", made.answer)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    listener = socket.create_server(("127.0.0.1", 0))
    made.port = listener.getsockname()[1]
    await web.SockSite(runner, listener).start()
    yield made
    made.let_go.set()
    await runner.cleanup()


@pytest.fixture
async def client(source: Source) -> AsyncGenerator[FleetClient]:
    made = FleetClient(f"http://127.0.0.1:{source.port}", "token")
    yield made
    await made.close()


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path)


@pytest.fixture
def cache(tmp_path: Path) -> ModelCache:
    return ModelCache(tmp_path / "models", 10 * len(CONTENT))


@pytest.fixture
def fetcher(client: FleetClient, cache: ModelCache) -> Fetcher:
    return Fetcher(client=client, cache=cache, tries=TRIES)


def needed(url: str = "/files/link", content: bytes = CONTENT, name: str = "model.ckpt") -> NeededModel:
    return NeededModel(
        folder="checkpoints", name=name, hash=blake3(content).hexdigest(), size_bytes=len(content), url=url,
        node_id="4", node_type="CheckpointLoaderSimple",
    )  # fmt: skip


def work_for(*models: NeededModel, hosts: ModelHosts | None = None) -> WorkBody:
    empty = msgspec.Raw(b"{}")
    return WorkBody(
        graph=empty, extra_data=empty, outputs=(), inputs=(), models=models, model_hosts=hosts or ModelHosts()
    )


def elsewhere(source: Source, model: NeededModel | None = None, *, private: bool = True, host: str = "") -> WorkBody:
    """Work whose model lies at a host that is not the server."""
    hosts = ModelHosts(hosts=(host or f"127.0.0.1:{source.port}",), private_hosts=("127.0.0.1",) if private else ())
    return work_for(model or needed(f"http://127.0.0.1:{source.port}/model"), hosts=hosts)


async def bring(fetcher: Fetcher, shelf: Shelf, work: WorkBody) -> None:
    with contextlib.ExitStack() as held:
        await fetcher.bring(shelf, LEASE, work, held)


@pytest.mark.parametrize("is_ours", [True, False], ids=["the server", "elsewhere"])
@pytest.mark.parametrize(
    ("word", "ranges"),
    [("ranges", [""]), ("breaks", ["", f"bytes={HALF}-"])],
    ids=["at once", "in two pieces"],
)
async def test_a_model_comes_whole(
    fetcher: Fetcher, shelf: Shelf, source: Source, word: str, ranges: list[str], is_ours: bool
) -> None:
    source.word = word

    await bring(fetcher, shelf, work_for(needed()) if is_ours else elsewhere(source))

    assert shelf.content() == CONTENT
    assert source.ranges == ranges


@pytest.mark.parametrize("is_ours", [True, False], ids=["the server", "elsewhere"])
async def test_a_source_that_knows_no_ranges_sends_all_of_it_again(
    fetcher: Fetcher, shelf: Shelf, source: Source, cache: ModelCache, is_ours: bool
) -> None:
    source.word = "no ranges"
    work = work_for(needed()) if is_ours else elsewhere(source)
    part = cache.part_of(work.models[0])
    part.parent.mkdir()
    part.write_bytes(CONTENT[:100])

    await bring(fetcher, shelf, work)

    assert source.ranges == ["bytes=100-"]
    assert shelf.content() == CONTENT


async def test_what_is_here_is_not_fetched_again(fetcher: Fetcher, shelf: Shelf, source: Source) -> None:
    for name in ("model.ckpt", "other.ckpt"):
        await bring(fetcher, shelf, work_for(needed(name=name)))

    assert shelf.content("other.ckpt") == CONTENT
    assert len(source.ranges) == 1


async def test_a_file_that_the_runtime_has_by_itself_is_not_fetched(
    fetcher: Fetcher, source: Source, tmp_path: Path
) -> None:
    shelf = Shelf(tmp_path, {"checkpoints/model.ckpt": tmp_path / "own.ckpt"})

    await bring(fetcher, shelf, work_for(needed()))

    assert source.ranges == []


async def test_workers_of_one_machine_fetch_a_model_once(
    client: FleetClient, source: Source, tmp_path: Path, cache: ModelCache
) -> None:
    shelves = [Shelf(tmp_path / name) for name in ("one", "two", "three")]
    fetchers = [
        Fetcher(client=client, cache=ModelCache(tmp_path / "models", cache.limit_bytes), tries=TRIES) for _ in shelves
    ]

    await asyncio.gather(
        *(bring(fetcher, shelf, work_for(needed())) for fetcher, shelf in zip(fetchers, shelves, strict=True))
    )

    assert [shelf.content() for shelf in shelves] == [CONTENT] * 3
    assert len(source.ranges) == 1


async def test_a_download_that_is_left_goes_on_with_the_next_job(
    fetcher: Fetcher, shelf: Shelf, source: Source, cache: ModelCache
) -> None:
    source.word = "waits"
    left = asyncio.create_task(bring(fetcher, shelf, work_for(needed())))
    await source.asked.wait()
    left.cancel()
    await asyncio.gather(left, return_exceptions=True)
    part = cache.part_of(needed())
    came = part.stat().st_size if part.exists() else 0
    source.word = "ranges"

    await bring(fetcher, shelf, work_for(needed()))

    assert source.ranges[1] == (f"bytes={came}-" if came else "")
    assert shelf.content() == CONTENT


async def test_a_model_is_told_of_while_it_comes_and_not_after(
    fetcher: Fetcher, shelf: Shelf, source: Source, cache: ModelCache
) -> None:
    source.word = "waits"
    told: asyncio.Queue[Arrival | None] = asyncio.Queue()
    with contextlib.ExitStack() as held:
        work = work_for(needed())
        bringing = asyncio.create_task(fetcher.bring(shelf, LEASE, work, held, told.put_nowait))
        arrival = await told.get()
        assert arrival is not None
        assert arrival.model == needed()
        source.let_go.set()
        await bringing
        assert (arrival.done_bytes, await told.get()) == (len(CONTENT), None)

        await fetcher.bring(shelf, LEASE, work, held, told.put_nowait)

    assert told.empty()


async def test_a_model_that_does_not_come_is_not_told_of_any_more(
    fetcher: Fetcher, shelf: Shelf, source: Source
) -> None:
    source.word = "404"
    told: list[Arrival | None] = []

    with contextlib.ExitStack() as held, pytest.raises(ModelDownloadError):
        await fetcher.bring(shelf, LEASE, work_for(needed()), held, told.append)

    assert [one is None for one in told] == [False, True]


async def test_bytes_that_are_others_are_thrown_away(
    fetcher: Fetcher, shelf: Shelf, source: Source, cache: ModelCache
) -> None:
    source.content = bytes(len(CONTENT))

    with pytest.raises(ModelDownloadError, match="are not those of the registry") as failed:
        await bring(fetcher, shelf, work_for(needed()))

    assert (failed.value.node_id, failed.value.node_type) == ("4", "CheckpointLoaderSimple")
    assert blake3(source.content).hexdigest() in failed.value.message
    assert not cache.part_of(needed()).exists()
    assert not shelf.fetched_models.exists()


@pytest.mark.parametrize("is_ours", [True, False], ids=["the server", "elsewhere"])
async def test_more_bytes_than_there_should_be_are_not_taken(
    fetcher: Fetcher, shelf: Shelf, source: Source, is_ours: bool
) -> None:
    source.content = CONTENT + b"more"

    with pytest.raises(ModelDownloadError, match="more"):
        await bring(fetcher, shelf, work_for(needed()) if is_ours else elsewhere(source))


async def test_a_pickle_by_the_name_of_safetensors_is_not_used(fetcher: Fetcher, shelf: Shelf, source: Source) -> None:
    source.content = b"\x80\x02cos\nsystem\nq\x00."
    model = needed(content=source.content, name="model.safetensors")

    with pytest.raises(ModelDownloadError, match="no file of safetensors"):
        await bring(fetcher, shelf, work_for(model))


@pytest.mark.parametrize("is_ours", [True, False], ids=["the server", "elsewhere"])
async def test_what_is_not_there_is_not_asked_for_again(
    fetcher: Fetcher, shelf: Shelf, source: Source, is_ours: bool
) -> None:
    source.word = "404"

    with pytest.raises(ModelDownloadError, match="404"):
        await bring(fetcher, shelf, work_for(needed()) if is_ours else elsewhere(source))

    assert len(source.ranges) == 1


async def test_a_source_that_is_ill_for_long_fails_the_job(fetcher: Fetcher, shelf: Shelf, source: Source) -> None:
    source.word = "503"

    with pytest.raises(ModelDownloadError, match="503"):
        await bring(fetcher, shelf, elsewhere(source))

    assert len(source.ranges) == TRIES.most + 1


async def test_a_server_that_is_ill_gives_the_job_back(fetcher: Fetcher, shelf: Shelf, source: Source) -> None:
    source.word = "503"

    with pytest.raises(ServerAway):
        await bring(fetcher, shelf, work_for(needed()))


async def test_of_a_bucket_that_is_not_reached_the_host_is_named_and_what_to_do_and_nothing_that_is_signed(
    fetcher: Fetcher, shelf: Shelf, source: Source, client: FleetClient, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as was_free:
        bucket = f"localhost:{was_free.getsockname()[1]}"
    source.redirects_to = f"http://{bucket}/files/x?signature=secret"
    photo = InputFile(value="photo.png", hash="0" * 64, size_bytes=1, url="/files/photo")

    with pytest.raises(ServerAway) as model:
        await bring(fetcher, shelf, work_for(needed()))
    with pytest.raises(ServerAway) as picture:
        await patiently(lambda: client.download(photo, tmp_path / "photo.png"), patience_seconds=0)

    for reason in (str(model.value), str(picture.value)):
        assert f"{bucket}, where the server keeps its files, was not to be reached" in reason
        assert "blobs_direct = false" in reason
        assert "secret" not in reason
        assert "the server was not" not in reason


@pytest.mark.parametrize("word", ["403", "503"])
async def test_of_a_bucket_that_refuses_the_host_is_named_and_nothing_that_is_signed(
    fetcher: Fetcher, shelf: Shelf, source: Source, word: str
) -> None:
    source.word, source.redirects_to = word, f"http://localhost:{source.port}/files/x?signature=secret"

    with pytest.raises((ModelDownloadError, ServerAway)) as raised:
        await bring(fetcher, shelf, work_for(needed()))

    reason = str(raised.value)
    assert f"localhost:{source.port}, where the server keeps its files, answered {word}" in reason
    assert "secret" not in reason


async def test_a_link_that_is_over_is_asked_for_anew(fetcher: Fetcher, shelf: Shelf, source: Source) -> None:
    source.work = work_for(needed("/files/new"))

    await bring(fetcher, shelf, work_for(needed("/over")))

    assert shelf.content() == CONTENT


@pytest.mark.parametrize(
    ("hosts", "private", "setting"),
    [("other.example", True, "model_hosts"), ("*:*", False, "outbound_private_hosts")],
    ids=["a host that is not named", "an address that is not public"],
)
async def test_nobody_is_asked_whom_the_operator_does_not_allow(
    fetcher: Fetcher, shelf: Shelf, source: Source, hosts: str, private: bool, setting: str
) -> None:
    with pytest.raises(ModelDownloadError, match=setting):
        await bring(fetcher, shelf, elsewhere(source, host=hosts, private=private))

    assert source.ranges == []


async def test_models_that_never_fit_fail_the_job(client: FleetClient, shelf: Shelf, tmp_path: Path) -> None:
    fetcher = Fetcher(client=client, cache=ModelCache(tmp_path / "models", len(CONTENT) + 5), tries=TRIES)
    other = needed(content=b"another", name="other.ckpt")

    with pytest.raises(ModelDownloadError, match="model_cache_bytes"):
        await bring(fetcher, shelf, work_for(needed(), other))


async def test_a_cache_that_is_in_use_gives_the_job_back(
    client: FleetClient, shelf: Shelf, source: Source, tmp_path: Path
) -> None:
    fetcher = Fetcher(client=client, cache=ModelCache(tmp_path / "models", len(CONTENT)), tries=TRIES)
    other = needed(content=b"another", name="other.ckpt")
    with contextlib.ExitStack() as held:
        await fetcher.bring(shelf, LEASE, work_for(needed()), held)
        source.content = b"another"
        with pytest.raises(NoRoom):
            await bring(fetcher, shelf, work_for(other))

    await bring(fetcher, shelf, work_for(other))

    assert shelf.content("other.ckpt") == b"another"
