"""What pictures, videos and sound say of themselves, in all dialects; the names are those of ComfyUI."""

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType


class AssetMetadata(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the bytes of a picture, video or sound say of themselves; nobody can change it. `duration` is in seconds."""

    kind: Literal["image", "video", "audio"]
    width: Annotated[int, Meta(ge=1)] | UnsetType = UNSET
    height: Annotated[int, Meta(ge=1)] | UnsetType = UNSET
    duration: Annotated[float, Meta(gt=0)] | UnsetType = UNSET
    sample_rate: Annotated[int, Meta(ge=1)] | UnsetType = UNSET
    channels: Annotated[int, Meta(ge=1)] | UnsetType = UNSET
