"""Assets as the API v2 shows and takes them."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from fireside.wire.measures import AssetMetadata
from fireside.wire.v2_jobs import Uri

SHORTEST_SECONDS = 60
LONGEST_SECONDS = 604800


class AssetFiresideBody(msgspec.Struct, frozen=True, kw_only=True):
    """What the published document has not: `metadata`, for a picture, video or sound whose header says something."""

    metadata: AssetMetadata


class AssetBody(msgspec.Struct, frozen=True, kw_only=True):
    """A file of the caller's; `created_new` stands only in answers that made it, or found it made."""

    id: UUID
    hash: str | None
    size_bytes: int
    content_type: str
    file_path: str
    created_at: datetime
    url: Uri
    url_expires_at: datetime
    expires_at: datetime | None
    job_id: UUID | None = None
    created_new: bool | UnsetType = UNSET
    fireside: AssetFiresideBody | UnsetType = UNSET


class FromHashBody(msgspec.Struct, frozen=True, kw_only=True):
    """Body of `POST /api/v2/assets/from-hash`."""

    hash: Annotated[str, Meta(description="The bytes, as `blake3:` and 64 hexadecimal digits.")]
    file_path: str | None = None
    tags: list[str] | None = None
    expires_in: Annotated[int, Meta(ge=SHORTEST_SECONDS, le=LONGEST_SECONDS)] | None = None
