"""Masks: the alpha of one picture put onto another, and the pictures that a mask editor saves together.

The editor saves four: the mask, the strokes of paint, the picture with the paint, and that one with the mask. They are
told by their names, which differ in that one word, and lie side by side.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum

from fireside.assets.library import Library, blob_file, chunks_of, scratch_file
from fireside.assets.pictures import apply_mask, check_bytes
from fireside.assets.uploads import Upload, discard_unrecorded, record_checked
from fireside.domain.assets import Asset, FileName
from fireside.store.store import Store

_PNG = "image/png"
_LAYER_NAME = re.compile(r"(clipspace-)(painted-masked|painted|paint|mask)(-\d{1,20}\.png)", re.ASCII)


class MaskLayer(StrEnum):
    """Which of the four a picture is, as the editor writes it into the name."""

    MASK = "mask"
    PAINT = "paint"
    PAINTED = "painted"
    PAINTED_MASKED = "painted-masked"


def layer_of(file: FileName) -> MaskLayer | None:
    """Tell which layer a file is by its name; None for a file that no mask editor saved."""
    named = _LAYER_NAME.fullmatch(file.name)
    return MaskLayer(named[2]) if named else None


async def layers_beside(store: Store, asset: Asset) -> Mapping[MaskLayer, Asset]:
    """Find the layers that were saved together with this one, itself included; none for a file that is no layer."""
    named = _LAYER_NAME.fullmatch(asset.file.name)
    if named is None:
        return {}
    files = {layer: replace(asset.file, name=f"{named[1]}{layer}{named[3]}") for layer in MaskLayer}
    found = await store.assets_by_files(asset.user_id, list(files.values()))
    return {layer: found[file] for layer, file in files.items() if file in found}


async def record_masked(library: Library, mask: Upload, original: Asset) -> Asset:
    """Record the original with the mask's alpha, as PNG, where the mask was to go.

    The texts of the original stay in it. Raises as `pictures.apply_mask`.
    """
    for size_bytes in (mask.blob.size_bytes, original.size_bytes):
        check_bytes(size_bytes, library.limits)
    with scratch_file(library) as out:
        async with blob_file(library, original.hash) as picture, blob_file(library, mask.blob.hash) as alpha:
            await apply_mask(picture, alpha, out, library.limits)
        masked = replace(mask, blob=await library.blobs.write(chunks_of(out), limit_bytes=None))
    try:
        return await record_checked(library, masked, _PNG)
    finally:
        await discard_unrecorded(library, masked.blob)
