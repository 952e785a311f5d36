"""Graphs that go wrong, or nearly: what clients may not write, what only a link can bring in, and what is empty."""

from typing import Any

from tests.runtimes.beside.sheets import Graph, Sheet, Slot, second

ODD, WIDE = "odd.tiff", "wide.tiff"


def _saved(sheet: Sheet, images: Slot) -> Graph:
    sheet.save(images)
    return sheet.nodes


def _edited(name: str, **inputs: Any) -> Graph:
    sheet = Sheet("edge")
    return _saved(sheet, sheet.add(name, image=sheet.load(ODD), **inputs))


def _linked(name: str, **numbers: float) -> Graph:
    """Bring numbers in by links, which no limit of an input stops."""
    sheet = Sheet("edge")
    whole = {"x": 0, "y": 0, "width": 2, "height": 2}
    linked = {key: sheet.add("PrimitiveInt", value=value) for key, value in numbers.items()}
    return _saved(sheet, sheet.add(name, image=sheet.load(WIDE), **whole | linked))


def _masked(name: str, **inputs: Any) -> Graph:
    sheet = Sheet("edge")
    return _saved(sheet, sheet.shown(sheet.add(name, mask=sheet.mask(ODD), **inputs)))


def _mask_linked(name: str, given: dict[str, Any], **numbers: int) -> Graph:
    sheet = Sheet("edge")
    linked = {key: sheet.add("PrimitiveInt", value=value) for key, value in numbers.items()}
    return _saved(sheet, sheet.shown(sheet.add(name, mask=sheet.mask(WIDE), **given | linked)))


def _empty_mask(follow: str, **inputs: Any) -> Graph:
    """Give a mask without rows to a node."""
    sheet = Sheet("edge")
    none = sheet.add("PrimitiveInt", value=0)
    empty = sheet.add("CropMask", mask=sheet.mask(WIDE), x=0, y=0, width=5, height=none)
    return _saved(sheet, sheet.shown(sheet.add(follow, mask=empty, **inputs)))


def _nobody(follow: str, **inputs: Any) -> Graph:
    """Give an empty batch to a node."""
    sheet = Sheet("edge")
    none = sheet.add("PrimitiveInt", value=0)
    empty = sheet.add("ImageFromBatch", image=sheet.load(WIDE), batch_index=0, length=none)
    if follow.startswith("Save"):
        sheet.add(follow, images=empty, **inputs)
        return sheet.nodes
    made = sheet.add(follow, image=empty, **inputs)
    return _saved(
        sheet,
        sheet.add("EmptyImage", width=made, height=2, batch_size=1, color=0) if follow == "GetImageSize" else made,
    )


def _composite(x: int, y: int, mask: str | None = None, resize: bool = False) -> Graph:
    sheet = Sheet("edge")
    place = {"x": sheet.add("PrimitiveInt", value=x), "y": sheet.add("PrimitiveInt", value=y)}
    cover = {} if mask is None else {"mask": sheet.mask(mask)}
    pictures = {"destination": sheet.load(WIDE), "source": sheet.load(ODD), "resize_source": resize}
    return _saved(sheet, sheet.add("ImageCompositeMasked", **pictures, **place, **cover))


def _combined(below: str, above: str, x: int, y: int, operation: str = "add") -> Graph:
    sheet = Sheet("edge")
    masks = {"destination": sheet.mask(below), "source": sheet.mask(above)}
    place = {"x": sheet.add("PrimitiveInt", value=x), "y": sheet.add("PrimitiveInt", value=y)}
    return _saved(sheet, sheet.shown(sheet.add("MaskComposite", **masks, **place, operation=operation)))


def _channel(channel: str) -> Graph:
    sheet = Sheet("edge")
    return _saved(sheet, sheet.shown(sheet.add("ImageToMask", image=sheet.load(ODD), channel=channel)))


def _of_rgba(name: str, **inputs: Any) -> Graph:
    sheet = Sheet("edge")
    return _saved(sheet, sheet.add(name, image=sheet.rgba(ODD), **inputs))


def _solid(value: Any) -> Graph:
    sheet = Sheet("edge")
    number = sheet.add("PrimitiveFloat", value=value)
    return _saved(sheet, sheet.shown(sheet.add("SolidMask", value=number, width=3, height=2)))


def _number_shown(value: Any) -> Graph:
    sheet = Sheet("edge")
    sheet.add("PreviewAny", source=sheet.add("PrimitiveFloat", value=value))
    return sheet.nodes


def _wrong_link() -> Graph:
    sheet = Sheet("edge")
    return _saved(sheet, sheet.add("ImageInvert", image=sheet.mask(ODD)))


def _no_slot() -> Graph:
    sheet = Sheet("edge")
    return _saved(sheet, sheet.add("ImageInvert", image=second(second(sheet.load(ODD)))))


PADDED = {"left": 0, "top": 0, "right": 0, "bottom": 0, "feathering": 0}

REFUSED: dict[str, Graph] = {
    "negative crop": _edited("ImageCrop", x=-1, y=0, width=3, height=3),
    "no width": _edited("ImageCrop", x=0, y=0, width=0, height=3),
    "too wide": _edited("ImageScale", width=16385, height=3, upscale_method="area", crop="disabled"),
    "unknown method": _edited("ImageScale", width=3, height=3, upscale_method="cubic", crop="disabled"),
    "several faults": _edited("ImageSharpen", sharpen_radius=99, sigma="wide", alpha=-1.0),
    "missing inputs": _edited("ImageQuantize", colors=3),
    "no colors": _edited("ImageQuantize", colors=0, dither="none"),
    "negative border": _edited("ImagePadForOutpaint", **PADDED | {"left": -8}),
    "grown too far": _masked("GrowMask", expand=-16385, tapered_corners=True),
    "threshold beyond": _masked("ThresholdMask", value=1.5),
    "no number": _masked("ThresholdMask", value="half"),
    "no option": _combined(ODD, ODD, 0, 0, "nand"),
    "mask for picture": _wrong_link(),
    "no such slot": _no_slot(),
}

RUN: dict[str, Graph] = {
    "crop from the right": _linked("ImageCrop", x=-5),
    "crop to nothing": _linked("ImageCrop", width=-1),
    "crop of nothing": _linked("ImageCrop", height=0),
    "mask crop beyond": _masked("CropMask", x=99, y=0, width=5, height=5),
    "mask crop from the right": _mask_linked("CropMask", {"y": 0, "width": 5, "height": 3}, x=-5),
    "mask crop of nothing": _mask_linked("CropMask", {"x": 0, "y": 0, "width": 5}, height=0),
    "feathered nothing": _empty_mask("FeatherMask", left=1, top=1, right=1, bottom=1),
    "grown nothing": _empty_mask("GrowMask", expand=1, tapered_corners=True),
    "inverted nothing": _empty_mask("InvertMask"),
    "scaled nothing by Pillow": _nobody("ImageScale", width=3, height=3, upscale_method="lanczos", crop="disabled"),
    "scaled nothing by area": _nobody("ImageScale", width=3, height=3, upscale_method="area", crop="center"),
    "scaled to no width": _edited("ImageScaleBy", upscale_method="bilinear", scale_by=0.01),
    "flipped nothing": _nobody("ImageFlip", flip_method="x-axis: vertically"),
    "size of nothing": _nobody("GetImageSize"),
    "sharpened nothing": _nobody("ImageSharpen", sharpen_radius=1, sigma=1.0, alpha=1.0),
    "colors of nothing": _nobody("ImageQuantize", colors=3, dither="none"),
    "padded nothing": _nobody("ImagePadForOutpaint", **PADDED),
    "all of nothing": _nobody("ImageScaleToTotalPixels", upscale_method="area", megapixels=0.01),
    "feathered backwards": _mask_linked("FeatherMask", {"top": 0, "right": 3, "bottom": 0}, left=-4),
    "padded inwards": _linked("ImagePadForOutpaint", **PADDED | {"left": -3}),
    "padded to nothing": _linked("ImagePadForOutpaint", **PADDED | {"left": -99}),
    "nothing to save": _nobody("SaveImage", filename_prefix="edge"),
    "nothing to animate": _nobody(
        "SaveAnimatedWEBP", filename_prefix="edge", fps=6.0, lossless=True, quality=80, method="default"
    ),
    "nothing to animate as PNG": _nobody("SaveAnimatedPNG", filename_prefix="edge", fps=6.0, compress_level=4),
    "nothing to scale": _nobody("ImageScale", width=3, height=3, upscale_method="bilinear", crop="disabled"),
    "nothing to blur": _nobody("ImageBlur", blur_radius=1, sigma=1.0),
    "nothing to rotate": _nobody("ImageRotate", rotation="90 degrees"),
    "scaled to nothing": _edited("ImageScaleBy", upscale_method="area", scale_by=0.01),
    "scaled to nothing by Pillow": _edited("ImageScaleBy", upscale_method="lanczos", scale_by=0.01),
    "blurred beyond the edge": _edited("ImageBlur", blur_radius=3, sigma=1.0),
    "sharpened beyond the edge": _edited("ImageSharpen", sharpen_radius=31, sigma=1.0, alpha=1.0),
    "colors of four channels": _of_rgba("ImageQuantize", colors=3, dither="none"),
    "no alpha": _channel("alpha"),
    "laid over the left edge": _composite(-2, 0),
    "laid far beyond the left edge": _composite(-99, 0),
    "laid over the upper edge": _composite(0, -1, ODD),
    "laid beyond both edges": _composite(999, 999, WIDE, resize=True),
    "masks of other numbers": _combined(ODD, WIDE, 0, 0),
    "mask beyond the edge": _combined(ODD, "dot.tiff", 9, 9),
    "wide mask beyond the edge": _combined(ODD, WIDE, 900, 0),
    "mask before the edge": _combined(WIDE, WIDE, -3, 0),
    "not a number": _solid("nan"),
    "not a number shown": _number_shown("nan"),
    "grown to the end": _masked("GrowMask", expand=16384, tapered_corners=False),
    "grown from nothing": _mask_linked("GrowMask", {"tapered_corners": True}, expand=-999),
}
