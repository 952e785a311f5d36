"""Nodes that write a batch as one animated picture.

Frames, durations and loops are ComfyUI's with an equal Pillow, and so is what is embedded: the graph and the editor's
workflow, as EXIF tags in a WebP file and as chunks of ComfyUI's own kind in a PNG file.
"""

from collections.abc import Mapping
from typing import Any

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from fireside.runtimes.builtin.context import Context
from fireside.runtimes.builtin.node import Input, Node, Result, SavedFile, decimal
from fireside.runtimes.builtin.nodes.storing import HIDDEN, embedded
from fireside.runtimes.builtin.pictures import Pixels, to_picture
from fireside.runtimes.builtin.saving import new_file

_METHODS = {"default": 4, "fastest": 0, "slowest": 6}
_GRAPH_TAG = 0x0110
_CHUNK = b"comf"
_MODULE = "comfy_extras.nodes_images"


def _save_webp(
    context: Context, images: Pixels, filename_prefix: str, fps: float, lossless: bool, quality: int, method: str
) -> Result:
    exif = Image.Exif()
    # The graph's tag, and downwards from it one for each thing the editor gave along.
    for number, (key, text) in enumerate(embedded(context)):
        exif[_GRAPH_TAG - number] = f"{key}:{text}"
    options = {"exif": exif, "lossless": lossless, "quality": quality, "method": _METHODS[method]}
    file = _save(context, images, filename_prefix, ".webp", fps, options)
    return Result(ui={"images": (file,), "animated": (len(images) != 1,)})


def _save_png(context: Context, images: Pixels, filename_prefix: str, fps: float, compress_level: int) -> Result:
    info = PngInfo()
    for key, text in embedded(context):
        info.add(_CHUNK, key.encode("latin-1") + b"\0" + text.encode("latin-1"), after_idat=True)
    options = {"pnginfo": info, "compress_level": compress_level}
    file = _save(context, images, filename_prefix, ".png", fps, options)
    return Result(ui={"images": (file,), "animated": (True,)})


def _save(
    context: Context, images: Pixels, prefix: str, suffix: str, fps: float, options: Mapping[str, Any]
) -> SavedFile:
    if not len(images):
        raise IndexError("There is no picture to save: the batch is empty.")
    height, width = images.shape[1:3]
    file = new_file(context, prefix, "output", suffix, size=(width, height))
    first, *others = [to_picture(image) for image in images]
    context.check_stop()
    first.save(file.path, save_all=True, duration=int(1000.0 / fps), append_images=others, **options)
    return file


NODES = (
    Node(
        name="SaveAnimatedWEBP",
        display_name="SaveAnimatedWEBP",
        category="image/animation",
        summary="Keeps a batch as one animated WebP file.",
        run=_save_webp,
        is_output=True,
        hidden=HIDDEN,
        inputs=(
            Input("images", "IMAGE"),
            Input("filename_prefix", "STRING", {"default": "ComfyUI"}),
            decimal("fps", 6.0, 0.01, 1000.0, 0.01),
            Input("lossless", "BOOLEAN", {"default": True}),
            Input("quality", "INT", {"default": 80, "min": 0, "max": 100}),
            Input("method", tuple(_METHODS)),
        ),
        module=_MODULE,
    ),
    Node(
        name="SaveAnimatedPNG",
        display_name="SaveAnimatedPNG",
        category="image/animation",
        summary="Keeps a batch as one animated PNG file.",
        run=_save_png,
        is_output=True,
        hidden=HIDDEN,
        inputs=(
            Input("images", "IMAGE"),
            Input("filename_prefix", "STRING", {"default": "ComfyUI"}),
            decimal("fps", 6.0, 0.01, 1000.0, 0.01),
            Input("compress_level", "INT", {"default": 4, "min": 0, "max": 9}),
        ),
        module=_MODULE,
    ),
)
