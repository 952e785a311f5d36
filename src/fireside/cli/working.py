"""`fireside worker`: a worker on this machine, for a server anywhere."""

import asyncio
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import msgspec
from cyclopts import Parameter

from fireside.cli.errors import USAGE, CommandFailed
from fireside.cli.logs import set_up_logs
from fireside.cli.printing import give, say
from fireside.cli.settings import WORKER_SETTINGS, takes_some_settings
from fireside.config import Config, ConfigError, load_config
from fireside.fleet.plan import PlannedWorker, plan_workers
from fireside.wire.tickets import WorkerTicket
from fireside.worker.home import CannotWork, Identity
from fireside.worker.main import Joining, run_joined_worker, run_worker

_DATA_DIR = "fireside-worker"
_TOKEN_VARIABLE = "FIRESIDE_WORKER_TOKEN"  # noqa: S105 - the name of the variable
_LOOPBACK = re.compile(r"localhost|127(\.\d+){3}|::1")


@takes_some_settings(*WORKER_SETTINGS)
def worker(
    flags: Mapping[str, Any],
    *,
    server: Annotated[str | None, Parameter(help="URL of the server to join, the first time.")] = None,
    token: Annotated[
        str | None,
        Parameter(
            help="Token to join with, the first time; `fireside worker-token create` makes one. Other users of this"
            " machine can see it here, and not in FIRESIDE_WORKER_TOKEN."
        ),
    ] = None,
    name: Annotated[str | None, Parameter(help="What to be called; else after this machine, if that is free.")] = None,
    data_dir: Annotated[
        str | None,
        Parameter(help="Folder of this worker, which remembers who it is; one for each worker [fireside-worker]."),
    ] = None,
    ca: Annotated[
        Path | None, Parameter(help="File of certificates to trust as well, for a server with one of your own.")
    ] = None,
    exit_when_idle: Annotated[
        float | None,
        Parameter(
            help="Leave after so many seconds without a job, for machines that a platform starts when there is work."
        ),
    ] = None,
    transient: Annotated[
        bool,
        Parameter(
            help="Leave the fleet for good at the end, for machines that do not come back; the next start joins anew.",
            negative=(),
        ),
    ] = False,
    ticket: Annotated[Path | None, Parameter(help="File that a server gave a worker of its own.", show=False)] = None,
) -> int:
    """Run a worker on this machine for a server anywhere; it only dials out.

    Without a ComfyUI it has the builtin runtime. Told to stop (SIGTERM, Ctrl-C) it finishes its job first; told a
    second time it gives the job back.
    """
    if ticket is not None:
        given = msgspec.json.decode(ticket.read_bytes(), type=WorkerTicket)
        set_up_logs(Config(log_format=given.log_format, log_level=given.log_level))
        run_worker(given)
        return 0
    if exit_when_idle is not None and not exit_when_idle > 0:
        raise CommandFailed("--exit-when-idle takes seconds, more than 0", USAGE)
    folder = data_dir or os.environ.get("FIRESIDE_DATA_DIR") or _DATA_DIR
    config = load_config({**flags, "data_dir": folder, "workers": 1})
    planned = asyncio.run(plan_workers(config))
    set_up_logs(config)
    joining = Joining(
        data_dir=Path(folder),
        runtime=_only(planned).runtime,
        server_url=_checked_url(server),
        join_token=token or os.environ.get(_TOKEN_VARIABLE, ""),
        name=name or "",
        ca_file=str(ca) if ca is not None else "",
        labels=dict(_only(planned).labels),
        interrupt_seconds=config.interrupt_seconds,
        stage_cache_bytes=config.stage_cache_bytes,
        idle_seconds=exit_when_idle,
        is_transient=transient,
        model_cache_dir=config.model_cache_dir,
        model_cache_bytes=config.model_cache_bytes,
    )
    try:
        run_joined_worker(joining, _tell)
    except CannotWork as error:
        raise CommandFailed(str(error)) from error
    say("the worker has stopped")
    return 0


def _only(planned: list[PlannedWorker]) -> PlannedWorker:
    if len(planned) != 1:
        raise ConfigError(
            f"these settings are for {len(planned)} workers, and this command runs one: name one ComfyUI or one GPU,"
            " and start the others with data folders of their own"
        )
    return planned[0]


def _checked_url(server: str | None) -> str:
    if not server:
        return ""
    address = urlsplit(server)
    if address.scheme not in ("http", "https") or not address.hostname or address.query or address.fragment:
        raise CommandFailed(f"{server!r} is not the URL of a server; it looks like https://fireside.example.org", USAGE)
    if address.scheme == "http" and not _LOOPBACK.fullmatch(address.hostname):
        say(f"The way to {server} is not encrypted; use https, or a network of your own.")
    return server.rstrip("/")


def _tell(identity: Identity) -> None:
    give(f"Worker {identity.worker_id} is with {identity.server_url}")
