"""Which graphs make the same outputs whenever they run, and what names their work exactly.

Two graphs have the same work when they have the same nodes with the same inputs, ask for the same outputs and read the
same bytes. Their order and what nodes are called for people (`_meta`) mean nothing; node ids mean what outputs are
listed by. Files of models and versions of nodes are no part of it: they belong to where the work is done.
"""

import math
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

import msgspec
from blake3 import blake3

from fireside.domain.workers import WorkerWish
from fireside.graphs.links import source_of
from fireside.graphs.node_sets import NodeSet

_FORM = 1
"""Rises when the same name would mean something else."""
_CORE_MODULES = ("comfy_extras.",)
_CORE_MODULE = "nodes"
# What these stand for depends on the moment, or on files that the text only alludes to.
_PASSING = re.compile(r"%(year|month|day|hour|minute|second)%|embedding:", re.IGNORECASE)

LOADERS: Mapping[str, tuple[str, ...]] = {
    "CheckpointLoaderSimple": ("ckpt_name",),
    "ImageOnlyCheckpointLoader": ("ckpt_name",),
    "unCLIPCheckpointLoader": ("ckpt_name",),
    "UNETLoader": ("unet_name",),
    "CLIPLoader": ("clip_name",),
    "DualCLIPLoader": ("clip_name1", "clip_name2"),
    "TripleCLIPLoader": ("clip_name1", "clip_name2", "clip_name3"),
    "VAELoader": ("vae_name",),
    "LoraLoader": ("lora_name",),
    "LoraLoaderModelOnly": ("lora_name",),
    "ControlNetLoader": ("control_net_name",),
    "CLIPVisionLoader": ("clip_name",),
    "StyleModelLoader": ("style_model_name",),
    "UpscaleModelLoader": ("model_name",),
}
"""Classes that read model files, with the inputs that name them."""

DETERMINISTIC: frozenset[str] = frozenset(
    {
        *LOADERS,
        *("CLIPTextEncode", "CLIPSetLastLayer", "CLIPTextEncodeSDXL", "CLIPTextEncodeSDXLRefiner", "CLIPVisionEncode"),
        *("CLIPTextEncodeFlux", "FluxGuidance", "unCLIPConditioning", "StyleModelApply", "InpaintModelConditioning"),
        *("ConditioningCombine", "ConditioningAverage", "ConditioningConcat", "ConditioningZeroOut"),
        *("ConditioningSetArea", "ConditioningSetAreaPercentage", "ConditioningSetAreaStrength"),
        *("ConditioningSetMask", "ConditioningSetTimestepRange", "ControlNetApply", "ControlNetApplyAdvanced"),
        *("EmptyLatentImage", "EmptySD3LatentImage", "LatentUpscale", "LatentUpscaleBy", "LatentFromBatch"),
        *("RepeatLatentBatch", "LatentComposite", "LatentBlend", "LatentCrop", "LatentFlip", "LatentRotate"),
        *("SetLatentNoiseMask", "VAEDecode", "VAEEncode", "VAEDecodeTiled", "VAEEncodeTiled", "VAEEncodeForInpaint"),
        *("KSampler", "KSamplerAdvanced", "SamplerCustom", "SamplerCustomAdvanced", "RandomNoise", "DisableNoise"),
        *("BasicGuider", "CFGGuider", "KSamplerSelect", "BasicScheduler", "KarrasScheduler", "ExponentialScheduler"),
        *("SplitSigmas", "FlipSigmas", "ModelSamplingDiscrete", "ModelSamplingFlux", "ModelSamplingSD3"),
        *("FreeU", "FreeU_V2", "RescaleCFG"),
        *("LoadImage", "LoadImageMask", "LoadLatent", "SaveImage", "PreviewImage", "SaveLatent", "PreviewAny"),
        *("SaveAnimatedPNG", "SaveAnimatedWEBP", "EmptyImage", "ImageInvert", "ImageBatch", "ImagePadForOutpaint"),
        *("ImageScale", "ImageScaleBy", "ImageScaleToTotalPixels", "ImageUpscaleWithModel", "ImageCrop"),
        *("ImageBlend", "ImageBlur", "ImageQuantize", "ImageSharpen", "RepeatImageBatch", "ImageFromBatch"),
        *("ImageFlip", "ImageRotate", "ImageCompositeMasked", "GetImageSize", "SplitImageWithAlpha"),
        *("JoinImageWithAlpha", "PorterDuffImageComposite", "MaskToImage", "ImageToMask", "ImageColorToMask"),
        *("SolidMask", "InvertMask", "CropMask", "MaskComposite", "FeatherMask", "GrowMask", "ThresholdMask"),
        *("PrimitiveInt", "PrimitiveFloat", "PrimitiveString", "PrimitiveStringMultiline", "PrimitiveBoolean"),
    }
)
"""Core classes that were read: what they give depends on their inputs, on the files these name, and on nothing else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A graph's work by its exact name, and what has to be known of where it was done."""

    name: bytes
    classes: frozenset[str]
    reads_models: bool


def work_of(
    graph: Mapping[str, Any],
    outputs: Collection[str],
    files: Mapping[str, str],
    wish: WorkerWish,
    *,
    more_classes: Collection[str] = (),
) -> Work | None:
    """Name the work of a valid graph in API format; None where it may make something else the next time.

    `files` are the hashes of the bytes that values of the graph stand for, `wish` is what its worker must have.
    """
    classes = {str(node["class_type"]) for node in graph.values()}
    if not classes <= DETERMINISTIC | set(more_classes) or not all(map(_is_lasting, _leaves(graph))):
        return None
    nodes: dict[str, list[Any]] = {
        node_id: [node["class_type"], node.get("inputs") or {}] for node_id, node in graph.items()
    }
    named = msgspec.json.encode(
        [_FORM, nodes, sorted(outputs), dict(files), dict(wish.labels), *filter(None, [wish.vram_bytes])],
        order="deterministic",
    )
    return Work(name=blake3(named).digest(), classes=frozenset(classes), reads_models=not classes.isdisjoint(LOADERS))


def are_core(classes: Collection[str], nodes: NodeSet, *, more_classes: Collection[str] = ()) -> bool:
    """Whether these nodes are ComfyUI's own there, or the operator's choice: a node pack can stand in their place."""
    return all(name in more_classes or _is_core(nodes, name) for name in classes)


def model_names(graph: Mapping[str, Any]) -> list[str]:
    """Give the names of model files that the graph's loaders read."""
    found: dict[str, None] = {}
    for node in graph.values():
        inputs = cast("Mapping[str, Any]", node.get("inputs") or {})
        for name in LOADERS.get(node["class_type"], ()):
            if isinstance(inputs.get(name), str):
                found[inputs[name]] = None
    return list(found)


def _is_core(nodes: NodeSet, name: str) -> bool:
    entry = nodes.entries.get(name)
    if entry is None or not isinstance(entry.info, dict):
        return False
    module = cast("dict[str, Any]", entry.info).get("python_module")
    if not isinstance(module, str):
        return False
    return module == _CORE_MODULE or module.startswith(_CORE_MODULES)


def _is_lasting(leaf: Any) -> bool:
    if isinstance(leaf, float):
        return math.isfinite(leaf)
    return not (isinstance(leaf, str) and _PASSING.search(leaf))


def _leaves(graph: Mapping[str, Any]) -> Iterator[Any]:
    """Give all literal values of the nodes' inputs, at any depth, and without recursion."""
    left: list[Any] = [
        value
        for node in graph.values()
        for value in cast("Mapping[str, Any]", node.get("inputs") or {}).values()
        if source_of(value) is None
    ]
    while left:
        value = left.pop()
        if isinstance(value, dict):
            left.extend(cast("dict[str, Any]", value).values())
        elif isinstance(value, list):
            left.extend(cast("list[Any]", value))
        else:
            yield value
