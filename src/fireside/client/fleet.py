"""The worker's side of HTTP: join, fetch work, stage inputs, upload outputs.

Files stream through in pieces of one MiB. A refused lease is `StaleLease`; what the network did is `httpx.HTTPError`
and is the caller's to try again.
"""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import msgspec

from fireside.domain.errors import StaleLease
from fireside.domain.ids import BlobHash
from fireside.domain.jobs import Lease
from fireside.wire.fleet import BlobBody, InputFile, JoinBody, JoinReply, OutputBody, WorkBody

_CHUNK_BYTES = 1024 * 1024
_TIMEOUT = httpx.Timeout(30.0, connect=5.0)


class FleetClient:
    """Speaks for one worker, by its token."""

    def __init__(self, server_url: str, token: str) -> None:
        self._http = httpx.AsyncClient(
            base_url=server_url,
            headers={"Authorization": f"Bearer {token}"},
            timeout=_TIMEOUT,
            trust_env=False,
        )

    async def join(self, body: JoinBody) -> JoinReply:
        """Tell the server what this worker is."""
        answer = await self._http.put("/fleet/worker", content=msgspec.json.encode(body))
        return msgspec.json.decode(_checked(answer).content, type=JoinReply)

    async def put_definitions(self, definitions_hash: str, definitions: bytes) -> None:
        """Publish node definitions (object_info as JSON) under their hash."""
        _checked(await self._http.put(f"/fleet/definitions/{definitions_hash}", content=definitions))

    async def work(self, lease: Lease) -> WorkBody:
        """Fetch what the job is to run."""
        parameters = {"attempt": lease.attempt, "fence": lease.fence}
        answer = await self._http.get(f"/fleet/jobs/{lease.job_id}", params=parameters)
        return msgspec.json.decode(_checked(answer).content, type=WorkBody)

    async def download(self, file: InputFile, to: Path) -> None:
        """Stage an input file; what stands at `to` afterwards is whole."""
        part = to.with_name(to.name + ".part")
        async with self._http.stream("GET", file.url) as answer:
            if answer.is_error:
                await answer.aread()
                _checked(answer)
            with part.open("wb") as out:
                async for chunk in answer.aiter_bytes(_CHUNK_BYTES):
                    out.write(chunk)
        part.rename(to)

    async def upload(self, blob_hash: BlobHash, path: Path) -> BlobBody:
        """Upload a file's bytes under their hash."""
        answer = await self._http.put(f"/fleet/blobs/{blob_hash}", content=_chunks(path))
        return msgspec.json.decode(_checked(answer).content, type=BlobBody)

    async def add_output(self, lease: Lease, body: OutputBody) -> None:
        """Report what a node has shown; its files are uploaded already."""
        _checked(await self._http.post(f"/fleet/jobs/{lease.job_id}/outputs", content=msgspec.json.encode(body)))

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()


async def _chunks(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            yield chunk


def _checked(answer: httpx.Response) -> httpx.Response:
    if answer.status_code == httpx.codes.CONFLICT:
        body: dict[str, Any] = answer.json()
        if body.get("code") == StaleLease.code:
            raise StaleLease(str(body.get("message")))
    return answer.raise_for_status()
