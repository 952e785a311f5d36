"""Bodies of the routes that list the fleet's models."""

from typing import Annotated

import msgspec
from msgspec import Meta


class ModelFolder(msgspec.Struct, frozen=True, kw_only=True):
    """A folder of models; `folders` repeats its name, because where it lies is each worker's own business."""

    name: str
    folders: list[str]


class ModelFile(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A model that some worker has; `pathIndex` is always 0."""

    name: str
    path_index: int
    size: Annotated[int, Meta(ge=0, description="In bytes.")]


class ModelMetadataQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Parameters of `GET /api/view_metadata/{folder}`."""

    filename: Annotated[str, Meta(description="The model's name, as the list of its folder has it")] = ""
