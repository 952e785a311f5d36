"""What is compared with a real ComfyUI: every node with every choice of options, on pictures that provoke differences.

The pictures have sizes from one pixel on, one to three of them in a batch, all values of a byte, flat areas of black,
white and gray, and every kind of transparency.
"""

from collections.abc import Iterator
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from tests.runtimes.beside.sheets import Case, Sheet, Slot, second
from tests.runtimes.pictures import PICTURES, paint

METHODS = ("nearest-exact", "bilinear", "area", "bicubic", "lanczos")
SIZES = {
    "dot": (1, 1, 1),
    "line": (7, 1, 2),
    "pole": (1, 7, 1),
    "odd": (5, 3, 3),
    "wide": (37, 23, 2),
    "even": (64, 48, 1),
}
SOURCES = tuple(f"{name}.tiff" for name in SIZES)
ODD, WIDE, EVEN = "odd.tiff", "wide.tiff", "even.tiff"
LARGE = (WIDE, EVEN)
FEW = ("dot.tiff", ODD, WIDE)
CHANNELS = ("red", "green", "blue", "alpha")
DITHERS = ("none", "floyd-steinberg", "bayer-2", "bayer-4", "bayer-8", "bayer-16")
BLENDS = ("normal", "multiply", "screen", "overlay", "soft_light", "difference")
OPERATIONS = ("multiply", "add", "subtract", "and", "or", "xor")
ROTATIONS = ("none", "90 degrees", "180 degrees", "270 degrees")
FLIPS = ("x-axis: vertically", "y-axis: horizontally")


# Large enough for the shortcuts that small pictures do not need.
BIG = "big.tiff"


def paint_corpus(folder: Path) -> dict[str, Path]:
    """Write the pictures of the corpus, and those in every form that LoadImage understands."""
    painted = paint(folder)
    for number, (name, (width, height, count)) in enumerate({**SIZES, "big": (300, 220, 1)}.items()):
        pages = [Image.fromarray(_page(width, height, seed=10 * number + page)) for page in range(count)]
        pages[0].save(folder / f"{name}.tiff", save_all=True, append_images=pages[1:])
        painted[f"{name}.tiff"] = folder / f"{name}.tiff"
    return painted


def _page(width: int, height: int, *, seed: int) -> NDArray[np.uint8]:
    """Noise in one half, slopes in the other, and blocks that are black, white, gray, clear and solid."""
    random = np.random.default_rng(seed)
    pixels = random.integers(0, 256, (height, width, 4), np.uint8)
    y, x = np.mgrid[0:height, 0:width]
    slopes = np.stack([x * 255 // width, y * 255 // height, (x + y) * 5 % 256, 255 - x * 255 // width], axis=-1)
    pixels[:, width // 2 :] = slopes[:, width // 2 :]
    for number, value in enumerate((0, 255, 77)):
        top, left = number * height // 3, number * width // 4
        pixels[top : top + height // 4, left : left + width // 3] = value
    pixels[: height // 5, :, 3] = 255
    pixels[height - height // 5 :, :, 3] = 0
    return pixels


def _image(name: str, options: str, source: str, **inputs: Any) -> Case:
    return Case(name, options, lambda sheet: [sheet.add(name, image=sheet.load(source), **inputs)])


def _of_rgba(name: str, options: str, source: str, **inputs: Any) -> Case:
    return Case(name, options, lambda sheet: [sheet.add(name, image=sheet.rgba(source), **inputs)])


def _of_overshot(name: str, options: str, source: str, **inputs: Any) -> Case:
    """On values below 0 and above 1, as bicubic resizing leaves them."""

    def build(sheet: Sheet) -> list[Slot]:
        scaled = {"upscale_method": "bicubic", "width": 20, "height": 17, "crop": "disabled"}
        return [sheet.add(name, image=sheet.add("ImageScale", image=sheet.load(source), **scaled), **inputs)]

    return Case(name, options, build)


def _mask(name: str, options: str, source: str, **inputs: Any) -> Case:
    return Case(name, options, lambda sheet: [sheet.shown(sheet.add(name, mask=sheet.mask(source), **inputs))])


def _two(name: str, options: str, sources: tuple[str, str], names: tuple[str, str], **inputs: Any) -> Case:
    def build(sheet: Sheet) -> list[Slot]:
        pictures = {key: sheet.load(source) for key, source in zip(names, sources, strict=True)}
        return [sheet.add(name, **pictures, **inputs)]

    return Case(name, options, build)


def _loads() -> Iterator[Case]:
    for picture in (*SOURCES, *PICTURES):
        yield Case("LoadImage", "", lambda sheet, it=picture: [sheet.load(it), sheet.shown(sheet.mask(it))])
    for channel, picture in product(CHANNELS, (*SOURCES, *PICTURES)):

        def build(sheet: Sheet, picture: str = picture, channel: str = channel) -> list[Slot]:
            return [sheet.shown(sheet.add("LoadImageMask", image=picture, channel=channel))]

        yield Case("LoadImageMask", channel, build)


def _edits() -> Iterator[Case]:
    for color, count in product((0, 0xFFFFFF, 0x12F0A7), (1, 3)):
        inputs = {"width": 5, "height": 3, "batch_size": count, "color": color}
        yield Case("EmptyImage", "", lambda sheet, given=inputs: [sheet.add("EmptyImage", **given)])
    for source in SOURCES:
        for make in (_image, _of_rgba, _of_overshot):
            yield make("ImageInvert", "", source)
            for flip in FLIPS:
                yield make("ImageFlip", flip, source, flip_method=flip)
            for rotation in ROTATIONS:
                yield make("ImageRotate", rotation, source, rotation=rotation)
        for x, y, width, height in ((0, 0, 1, 1), (3, 2, 4, 4), (2, 1, 90, 90), (900, 900, 3, 3)):
            yield _image("ImageCrop", "", source, x=x, y=y, width=width, height=height)
    for source, (left, top, right, bottom), feathering in product(FEW, product((0, 8), repeat=4), (0, 2, 9)):
        yield Case(
            "ImagePadForOutpaint",
            "feathered" if feathering else "",
            partial(_padded, source=source, sides=(left, top, right, bottom), feathering=feathering),
        )


def _padded(sheet: Sheet, source: str, sides: tuple[int, ...], feathering: int) -> list[Slot]:
    borders = dict(zip(("left", "top", "right", "bottom"), sides, strict=True))
    padded = sheet.add("ImagePadForOutpaint", image=sheet.load(source), feathering=feathering, **borders)
    # The picture does not depend on the feathering.
    return [sheet.shown(second(padded)), *([padded] if feathering == 0 else [])]


def _scales() -> Iterator[Case]:
    sizes = ((1, 1), (5, 1), (13, 9), (64, 64), (90, 51), (200, 33), (0, 40), (40, 0), (0, 0))
    for method, crop, (width, height), source in product(METHODS, ("disabled", "center"), sizes, SOURCES):
        inputs = {"upscale_method": method, "width": width, "height": height, "crop": crop}
        yield _image("ImageScale", method, source, **inputs)
        if source in (ODD, WIDE):
            yield _of_rgba("ImageScale", method, source, **inputs)
    for method, (width, height) in product(METHODS, ((300, 1), (41, 301), (460, 220))):
        given = {"upscale_method": method, "width": width, "height": height, "crop": "disabled"}
        yield _image("ImageScale", method, BIG, **given)
    yield _of_rgba("ImageScale", "bilinear", BIG, upscale_method="bilinear", width=460, height=220, crop="disabled")
    for method, factor, source in product(METHODS, (0.5, 1.73, 8.0), LARGE):
        yield _image("ImageScaleBy", method, source, upscale_method=method, scale_by=factor)
    for method, size, source in product(METHODS, (0.01, 0.02), SOURCES):
        yield _image("ImageScaleToTotalPixels", method, source, upscale_method=method, megapixels=size)


def _filters() -> Iterator[Case]:
    sigmas = (0.1, 0.3, 1.0, 2.7, 10.0)
    for radius, sigma, source in product((1, 2, 3, 7, 12, 22, 31), sigmas, (ODD, *LARGE)):
        if radius >= min(SIZES[source.removesuffix(".tiff")][:2]):
            continue
        options = "radius up to 3" if radius <= 3 else "radius above 3"
        yield _image("ImageBlur", options, source, blur_radius=radius, sigma=sigma)
        if source == WIDE:
            yield _of_rgba("ImageBlur", options, source, blur_radius=radius, sigma=sigma)
        for alpha in (0.0, 0.35, 5.0):
            yield _image("ImageSharpen", options, source, sharpen_radius=radius, sigma=sigma, alpha=alpha)
    for radius, sigma in ((2, 1.0), (3, 0.4), (7, 2.0), (12, 0.5), (31, 1.0)):
        options = "radius up to 3" if radius <= 3 else "radius above 3"
        yield _image("ImageBlur", options, BIG, blur_radius=radius, sigma=sigma)
        yield _image("ImageSharpen", options, BIG, sharpen_radius=radius, sigma=sigma, alpha=1.5)
    for dither, colors, source in product(DITHERS, (1, 2, 3, 7, 16, 255, 256), SOURCES):
        yield _image("ImageQuantize", dither, source, colors=colors, dither=dither)
    for dither in DITHERS:
        yield _of_overshot("ImageQuantize", dither, WIDE, colors=16, dither=dither)


def _blends() -> Iterator[Case]:
    names = ("image1", "image2")
    for mode, factor, pair in product(BLENDS, (0.0, 0.3, 0.5, 1.0), ((WIDE, WIDE), (WIDE, EVEN), (EVEN, ODD))):
        yield _two("ImageBlend", mode, pair, names, blend_mode=mode, blend_factor=factor)
    for pair in ((WIDE, WIDE), (ODD, EVEN), (EVEN, "line.tiff"), ("dot.tiff", WIDE)):
        yield _two("ImageBatch", "", pair, names)
    for source, index, length in product((ODD, WIDE), (0, 1, 9), (1, 2, 99)):
        yield _image("ImageFromBatch", "", source, batch_index=index, length=length)
    for source, amount in product((ODD, WIDE), (1, 2)):
        yield _image("RepeatImageBatch", "", source, amount=amount)


def _composites() -> Iterator[Case]:
    pairs = ((WIDE, ODD), (EVEN, WIDE), (ODD, EVEN), ("dot.tiff", WIDE))
    masks = (None, "dot.tiff", ODD, WIDE)
    for (below, above), (x, y), resized, mask in product(
        pairs, ((0, 0), (3, 2), (36, 22), (99, 0)), (False, True), masks
    ):

        def build(
            sheet: Sheet,
            below: str = below,
            above: str = above,
            place: tuple[int, int] = (x, y),
            resized: bool = resized,
            mask: str | None = mask,
        ) -> list[Slot]:
            pictures = {"destination": sheet.load(below), "source": sheet.load(above)}
            given = {"x": place[0], "y": place[1], "resize_source": resized}
            cover = {} if mask is None else {"mask": sheet.mask(mask)}
            return [sheet.add("ImageCompositeMasked", **pictures, **given, **cover)]

        yield Case("ImageCompositeMasked", "resized" if resized else "", build)


def _masks() -> Iterator[Case]:
    for source in SOURCES:
        yield Case("MaskToImage", "", lambda sheet, it=source: [sheet.shown(sheet.mask(it))])
        yield _mask("InvertMask", "", source)
        yield Case("SplitImageWithAlpha", "", partial(_split, source=source))
        for channel in CHANNELS:
            yield Case("ImageToMask", channel, partial(_channel, source=source, channel=channel))
        for other in SOURCES:
            yield Case("JoinImageWithAlpha", "", partial(_joined, source=source, other=other))
        for value in (0.0, 0.3, 77 / 255, 0.5, 1.0):
            yield _mask("ThresholdMask", "", source, value=value)
        for expand, tapered in product((-40, -3, -1, 0, 1, 2, 5, 40), (False, True)):
            yield _mask("GrowMask", "tapered" if tapered else "square", source, expand=expand, tapered_corners=tapered)
        for left, top, right, bottom in ((0, 0, 0, 0), (1, 0, 0, 3), (3, 2, 1, 0), (9, 9, 9, 9), (99, 0, 99, 5)):
            yield _mask("FeatherMask", "", source, left=left, top=top, right=right, bottom=bottom)
        yield _mask("CropMask", "", source, x=0, y=0, width=900, height=1)
    for x, y, width, height in ((3, 2, 4, 4), (2, 1, 90, 90), (36, 22, 1, 1)):
        yield _mask("CropMask", "", WIDE, x=x, y=y, width=width, height=height)
    for value in (0.0, 0.31, 0.5, 1.0):
        yield Case(
            "SolidMask", "", lambda sheet, it=value: [sheet.shown(sheet.add("SolidMask", value=it, width=6, height=4))]
        )
    pairs = ((WIDE, "dot.tiff"), (WIDE, WIDE), (ODD, EVEN), (ODD, ODD), (EVEN, "pole.tiff"))
    for operation, (below, above), (x, y) in product(OPERATIONS, pairs, ((0, 0), (2, 1), (4, 2))):
        yield Case(
            "MaskComposite", operation, partial(_combined, pair=(below, above), place=(x, y), operation=operation)
        )


def _split(sheet: Sheet, source: str) -> list[Slot]:
    split = sheet.add("SplitImageWithAlpha", image=sheet.rgba(source))
    return [split, sheet.shown(second(split))]


def _channel(sheet: Sheet, source: str, channel: str) -> list[Slot]:
    return [sheet.shown(sheet.add("ImageToMask", image=sheet.rgba(source), channel=channel))]


def _joined(sheet: Sheet, source: str, other: str) -> list[Slot]:
    return [sheet.add("JoinImageWithAlpha", image=sheet.load(source), alpha=sheet.mask(other))]


def _combined(sheet: Sheet, pair: tuple[str, str], place: tuple[int, int], operation: str) -> list[Slot]:
    masks = {"destination": sheet.mask(pair[0]), "source": sheet.mask(pair[1])}
    return [sheet.shown(sheet.add("MaskComposite", **masks, x=place[0], y=place[1], operation=operation))]


def _numbers() -> Iterator[Case]:
    """Nodes that give numbers, by pictures that have their size or color."""
    for source in SOURCES:

        def build(sheet: Sheet, source: str = source) -> list[Slot]:
            size = sheet.add("GetImageSize", image=sheet.load(source))
            edges = {"width": size, "height": second(size), "batch_size": second(second(size))}
            return [sheet.add("EmptyImage", **edges, color=0x336699)]

        yield Case("GetImageSize", "", build)
    for name, value, key in (("PrimitiveInt", 7, "width"), ("PrimitiveFloat", 0.7, "value")):

        def primitive(sheet: Sheet, name: str = name, value: float = value, key: str = key) -> list[Slot]:
            given = {"value": 1.0, "width": 5, "height": 4, key: sheet.add(name, value=value)}
            return [sheet.shown(sheet.add("SolidMask", **given))]

        yield Case(name, "", primitive)
    for name, value in (
        ("PrimitiveString", "nodes"),
        ("PrimitiveStringMultiline", "no\ndes"),
        ("PrimitiveBoolean", True),
    ):
        yield Case(name, "", partial(_previewed, name=name, value=value))


def _previewed(sheet: Sheet, name: str, value: Any) -> list[Slot]:
    sheet.add("PreviewAny", source=sheet.add(name, value=value))
    return []


def cases() -> Iterator[Case]:
    """Every case, in the order of the nodes' table."""
    for part in (_loads, _scales, _edits, _filters, _blends, _composites, _masks, _numbers):
        yield from part()
