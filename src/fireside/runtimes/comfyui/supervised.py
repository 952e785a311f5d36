"""A ComfyUI that we start from its folder, watch, start again when it dies, and end with everything it started.

Each start gets a port of its own and a new token for the bridge. One task at a time brings a ComfyUI up; whoever
needs it, callers of `start` and `restart` and the watch over the process, waits for that one.
"""

import asyncio
import contextlib
import secrets
import shutil
import time
from collections.abc import Mapping
from pathlib import Path

import structlog

from fireside.processes.families import Family
from fireside.runtimes.base import RuntimeStartError
from fireside.runtimes.comfyui.home import Folders
from fireside.runtimes.comfyui.launch import Launch, command, environment, find_comfyui, folders_in, prepare_folder
from fireside.runtimes.comfyui.log import Log
from fireside.runtimes.comfyui.patience import Patience
from fireside.runtimes.comfyui.ports import Port
from fireside.runtimes.comfyui.readiness import BridgeState, look

_START_SECONDS = 300.0
_STOP_SECONDS = 5.0
# One that lives and is silent for longer is busy, or hangs: that is for others to judge.
_ANSWER_SECONDS = 10.0
_POLL_SECONDS = 0.1
_READ_BYTES = 64 * 1024
_LOG_END_SECONDS = 2.0
_PORT_TRIES = 3
_PORT_TAKEN = "address already in use"
_TAIL_LINES = 40
_log = structlog.get_logger(__name__)


class SupervisedHome:
    """Where a ComfyUI of ours lives, working in `folder`, which nobody else may use at the same time.

    A start that is not ready after `start_seconds` has failed: node packs may take minutes. At the end ComfyUI has
    `stop_seconds` before it is killed. With `fetches_models` it finds models in a folder below as well.
    """

    def __init__(
        self,
        launch: Launch,
        folder: Path,
        *,
        start_seconds: float = _START_SECONDS,
        stop_seconds: float = _STOP_SECONDS,
        patience: Patience | None = None,
        fetches_models: bool = False,
    ) -> None:
        self._launch = launch
        self._folder = folder.absolute()
        self._start_seconds = start_seconds
        self._stop_seconds = stop_seconds
        self._patience = patience or Patience()
        self._fetches_models = fetches_models
        self._log_file = Log(self._folder / "comfyui.log")
        self._family: Family | None = None
        self._port: Port | None = None
        self._token = ""
        self._bridge = BridgeState.SILENT
        self._reading: asyncio.Task[None] | None = None
        self._watching: asyncio.Task[None] | None = None
        self._coming: asyncio.Task[None] | None = None
        self._was_started = False
        self._is_stopped = False

    @property
    def url(self) -> str:
        """Give its address; see the seam."""
        return f"http://127.0.0.1:{self._port.number if self._port else 0}"

    @property
    def folders(self) -> Folders | None:
        """Give its folders, all of them in the one it works in."""
        return folders_in(self._folder)

    @property
    def bridge_headers(self) -> Mapping[str, str] | None:
        """Give what a request to the bridge must carry, None when this ComfyUI could not load it."""
        return {"x-fireside-token": self._token} if self._bridge is BridgeState.THERE else None

    @property
    def fetched_models(self) -> Path | None:
        """Give the folder of models that are fetched, where this is asked for."""
        return self._folder / "models" if self._fetches_models else None

    @property
    def is_alive(self) -> bool:
        """Whether its process runs and has answered."""
        return self._bridge is not BridgeState.SILENT and self.pid is not None

    @property
    def pid(self) -> int | None:
        """The process id of ComfyUI itself while it runs."""
        return self._family.pid if self._family is not None else None

    async def start(self) -> None:
        """Return when it answers; see the seam."""
        if not self._was_started:
            self._is_stopped = False
            self._launch.check()
            await asyncio.to_thread(self._empty_folders)
            self._was_started = True
        if not self._is_coming and await self._answers():
            return
        await self._come("start")

    async def restart(self, reason: str) -> None:
        """Kill it and start it again; see the seam."""
        if not self._is_coming:
            _log.warning("comfyui is killed", reason=reason, url=self.url, log=self.log_tail(10))
        await self._come(reason)

    async def died(self) -> None:
        """Return when the present process is gone."""
        if self._family is not None and self._family.is_alive:
            await self._family.wait()

    def log_tail(self, lines: int = _TAIL_LINES) -> str:
        """Give the last lines that the present process, or the last one, has printed."""
        return self._log_file.tail(lines)

    async def stop(self) -> None:
        """End it and everything it started, and empty its folders; idempotent."""
        self._is_stopped = True
        for task in (self._watching, self._coming):
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        await self._end(self._stop_seconds)
        self._log_file.close()
        if self._was_started:
            self._was_started = False
            await asyncio.to_thread(self._empty_folders)

    @property
    def _is_coming(self) -> bool:
        return self._coming is not None and not self._coming.done()

    async def _answers(self) -> bool:
        """Whether it is there: whoever saw its connection close may know of its death before the system does."""
        deadline = time.monotonic() + _ANSWER_SECONDS
        while self.is_alive:
            state = await look(self.url, self._token, self._folder)
            if state is not BridgeState.SILENT or time.monotonic() > deadline:
                return True
            await asyncio.sleep(_POLL_SECONDS)
        return False

    async def _come(self, reason: str) -> None:
        """Join the start under way, or begin one."""
        if self._is_stopped:
            raise RuntimeStartError("ComfyUI was stopped.")
        if self._coming is None or self._coming.done():
            self._coming = asyncio.create_task(self._bring_up(reason), name="start of comfyui")
        try:
            await asyncio.shield(self._coming)
        except asyncio.CancelledError:
            # Ours, or that of the start by `stop`.
            if self._is_stopped and self._coming.cancelled():
                raise RuntimeStartError("ComfyUI was stopped while it started.") from None
            raise

    async def _bring_up(self, reason: str) -> None:
        """End what is there and start anew, with another port where somebody was quicker."""
        await self._end(0)
        pause = self._patience.pause()
        if pause:
            _log.warning("comfyui is started again later", reason=reason, seconds=pause)
            await asyncio.sleep(pause)
        began = time.monotonic()
        for tries_left in reversed(range(_PORT_TRIES)):
            try:
                await self._start_process()
                await self._until_ready(began + self._start_seconds)
            except RuntimeStartError as error:
                await self._end(0)
                if tries_left and _PORT_TAKEN in str(error).lower():
                    continue
                _log.warning("comfyui did not start", reason=reason, error=str(error))
                raise
            except BaseException:
                # Also a start that is broken off leaves nothing behind.
                await self._end(0)
                raise
            break
        _log.info("comfyui started", reason=reason, url=self.url, pid=self.pid, bridge=self._bridge.value)

    async def _start_process(self) -> None:
        self._log_file.forget()
        self._token = secrets.token_hex(32)
        try:
            self._port = Port()
            await asyncio.to_thread(prepare_folder, self._folder)
            self._family = Family(
                command(self._launch, self._folder, self._port.number),
                env=environment(self._launch, self._token, self.fetched_models),
                # Some node packs look for their files from there.
                cwd=find_comfyui(self._launch.comfyui_dir),
            )
            await self._family.start()
        except OSError as error:
            raise RuntimeStartError(f"ComfyUI could not be started: {error}") from error
        self._reading = asyncio.create_task(self._read(self._family), name="log of comfyui")

    async def _until_ready(self, deadline: float) -> None:
        family = self._family
        assert family is not None
        ended = asyncio.create_task(family.wait(), name="end of comfyui")
        try:
            while not ended.done():
                self._bridge = await look(self.url, self._token, self._folder)
                if self._bridge is not BridgeState.SILENT:
                    self._watching = asyncio.create_task(self._watch(family), name="watch over comfyui")
                    return
                if time.monotonic() > deadline:
                    raise RuntimeStartError(
                        f"ComfyUI did not answer within {self._start_seconds:g} s.\n{self.log_tail()}"
                    )
                await asyncio.wait([ended], timeout=_POLL_SECONDS)
            await self._log_is_read()
            raise RuntimeStartError(f"ComfyUI ended with {_how(ended.result())} as it started.\n{self.log_tail()}")
        finally:
            ended.cancel()

    async def _watch(self, family: Family) -> None:
        """Start it again when it dies by itself."""
        code = await family.wait()
        if self._is_coming or self._family is not family:
            return
        await self._log_is_read()
        _log.warning("comfyui died", how=_how(code), url=self.url, log=self.log_tail())
        # `_bring_up` has told the log.
        with contextlib.suppress(RuntimeStartError):
            await self._come(f"it died with {_how(code)}")

    async def _end(self, grace_seconds: float) -> None:
        """End the process, if there is one, and read its log to the end."""
        self._bridge = BridgeState.SILENT
        if self._family is not None:
            if grace_seconds:
                await self._family.stop(grace_seconds)
            self._family.kill()
            await self._family.wait()
            await self._log_is_read()
        if self._port is not None:
            self._port.free()

    async def _read(self, family: Family) -> None:
        while text := await family.read(_READ_BYTES):
            self._log_file.write(text)

    async def _log_is_read(self) -> None:
        if self._reading is not None:
            await asyncio.wait([self._reading], timeout=_LOG_END_SECONDS)
            self._reading.cancel()

    def _empty_folders(self) -> None:
        folders = folders_in(self._folder)
        if (self._folder / "main.py").exists():
            raise RuntimeStartError(f"{self._folder} holds a program; give a folder that is the worker's alone.")
        for folder in (folders.input, folders.output, folders.temp, folders.left, self._folder / "models"):
            shutil.rmtree(folder, ignore_errors=True)
        prepare_folder(self._folder)


def _how(code: int) -> str:
    return f"exit code {code}" if code >= 0 else f"signal {-code}"
