"""The layers of a mask: which files a mask editor saved together, for when it opens one of them again."""

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from fireside.assets.finding import find_file
from fireside.assets.masks import MaskLayer, layer_of, layers_beside
from fireside.domain.assets import Asset, Folder
from fireside.domain.errors import NotFound
from fireside.server.answers import json_answer
from fireside.server.callers import services_of, user_of
from fireside.server.reading import read_query
from fireside.server.routes import Answer, Route
from fireside.store.store import Store
from fireside.wire.refusals import RefusalBody
from fireside.wire.v1_files import MaskLayersBody, MaskLayersQuery, MaskMetadata, MaskType, RelatedFiles

_SUBFOLDER = "clipspace"
"""Where editors save masks, and which they leave out when they ask."""


async def get_mask_layers(request: Request) -> Response:
    """Name the layers that belong to a layer."""
    asked, user, store = read_query(request, MaskLayersQuery), user_of(request), services_of(request).store
    folder = Folder(asked.type)
    try:
        asset = await find_file(store, user.id, filename=asked.filename, subfolder=asked.subfolder, folder=folder)
    except NotFound:
        if asked.subfolder:
            raise
        asset = await find_file(store, user.id, filename=asked.filename, subfolder=_SUBFOLDER, folder=folder)
    found = await layers_beside(store, asset)
    if not found:
        raise NotFound("This file is no layer of a mask: a mask editor names them clipspace-mask-….png and the like.")
    names = {layer: _path(found[layer]) if layer in found else None for layer in MaskLayer}
    return json_answer(
        MaskLayersBody(
            mask=names[MaskLayer.MASK],
            paint=names[MaskLayer.PAINT],
            painted=names[MaskLayer.PAINTED],
            painted_masked=names[MaskLayer.PAINTED_MASKED],
        )
    )


async def mask_metadata(store: Store, asset: Asset, original: Asset) -> MaskMetadata:
    """Describe a masked picture; one that no mask editor named is the picture with its mask and nothing else."""
    layer = layer_of(asset.file) or MaskLayer.PAINTED_MASKED
    metadata = MaskMetadata(is_mask=True, original_hash=f"blake3:{original.hash}", mask_type=_TYPES[layer])
    found = await layers_beside(store, asset)
    others = {layer.value: _path(one) for layer, one in found.items() if layer is not MaskLayer.PAINTED_MASKED}
    return msgspec.structs.replace(metadata, related_files=RelatedFiles(**others)) if others else metadata


def _path(asset: Asset) -> str:
    file = asset.file
    return f"{file.subfolder}/{file.name}" if file.subfolder else file.name


_TYPES: dict[MaskLayer, MaskType] = {
    MaskLayer.MASK: "mask",
    MaskLayer.PAINT: "paint",
    MaskLayer.PAINTED: "painted",
    MaskLayer.PAINTED_MASKED: "painted_masked",
}
ROUTES = (
    Route(
        method="GET",
        path="/api/files/mask-layers",
        handler=get_mask_layers,
        name="getMaskLayers",
        text="Name the files that a mask editor saved together with one",
        tag="file",
        query=MaskLayersQuery,
        answers={
            200: Answer(text="The layers", body=MaskLayersBody),
            404: Answer(text="The caller has no such file, or it is no layer of a mask", body=RefusalBody),
        },
    ),
)
