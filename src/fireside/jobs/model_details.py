"""What can be told of a model file: workers have it, this server does not, so one of them is asked over the bus.

The editor asks for many at once and again, and nobody's job must wait for it: answers are kept for a while, few are
asked for at a time, and no answer is nothing to tell.
"""

import asyncio
import time
import zlib
from collections import OrderedDict
from collections.abc import Callable

import msgspec
import structlog

from fireside.bus.client import Bus
from fireside.bus.errors import BusError, NobodyListens
from fireside.bus.subjects import work
from fireside.jobs.definitions import DefinitionBook
from fireside.wire.fleet import DescribeModel, ModelPart, ModelReply

_KEPT_SECONDS = 300.0
_KEPT_BYTES = 32 * 1024 * 1024
_COST_OF_AN_ENTRY = 1024
_ASK_SECONDS = 5.0
_AT_ONCE = 4
_MOST_ASKED = 3
_MOST_METADATA_BYTES = 8 * 1024 * 1024
_Key = tuple[str, str, ModelPart]
_log = structlog.get_logger(__name__)


class ModelDetails:
    """Asks workers, and remembers what they said."""

    def __init__(self, bus: Bus, definitions: DefinitionBook, *, timer: Callable[[], float] = time.monotonic) -> None:
        self._bus = bus
        self._definitions = definitions
        self._timer = timer
        self._turn = asyncio.Semaphore(_AT_ONCE)
        self._kept: OrderedDict[_Key, tuple[float, bytes | None]] = OrderedDict()
        self._kept_bytes = 0

    async def metadata(self, folder: str, name: str) -> bytes | None:
        """Give what the author of a model wrote into it, as a JSON object; None where there is nothing to tell."""
        packed = await self._told(folder, name, "metadata")
        if packed is None:
            return None
        try:
            content = zlib.decompressobj().decompress(packed, _MOST_METADATA_BYTES)
            msgspec.json.decode(content, type=dict[str, object])
        except (zlib.error, msgspec.MsgspecError) as error:
            _log.info("what a worker told of a model cannot be read", model=name, reason=str(error))
            return None
        return content

    async def preview(self, folder: str, name: str) -> bytes | None:
        """Give the picture of a model, a WebP of at most 512 pixels; None where there is none."""
        return await self._told(folder, name, "preview")

    async def _told(self, folder: str, name: str, part: ModelPart) -> bytes | None:
        key = (folder, name, part)
        async with self._turn:
            kept = self._kept.get(key)
            if kept is not None and self._timer() - kept[0] < _KEPT_SECONDS:
                return kept[1]
            is_told, content = await self._ask(*key)
            if is_told:
                self._keep(key, content)
            return content

    async def _ask(self, folder: str, name: str, part: ModelPart) -> tuple[bool, bytes | None]:
        """Ask those who have it until one answers; whether one did, and what it said."""
        workers = await self._definitions.workers_with_model(folder, name)
        payload = msgspec.json.encode(DescribeModel(folder=folder, name=name, part=part))
        for worker in workers[:_MOST_ASKED]:
            try:
                answer = await self._bus.request(work(worker.id), payload, timeout=_ASK_SECONDS)
                return True, msgspec.json.decode(answer, type=ModelReply).content
            except NobodyListens:
                continue
            except (BusError, msgspec.MsgspecError) as error:
                _log.info("model not described", worker_id=worker.id, model=name, reason=str(error))
        return False, None

    def _keep(self, key: _Key, content: bytes | None) -> None:
        self._forget(key)
        self._kept[key] = (self._timer(), content)
        self._kept_bytes += _cost(content)
        while self._kept_bytes > _KEPT_BYTES:
            self._forget(next(iter(self._kept)))

    def _forget(self, key: _Key) -> None:
        if key in self._kept:
            self._kept_bytes -= _cost(self._kept.pop(key)[1])


def _cost(content: bytes | None) -> int:
    return _COST_OF_AN_ENTRY + len(content or b"")
