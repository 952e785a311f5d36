"""Fetches the files of tasks in the background, some of each user at once.

A task is a row: whoever takes it keeps it by writing how far it is, and what stopped with its server is begun anew by
another, or by this one after a restart. It ends once, whoever took it before.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
import structlog

from fireside.assets.importing import Source, import_asset
from fireside.assets.library import Library
from fireside.assets.records import Wish
from fireside.domain.assets import Recorded
from fireside.domain.errors import FiresideError, Unavailable
from fireside.domain.ids import AssetId
from fireside.domain.tasks import Task
from fireside.events.announcer import Announcer
from fireside.outbound.client import Outbound, Patience
from fireside.outbound.errors import FetchFailed
from fireside.store.store import Changed, Store
from fireside.wire.live import TaskProgress, TaskWord
from fireside.wire.tasks import DownloadPayload, DownloadResult

MAX_ATTEMPTS = 5
_FIRST_PAUSE = timedelta(seconds=10)
_MARGIN = timedelta(seconds=60)
_TELL_EVERY = timedelta(seconds=1)
_log = structlog.get_logger(__name__)


class Importer:
    """Takes tasks whose time has come, and fetches their files."""

    def __init__(
        self,
        library: Library,
        imports: Outbound,
        announcer: Announcer,
        *,
        patience: Patience,
        limit_bytes: int,
        most_of_a_user: int,
        most: int = 16,
    ) -> None:
        self._library = library
        self._imports = imports
        self._announcer = announcer
        self._patience = patience
        self._limit_bytes = limit_bytes
        self._most_of_a_user = most_of_a_user
        self._most = most
        self._lease = patience.connect + patience.read + _MARGIN
        self._running: dict[asyncio.Task[None], Task] = {}

    async def tick(self, now: datetime) -> None:
        """Begin with every task that may be taken now; does not wait until they have ended."""
        room = self._most - len(self._running)
        if room <= 0:
            return
        taken = await self._store.take_tasks(now, now + self._lease, most_of_a_user=self._most_of_a_user, limit=room)
        for task in taken:
            running = asyncio.create_task(self._run(task), name=f"task {task.id}")
            self._running[running] = task
            running.add_done_callback(lambda done: self._running.pop(done, None) and None)

    async def stop(self) -> None:
        """Break off what is under way, for the next server to begin anew at once."""
        broken_off = dict(self._running)
        for running in broken_off:
            running.cancel()
        await asyncio.gather(*broken_off, return_exceptions=True)
        now = self._library.clock()
        for task in broken_off.values():
            try:
                await self._store.give_task_back(task, now, now)
            except FiresideError as error:
                _log.info("task not given back", task_id=str(task.id), code=error.code, reason=error.message)

    async def settle(self) -> None:
        """Wait until everything that is under way has come to something."""
        while self._running:
            await asyncio.gather(*self._running)

    @property
    def _store(self) -> Store:
        return self._library.store

    async def _run(self, task: Task) -> None:
        fetch = _Fetch(task, self._lease, self._library.clock, self._store, self._announcer)
        try:
            recorded = await self._fetch(task, fetch)
            await fetch.complete(recorded)
        except Changed:
            _log.info("task canceled or taken by another", task_id=str(task.id))
        except FiresideError as error:
            await self._fail(fetch, error)
        except Exception:  # noqa: BLE001  what broke once is tried again, and told when it breaks for good
            _log.exception("task broke", task_id=str(task.id))
            await self._fail(fetch, FetchFailed("The server could not fetch the file; its log says why."))

    async def _fetch(self, task: Task, fetch: "_Fetch") -> Recorded:
        wanted = fetch.wanted
        wish = Wish(
            user_id=task.user_id,
            name=wanted.name,
            tags=wanted.tags,
            user_metadata=msgspec.json.encode(wanted.user_metadata),
            preview_id=AssetId(wanted.preview_id) if wanted.preview_id else None,
        )
        source = Source(url=wanted.source_url, limit_bytes=self._limit_bytes, patience=self._patience)
        return await import_asset(self._library, self._imports, source, wish, fetch.progress)

    async def _fail(self, fetch: "_Fetch", error: FiresideError) -> None:
        may_pass = isinstance(error, FetchFailed | Unavailable)
        try:
            if may_pass and fetch.task.attempt < MAX_ATTEMPTS:
                await fetch.wait(_FIRST_PAUSE * 2 ** (fetch.task.attempt - 1), error.message)
            else:
                await fetch.fail(error.message)
        except FiresideError as left:
            _log.info("task left as it is", task_id=str(fetch.task.id), code=left.code, reason=left.message)


class _Fetch:
    """One attempt at a task: writes and tells how far it is, and how it ended."""

    def __init__(
        self, task: Task, lease: timedelta, clock: Callable[[], datetime], store: Store, announcer: Announcer
    ) -> None:
        self.task = task
        self.wanted = msgspec.json.decode(task.payload, type=DownloadPayload)
        self._lease = lease
        self._clock = clock
        self._store = store
        self._announcer = announcer
        self._came = 0
        self._expected = task.bytes_total
        self._told_at: datetime | None = None

    async def progress(self, came: int, expected: int | None) -> None:
        """Write how far it is, now and then; raises `Changed` when the task is not ours any more."""
        self._came, self._expected = came, expected
        now = self._clock()
        if self._told_at is not None and now - self._told_at < _TELL_EVERY:
            return
        self._told_at = now
        await self._store.keep_task(self.task, now, now + self._lease, bytes_done=came, bytes_total=expected)
        await self._tell("running")

    async def complete(self, recorded: Recorded) -> None:
        """End the task with its asset."""
        asset = recorded.asset
        result = DownloadResult(
            success=True,
            bytes_downloaded=self._came,
            content_type=asset.content_type,
            hash=f"blake3:{asset.hash}",
            filename=asset.title,
            asset_id=str(asset.id),
        )
        now = self._clock()
        await self._store.keep_task(
            self.task, now, now + self._lease, bytes_done=self._came, bytes_total=self._expected
        )
        await self._store.end_task(self.task, now, result=msgspec.json.encode(result))
        await self._tell("completed", asset_id=asset.id, name=asset.title)

    async def fail(self, reason: str) -> None:
        """End the task without one."""
        result = DownloadResult(success=False, bytes_downloaded=self._came, error=reason)
        await self._store.end_task(self.task, self._clock(), result=msgspec.json.encode(result), error=reason)
        await self._tell("failed", error=reason)

    async def wait(self, pause: timedelta, reason: str) -> None:
        """Let the task wait for another attempt."""
        now = self._clock()
        await self._store.give_task_back(self.task, now, now + pause, error=reason)
        await self._tell("created")

    async def _tell(
        self, status: TaskWord, *, asset_id: UUID | None = None, name: str | None = None, error: str | None = None
    ) -> None:
        progress = TaskProgress(
            task_id=self.task.id,
            status=status,
            asset_name=name or self.wanted.shown_name,
            bytes_total=self._expected or 0,
            bytes_done=self._came,
            asset_id=asset_id,
            error=error,
        )
        await self._announcer.tell_task(self.task.user_id, progress)
