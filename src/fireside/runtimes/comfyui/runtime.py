"""The `comfyui` runtime: runs tasks one after another in the ComfyUI of a home, and heals it when it breaks."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any

import structlog

from fireside.graphs.definitions import NodeDefinitions
from fireside.runtimes.base import Failed, NodeRefusal, RunEvent, RuntimeInfo, RuntimeStartError, Task
from fireside.runtimes.comfyui.ahead import Ahead
from fireside.runtimes.comfyui.attempt import Attempt, Broken, End, Following
from fireside.runtimes.comfyui.checking import check, free
from fireside.runtimes.comfyui.connection import LOST, Connection
from fireside.runtimes.comfyui.deadlines import Deadlines
from fireside.runtimes.comfyui.file_inputs import file_inputs
from fireside.runtimes.comfyui.healing import disk_full, is_disk_full, is_out_of_memory, out_of_memory
from fireside.runtimes.comfyui.home import Home, HomeLost
from fireside.runtimes.comfyui.http import NoAnswer
from fireside.runtimes.comfyui.info import read_info
from fireside.runtimes.comfyui.messages import PromptAnswer
from fireside.runtimes.comfyui.model_details import find_models, names_in, read_metadata, read_preview
from fireside.runtimes.comfyui.outputs import Collector
from fireside.runtimes.comfyui.staging import FileHashes, LocalPlace, Place, RemotePlace, Staged, UnbridgedPlace
from fireside.runtimes.comfyui.translating import Translator
from fireside.runtimes.comfyui.warm import WarmModels
from fireside.runtimes.mailbox import END, Mailbox

_FREE_SECONDS = 1.0
_TRIES = 2
SALTS = "fireside_salts"
"""The key of `extra_data` under which our node pack finds what makes results of nodes a run's own."""

_log = structlog.get_logger(__name__)


class ComfyRuntime:
    """Runs graphs in a real ComfyUI."""

    def __init__(self, home: Home, *, deadlines: Deadlines | None = None) -> None:
        self._home = home
        self._deadlines = deadlines or Deadlines()
        self._definitions = NodeDefinitions({})
        self._connection: Connection | None = None
        self._hashes = FileHashes()
        self._warm = WarmModels()
        self._showing: set[str] = set()
        self._runs: dict[str, Following] = {}
        self._turn = asyncio.Lock()
        self._leader: Attempt | None = None
        self._ahead: Ahead | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopped = False

    async def start(self) -> RuntimeInfo:
        """Start ComfyUI and read what it is; see the contract."""
        self._stopped = False
        await self._home.start()
        info = await read_info(self._home)
        self._warm.know(file.name for files in info.models.values() for file in files)
        self._definitions = await asyncio.to_thread(NodeDefinitions.parse, info.definitions)
        return info

    async def make_ready(self, task: Task) -> None:
        """Hand the graph over to follow the one that runs, where our node pack sees to that; see the contract.

        One that brings files is not: they lie in one folder with those of the task that runs.
        """
        connection, leader, home = self._connection, self._leader, self._home
        if connection is None or leader is None or home.folders is None or home.bridge_headers is None:
            return
        if self._ahead is not None or task.inputs or self._refuse_other_files(task) is not None:
            return
        ahead = self._ahead = Ahead(task.task_id, leader.prompt_id, connection)
        connection.listen(ahead.prompt_id, ahead.hear)
        extra_data = self._extra_data(task, Staged(graph=task.graph), ahead.prompt_id)
        extra_data[SALTS]["after"] = ahead.leader
        try:
            answer = await connection.submit(ahead.prompt_id, task.graph, task.outputs, extra_data)
        except LOST as error:
            _log.info("graph not handed over ahead", reason=repr(error))
        else:
            # What is refused here is refused again when it runs, and told.
            ahead.answer = answer if isinstance(answer, PromptAnswer) else None
        finally:
            ahead.answered.set()

    async def run(self, task: Task) -> AsyncIterator[RunEvent]:
        """Execute the task; see the contract."""
        mailbox = Mailbox(task)
        following = self._runs[task.task_id] = self._following(task, mailbox)
        self._background(self._drive(following), f"run {task.task_id}")
        try:
            while True:
                event = await mailbox.get()
                yield event
                if isinstance(event, END):
                    return
        finally:
            if not mailbox.ended.is_set():
                await self.interrupt(task.task_id)

    async def check(self, graph: Mapping[str, Any], node_ids: Sequence[str]) -> Mapping[str, tuple[NodeRefusal, ...]]:
        """Ask the nodes' own validators; see the contract."""
        return await check(self._home, graph, node_ids)

    async def model_metadata(self, folder: str, name: str) -> bytes | None:
        """Read the header of a safetensors file; see the contract."""
        return await read_metadata(self._home, folder, name)

    async def model_preview(self, folder: str, name: str) -> bytes | None:
        """Read the picture beside a model file; see the contract."""
        return await read_preview(self._home, folder, name)

    async def model_paths(self, names: Sequence[str]) -> Mapping[str, Path] | None:
        """Ask the bridge; one that is attached cannot say what it runs. See the contract."""
        return await find_models(self._home, names)

    async def devices(self) -> Sequence[Mapping[str, Any]]:
        """Ask over the open connection, if there is one; see the contract."""
        if self._connection is None or self._connection.closed.is_set():
            return ()
        return await self._connection.devices()

    @property
    def fetched_models(self) -> Path | None:
        """Give the folder of its home; see the contract."""
        return self._home.fetched_models if self._home.bridge_headers is not None else None

    def warm_models(self) -> Sequence[str]:
        """Name those of the last graph, while the process is the same; see the contract."""
        return self._warm.at(self._connection)

    async def interrupt(self, task_id: str) -> None:
        """Stop that task at the next node or step; see the contract."""
        following = self._runs.get(task_id)
        if following is not None:
            following.mailbox.interrupted = True
            following.stopping.set()
        else:
            await self._give_back(task_id)

    async def stop(self) -> None:
        """End the runtime and every run; idempotent."""
        self._stopped = True
        for task_id in list(self._runs):
            await self.interrupt(task_id)
        await self._home.stop()
        await asyncio.gather(*self._tasks)
        await self._disconnect()

    async def _give_back(self, task_id: str) -> None:
        """Have a graph forgotten that was handed over ahead; what cannot be, is by the next run."""
        ahead, connection = self._ahead, self._connection
        if ahead is None or connection is None or ahead.task_id != task_id:
            return
        if await ahead.drop(connection) and self._ahead is ahead:
            self._ahead = None

    async def _drive(self, following: Following) -> None:
        """Do the run when it is its turn; whatever happens, it ends."""
        task_id = following.task.task_id
        try:
            async with self._turn:
                await self._heal_and_run(following)
        except Exception as error:  # noqa: BLE001 - a fault of ours must not leave the run without its end
            _log.exception("run broke the runtime", task_id=task_id)
            following.mailbox.break_off(f"The runtime failed: {error!r}.")
        finally:
            if self._runs.get(task_id) is following:
                del self._runs[task_id]

    def _following(self, task: Task, mailbox: Mailbox) -> Following:
        return Following(
            task=task,
            mailbox=mailbox,
            translator=Translator(task.graph, task.secrets.values()),
            collector=Collector(task.folder),
            showing=self._showing,
        )

    async def _heal_and_run(self, following: Following) -> None:
        """Run it, and once more in a healed ComfyUI if it had not begun."""
        mailbox = following.mailbox
        for number in range(1, _TRIES + 1):
            try:
                await self._run_here(following)
            except Broken as broken:
                mailbox.interrupted = mailbox.interrupted and not broken.still_runs
                has_begun = broken.has_begun or mailbox.begun
                if has_begun or mailbox.interrupted or self._stopped or number == _TRIES:
                    mailbox.break_off(broken.reason, broken.details)
                if broken.needs_restart:
                    await self._restart(broken.reason)
            if mailbox.ended.is_set():
                return

    async def _run_here(self, following: Following) -> None:
        mailbox = following.mailbox
        refusal = self._refuse_other_files(following.task)
        if refusal is not None:
            mailbox.end(refusal)
            return
        if mailbox.interrupted or self._stopped:
            mailbox.break_off("The runtime was stopped.")
            return
        connection = await self._connected()
        place = self._place_of(connection)
        try:
            ahead = await self._take_ahead(following.task, connection, place)
            await self._stage_and_run(following, connection, place, ahead)
        finally:
            self._leader = None
            await self._settle_ahead(place)
            await place.clean()

    async def _take_ahead(self, task: Task, connection: Connection, place: Place) -> Ahead | None:
        """Give what was handed over ahead for this task; what was for another one, which never came, ends."""
        ahead, self._ahead = self._ahead, None
        if ahead is None:
            return None
        await ahead.answered.wait()
        if ahead.task_id == task.task_id and ahead.connection is connection and ahead.answer is not None:
            return ahead
        await self._see_off(ahead, connection)
        await place.clean()
        return None

    async def _see_off(self, ahead: Ahead, connection: Connection) -> None:
        """Make sure that a graph does not run, nor will."""
        if not await ahead.drop(connection) and not await ahead.is_gone(connection, self._deadlines.interrupt_seconds):
            raise Broken("A graph that was given back does not stop.", has_begun=False, needs_restart=True)

    async def _settle_ahead(self, place: Place) -> None:
        """Learn whether the next graph has begun, before anything of this one is removed."""
        ahead = self._ahead
        if ahead is not None:
            await ahead.answered.wait()
            ahead.has_begun = place.was_put_aside

    async def _stage_and_run(
        self, following: Following, connection: Connection, place: Place, ahead: Ahead | None
    ) -> None:
        mailbox = following.mailbox
        following.place = following.collector.source = place
        try:
            staged = await place.stage(following.task)
        except (ValueError, *LOST) as error:
            mailbox.end(_not_staged(error))
            return
        except OSError as error:
            mailbox.break_off(f"The inputs could not be brought to ComfyUI: {error}.")
            return
        attempt, end = await self._attempt(following, connection, staged, ahead)
        if isinstance(end, Failed) and is_out_of_memory(end):
            attempt, end = await self._attempt_with_free_memory(following, connection, staged, attempt)
            if isinstance(end, Failed) and is_out_of_memory(end):
                self._warm.forget()
                end = out_of_memory(end)
        elif attempt.has_stale_results:
            attempt, end = await self._attempt_with_free_memory(following, connection, staged, attempt)
        if isinstance(end, Failed) and is_disk_full(end):
            await attempt.settle()
            await place.clean()
            end = disk_full(end)
        mailbox.end(end)
        await attempt.settle()

    async def _attempt(
        self, following: Following, connection: Connection, staged: Staged, ahead: Ahead | None = None
    ) -> tuple[Attempt, End]:
        attempt = Attempt(following, connection, self._home, self._deadlines, self._restart_soon, ahead)
        self._leader = attempt
        following.place.belongs_to(attempt.prompt_id)
        self._warm.begin(following.task.graph, connection, names_in(self.fetched_models))
        try:
            end = await attempt.follow(staged.graph, self._extra_data(following.task, staged, attempt.prompt_id))
        except BaseException:
            self._warm.end(None)
            raise
        self._warm.end(end)
        return attempt, end

    async def _attempt_with_free_memory(
        self, following: Following, connection: Connection, staged: Staged, before: Attempt
    ) -> tuple[Attempt, End]:
        """Let ComfyUI drop its models and results and try once more."""
        await before.settle()
        if self._ahead is not None:
            ahead, self._ahead = self._ahead, None
            await ahead.answered.wait()
            await self._see_off(ahead, connection)
        following.translator.try_again()
        self._warm.forget()
        try:
            await free(self._home)
        except NoAnswer as error:
            raise Broken(f"ComfyUI does not free its memory: {error}.", needs_restart=True) from error
        if self._home.bridge_headers is None:
            # It frees between prompts and does not say when it has.
            await asyncio.sleep(_FREE_SECONDS)
        return await self._attempt(following, connection, staged)

    def _extra_data(self, task: Task, staged: Staged, prompt_id: str) -> dict[str, Any]:
        extra_data = {**task.extra_data, **task.secrets}
        # The executor speaks to whom it finds here.
        extra_data.pop("client_id", None)
        if self._home.bridge_headers is not None:
            # What shows files runs again: its files are gone, and hold the workflow of whoever ran it before.
            extra_data[SALTS] = {"nodes": staged.salts, "classes": sorted(self._showing), "run": prompt_id}
        return extra_data

    def _refuse_other_files(self, task: Task) -> Failed | None:
        """Refuse a graph that names a file to read which is not among its inputs: ComfyUI would read any path."""
        for found in file_inputs(task.graph, task.outputs, self._definitions):
            if found.value not in task.inputs:
                return Failed(
                    node_id=found.node_id,
                    node_type=found.class_type,
                    exception_type="FileNotFoundError",
                    exception_message=f"{found.name}: {found.value!r} is not among the run's inputs.",
                )
        return None

    async def _connected(self) -> Connection:
        """Give an open conversation with the present ComfyUI; raises `Broken`."""
        connection = self._connection
        if (
            connection is not None
            and self._home.is_alive
            and connection.url == self._home.url
            and not connection.closed.is_set()
        ):
            return connection
        await self._disconnect()
        try:
            await self._home.start()
        except (RuntimeStartError, HomeLost) as error:
            raise Broken(str(error)) from error
        connection = Connection(self._home.url, self._home.bridge_headers)
        try:
            await connection.open()
        except LOST as error:
            reason = f"There is no ComfyUI at {self._home.url}: {error!r}."
            raise Broken(reason, details=self._home.log_tail(), has_begun=False) from error
        self._connection = connection
        return connection

    async def _disconnect(self) -> None:
        if self._connection is not None:
            await self._connection.close()
            self._connection = None

    def _place_of(self, connection: Connection) -> Place:
        folders = self._home.folders
        remote = RemotePlace(connection, self._definitions, self._hashes)
        if folders is None:
            return remote
        if self._home.bridge_headers is None:
            return UnbridgedPlace(folders, self._hashes, remote)
        return LocalPlace(folders, self._hashes)

    def _restart_soon(self, reason: str) -> None:
        self._background(self._restart(reason), "restart of ComfyUI")

    async def _restart(self, reason: str) -> None:
        try:
            await self._home.restart(reason)
        except (RuntimeStartError, HomeLost) as error:
            # The next run finds out again, and tells.
            _log.warning("ComfyUI was not restarted", reason=str(error))

    def _background(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _not_staged(error: Exception) -> Failed:
    message = f"The inputs could not be brought to ComfyUI: {error}."
    return Failed(node_id="", node_type="", exception_type="ImageDownloadError", exception_message=message)
