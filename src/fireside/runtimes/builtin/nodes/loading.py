"""Nodes that read a picture file.

8-bit equal to ComfyUI with an equal Pillow: pictures are turned as their EXIF data say, every frame of the first
frame's size becomes one item of the batch, and transparency becomes a mask that is 1 where nothing is to be seen. A
picture without transparency gives an empty mask of 64x64. A picture with more pixels than Pillow's limit, all its
frames taken together, is refused.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from blake3 import blake3
from PIL import Image, ImageOps, ImageSequence

from fireside.runtimes.builtin.context import Context
from fireside.runtimes.builtin.node import Input, Node, Output, Result
from fireside.runtimes.builtin.pictures import Pixels, from_8bit, from_picture

_NO_MASK_EDGE = 64
_CHANNELS = ("alpha", "red", "green", "blue")
# The others that Pillow knows are old and rarely examined, or start other programs.
_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "AVIF", "TIFF", "BMP", "ICO", "PPM", "TGA")
# A file of several pictures of which the first is the one that counts.
_ONE_PICTURE_FORMATS = frozenset({"MPO"})


def _load_image(context: Context, image: str) -> Result:
    images: list[Pixels] = []
    masks: list[Pixels] = []
    with Image.open(context.input_file(image), formats=_FORMATS) as file:
        frames = 1 if file.format in _ONE_PICTURE_FORMATS else None
        for frame in _frames(file):
            context.check_stop()
            pixels = from_picture(_colors_of(frame))
            if not images or pixels.shape == images[0].shape:
                images.append(pixels)
                masks.append(_mask_of(frame))
            if len(images) == frames:
                break
    return Result((np.stack(images), _stack_masks(masks)))


def _frames(file: Image.Image) -> Iterator[Image.Image]:
    left = Image.MAX_IMAGE_PIXELS
    for frame in ImageSequence.Iterator(file):
        if left is not None:
            left -= frame.width * frame.height
            if left < 0:
                raise Image.DecompressionBombError(f"All frames together exceed {Image.MAX_IMAGE_PIXELS} pixels.")
        yield _narrowed(ImageOps.exif_transpose(frame))


def _narrowed(picture: Image.Image) -> Image.Image:
    """Bring 32-bit values, as 16-bit files are read, into the range of bytes."""
    return picture.point(lambda value: value * (1 / 255)) if picture.mode == "I" else picture


def _colors_of(picture: Image.Image) -> Image.Image:
    if isinstance(picture.info.get("transparency"), bytes):
        # The same colors; straight to RGB, Pillow would warn that transparency gets lost.
        picture = picture.convert("RGBA")
    return picture.convert("RGB")


def _mask_of(picture: Image.Image) -> Pixels:
    if "A" in picture.getbands():
        return _transparency(picture)
    if picture.mode == "P" and "transparency" in picture.info:
        return _transparency(picture.convert("RGBA"))
    return np.zeros((_NO_MASK_EDGE, _NO_MASK_EDGE), np.float32)


def _transparency(picture: Image.Image) -> Pixels:
    return 1 - from_8bit(np.asarray(picture.getchannel("A")))


def _stack_masks(masks: list[Pixels]) -> Pixels:
    """Stack the masks; frames without transparency among others that have some hide nothing."""
    shape = next((mask.shape for mask in masks if mask.shape != masks[0].shape), masks[0].shape)
    return np.stack([mask if mask.shape == shape else np.zeros(shape, np.float32) for mask in masks])


def _load_mask(context: Context, image: str, channel: str) -> Result:
    with Image.open(context.input_file(image), formats=_FORMATS) as file:
        picture = _narrowed(ImageOps.exif_transpose(file))
        if picture.getbands() != ("R", "G", "B", "A"):
            picture = picture.convert("RGBA")
        band = channel[:1].upper()
        values = from_8bit(np.asarray(picture.getchannel(band)))
    return Result(((1 - values if band == "A" else values)[None],))


def _content(context: Context, image: str, **_: str) -> str:
    return _hash_of(context.input_file(image))


def _hash_of(path: Path) -> str:
    hasher = blake3()
    hasher.update_mmap(path)
    return hasher.hexdigest()


def _file_input() -> Input:
    # The files are the caller's, so the list is filled in elsewhere.
    return Input("image", (), {"image_upload": True})


NODES = (
    Node(
        name="LoadImage",
        display_name="Load Image",
        category="image",
        summary="Reads a picture; what is transparent in it becomes the mask.",
        run=_load_image,
        fingerprint=_content,
        inputs=(_file_input(),),
        outputs=(Output("IMAGE"), Output("MASK")),
    ),
    Node(
        name="LoadImageMask",
        display_name="Load Image (as Mask)",
        category="mask",
        summary="Reads one channel of a picture as a mask.",
        run=_load_mask,
        fingerprint=_content,
        inputs=(_file_input(), Input("channel", _CHANNELS)),
        outputs=(Output("MASK"),),
    ),
)
