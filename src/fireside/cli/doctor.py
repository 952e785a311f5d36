"""`fireside doctor`: what would keep a server from working, on this machine and in the server that runs."""

import asyncio
import os
import shutil
import stat
import sysconfig
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from fireside.accounts.server_keys import SECRET_KEY_FILE, BadSecretKey, ServerKeys
from fireside.cli.connecting import Where, open_admin
from fireside.cli.doctor_certificates import look_at_certificates
from fireside.cli.doctor_safety import look_at_proxies, look_at_safety
from fireside.cli.errors import FAILED, CommandFailed
from fireside.cli.findings import Finding, Verdict
from fireside.cli.local import running_server
from fireside.cli.printing import give, plain
from fireside.cli.settings import config_in
from fireside.client.errors import ClientError
from fireside.config import Config
from fireside.domain.errors import FiresideError
from fireside.server.shown_settings import without_credentials
from fireside.wire.admin import DoctorBody

_LITTLE_SPACE_BYTES = 2 * 1024**3
_NO_SPACE_BYTES = 100 * 1024**2
_PROGRAM_SECONDS = 10.0


async def doctor(
    *,
    data_dir: Annotated[str | None, Parameter(help="Data folder of the server.")] = None,
    counters: Annotated[
        bool, Parameter(help="Also count all jobs and assets anew, and put wrong totals right.", negative=())
    ] = False,
) -> int:
    """Look for whatever keeps a server from working; exits with 1 when there is a problem."""
    config = config_in(data_dir)
    findings = [finding async for finding in examine(config)]
    if counters:
        findings += [finding async for finding in count_anew(config)]
    return print_findings(findings)


def print_findings(findings: Sequence[Finding]) -> int:
    """Print them, and give the exit code."""
    for finding in findings:
        give(f"{finding.verdict:<8} {finding.subject:<12} {plain(finding.text)}")
    return FAILED if any(finding.verdict is Verdict.ILL for finding in findings) else 0


async def examine(config: Config) -> AsyncIterator[Finding]:
    """Look at the data folder, the disk, the secret key, the bus's program, and what the server says of itself."""
    data_dir = Path(config.data_dir)
    if not data_dir.is_dir():
        yield Finding(Verdict.ODD, "data folder", f"{data_dir} is not there yet; `fireside up` creates it")
    else:
        yield _look_at_folder(data_dir)
        yield _look_at_space(data_dir)
        yield _look_at_key(data_dir, config)
    yield await _look_at_bus_program(config)
    async for finding in look_at_certificates(config):
        yield finding
    proxies = look_at_proxies(config)
    if proxies is not None:
        yield proxies
    if data_dir.is_dir():
        async for finding in _look_at_server(config, data_dir):
            yield finding


def _look_at_folder(data_dir: Path) -> Finding:
    if not os.access(data_dir, os.R_OK | os.W_OK | os.X_OK):
        return Finding(Verdict.ILL, "data folder", f"{data_dir} is not writable for this user")
    if stat.S_IMODE(data_dir.stat().st_mode) & stat.S_IWOTH:
        return Finding(Verdict.ILL, "data folder", f"anybody can write to {data_dir}: chmod o-w it")
    return Finding(Verdict.WELL, "data folder", str(data_dir.resolve()))


def _look_at_space(data_dir: Path) -> Finding:
    free = shutil.disk_usage(data_dir).free
    text = f"{free / 1024**3:.1f} GiB free"
    if free < _NO_SPACE_BYTES:
        return Finding(Verdict.ILL, "disk", f"{text}: nothing new is accepted when it is full")
    return Finding(Verdict.ODD if free < _LITTLE_SPACE_BYTES else Verdict.WELL, "disk", text)


def _look_at_key(data_dir: Path, config: Config) -> Finding:
    path = data_dir / SECRET_KEY_FILE
    if not config.secret_key and not path.exists():
        return Finding(Verdict.ODD, "secret key", "none yet; the first start makes one")
    try:
        ServerKeys.load_or_create(data_dir, config)
    except BadSecretKey as error:
        return Finding(Verdict.ILL, "secret key", str(error))
    if not config.secret_key and stat.S_IMODE(path.stat().st_mode) & 0o077:
        return Finding(Verdict.ILL, "secret key", f"others can read {path}: chmod 600 it")
    return Finding(Verdict.WELL, "secret key", "set" if config.secret_key else str(path))


async def _look_at_bus_program(config: Config) -> Finding:
    if config.nats_url:
        return Finding(Verdict.WELL, "bus", f"the cluster at {without_credentials(config.nats_url, is_address=True)}")
    try:
        program = _bus_program(config)
        child = await asyncio.create_subprocess_exec(
            program, "--version", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        async with asyncio.timeout(_PROGRAM_SECONDS):
            printed, _ = await child.communicate()
    except (OSError, TimeoutError, FiresideError) as error:
        return Finding(Verdict.ILL, "bus", f"the nats-server program does not run: {error}")
    return Finding(
        Verdict.WELL if child.returncode == 0 else Verdict.ILL, "bus", printed.decode(errors="replace").strip()
    )


def _bus_program(config: Config) -> str:
    installed = Path(sysconfig.get_path("scripts")) / "nats-server"
    return config.nats_server or (str(installed) if installed.exists() else "nats-server")


async def _look_at_server(config: Config, data_dir: Path) -> AsyncIterator[Finding]:
    server = running_server(data_dir)
    yield (
        Finding(Verdict.ODD, "server", "not running; `fireside up` starts one")
        if server is None
        else Finding(Verdict.WELL, "server", f"{server.version} at {server.url}, process {server.pid}")
    )
    try:
        async with open_admin(Where(data_dir=config.data_dir)) as client:
            report = await client.admin.doctor()
    except (ClientError, CommandFailed, FiresideError) as error:
        yield Finding(Verdict.ILL, "store", str(error))
        return
    yield Finding(Verdict.ILL if report.store else Verdict.WELL, "store", report.store or "answers")
    yield Finding(Verdict.ILL if report.blobs else Verdict.WELL, "files", report.blobs or _where_files_are(config))
    if server is not None:
        if report.bus is not None:
            yield Finding(Verdict.ILL if report.bus else Verdict.WELL, "connection", report.bus or "the bus answers")
        yield _look_at_leader(report)
        if report.traces is not None:
            # Jobs do without, so it is no problem of the server's.
            yield Finding(Verdict.ODD if report.traces else Verdict.WELL, "traces", report.traces or "are taken")
        for finding in _workers(report):
            yield finding
    for finding in look_at_safety(report):
        yield finding


def _where_files_are(config: Config) -> str:
    return f"{config.blobs_url} answers" if config.blobs_url else "in the data folder"


def _look_at_leader(report: DoctorBody) -> Finding:
    if report.leads:
        return Finding(Verdict.WELL, "leader", "this server hands out jobs")
    return Finding(Verdict.WELL, "leader", f"this server stands by; {report.leader or 'no other'} hands out jobs")


async def count_anew(config: Config) -> AsyncIterator[Finding]:
    """Count all jobs and assets anew, by user, and put wrong totals right."""
    try:
        async with open_admin(Where(data_dir=config.data_dir)) as client:
            wrong = (await client.admin.recount()).wrong
    except (ClientError, CommandFailed, FiresideError) as error:
        yield Finding(Verdict.ILL, "counters", str(error))
        return
    for user, count in wrong.items():
        text = f"{count} of {user}'s were wrong and are put right" if count else f"{user}'s are right"
        yield Finding(Verdict.ODD if count else Verdict.WELL, "counters", text)


def _workers(report: DoctorBody) -> list[Finding]:
    if not report.workers:
        return [Finding(Verdict.ODD, "workers", "none is there; jobs wait")]
    return [
        Finding(
            Verdict.WELL if worker.ready or worker.draining else Verdict.ODD,
            "worker",
            f"{worker.id} ({worker.runtime}) {_state(worker.ready, worker.draining)}, {worker.jobs} jobs",
        )
        for worker in report.workers
    ]


def _state(ready: bool, draining: bool) -> str:
    return "draining" if draining else "ready" if ready else "not ready"
