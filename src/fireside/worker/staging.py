"""Bringing a job's input files to its folder, under names of our own."""

from collections.abc import Mapping
from pathlib import Path

import httpx

from fireside.client.fleet import FleetClient
from fireside.domain.jobs import Lease
from fireside.wire.fleet import InputFile, WorkBody
from fireside.worker.patience import patiently
from fireside.worker.stage_cache import StageCache

# Nothing is lost by giving a job back that has not begun.
PATIENCE_SECONDS = 10.0
_LONGEST_SUFFIX = 16


async def fetch_work(client: FleetClient, lease: Lease) -> WorkBody:
    """Ask the server what the job is to run."""
    return await patiently(lambda: client.work(lease), patience_seconds=PATIENCE_SECONDS)


async def stage_inputs(
    client: FleetClient, cache: StageCache, lease: Lease, work: WorkBody, folder: Path
) -> Mapping[str, Path]:
    """Put every input of the job into the folder; gives each value that the graph writes its file."""
    if work.inputs:
        folder.mkdir(parents=True)
    staged: dict[str, Path] = {}
    for number, file in enumerate(work.inputs):
        path = folder / f"{number}{_suffix_of(file.value)}"
        await _Download(client, lease, file, path, number).into(cache)
        staged[file.value] = path
    return staged


class _Download:
    """One file on its way."""

    def __init__(self, client: FleetClient, lease: Lease, file: InputFile, path: Path, number: int) -> None:
        self._client = client
        self._lease = lease
        self._file = file
        self._path = path
        self._number = number

    async def into(self, cache: StageCache) -> None:
        await cache.bring(self._file.hash, self._file.size_bytes, self._path, self._get)

    async def _get(self) -> None:
        try:
            await self._get_from(self._file)
        except httpx.HTTPStatusError as error:
            if error.response.status_code != int(httpx.codes.UNAUTHORIZED):
                raise
            # The link has expired while the files before it were staged, or this machine slept: ask for new ones.
            await self._get_from((await fetch_work(self._client, self._lease)).inputs[self._number])

    async def _get_from(self, file: InputFile) -> None:
        await patiently(lambda: self._client.download(file, self._path), patience_seconds=PATIENCE_SECONDS)


def _suffix_of(value: str) -> str:
    """Give the plain suffix, for format guesses; no other part of a user's name becomes a name on this disk."""
    suffix = Path(value.partition(" [")[0]).suffix
    return suffix if suffix[1:].isascii() and suffix[1:].isalnum() and len(suffix) <= _LONGEST_SUFFIX else ""
