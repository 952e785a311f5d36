"""The workflows that people run on ComfyUI, small enough for a CPU; written for the tiny models of `make comfyui`.

They read the files `photo.png`, `masked.png`, `tone.wav` and `noise.latent` of the input folder.
"""

from collections.abc import Callable, Mapping
from typing import Any

Graph = dict[str, dict[str, Any]]

_MODEL, _CLIP, _VAE = ["4", 0], ["4", 1], ["4", 2]


def node(class_type: str, **inputs: Any) -> dict[str, Any]:
    return {"class_type": class_type, "inputs": inputs}


def text_to_image(*, seed: int = 1, steps: int = 4) -> Graph:
    return {
        **_sampled(node("EmptyLatentImage", width=64, height=64, batch_size=1), seed=seed, steps=steps),
        **_decoded("tiny"),
    }


def split_loaders() -> Graph:
    """Load the parts of a model from files of their own; the decoder is a tiny one."""
    return {
        "1": node("UNETLoader", unet_name="tiny_sd15_unet.ckpt", weight_dtype="default"),
        "2": node("CLIPLoader", clip_name="tiny_clip_l.pt", type="stable_diffusion", device="default"),
        "4": node("VAELoader", vae_name="taesd"),
        "5": node("EmptyLatentImage", width=64, height=64, batch_size=1),
        "6": node("CLIPTextEncode", clip=["2", 0], text="a tiny red cube"),
        "7": node("ConditioningZeroOut", conditioning=["6", 0]),
        "3": _sampler(["1", 0]),
        "8": node("VAEDecode", samples=["3", 0], vae=["4", 0]),
        "9": node("SaveImage", images=["8", 0], filename_prefix="split/loaders"),
    }


def image_to_image() -> Graph:
    return {
        "1": node("LoadImage", image="photo.png"),
        **_sampled(node("VAEEncode", pixels=["1", 0], vae=_VAE), denoise=0.6),
        **_decoded("changed"),
    }


def inpaint() -> Graph:
    """Paint anew what an uploaded mask covers."""
    encoded = node("VAEEncodeForInpaint", pixels=["1", 0], vae=_VAE, mask=["1", 1], grow_mask_by=6)
    return {"1": node("LoadImage", image="masked.png"), **_sampled(encoded), **_decoded("inpainted")}


def inpaint_under_noise() -> Graph:
    """Change what an uploaded mask covers, and composite it back."""
    return {
        "1": node("LoadImage", image="masked.png"),
        "2": node("VAEEncode", pixels=["1", 0], vae=_VAE),
        **_sampled(node("SetLatentNoiseMask", samples=["2", 0], mask=["1", 1]), denoise=0.7),
        "8": node("VAEDecode", samples=["3", 0], vae=_VAE),
        "10": node(
            "ImageCompositeMasked", destination=["1", 0], source=["8", 0], x=0, y=0, resize_source=False, mask=["1", 1]
        ),
        "9": node("SaveImage", images=["10", 0], filename_prefix="inpainted"),
    }


def batch() -> Graph:
    return {**_sampled(node("EmptyLatentImage", width=64, height=64, batch_size=3)), **_decoded("batch_%batch_num%")}


def repeated_batch() -> Graph:
    return {
        "1": node("LoadImage", image="photo.png"),
        "2": node("RepeatImageBatch", image=["1", 0], amount=3),
        "3": node("ImageScaleBy", image=["2", 0], upscale_method="lanczos", scale_by=0.5),
        "9": node("SaveImage", images=["3", 0], filename_prefix="%width%x%height%"),
        "10": node("PreviewImage", images=["2", 0]),
    }


def list_of_prompts() -> Graph:
    """Sample once for each line of a text."""
    graph = {**_sampled(node("EmptyLatentImage", width=64, height=64, batch_size=1), steps=2), **_decoded("line")}
    graph["6"]["inputs"]["text"] = ["10", 0]
    return {
        **graph,
        "10": node("FiresideSplitLines", text="a red cube\na green ball\n\nein blaues Rad für Zoë"),
        "11": node("FiresideJoinLines", texts=["10", 0]),
        "12": node("PreviewAny", source=["11", 0]),
    }


def list_of_pictures() -> Graph:
    return {
        "1": node("LoadImage", image="photo.png"),
        "2": node("ImageInvert", image=["1", 0]),
        "3": node("ImageBatch", image1=["1", 0], image2=["2", 0]),
        "4": node("RepeatImageBatch", image=["3", 0], amount=2),
        "5": node("RebatchImages", images=["4", 0], batch_size=3),
        "9": node("SaveImage", images=["5", 0], filename_prefix="rebatched"),
    }


def lazy_switch() -> Graph:
    """Choose the branch that works; the other one would fail."""
    return {
        "1": node("LoadImage", image="photo.png"),
        "2": node("FiresideFail", image=["1", 0], message="nobody asked for this branch", how="raise"),
        "3": node("PrimitiveBoolean", value=True),
        "4": node("FiresideSwitch", switch=["3", 0], on_false=["2", 0], on_true=["1", 0]),
        "9": node("SaveImage", images=["4", 0], filename_prefix="chosen"),
    }


def animated_webp() -> Graph:
    options = {"fps": 6.0, "lossless": False, "quality": 80, "method": "default"}
    frames = _sampled(node("EmptyLatentImage", width=64, height=64, batch_size=3), steps=2)
    return {**frames, **_decoded("moving"), "9": node("SaveAnimatedWEBP", images=["8", 0], **_prefix(), **options)}


def animated_png() -> Graph:
    frames = _sampled(node("EmptyLatentImage", width=64, height=64, batch_size=3), steps=2)
    saved = node("SaveAnimatedPNG", images=["8", 0], **_prefix(), fps=6.0, compress_level=4)
    return {**frames, **_decoded("moving"), "9": saved}


def video() -> Graph:
    """Save a clip with sound in two formats."""
    frames = _sampled(node("EmptyLatentImage", width=64, height=64, batch_size=4), steps=2)
    return {
        **frames,
        "8": node("VAEDecode", samples=["3", 0], vae=_VAE),
        "10": node("LoadAudio", audio="tone.wav"),
        "11": node("CreateVideo", images=["8", 0], fps=8.0, audio=["10", 0]),
        "12": node("SaveVideo", video=["11", 0], filename_prefix="video/clip", format="mp4", codec="h264"),
        "13": node("SaveWEBM", images=["8", 0], filename_prefix="video/clip", codec="vp9", fps=8.0, crf=32.0),
    }


def audio() -> Graph:
    """Save a sound in every format that ComfyUI has, and a silence."""
    return {
        "1": node("LoadAudio", audio="tone.wav"),
        "2": node("SaveAudio", audio=["1", 0], filename_prefix="audio/tone"),
        "3": node("SaveAudioMP3", audio=["1", 0], filename_prefix="audio/tone", quality="128k"),
        "4": node("SaveAudioOpus", audio=["1", 0], filename_prefix="audio/tone", quality="64k"),
        "5": node("PreviewAudio", audio=["1", 0]),
        "6": node("EmptyAudio", duration=0.2, sample_rate=16000, channels=1),
        "7": node("AudioConcat", audio1=["6", 0], audio2=["6", 0], direction="after"),
        "8": node("SaveAudio", audio=["7", 0], filename_prefix="audio/silence"),
    }


def saved_latent() -> Graph:
    sampled = _sampled(node("EmptyLatentImage", width=64, height=64, batch_size=1))
    return {**sampled, "9": node("SaveLatent", samples=["3", 0], filename_prefix="latents/cube")}


def loaded_latent() -> Graph:
    return {
        "4": _checkpoint(),
        "1": node("LoadLatent", latent="noise.latent"),
        "8": node("VAEDecode", samples=["1", 0], vae=_VAE),
        "9": node("SaveImage", images=["8", 0], filename_prefix="loaded"),
    }


def sent_pictures() -> Graph:
    """Send the pictures of a batch over the websocket, and save none."""
    return {
        "1": node("LoadImage", image="photo.png"),
        "2": node("RepeatImageBatch", image=["1", 0], amount=12),
        "3": node("SaveImageWebsocket", images=["2", 0]),
    }


def sent_picture(name: str) -> Graph:
    """Send a picture of the input folder over the websocket, and save none."""
    return {
        "1": node("LoadImage", image=name),
        "2": node("SaveImageWebsocket", images=["1", 0]),
    }


def failing() -> Graph:
    """Show a picture, and fail beside it."""
    return {
        "1": node("LoadImage", image="photo.png"),
        "2": node("FiresideFail", image=["1", 0], message="as it was told", how="raise"),
        "9": node("SaveImage", images=["2", 0], filename_prefix="never"),
    }


SAME_ON_BOTH: tuple[Callable[[], Mapping[str, Any]], ...] = (
    text_to_image,
    split_loaders,
    image_to_image,
    inpaint,
    inpaint_under_noise,
    batch,
    repeated_batch,
    list_of_prompts,
    list_of_pictures,
    lazy_switch,
    animated_webp,
    animated_png,
    video,
    audio,
)


def _sampled(latent: dict[str, Any], **changes: Any) -> Graph:
    """The nodes 3 to 7 of ComfyUI's default workflow, over a latent of its own."""
    return {
        "4": _checkpoint(),
        "5": latent,
        "6": node("CLIPTextEncode", clip=_CLIP, text="a tiny red cube"),
        "7": node("CLIPTextEncode", clip=_CLIP, text="blurry"),
        "3": _sampler(_MODEL, **changes),
    }


def _checkpoint() -> dict[str, Any]:
    return node("CheckpointLoaderSimple", ckpt_name="tiny_sd15.ckpt")


def _sampler(model: list[Any], **changes: Any) -> dict[str, Any]:
    links = {"model": model, "positive": ["6", 0], "negative": ["7", 0], "latent_image": ["5", 0]}
    options = {"seed": 1, "steps": 4, "cfg": 7.0, "sampler_name": "euler", "scheduler": "normal", "denoise": 1.0}
    return node("KSampler", **links, **options | changes)


def _decoded(prefix: str) -> Graph:
    return {
        "8": node("VAEDecode", samples=["3", 0], vae=_VAE),
        "9": node("SaveImage", images=["8", 0], filename_prefix=prefix),
    }


def _prefix() -> dict[str, str]:
    return {"filename_prefix": "moving"}
