"""The registry of models, as an admin's client asks for it; and the bytes of a file on their way there."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from urllib.parse import quote

import httpx
from blake3 import blake3

from fireside.client.connection import Connection, json_body
from fireside.client.errors import ClientError
from fireside.wire.admin import ModelBody, ModelsBody, NewModelBody

CHUNK_BYTES = 1024 * 1024
# The server answers when it has written and looked at all of it.
_ANSWER_SECONDS = 3600.0
_LOOK_TIMEOUT = httpx.Timeout(60.0, connect=10.0)
Progress = Callable[[int, int | None], None]
"""Hears how many bytes have gone or come, of how many if that is known."""


class Models:
    """The admin's calls about models."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def list(self) -> list[ModelBody]:
        """List the models that workers may fetch."""
        return (await self._connection.ask("GET", "/admin/api/models", ModelsBody)).models

    async def show(self, folder: str, name: str) -> ModelBody:
        """Tell of one model."""
        return await self._connection.ask("GET", _path(folder, name), ModelBody)

    async def add(self, new: NewModelBody) -> ModelBody:
        """Register a file that lies at an address."""
        return await self._connection.ask("POST", "/admin/api/models", ModelBody, **json_body(new))

    async def upload(self, folder: str, name: str, file: Path, progress: Progress) -> ModelBody:
        """Upload a file and register it."""
        size = file.stat().st_size
        given = {
            "content": _sent(file, size, progress),
            "headers": {"Content-Type": "application/octet-stream", "Content-Length": str(size)},
            "timeout": httpx.Timeout(_ANSWER_SECONDS, connect=10.0),
        }
        return await self._connection.ask("PUT", _path(folder, name), ModelBody, **given)

    async def remove(self, folder: str, name: str) -> None:
        """Let a model be fetched no more."""
        await self._connection.send("DELETE", _path(folder, name))


async def look_at(url: str, progress: Progress) -> tuple[str, int]:
    """Read a file at an address from here, and give its BLAKE3 hash and its size; nothing of it is kept."""
    hasher, came = blake3(), 0
    try:
        async with (
            httpx.AsyncClient(timeout=_LOOK_TIMEOUT, follow_redirects=True) as client,
            client.stream("GET", url, headers={"Accept-Encoding": "identity"}) as answer,
        ):
            if not answer.is_success:
                raise ClientError(f"{url} answers {answer.status_code}")
            announced = answer.headers.get("content-length", "")
            async for chunk in answer.aiter_bytes(CHUNK_BYTES):
                hasher.update(chunk)
                came += len(chunk)
                progress(came, int(announced) if announced.isdecimal() else None)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise ClientError(f"cannot read {url}: {error or type(error).__name__}") from error
    return hasher.hexdigest(), came


async def _sent(file: Path, size: int, progress: Progress) -> AsyncIterator[bytes]:
    sent = 0
    with file.open("rb") as source:
        while chunk := source.read(CHUNK_BYTES):
            yield chunk
            sent += len(chunk)
            progress(sent, size)


def _path(folder: str, name: str) -> str:
    return f"/admin/api/models/{quote(folder, safe='')}/{quote(name)}"
