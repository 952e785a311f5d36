"""How the server is, put together for an admin: what runs, by which settings, how well, on how much disk.

It reads and measures, and changes nothing but the rows and bytes by which it finds out whether they can be written.
"""

import asyncio
import platform
import shlex
import shutil
from collections import Counter
from collections.abc import Iterable, Sequence
from importlib.metadata import PackageNotFoundError, version
from itertools import chain
from pathlib import Path

import fireside
from fireside.config import Config
from fireside.domain.errors import FiresideError
from fireside.domain.usage import bytes_in_words
from fireside.server.editor.installed import EDITOR_PACKAGE
from fireside.server.fleet_list import read_fleet
from fireside.server.services import LoopView, Services
from fireside.server.shown_settings import shown_settings
from fireside.store.store import DatabaseFacts
from fireside.wire.admin import FleetWorkerBody
from fireside.wire.system import (
    BackupsBody,
    CheckBody,
    DiskBody,
    LoopBody,
    RuntimeBody,
    SystemBody,
    VersionsBody,
)

_LITTLE_SPACE_BYTES = 2 * 1024**3
_NO_SPACE_BYTES = 100 * 1024**2
_LOGS = ("*.log", "run/*/*.log", "run/workers/*/*.log", "run/workers/*/scratch/runtime/*.log")
_DATABASE_FILES = ("fireside.db", "fireside.db-wal", "fireside.db-shm")


async def report_on_system(services: Services) -> SystemBody:
    """Say how the server is; a part that is away is told, and keeps nothing from being told of the others."""
    facts, trouble = await _database(services)
    disk = await _disk(services, facts)
    return SystemBody(
        at=services.clock(),
        versions=_versions(services, facts, [] if trouble else await read_fleet(services)),
        settings=shown_settings(services.config, services.origins),
        health=[
            _check("Database", trouble, "answers, and takes writes"),
            await _blobs(services),
            _bus(services),
            await _leader(services, is_known=not trouble),
            _space(disk),
        ],
        loops=[_loop(one) for one in services.loops],
        disk=disk,
        backups=BackupsBody(automatic=False, command=_backup_command(services.config)),
    )


async def _database(services: Services) -> tuple[DatabaseFacts | None, str]:
    try:
        await services.store.check()
        return await services.store.database_facts(), ""
    except FiresideError as error:
        return None, error.message


def _versions(services: Services, facts: DatabaseFacts | None, workers: Sequence[FleetWorkerBody]) -> VersionsBody:
    return VersionsBody(
        fireside=fireside.__version__,
        python=platform.python_version(),
        database=None if facts is None else f"{facts.name} {facts.version}",
        schema=None if facts is None else facts.schema,
        nats=services.bus.server_version if services.bus.is_connected else None,
        editor=_editor(services),
        runtimes=_runtimes(workers),
    )


def _editor(services: Services) -> str | None:
    if services.editor.files is None:
        return None
    if services.config.editor_dir:
        return f"from {services.config.editor_dir}"
    try:
        return version(EDITOR_PACKAGE)
    except PackageNotFoundError:
        return "of an unknown version"


def _runtimes(workers: Iterable[FleetWorkerBody]) -> list[RuntimeBody]:
    known, there = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for worker in workers:
        kind = (worker.runtime, worker.version)
        known[kind] += 1
        there[kind] += worker.state != "away"
    return [
        RuntimeBody(runtime=kind[0] or "not known yet", version=kind[1], workers=known[kind], there=there[kind])
        for kind in sorted(known)
    ]


def _check(name: str, trouble: str, well: str) -> CheckBody:
    return CheckBody(name=name, state="problem" if trouble else "well", text=trouble or well)


async def _blobs(services: Services) -> CheckBody:
    try:
        await services.blobs.check()
    except FiresideError as error:
        return _check("Files", error.message, "")
    return _check("Files", "", "their place answers")


def _bus(services: Services) -> CheckBody:
    away = "" if services.bus.is_connected else "it is away; jobs wait, and nothing is lost"
    return _check("Bus", away, "connected")


async def _leader(services: Services, *, is_known: bool) -> CheckBody:
    if services.election.is_leading:
        return CheckBody(name="Leader", state="well", text="this server hands out jobs")
    leader = await services.store.leader() if is_known else None
    if leader is None:
        return CheckBody(name="Leader", state="warning", text="nobody is known to hand out jobs")
    return CheckBody(name="Leader", state="well", text=f"this server stands by; the last to lead was {leader.holder}")


def _space(disk: DiskBody) -> CheckBody:
    text = f"{bytes_in_words(disk.free_bytes)} free"
    if disk.free_bytes < _NO_SPACE_BYTES:
        return CheckBody(name="Disk", state="problem", text=f"{text}: nothing new is accepted when it is full")
    return CheckBody(name="Disk", state="warning" if disk.free_bytes < _LITTLE_SPACE_BYTES else "well", text=text)


def _loop(loop: LoopView) -> LoopBody:
    return LoopBody(
        name=loop.name,
        state="resting" if not loop.is_running else "failing" if loop.trouble else "running",
        every_seconds=loop.every_seconds,
        done_at=loop.done_at,
        trouble=loop.trouble,
    )


async def _disk(services: Services, facts: DatabaseFacts | None) -> DiskBody:
    folder, found = Path(services.config.data_dir).resolve(), services.blob_walks.found
    is_here = not services.config.database_url
    usage = await asyncio.to_thread(shutil.disk_usage, folder)
    files = [folder / name for name in _DATABASE_FILES]
    return DiskBody(
        folder=str(folder),
        total_bytes=usage.total,
        free_bytes=usage.free,
        blobs=None if found is None else found.count,
        blobs_bytes=None if found is None else found.size_bytes,
        blobs_counted_at=None if found is None else found.at,
        blobs_are_here=not services.config.blobs_url,
        database_bytes=await asyncio.to_thread(_sum, files) if is_here else None if facts is None else facts.size_bytes,
        database_is_here=is_here,
        logs_bytes=await asyncio.to_thread(lambda: _sum(path for one in _LOGS for path in folder.glob(one))),
    )


def _sum(files: Iterable[Path]) -> int:
    total = 0
    for path in files:
        try:
            total += path.lstat().st_size
        except OSError:
            continue  # gone since, or never there
    return total


def _backup_command(config: Config) -> str:
    options = {"--data-dir": str(Path(config.data_dir).resolve())}
    options |= {"--blobs-url": config.blobs_url, "--blobs-endpoint": config.blobs_endpoint}
    return shlex.join(
        ["fireside", "backup", "--to", "/backup", *chain.from_iterable(o for o in options.items() if o[1])]
    )
