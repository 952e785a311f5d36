"""Nodes that write pictures: PNG with 8 bits per channel, the graph and the editor's workflow in its text chunks.

8-bit equal to ComfyUI, which cuts fractions off and does not round.
"""

import json
import random
import string
from collections.abc import Iterator, Mapping
from typing import Any, cast

from PIL.PngImagePlugin import PngInfo

from fireside.runtimes.builtin.context import Context
from fireside.runtimes.builtin.node import Input, Node, Result, SavedFile
from fireside.runtimes.builtin.pictures import Pixels, to_picture
from fireside.runtimes.builtin.saving import new_file

_SAVE_COMPRESSION = 4
_PREVIEW_COMPRESSION = 1
_PREVIEW_PREFIX = "ComfyUI_temp_"
_PREVIEW_LETTERS = 5
HIDDEN = {"prompt": "PROMPT", "extra_pnginfo": "EXTRA_PNGINFO"}


def _save_image(context: Context, images: Pixels, filename_prefix: str = "ComfyUI") -> Result:
    return _shown(context, images, filename_prefix, "output", _SAVE_COMPRESSION)


def _preview_image(context: Context, images: Pixels) -> Result:
    letters = "".join(random.choices(string.ascii_lowercase, k=_PREVIEW_LETTERS))  # noqa: S311 - a name, no secret
    return _shown(context, images, _PREVIEW_PREFIX + letters, "temp", _PREVIEW_COMPRESSION)


def _shown(context: Context, images: Pixels, prefix: str, kind: str, compression: int) -> Result:
    if not len(images):
        raise IndexError("There is no picture to save: the batch is empty.")
    metadata = _metadata(context)
    saved = tuple(
        _write(context, image, number, prefix, kind, compression, metadata) for number, image in enumerate(images)
    )
    return Result(ui={"images": saved})


def _write(
    context: Context, image: Pixels, number: int, prefix: str, kind: str, compression: int, metadata: PngInfo
) -> SavedFile:
    context.check_stop()
    height, width = image.shape[:2]
    file = new_file(context, prefix, kind, ".png", size=(width, height), batch_number=number)
    to_picture(image).save(file.path, "PNG", pnginfo=metadata, compress_level=compression)
    return file


def _metadata(context: Context) -> PngInfo:
    metadata = PngInfo()
    for key, text in embedded(context):
        metadata.add_text(key, text)
    return metadata


def embedded(context: Context) -> Iterator[tuple[str, str]]:
    """Give what files embed, the graph and then what the editor gave along, as ComfyUI does: JSON in ASCII by key."""
    yield "prompt", json.dumps(context.scope.graph)
    extra = context.scope.extra_data.get("extra_pnginfo")
    if isinstance(extra, Mapping):
        for key, value in cast("Mapping[str, Any]", extra).items():
            yield key, json.dumps(value)


NODES = (
    Node(
        name="SaveImage",
        display_name="Save Image",
        category="image",
        summary="Keeps the pictures as outputs of the job.",
        description="Keeps the pictures as outputs of the job.",
        run=_save_image,
        is_output=True,
        hidden=HIDDEN,
        inputs=(
            Input("images", "IMAGE", {"tooltip": "What to save."}),
            Input(
                "filename_prefix",
                "STRING",
                {
                    "default": "ComfyUI",
                    "tooltip": "How the file's name begins, sub-folders included. "
                    "%date:yyyy-MM-dd%, %width% and %height% are filled in.",
                },
            ),
        ),
    ),
    Node(
        name="PreviewImage",
        display_name="Preview Image",
        category="image",
        summary="Shows the pictures without keeping them.",
        description="Shows the pictures without keeping them.",
        run=_preview_image,
        is_output=True,
        hidden=HIDDEN,
        inputs=(Input("images", "IMAGE"),),
    ),
)
