"""Bodies and parameters of the v1 routes that take and give files."""

from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from fireside.wire.v1_assets import HashText

FolderName = Literal["input", "output", "temp"]


class UploadedAsset(msgspec.Struct, frozen=True, kw_only=True):
    """The asset that an upload is: what newer clients read of it at once. Both hashes are there and equal."""

    id: UUID
    name: str
    hash: HashText
    asset_hash: HashText
    size: Annotated[int, Meta(ge=0)]
    mime_type: str
    tags: list[str]


class UploadedBody(msgspec.Struct, frozen=True, kw_only=True):
    """Answer of `POST /api/upload/image`: where the file is; a graph reads it by `name` below its `subfolder`."""

    name: str
    subfolder: str
    type: FolderName
    asset: UploadedAsset


MaskType = Literal["mask", "paint", "painted", "painted_masked"]


class RelatedFiles(msgspec.Struct, frozen=True, kw_only=True):
    """The layers that a mask editor saved together with a picture, by name; those that are there."""

    mask: str | UnsetType = UNSET
    paint: str | UnsetType = UNSET
    painted: str | UnsetType = UNSET


class MaskMetadata(msgspec.Struct, frozen=True, kw_only=True):
    """What a masked picture was made from, and what it is of the layers that a mask editor saves."""

    is_mask: bool
    original_hash: Annotated[str, Meta(pattern="^blake3:[0-9a-f]{64}$")]
    mask_type: MaskType
    related_files: RelatedFiles | UnsetType = UNSET


class MaskLayersQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Parameters of `GET /api/files/mask-layers`."""

    filename: Annotated[str, Meta(min_length=1, description="Name of any of the layers, also `name [input]`")]
    subfolder: Annotated[str, Meta(description="Folder below the type's")] = ""
    type: Annotated[FolderName, Meta(description="Where the file is, unless its name says so")] = "input"


class MaskLayersBody(msgspec.Struct, frozen=True, kw_only=True):
    """Answer of `GET /api/files/mask-layers`: by layer the name with its subfolder, null where there is none."""

    mask: str | None
    paint: str | None
    painted: str | None
    painted_masked: str | None


class UploadedMaskBody(msgspec.Struct, frozen=True, kw_only=True):
    """Answer of `POST /api/upload/mask`: where the masked picture is."""

    name: str
    subfolder: str
    type: FolderName
    asset: UploadedAsset
    metadata: MaskMetadata


class OriginalRef(msgspec.Struct, frozen=True, kw_only=True):
    """The field `original_ref` of `POST /api/upload/mask`: the picture that gets the mask."""

    filename: Annotated[str, Meta(min_length=1)]
    subfolder: str = ""
    type: FolderName = "output"


class ViewQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Parameters of `GET /api/view`."""

    filename: Annotated[
        str,
        Meta(min_length=1, description="Name of the file, also `name [input]`, or `blake3:` and the hash of its bytes"),
    ]
    subfolder: Annotated[str, Meta(description="Folder below the type's")] = ""
    type: Annotated[FolderName, Meta(description="Where the file is, unless its name says so")] = "output"
    channel: Annotated[
        Literal["rgb", "a", "alpha", "rgba"] | None, Meta(description="Only these channels of the picture, as PNG")
    ] = None
    res: Annotated[int, Meta(ge=64, le=1024, description="Longest edge of a smaller JPEG of the picture")] | None = None
    preview: Annotated[
        str | None, Meta(description="Encode the picture anew: `webp` or `jpeg`, then maybe `;` and a quality")
    ] = None
    fullpath: Annotated[str, Meta(description="Ignored")] = ""
    format: Annotated[str, Meta(description="Ignored")] = ""
    frame_rate: Annotated[str, Meta(description="Ignored")] = ""
    workflow: Annotated[str, Meta(description="Ignored")] = ""
    timestamp: Annotated[str, Meta(description="Ignored")] = ""
