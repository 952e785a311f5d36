"""Bodies of the v1 routes that tell what the server and its nodes are."""

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType


class NodeInfo(msgspec.Struct, frozen=True, kw_only=True):
    """One class of nodes as ComfyUI describes it; further keys stand as the nodes' authors wrote them.

    An entry of `output` is a type's name or, for an old kind of list, the values to choose from.
    """

    input: dict[str, Any] | UnsetType = UNSET
    input_order: dict[str, list[str]] | UnsetType = UNSET
    output: list[Any] | UnsetType = UNSET
    output_is_list: list[bool] | UnsetType = UNSET
    output_name: list[Any] | UnsetType = UNSET
    name: str | UnsetType = UNSET
    display_name: str | UnsetType | None = UNSET
    description: str | UnsetType | None = UNSET
    python_module: str | UnsetType = UNSET
    category: str | UnsetType = UNSET
    output_node: bool | UnsetType = UNSET
    fireside_workers: (
        Annotated[list[str], Meta(description="The workers that have it; only where one class is asked for.")]
        | UnsetType
    ) = UNSET


class FeaturesBody(msgspec.Struct, frozen=True, kw_only=True):
    """Answer of `GET /api/features`, and of the websocket to a client's `feature_flags`.

    `supports_progress_text_metadata` is missing on purpose: a client that reads it waits for longer text frames.
    """

    supports_preview_metadata: bool
    supports_model_type_tags: bool
    max_upload_size: int
    assets: bool
    node_replacements: bool


class SystemBody(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker's machine is; `argv` is always empty, because everybody may read it."""

    os: str
    python_version: str
    embedded_python: bool
    comfyui_version: str
    pytorch_version: str
    argv: list[str]
    ram_total: int
    ram_free: int


class DeviceBody(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One kind of device that workers have."""

    name: str
    type: str
    index: int | UnsetType = UNSET
    vram_total: int | UnsetType = UNSET
    vram_free: int | UnsetType = UNSET
    torch_vram_total: int | UnsetType = UNSET
    torch_vram_free: int | UnsetType = UNSET


class SystemStatsBody(msgspec.Struct, frozen=True, kw_only=True):
    """Answer of `GET /api/system_stats`."""

    system: SystemBody
    devices: list[DeviceBody]


class CurrentUserBody(msgspec.Struct, frozen=True, kw_only=True):
    """Answer of `GET /api/user`."""

    status: str
    id: str
