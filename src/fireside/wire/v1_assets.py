"""Bodies and parameters of the v1 routes of assets and their tags.

Some things have two names, because the published contract and newer clients differ: `asset_hash` and `hash`,
`prompt_id` and `job_id`. Both are always there and equal.
"""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from fireside.wire.measures import AssetMetadata
from fireside.wire.v1_jobs import PaginationBody

HashText = Annotated[str, Meta(pattern="^blake3:[0-9a-f]{64}$")]
MAX_PAGE = 500
Count = Annotated[int, Meta(ge=0)]
_Words = Annotated[str, Meta(description="Tags, by commas or one a parameter")]
_Name = Annotated[str, Meta(min_length=1, max_length=255)]
_Tags = Annotated[list[str], Meta(min_length=1)]


class AssetBody(msgspec.Struct, frozen=True, kw_only=True):
    """An asset. `loader_path` is what a loader of its folder reads, `file_path` where it is among all files."""

    id: UUID
    name: str
    display_name: str
    asset_hash: HashText
    hash: HashText
    size: Count
    mime_type: str
    tags: list[str]
    user_metadata: dict[str, Any]
    metadata: AssetMetadata | UnsetType = UNSET
    preview_id: UUID | None
    prompt_id: UUID | None
    job_id: UUID | None
    created_at: datetime
    updated_at: datetime
    last_access_time: datetime
    is_immutable: bool
    file_path: str
    loader_path: str
    preview_url: str | UnsetType = UNSET


class CreatedAssetBody(AssetBody, frozen=True, kw_only=True):
    """An asset that was asked for: whether it was made now, or had been there."""

    created_new: bool


class AssetsBody(msgspec.Struct, frozen=True, kw_only=True):
    """A page of assets, with how many match in all."""

    assets: list[AssetBody]
    total: Count
    has_more: bool
    next_cursor: str | UnsetType = UNSET


class JobAssetBody(AssetBody, frozen=True, kw_only=True):
    """An asset that a job has made: the item `outputs[node_id][output_key][output_index]` of its detail."""

    node_id: str | None
    output_key: str | None
    output_index: Count | None


class JobAssetsBody(msgspec.Struct, frozen=True, kw_only=True):
    """A page of what a job has made."""

    job_id: UUID
    assets: list[JobAssetBody]
    pagination: PaginationBody


class AssetFilterQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which assets: all that is said must hold."""

    include_tags: _Words = ""
    exclude_tags: _Words = ""
    tags_all: Annotated[str, Meta(description="The same as `include_tags`")] = ""
    tags_any: Annotated[str, Meta(description="Tags of which one at least is there")] = ""
    tags_none: Annotated[str, Meta(description="The same as `exclude_tags`")] = ""
    name_contains: Annotated[str, Meta(description="A part of the name, regardless of case")] = ""
    metadata_filter: Annotated[str, Meta(description="A JSON object that `user_metadata` must agree with")] = ""
    hash: Annotated[str, Meta(description="`blake3:` and the hash of the bytes")] = ""
    job_ids: Annotated[str, Meta(description="Jobs that made the asset, by commas")] = ""
    include_public: Annotated[bool, Meta(description="Ignored: there are no public assets")] = True


class AssetsQuery(AssetFilterQuery, frozen=True, kw_only=True):
    """Parameters of `GET /api/assets`."""

    limit: Annotated[int, Meta(ge=1, le=MAX_PAGE)] = 20
    offset: Annotated[int, Meta(ge=0)] = 0
    sort: Literal["name", "created_at", "updated_at", "size", "last_access_time"] = "created_at"
    order: Literal["asc", "desc"] = "desc"
    after: Annotated[str, Meta(description="The `next_cursor` of the page before, instead of an offset")] = ""


class JobAssetsQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Parameters of `GET /api/jobs/{job_id}/assets`."""

    limit: Annotated[int, Meta(ge=1, le=MAX_PAGE)] = 20
    offset: Annotated[int, Meta(ge=0)] = 0


class RefineQuery(AssetFilterQuery, frozen=True, kw_only=True):
    """Parameters of `GET /api/assets/tags/refine`."""

    limit: Annotated[int, Meta(ge=1, le=1000)] = 100


class TagsQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Parameters of `GET /api/tags`."""

    prefix: str = ""
    limit: Annotated[int, Meta(ge=1, le=1000)] = 100
    offset: Annotated[int, Meta(ge=0)] = 0
    order: Literal["count_desc", "name_asc"] = "count_desc"
    include_zero: Annotated[bool, Meta(description="Tags that no asset has any more, too")] = False
    include_public: Annotated[bool, Meta(description="Ignored: there are no public assets")] = True


class ContentQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Parameters of `GET /api/assets/{id}/content`."""

    disposition: Literal["attachment", "inline"] = "attachment"


class FromHashBody(msgspec.Struct, frozen=True, kw_only=True):
    """Body of `POST /api/assets/from-hash`."""

    hash: Annotated[str, Meta(pattern="^(blake3|sha256):[0-9a-f]{64}$")]
    tags: _Tags
    name: str | None = None
    mime_type: str | None = None
    preview_id: UUID | None = None
    user_metadata: dict[str, Any] | None = None


class ChangeAssetBody(msgspec.Struct, frozen=True, kw_only=True):
    """Body of `PUT /api/assets/{id}`: at least one of these; `preview_id` null takes the preview away."""

    name: _Name | UnsetType = UNSET
    tags: list[str] | UnsetType = UNSET
    mime_type: str | UnsetType = UNSET
    preview_id: UUID | UnsetType | None = UNSET
    user_metadata: dict[str, Any] | UnsetType = UNSET


class TagsChangeBody(msgspec.Struct, frozen=True, kw_only=True):
    """Body of `POST` and of `DELETE /api/assets/{id}/tags`."""

    tags: _Tags


class TagsAddedBody(msgspec.Struct, frozen=True, kw_only=True):
    """Answer of `POST /api/assets/{id}/tags`; `total_tags` are all that the asset has now."""

    added: list[str]
    already_present: list[str]
    total_tags: list[str]


class TagsRemovedBody(msgspec.Struct, frozen=True, kw_only=True):
    """Answer of `DELETE /api/assets/{id}/tags`; `total_tags` are all that the asset has now."""

    removed: list[str]
    not_present: list[str]
    total_tags: list[str]


class TagBody(msgspec.Struct, frozen=True, kw_only=True):
    """A tag, and how many assets have it."""

    name: str
    count: Count


class TagsBody(msgspec.Struct, frozen=True, kw_only=True):
    """A page of tags, with how many there are in all."""

    tags: list[TagBody]
    total: Count
    has_more: bool


class TagCountsBody(msgspec.Struct, frozen=True, kw_only=True):
    """How many of the assets that match have each tag, the most frequent first."""

    tag_counts: dict[str, Count]


class AssetWorkflowBody(msgspec.Struct, frozen=True, kw_only=True):
    """What made an asset: the editor's `workflow` and the graph `prompt`, each if known, and where they were found."""

    workflow: Any
    prompt: Any
    source: Literal["file", "job"]
