"""The worker's side of HTTP: join, fetch work, stage inputs, upload outputs.

Files stream through in pieces of one MiB. A refused lease is `StaleLease`; what the network did is `httpx.HTTPError`
and is the caller's to try again.
"""

import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
from blake3 import blake3

from fireside.domain.errors import StaleLease
from fireside.domain.ids import BlobHash
from fireside.domain.jobs import Lease
from fireside.wire.fleet import (
    BootBody,
    BootReply,
    EnrollBody,
    EnrollReply,
    InputFile,
    JoinBody,
    JoinReply,
    OutputBody,
    WorkBody,
)

_CHUNK_BYTES = 1024 * 1024
_TIMEOUT = httpx.Timeout(30.0, connect=5.0)


class FleetClient:
    """Speaks for one worker, by its token."""

    def __init__(
        self,
        server_url: str,
        token: str,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._http = httpx.AsyncClient(
            base_url=server_url,
            headers={"Authorization": f"Bearer {token}"},
            timeout=_TIMEOUT,
            trust_env=False,
            transport=transport,
            verify=True if tls is None else tls,
        )

    async def enroll(self, body: EnrollBody) -> EnrollReply:
        """Come in, with a token to join with instead of a worker's own."""
        answer = await self._http.post("/fleet/enroll", content=msgspec.json.encode(body))
        return msgspec.json.decode(_checked(answer).content, type=EnrollReply)

    async def boot(self, body: BootBody) -> BootReply:
        """Say that this process speaks for the worker, and ask how to get on the bus."""
        answer = await self._http.put("/fleet/boot", content=msgspec.json.encode(body))
        return msgspec.json.decode(_checked(answer).content, type=BootReply)

    async def leave(self) -> None:
        """Leave the fleet for good; the credential is worth nothing afterwards."""
        _checked(await self._http.post("/fleet/leave"))

    async def join(self, body: JoinBody) -> JoinReply:
        """Tell the server what this worker is."""
        answer = await self._http.put("/fleet/worker", content=msgspec.json.encode(body))
        return msgspec.json.decode(_checked(answer).content, type=JoinReply)

    async def publish(self, topic: str, body_hash: str, body: bytes) -> None:
        """Publish what the server wants to know of this worker (JSON) under its hash."""
        _checked(await self._http.put(f"/fleet/{topic}/{body_hash}", content=body))

    async def work(self, lease: Lease) -> WorkBody:
        """Fetch what the job is to run."""
        parameters = {"attempt": lease.attempt, "fence": lease.fence}
        answer = await self._http.get(f"/fleet/jobs/{lease.job_id}", params=parameters)
        return msgspec.json.decode(_checked(answer).content, type=WorkBody)

    async def download(self, file: InputFile, to: Path) -> None:
        """Stage an input file; what stands at `to` afterwards is whole, and is what was meant."""
        part, hasher = to.with_name(to.name + ".part"), blake3()
        # To another host, a bucket, httpx does not send our token on.
        async with self._http.stream("GET", file.url, follow_redirects=True) as answer:
            if answer.is_error:
                await answer.aread()
                _checked(answer)
            with part.open("wb") as out:
                async for chunk in answer.aiter_bytes(_CHUNK_BYTES):
                    hasher.update(chunk)
                    out.write(chunk)
        if hasher.hexdigest() != file.hash:
            raise httpx.RemoteProtocolError(f"the bytes that came are not those of {file.hash}")
        part.rename(to)

    async def upload(self, blob_hash: BlobHash, path: Path) -> None:
        """Upload a file's bytes under their hash, unless the server has them already."""
        url = f"/fleet/blobs/{blob_hash}"
        if (await self._http.head(url)).is_success:
            return
        headers = {"Content-Length": str(path.stat().st_size)}
        _checked(await self._http.put(url, content=_chunks(path), headers=headers))

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
    if answer.status_code == int(httpx.codes.CONFLICT):
        body = _body_of(answer)
        if body.get("code") == StaleLease.code:
            raise StaleLease(str(body.get("message")))
    return answer.raise_for_status()


def refusal_of(error: httpx.HTTPStatusError) -> tuple[str, str]:
    """Give the code and the message with which the server refused; the code is empty where it is not ours."""
    body = _body_of(error.response)
    return str(body.get("code", "")), str(
        body.get("message", "")
    ) or f"the server answered {error.response.status_code}"


def _body_of(answer: httpx.Response) -> dict[str, Any]:
    try:
        return msgspec.json.decode(answer.content, type=dict[str, Any])
    except msgspec.MsgspecError:
        return {}
