"""What a bucket of S3's protocol does and obstore does not offer: uploads in parts that others send, and their end.

Each request is made by an address that we sign, over HTTP, once: whoever asked tries again.
"""

import asyncio
import functools
import html
import re
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from xml.sax.saxutils import escape

import httpx
import structlog

from fireside.blobs.base import UploadGone
from fireside.blobs.presigning import Presigner
from fireside.domain.errors import Unavailable

MOST_BYTES_OF_A_COPY = 1024**3
"""Of one request: S3 copies five times as much by itself, and takes long for it."""
_COPIES_AT_ONCE = 4
_SECONDS = 300
_TIMEOUT = httpx.Timeout(_SECONDS, connect=10.0)
_BAD, _GONE = 400, 404
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """An object, and the mark of its present bytes."""

    size_bytes: int
    etag: str


class Bucket:
    """Speaks to the bucket as this server reaches it."""

    def __init__(self, here: Presigner, clock: Callable[[], datetime]) -> None:
        self._here = here
        self._clock = clock

    @functools.cached_property
    def _tls(self) -> ssl.SSLContext:
        """Made once, because it takes longer than a request does."""
        return httpx.create_ssl_context()

    async def head(self, name: str) -> Found | None:
        """Look at an object."""
        answer = await self._ask("HEAD", name, fine=(_GONE,))
        if answer.status_code == _GONE:
            return None
        return Found(size_bytes=int(answer.headers["content-length"]), etag=answer.headers["etag"])

    async def remove(self, name: str) -> None:
        """Remove an object; one that is gone is fine."""
        await self._ask("DELETE", name, fine=(_GONE,))

    async def begin_parts(self, name: str, *, checked: bool = False) -> str:
        """Begin an upload in parts; gives its id. `checked` parts come with a SHA-256 each."""
        headers = {"x-amz-checksum-algorithm": "SHA256"} if checked else {}
        answer = await self._ask("POST", name, query={"uploads": ""}, headers=headers)
        return _texts("UploadId", answer.text)[0]

    async def end_parts(self, name: str, upload_id: str, parts: Sequence[tuple[str, str]]) -> None:
        """Put an object together of its parts, each an ETag and perhaps a SHA-256; one that is already is fine."""
        listed = "".join(
            f"<Part><PartNumber>{number}</PartNumber><ETag>{escape(etag)}</ETag>"
            + (f"<ChecksumSHA256>{sha256}</ChecksumSHA256>" if sha256 else "")
            + "</Part>"
            for number, (etag, sha256) in enumerate(parts, 1)
        )
        body = f"<CompleteMultipartUpload>{listed}</CompleteMultipartUpload>"
        answer = await self._ask("POST", name, query={"uploadId": upload_id}, body=body, fine=(_BAD, _GONE))
        if answer.status_code == _BAD:
            raise UploadGone(f"The parts are not those that were announced: {_reason(answer)}. Begin anew.")

    async def abort_parts(self, name: str, upload_id: str) -> None:
        """Forget an upload and its parts; one that is gone is fine."""
        await self._ask("DELETE", name, query={"uploadId": upload_id}, fine=(_GONE,))

    async def unfinished_parts(self, older_than: datetime) -> list[tuple[str, str]]:
        """List uploads in parts that were begun before that time and have no end: names and ids."""
        prefix = f"{self._here.prefix}/" if self._here.prefix else ""
        answer = await self._ask("GET", "", query={"uploads": "", "prefix": prefix})
        return [
            (name.removeprefix(prefix), upload_id)
            for one in re.findall(r"<Upload>(.*?)</Upload>", answer.text, re.DOTALL)
            for name, upload_id, begun in zip(
                _texts("Key", one), _texts("UploadId", one), _texts("Initiated", one), strict=True
            )
            if datetime.fromisoformat(begun) < older_than
        ]

    async def copy(self, source: str, target: str, found: Found) -> None:
        """Copy an object, if it still is what was found, without reading it."""
        headers = {"x-amz-copy-source": self._here.source(source), "x-amz-copy-source-if-match": found.etag}
        if found.size_bytes <= MOST_BYTES_OF_A_COPY:
            await self._ask("PUT", target, headers=headers)
            return
        upload_id = await self.begin_parts(target)
        try:
            etags = await self._copy_parts(target, upload_id, headers, found.size_bytes)
        except BaseException:
            await self.abort_parts(target, upload_id)
            raise
        await self.end_parts(target, upload_id, [(etag, "") for etag in etags])

    async def _copy_parts(
        self, target: str, upload_id: str, headers: Mapping[str, str], size_bytes: int
    ) -> Sequence[str]:
        free = asyncio.Semaphore(_COPIES_AT_ONCE)

        async def copy_part(number: int) -> str:
            start = number * MOST_BYTES_OF_A_COPY
            last = min(start + MOST_BYTES_OF_A_COPY, size_bytes) - 1
            wanted = {**headers, "x-amz-copy-source-range": f"bytes={start}-{last}"}
            async with free:
                query = {"partNumber": str(number + 1), "uploadId": upload_id}
                answer = await self._ask("PUT", target, query=query, headers=wanted)
            return _texts("ETag", answer.text)[0]

        count = -(-size_bytes // MOST_BYTES_OF_A_COPY)
        async with asyncio.TaskGroup() as group:
            copies = [group.create_task(copy_part(number)) for number in range(count)]
        return [copy.result() for copy in copies]

    async def _ask(
        self,
        method: str,
        name: str,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: str = "",
        fine: Sequence[int] = (),
    ) -> httpx.Response:
        """Make a request; raises `Unavailable` for what is neither success nor fine."""
        url = self._here.sign(method, name, self._clock(), _SECONDS, query=query, headers=headers)
        try:
            async with httpx.AsyncClient(timeout=_TIMEOUT, verify=self._tls) as http:
                answer = await http.request(method, url, headers=headers, content=body.encode() if body else None)
        except httpx.TransportError as error:
            raise _away(repr(error)) from error
        # S3 says 200 before it has put together or copied what is large, and what became of it afterwards.
        is_error = not answer.is_success or "<Error>" in answer.text
        if is_error and answer.status_code not in fine:
            raise _away(f"{method}: {answer.status_code} {_reason(answer)}")
        return answer


def _away(reason: str) -> Unavailable:
    _log.error("the object store refuses", reason=reason)
    return Unavailable("The object store does not answer as it should. Nothing was stored; try again later.")


def _texts(element: str, xml: str) -> list[str]:
    """Read the texts of an element out of the few flat forms that S3 answers with."""
    return [html.unescape(text) for text in re.findall(rf"<{element}>(.*?)</{element}>", xml, re.DOTALL)]


def _reason(answer: httpx.Response) -> str:
    return " ".join(_texts("Code", answer.text) + _texts("Message", answer.text)) or answer.text[:200]
