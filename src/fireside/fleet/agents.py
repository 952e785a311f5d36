"""What every launcher needs to know: the server, the pool, and the command that runs one agent of it."""

import asyncio
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast
from uuid import uuid4

import structlog

from fireside.client.client import FiresideClient
from fireside.client.connection import Address
from fireside.client.errors import ClientError
from fireside.domain.errors import FiresideError
from fireside.fleet.following import Have
from fireside.wire.admin import PoolBody, PoolQuery

TOKEN_VARIABLE = "FIRESIDE_WORKER_TOKEN"  # noqa: S105 - the name of the variable
_REFUSED = (401, 403, 404)
_TRY_AGAIN_SECONDS = 1.0
_log = structlog.get_logger(__name__)


class CannotLaunch(FiresideError):
    """A launcher cannot begin; the message says why, and what to do."""

    code = "cannot_launch"


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentPlan:
    """How an agent of a pool is started. `flags` are settings of the worker, by their names."""

    server_url: str
    join_token: str = field(default="", repr=False)
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    flags: Mapping[str, Any] = field(default_factory=dict[str, Any])
    options: Sequence[str] = ()

    @property
    def secrets(self) -> dict[str, str]:
        """What an agent is given in its environment, where no list of processes shows it."""
        return {TOKEN_VARIABLE: self.join_token} if self.join_token else {}

    def command(self, number: int, data_dir: str, python: str = sys.executable) -> list[str]:
        """Give the command of the agent of this number; of several GPUs each agent has one."""
        flags = dict(self.flags)
        gpus = _as_list(flags.get("gpus", ()))
        if gpus:
            flags["gpus"] = [gpus[(number - 1) % len(gpus)]]
        labels = [*_as_list(flags.pop("label", ())), *(f"{key}={value}" for key, value in self.labels.items())]
        settings = [
            f"--{name.replace('_', '-')}={one}"
            for name, value in {**flags, "label": labels}.items()
            for one in _as_list(value)
        ]
        own = [f"--data-dir={data_dir}", f"--server={self.server_url}"]
        return [python, "-m", "fireside.cli.main", "worker", *own, *settings, *self.options]


class PoolSource:
    """Asks a server about one pool, as somebody with a key or the token of `metrics_token`."""

    def __init__(self, url: str, key: str, pool: str) -> None:
        """Ask as a launcher that no other has the name of."""
        self._client = FiresideClient(Address(url=url, bearer=key))
        self._pool = pool
        self._name = uuid4().hex
        self._is_quiet = False

    async def first(self, stopped: asyncio.Event) -> PoolBody | None:
        """Wait for the first answer; raises `CannotLaunch` for a refusal, and gives None when stopped before."""
        while not stopped.is_set():
            try:
                return await self._client.admin.pool(self._pool)
            except ClientError as error:
                if error.status in _REFUSED:
                    raise CannotLaunch(error.message) from error
                self._say(error)
            await asyncio.sleep(_TRY_AGAIN_SECONDS)
        return None

    async def now(self, have: Have) -> PoolBody | None:
        """Say how we stand and ask; None where there is no answer now."""
        said = PoolQuery(launcher=self._name, most=have.most, running=have.running, idle=have.idle)
        try:
            told = await self._client.admin.pool(self._pool, said)
        except ClientError as error:
            self._say(error)
            return None
        self._is_quiet = False
        return told

    async def close(self) -> None:
        """Let go of the server."""
        await self._client.__aexit__(None, None, None)

    def _say(self, error: ClientError) -> None:
        if not self._is_quiet:
            _log.warning("no figure, agents stay as they are", reason=error.message)
        self._is_quiet = True


def _as_list(value: Any) -> list[Any]:
    return list(cast("Sequence[Any]", value)) if isinstance(value, list | tuple) else [value]
