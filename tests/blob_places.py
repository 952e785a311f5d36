"""The places that blobs are kept in, for the exam of the drivers: a folder, and a bucket of a real object server."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Protocol

import httpx
import obstore
from tests.object_server import ObjectServer

from fireside.blobs.base import Blobs, ListedBlob
from fireside.blobs.bucket import Bucket
from fireside.blobs.direct import utc_now
from fireside.blobs.local import LocalBlobs
from fireside.blobs.objects import ObjectBlobs
from fireside.blobs.presigning import AccessKey, Presigner


class Place(Protocol):
    """Where blobs are, opened by a driver and looked at past it."""

    def open(self) -> Blobs:
        """Open it as another process would."""
        ...

    def names(self) -> list[str]:
        """List whatever lies there, the unfinished included."""
        ...


@dataclass(frozen=True)
class FolderPlace:
    """A folder of this machine."""

    folder: Path

    def open(self) -> LocalBlobs:
        """Open the folder."""
        return LocalBlobs(self.folder)

    def names(self) -> list[str]:
        """List all files."""
        return files_in(self.folder)


@dataclass(frozen=True)
class BucketPlace:
    """A part of a bucket."""

    server: ObjectServer
    prefix: str

    def open(self) -> ObjectBlobs:
        """Open the part of the bucket."""
        return ObjectBlobs(self.server.store(self.prefix), bucket=Bucket(self.signer, utc_now))

    @property
    def signer(self) -> Presigner:
        """Sign for the part, with the server's own key."""
        of = self.server.environment
        key = AccessKey(id=of["AWS_ACCESS_KEY_ID"], secret=of["AWS_SECRET_ACCESS_KEY"])
        signed = obstore.sign(self.server.store(self.prefix), "GET", "0", timedelta(minutes=1))
        return Presigner.like(signed, key, "blobs", self.prefix, "0")

    def names(self) -> list[str]:
        """List all objects, and the uploads in parts that have no end."""
        objects = [one["path"] for page in obstore.list(self.server.store(self.prefix)) for one in page]
        query = {"uploads": "", "prefix": self.prefix}
        uploads = httpx.get(self.signer.sign("GET", "", utc_now(), 60, query=query)).raise_for_status().text
        return [*objects, *re.findall(r"<Key>(.*?)</Key>", uploads)]


def files_in(folder: Path) -> list[str]:
    """List the files below a folder."""
    return [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()]


async def chunks_of(*chunks: bytes) -> AsyncIterator[bytes]:
    """Send these chunks."""
    for chunk in chunks:
        yield chunk


async def all_of(chunks: AsyncIterator[bytes]) -> bytes:
    """Put together what comes."""
    return b"".join([chunk async for chunk in chunks])


async def walk(blobs: Blobs, limit: int) -> list[ListedBlob]:
    """List all blobs, so many at a time."""
    listed: list[ListedBlob] = []
    after: str | None = ""
    while after is not None:
        page = await blobs.list_blobs(after, limit=limit)
        assert len(page.blobs) <= limit
        listed += page.blobs
        after = page.next_after
    return listed
