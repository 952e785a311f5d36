"""How a worker brings the bytes of its outputs, over HTTP: through the server, or to the bucket itself."""

import msgspec

from fireside.wire.fleet import LeaseBody

PART_BYTES_HEADER = "Fireside-Part-Bytes"
"""In the answer to a HEAD for bytes that are not here: they can be brought to the bucket itself, in such parts."""


class BlobBody(msgspec.Struct, frozen=True, kw_only=True):
    """Answer of `PUT /fleet/blobs/{hash}`."""

    hash: str
    size_bytes: int


class UploadBody(msgspec.Struct, frozen=True, kw_only=True):
    """Body of `POST /fleet/uploads`: I have these bytes for the job of this lease, let me bring them to the bucket.

    `sha256` are those of each `Fireside-Part-Bytes` bytes, as base64; the last part has what is left, and may have all.
    """

    lease: LeaseBody
    hash: str
    size_bytes: int
    sha256: tuple[str, ...]


class UploadPartBody(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the bytes, to be sent to `url` by PUT with exactly these `headers` and no credential."""

    url: str
    headers: dict[str, str]
    start: int
    size_bytes: int


class UploadReply(msgspec.Struct, frozen=True, kw_only=True):
    """Where the parts go, and what to say when they are there; without parts, the server has the bytes already."""

    upload: str = ""
    parts: tuple[UploadPartBody, ...] = ()


class UploadedBody(msgspec.Struct, frozen=True, kw_only=True):
    """Body of `PUT /fleet/uploads`: the parts are there; `etags` are those of the bucket's answers, in order."""

    lease: LeaseBody
    upload: str
    etags: tuple[str, ...]
