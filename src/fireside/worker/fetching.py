"""Bringing the models that a job names to this machine: from the server, or from the address that the registry names.

A download that breaks off goes on where it was. Bytes that are not those of the registry are thrown away. What cannot
be had at all is `ModelDownloadError` and the job's end; a server that is away, and a disk or a cache that is full, are
not the job's fault.
"""

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import httpx
import structlog
from blake3 import blake3

from fireside.client.fleet import FleetClient
from fireside.domain.errors import FiresideError, Refused
from fireside.domain.jobs import Lease
from fireside.domain.models import SAFETENSORS
from fireside.outbound.client import Outbound, Patience
from fireside.outbound.errors import FetchFailed
from fireside.outbound.hosts import AllowedHosts
from fireside.runtimes.base import Runtime
from fireside.wire.fleet import ModelHosts, NeededModel, WorkBody
from fireside.wire.safetensors import NotSafetensors, SafetensorsCheck
from fireside.worker.arriving import Arrival
from fireside.worker.model_cache import ModelCache, NoRoom, show
from fireside.worker.patience import ServerAway, is_temporary, reason_of
from fireside.worker.staging import fetch_work
from fireside.worker.threads import in_thread

_PIECE_BYTES = 4 * 1024 * 1024
_PATIENCE = Patience(total=timedelta(days=1))
_log = structlog.get_logger(__name__)
_Bytes = tuple[int, AsyncIterator[bytes]]
"""Where the bytes begin that come, and these."""
Watcher = Callable[[Arrival | None], None]
"""Hears of a model that is being fetched from then on, and of None when it is here or does not come."""


def watch_nothing(arrival: Arrival | None) -> None:
    """Hear of models and do nothing."""


class ModelDownloadError(FiresideError):
    """A model that a job needs cannot be had, or is not what the registry says."""

    code = "model_download_failed"

    def __init__(self, model: NeededModel, reason: str) -> None:
        super().__init__(f"{model.folder}/{model.name}: {reason}")
        self.node_id = model.node_id
        self.node_type = model.node_type


@dataclass(frozen=True, slots=True, kw_only=True)
class Tries:
    """How often a download that breaks off is tried again without a byte more, and the pauses between."""

    most: int = 6
    first_pause_seconds: float = 0.5
    longest_pause_seconds: float = 10.0
    room_pause_seconds: float = 1.0
    most_room_pauses: int = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetcher:
    """Fetches for one worker."""

    client: FleetClient
    cache: ModelCache
    tries: Tries = field(default_factory=Tries)

    async def bring(
        self,
        runtime: Runtime,
        lease: Lease,
        work: WorkBody,
        held: contextlib.ExitStack,
        watch: Watcher = watch_nothing,
    ) -> None:
        """Have the models of a job here for as long as `held` is open, those that the runtime has by itself aside.

        Raises `ModelDownloadError`, `ServerAway` and `OSError`.
        """
        links = runtime.fetched_models
        if not work.models or links is None or not self.cache.is_on:
            return
        needed = await _missing(runtime, work.models, links)
        self._check_size(needed)
        for model in needed:
            path = self.cache.take(model, held)
            if path is None:
                arrival = Arrival(model, self.cache.part_of(model))
                watch(arrival)
                try:
                    path = await self._fetch(arrival, lease, work.model_hosts, held)
                finally:
                    watch(None)
            await asyncio.to_thread(show, model, path, links)

    def _check_size(self, needed: Sequence[NeededModel]) -> None:
        total = sum({model.hash: model.size_bytes for model in needed}.values())
        if total > self.cache.limit_bytes:
            raise ModelDownloadError(
                needed[0],
                f"the models of this job have {total} bytes, and this worker keeps at most"
                f" {self.cache.limit_bytes} (model_cache_bytes).",
            )

    async def _fetch(self, arrival: Arrival, lease: Lease, hosts: ModelHosts, held: contextlib.ExitStack) -> Path:
        model = arrival.model
        async with self.cache.turn():
            # Another worker of this machine may have fetched it meanwhile.
            path = self.cache.take(model, held)
            if path is not None:
                return path
            await self._make_room(model)
            download = _Download(self.client, arrival, lease, hosts, self.tries)
            _log.info("model is fetched", model=f"{model.folder}/{model.name}", size_bytes=model.size_bytes)
            await download.run()
            await in_thread(lambda: self.cache.keep(model))
            path = self.cache.take(model, held)
        assert path is not None
        _log.info("model fetched", model=f"{model.folder}/{model.name}")
        return path

    async def _make_room(self, model: NeededModel) -> None:
        for pauses in range(self.tries.most_room_pauses + 1):
            try:
                await asyncio.to_thread(self.cache.make_room, model)
            except NoRoom:
                if pauses == self.tries.most_room_pauses:
                    raise
                await asyncio.sleep(self.tries.room_pause_seconds)
            else:
                return


async def _missing(runtime: Runtime, models: Sequence[NeededModel], links: Path) -> list[NeededModel]:
    """Give those that the runtime has no file of its own for."""
    try:
        found: Mapping[str, Path] = await runtime.model_paths([model.name for model in models]) or {}
    except TimeoutError:
        found = {}
    own = {name for name, path in found.items() if links not in path.parents}
    return [model for model in models if f"{model.folder}/{model.name}" not in own]


class _Download:
    """One model on its way."""

    def __init__(self, client: FleetClient, arrival: Arrival, lease: Lease, hosts: ModelHosts, tries: Tries) -> None:
        self._client = client
        self._arrival = arrival
        self._part = arrival.part
        self._model = arrival.model
        self._lease = lease
        self._hosts = hosts
        self._tries = tries
        self._hasher = blake3()
        self._came = 0

    async def run(self) -> None:
        """Have the part whole and checked; raises `ModelDownloadError`, `ServerAway`, `OSError`."""
        await in_thread(self._resume)
        self._arrival.begin(self._came, time.monotonic())
        failures, pause = 0, self._tries.first_pause_seconds
        while self._came < self._model.size_bytes:
            before = self._came
            reason = await self._try()
            if self._came > before:
                failures, pause = 0, self._tries.first_pause_seconds
            if reason is None:
                continue
            failures += 1
            if failures > self._tries.most:
                raise self._given_up(reason)
            _log.info("model download breaks off", model=self._model.name, came=self._came, reason=reason)
            await asyncio.sleep(pause)
            pause = min(pause * 2, self._tries.longest_pause_seconds)
        await in_thread(self._check)

    @property
    def _is_ours(self) -> bool:
        return self._model.url.startswith("/")

    def _given_up(self, reason: str) -> Exception:
        return ServerAway(f"a model did not come: {reason}") if self._is_ours else self._failed(reason)

    def _failed(self, reason: str) -> ModelDownloadError:
        return ModelDownloadError(self._model, f"it could not be fetched: {reason}")

    async def _try(self) -> str | None:
        """Take what comes; give why it ended too early, if it did. Raises what is final."""
        try:
            async with self._source() as (start, chunks):
                await self._take(start, chunks)
        except FetchFailed as error:
            return error.message
        except Refused as error:
            raise self._failed(error.message) from error
        except httpx.HTTPStatusError as error:
            return await self._refused(error)
        except httpx.HTTPError as error:
            return reason_of(error) if self._is_ours else repr(error)
        return None if self._came >= self._model.size_bytes else "the source ended early"

    async def _refused(self, error: httpx.HTTPStatusError) -> str:
        if error.response.status_code == int(httpx.codes.UNAUTHORIZED):
            # The link is over: ask for another one.
            work = await fetch_work(self._client, self._lease)
            self._model = next((one for one in work.models if one.hash == self._model.hash), self._model)
            return "the link was over"
        if not is_temporary(error):
            raise self._failed(f"{reason_of(error)}; it may have been removed") from error
        return reason_of(error)

    @contextlib.asynccontextmanager
    async def _source(self) -> AsyncGenerator[_Bytes]:
        if self._is_ours:
            async with self._client.model(self._model.url, self._came) as found:
                yield found
            return
        allowed = AllowedHosts.parse("model_hosts", self._hosts.hosts, self._hosts.private_hosts)
        async with Outbound(allowed).get(
            self._model.url, limit_bytes=self._model.size_bytes, patience=_PATIENCE, start=self._came
        ) as fetched:
            yield fetched.start, fetched.chunks()

    async def _take(self, start: int, chunks: AsyncIterator[bytes]) -> None:
        if start != self._came:
            await in_thread(self._begin_anew)
            self._arrival.begin(0, time.monotonic())
        block = bytearray()
        try:
            async for chunk in chunks:
                if self._came + len(block) + len(chunk) > self._model.size_bytes:
                    raise self._failed(f"there are more bytes than the {self._model.size_bytes} of the registry")
                block += chunk
                self._arrival.note(self._came + len(block), time.monotonic())
                if len(block) >= _PIECE_BYTES:
                    full, block = block, bytearray()
                    await in_thread(lambda full=full: self._append(full))
        finally:
            # Also what came before a break is worth keeping.
            if block:
                await in_thread(lambda: self._append(block))

    def _resume(self) -> None:
        """Take up what a broken download has left."""
        self._hasher, self._came = blake3(), 0
        with contextlib.suppress(FileNotFoundError), self._part.open("rb") as file:
            while piece := file.read(_PIECE_BYTES):
                self._hasher.update(piece)
                self._came += len(piece)
        if self._came > self._model.size_bytes:
            self._begin_anew()

    def _begin_anew(self) -> None:
        self._part.unlink(missing_ok=True)
        self._hasher, self._came = blake3(), 0

    def _append(self, block: bytearray) -> None:
        handle = os.open(self._part, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(block)
        self._hasher.update(block)
        self._came += len(block)

    def _check(self) -> None:
        found = self._hasher.hexdigest()
        if found != self._model.hash:
            self._begin_anew()
            raise ModelDownloadError(
                self._model,
                f"the bytes that came are not those of the registry: their BLAKE3 hash is {found}, and should be"
                f" {self._model.hash}.",
            )
        if self._model.name.lower().endswith(SAFETENSORS):
            try:
                self._check_header()
            except NotSafetensors as error:
                self._begin_anew()
                raise ModelDownloadError(self._model, error.message) from error

    def _check_header(self) -> None:
        check = SafetensorsCheck()
        with self._part.open("rb") as file:
            while not check.has_header and (piece := file.read(_PIECE_BYTES)):
                check.feed(piece)
        check.finish(self._came)
