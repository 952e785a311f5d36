"""The graphs whose pictures are compared with a real ComfyUI's, by name; each ends in SaveImage nodes."""

from typing import Any

Graph = dict[str, Any]

_METHODS = ("nearest-exact", "bilinear", "area", "bicubic", "lanczos")
_SIZES = {"larger": (90, 51), "smaller": (13, 9), "wider": (80, 11), "narrower": (12, 40), "same": (37, 23)}
_MODES = ("normal", "multiply", "screen", "overlay", "soft_light", "difference")
_FACTORS = (0.3, 1.0)
_BLURS = {"slight": (1, 1.0), "narrow": (5, 0.3), "wide": (10, 10.0), "sharp": (3, 0.1)}
_LOADED = (
    "rgb.png",
    "rgba.png",
    "gray.png",
    "gray_alpha.png",
    "gray_16.png",
    "gray_32.tiff",
    "bits.png",
    "palette.png",
    "palette_transparent.png",
    "palette_half_transparent.png",
    "rgb_transparent.png",
    "turned.png",
    "turned_alpha.png",
    "frames.gif",
    "frames.png",
    "pages.tiff",
    "inks.tiff",
    "floats.tiff",
)
_MASKED = ("rgb.png", "rgba.png", "gray.png", "gray_16.png", "palette_transparent.png", "turned_alpha.png")
_CHANNELS = ("alpha", "red", "green", "blue")


def node(class_type: str, **inputs: Any) -> Graph:
    """One node of a graph in API format."""
    return {"class_type": class_type, "inputs": inputs}


def load(image: str = "rgb.png") -> Graph:
    """Load a picture."""
    return node("LoadImage", image=image)


def save(source: str, slot: int = 0, prefix: str = "case") -> Graph:
    """Save what a slot gives."""
    return node("SaveImage", images=[source, slot], filename_prefix=prefix)


def _edited(class_type: str, image: str = "rgb.png", **inputs: Any) -> Graph:
    return {"1": load(image), "2": node(class_type, image=["1", 0], **inputs), "9": save("2")}


def _merged(class_type: str, second: str, **inputs: Any) -> Graph:
    merged = node(class_type, image1=["1", 0], image2=["2", 0], **inputs)
    return {"1": load(), "2": load(second), "3": merged, "9": save("3")}


def _with_alpha(class_type: str, which: str, **inputs: Any) -> Graph:
    """Let a picture of three channels meet one of four."""
    graph = _merged(class_type, "rgba.png", **inputs)
    graph["4"] = node("JoinImageWithAlpha", image=["2", 0], alpha=["2", 1])
    graph["3"]["inputs"][which] = ["4", 0]
    return graph


def _scalings() -> dict[str, Graph]:
    graphs: dict[str, Graph] = {}
    for method in _METHODS:
        for word, (width, height) in _SIZES.items():
            graphs[f"scale_{method}_{word}"] = _edited(
                "ImageScale", upscale_method=method, width=width, height=height, crop="disabled"
            )
        graphs[f"scale_{method}_cropped"] = _edited(
            "ImageScale", upscale_method=method, width=50, height=50, crop="center"
        )
        graphs[f"scale_{method}_cropped_flat"] = _edited(
            "ImageScale", "large.png", upscale_method=method, width=50, height=9, crop="center"
        )
        for factor in (0.37, 1.73):
            graphs[f"scale_by_{method}_{factor}"] = _edited("ImageScaleBy", upscale_method=method, scale_by=factor)
    for width, height in ((50, 0), (0, 50), (0, 0)):
        graphs[f"scale_to_{width}_by_{height}"] = _edited(
            "ImageScale", upscale_method="bilinear", width=width, height=height, crop="center"
        )
    return graphs


def _blends() -> dict[str, Graph]:
    graphs = {
        f"blend_{mode}_{factor}": _merged("ImageBlend", "turned.png", blend_factor=factor, blend_mode=mode)
        for mode in _MODES
        for factor in _FACTORS
    }
    for mode in _MODES:
        inverted = _merged("ImageBlend", "rgb.png", blend_factor=0.5, blend_mode=mode)
        inverted["4"] = node("ImageInvert", image=["2", 0])
        inverted["3"]["inputs"]["image2"] = ["4", 0]
        graphs[f"blend_{mode}_of_one_size"] = inverted
    graphs["blend_alpha_as_image2"] = _with_alpha("ImageBlend", "image2", blend_factor=0.5, blend_mode="screen")
    return graphs


def _loads() -> dict[str, Graph]:
    graphs: dict[str, Graph] = {}
    for name in _LOADED:
        shown = node("MaskToImage", mask=["1", 1])
        graphs[f"load_{name}"] = {"1": load(name), "2": shown, "8": save("1"), "9": save("2")}
    for name in _MASKED:
        for channel in _CHANNELS:
            loaded = node("LoadImageMask", image=name, channel=channel)
            graphs[f"mask_{name}_{channel}"] = {"1": loaded, "2": node("MaskToImage", mask=["1", 0]), "9": save("2")}
    return graphs


def _edits() -> dict[str, Graph]:
    empty = node("EmptyImage", width=5, height=3, batch_size=2, color=0x12F0A7)
    graphs = {
        "empty": {"1": empty, "9": save("1")},
        "invert": _edited("ImageInvert"),
        "crop_inside": _edited("ImageCrop", width=8, height=7, x=5, y=4),
        "crop_over_the_edge": _edited("ImageCrop", width=30, height=30, x=20, y=15),
        "crop_beyond_the_edge": _edited("ImageCrop", width=3, height=3, x=900, y=900),
        "mask_to_image_to_mask": {
            "1": load("rgba.png"),
            "2": node("ImageToMask", image=["1", 0], channel="green"),
            "3": node("InvertMask", mask=["2", 0]),
            "4": node("MaskToImage", mask=["3", 0]),
            "9": save("4"),
        },
        "solid_mask": {
            "1": node("SolidMask", value=0.31, width=6, height=4),
            "2": node("MaskToImage", mask=["1", 0]),
            "9": save("2"),
        },
        "split_alpha": {
            "1": load("rgba.png"),
            "2": node("JoinImageWithAlpha", image=["1", 0], alpha=["1", 1]),
            "3": node("SplitImageWithAlpha", image=["2", 0]),
            "4": node("MaskToImage", mask=["3", 1]),
            "7": save("2"),
            "8": save("3"),
            "9": save("4"),
        },
        "join_alpha_of_another_size": {
            "1": load("rgba.png"),
            "2": node("SolidMask", value=0.31, width=6, height=4),
            "3": node("JoinImageWithAlpha", image=["1", 0], alpha=["2", 0]),
            "9": save("3"),
        },
    }
    for word, (radius, sigma) in _BLURS.items():
        graphs[f"blur_{word}"] = _edited("ImageBlur", blur_radius=radius, sigma=sigma)
    return graphs


def _batches() -> dict[str, Graph]:
    return {
        "batch": _merged("ImageBatch", "rgb.png"),
        "batch_of_two_sizes": _merged("ImageBatch", "large.png"),
        "batch_alpha_as_image1": _with_alpha("ImageBatch", "image1"),
        "batch_alpha_as_image2": _with_alpha("ImageBatch", "image2"),
        "from_batch": _edited("ImageFromBatch", "frames.gif", batch_index=1, length=5),
        "from_batch_beyond": _edited("ImageFromBatch", "frames.gif", batch_index=9, length=1),
        "repeat_batch": _edited("RepeatImageBatch", "frames.gif", amount=2),
        "scale_a_batch": _edited(
            "ImageScale", "frames.gif", upscale_method="area", width=20, height=20, crop="disabled"
        ),
        "blend_one_into_many": _merged("ImageBlend", "frames.gif", blend_factor=0.4, blend_mode="multiply"),
    }


GRAPHS: dict[str, Graph] = {**_scalings(), **_blends(), **_loads(), **_edits(), **_batches()}
