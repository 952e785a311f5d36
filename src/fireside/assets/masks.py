"""Masks: the alpha of one picture put onto another."""

from dataclasses import replace

from fireside.assets.library import Library, blob_file, chunks_of, scratch_file
from fireside.assets.pictures import apply_mask
from fireside.assets.uploads import Upload, discard_unrecorded, record_checked
from fireside.domain.assets import Asset

_PNG = "image/png"


async def record_masked(library: Library, mask: Upload, original: Asset) -> Asset:
    """Record the original with the mask's alpha, as PNG, where the mask was to go.

    The texts of the original stay in it. Raises as `pictures.apply_mask`.
    """
    with scratch_file(library) as out:
        async with blob_file(library, original.hash) as picture, blob_file(library, mask.blob.hash) as alpha:
            await apply_mask(picture, alpha, out, library.limits)
        masked = replace(mask, blob=await library.blobs.write(chunks_of(out), limit_bytes=None))
    try:
        return await record_checked(library, masked, _PNG)
    finally:
        await discard_unrecorded(library, masked.blob)
