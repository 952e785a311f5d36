"""The worker's side of HTTP: join, fetch work, stage inputs, upload outputs.

Files stream through in pieces of one MiB. A refused lease is `StaleLease`; what the network did is `httpx.HTTPError`
and is the caller's to try again.
"""

import ssl
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import msgspec
from blake3 import blake3

from fireside.domain.errors import StaleLease
from fireside.domain.ids import BlobHash
from fireside.domain.jobs import Lease
from fireside.wire.fleet import InputFile, OutputBody, RegistryHashes, WorkBody
from fireside.wire.fleet_joining import BootBody, BootReply, EnrollBody, EnrollReply, JoinBody, JoinReply
from fireside.wire.fleet_uploads import PART_BYTES_HEADER, UploadBody, UploadedBody, UploadPartBody, UploadReply

_CHUNK_BYTES = 1024 * 1024
_TIMEOUT = httpx.Timeout(30.0, connect=5.0)
_LONG_TIMEOUT = httpx.Timeout(600.0, connect=5.0)
"""While the bucket copies what is large."""
_WHERE = "where the server keeps its files"
_ADVICE = "Let workers reach it, or set blobs_direct = false at the server to have all bytes pass the server"


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobLook:
    """Whether bytes are with the server; otherwise, in what parts they can be brought to its bucket, if it has one."""

    is_here: bool
    part_bytes: int | None


class BucketAway(httpx.TransportError):
    """Where the server sends us for bytes cannot be reached from here."""

    def __init__(self, host: str, error: httpx.TransportError) -> None:
        reason = str(error) or type(error).__name__
        super().__init__(f"{host}, {_WHERE}, was not to be reached from the worker: {reason}. {_ADVICE}")


class BucketRefused(httpx.HTTPStatusError):
    """Where the server sends us for bytes they are not given, or not taken."""

    def __init__(self, host: str, error: httpx.HTTPStatusError) -> None:
        message = f"{host}, {_WHERE}, answered {error.response.status_code}. {_ADVICE}"
        super().__init__(message, request=error.request, response=error.response)


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
        async with self._there(), self._http.stream("GET", file.url, follow_redirects=True) as answer:
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

    @asynccontextmanager
    async def model(self, url: str, start: int) -> AsyncGenerator[tuple[int, AsyncIterator[bytes]]]:
        """Ask for the bytes of a model from `start` on; gives where they begin, which is 0 if that cannot be done."""
        headers = {"Accept-Encoding": "identity", **({"Range": f"bytes={start}-"} if start else {})}
        async with (
            self._there(),
            self._http.stream("GET", url, headers=headers, follow_redirects=True) as answer,
        ):
            if answer.is_error:
                await answer.aread()
                _checked(answer)
            begins = start if answer.status_code == int(httpx.codes.PARTIAL_CONTENT) else 0
            yield begins, answer.aiter_raw()

    async def registry(self) -> RegistryHashes:
        """Ask which models there are."""
        answer = await self._http.get("/fleet/models")
        return msgspec.json.decode(_checked(answer).content, type=RegistryHashes)

    async def look(self, blob_hash: BlobHash) -> BlobLook:
        """Ask whether the server has the bytes of a hash; if so, they stay until the record."""
        answer = await self._http.head(f"/fleet/blobs/{blob_hash}")
        if answer.status_code != int(httpx.codes.NOT_FOUND):
            answer.raise_for_status()
        part_bytes = answer.headers.get(PART_BYTES_HEADER, "")
        return BlobLook(is_here=answer.is_success, part_bytes=int(part_bytes) if part_bytes.isdecimal() else None)

    async def upload(self, blob_hash: BlobHash, path: Path) -> None:
        """Upload a file's bytes under their hash, through the server."""
        size_bytes = path.stat().st_size
        headers = {"Content-Length": str(size_bytes)}
        chunks = _chunks(path, 0, size_bytes)
        _checked(await self._http.put(f"/fleet/blobs/{blob_hash}", content=chunks, headers=headers))

    async def begin_upload(self, body: UploadBody) -> UploadReply:
        """Ask where in the bucket a file's bytes go."""
        answer = await self._http.post("/fleet/uploads", content=msgspec.json.encode(body))
        return msgspec.json.decode(_checked(answer).content, type=UploadReply)

    async def send_part(self, part: UploadPartBody, path: Path) -> str:
        """Bring a part of a file's bytes to the bucket; gives the ETag that it answers."""
        request = httpx.Request(
            "PUT", part.url, headers=part.headers, content=_chunks(path, part.start, part.size_bytes)
        )
        # A request of its own, because those that the client makes show our token, which is none of the bucket's.
        request.extensions = {"timeout": _TIMEOUT.as_dict()}
        async with self._there():
            answer = await self._http.send(request)
            return answer.raise_for_status().headers["etag"]

    async def finish_upload(self, body: UploadedBody) -> None:
        """Say that all parts are in the bucket."""
        _checked(await self._http.put("/fleet/uploads", content=msgspec.json.encode(body), timeout=_LONG_TIMEOUT))

    async def add_output(self, lease: Lease, body: OutputBody) -> None:
        """Report what a node has shown; its files are uploaded already."""
        _checked(await self._http.post(f"/fleet/jobs/{lease.job_id}/outputs", content=msgspec.json.encode(body)))

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    @asynccontextmanager
    async def _there(self) -> AsyncGenerator[None]:
        """Say of what goes wrong at another host than the server that it was there, and nothing of what is signed."""
        try:
            yield
        except httpx.HTTPStatusError as error:
            if (host := self._other_host(error)) is not None:
                # Not chained: its message has the whole address, and a log may show that.
                raise BucketRefused(host, error) from None
            raise
        except httpx.TransportError as error:
            if (host := self._other_host(error)) is not None:
                raise BucketAway(host, error) from error
            raise

    def _other_host(self, error: httpx.HTTPError) -> str | None:
        with suppress(RuntimeError):
            netloc = error.request.url.netloc
            return None if netloc == self._http.base_url.netloc else netloc.decode()
        return None


async def _chunks(path: Path, start: int, size_bytes: int) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        file.seek(start)
        while size_bytes and (chunk := file.read(min(_CHUNK_BYTES, size_bytes))):
            size_bytes -= len(chunk)
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
