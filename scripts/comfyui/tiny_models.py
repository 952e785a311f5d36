"""Make diffusion models of random weights that ComfyUI's own loaders take, each a few megabytes or less.

`tiny_models.py MODELS_FOLDER` runs in ComfyUI's Python. ComfyUI reads a model's layout off the names and shapes of
its weights, so a UNet of one level with one block is a Stable Diffusion 1.5 to it. Where a shape is fixed (the text
encoder), weights are overlapping views of one short storage, which torch's own file format keeps as they are.
"""

import math
import sys
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

WIDTH = 320
TEXT_WIDTH = 768
TEXT_LAYERS = 12
TOKENS = 49408
POSITIONS = 77
LATENT = 4
TAESD_WIDTH = 64


class Weights:
    """A state dictionary in the making."""

    def __init__(self, seed: int) -> None:
        self.named: dict[str, Any] = {}
        self._random = torch.Generator().manual_seed(seed)
        self._storages: dict[float, Any] = {}

    def add(self, name: str, *shape: int, gain: float = 1.0) -> None:
        """A random weight; its rows overlap in memory, seven elements apart."""
        fan_in = math.prod(shape[1:])
        steps = (7, 11, shape[3], 1) if len(shape) == 4 else (7, 1)
        needed = 1 + sum((size - 1) * step for size, step in zip(shape, steps, strict=True))
        scale = gain / math.sqrt(fan_in)
        storage = self._storages.get(scale)
        if storage is None or storage.numel() < needed:
            storage = (torch.randn(needed, generator=self._random) * scale).to(torch.float16)
            self._storages[scale] = storage
        self.named[name] = storage.as_strided(shape, steps)

    def constant(self, name: str, value: float, *shape: int) -> None:
        """A weight that is the same everywhere."""
        self.named[name] = torch.full((1,), value, dtype=torch.float16).expand(shape)

    def linear(self, name: str, inputs: int, outputs: int, *, bias: bool = True) -> None:
        """A fully connected layer."""
        self.add(f"{name}.weight", outputs, inputs)
        if bias:
            self.constant(f"{name}.bias", 0.0, outputs)

    def convolution(
        self, name: str, inputs: int, outputs: int, size: int = 3, *, bias: float | None = 0.0, gain: float = 1.0
    ) -> None:
        """A two-dimensional convolution."""
        self.add(f"{name}.weight", outputs, inputs, size, size, gain=gain)
        if bias is not None:
            self.constant(f"{name}.bias", bias, outputs)

    def norm(self, name: str, channels: int) -> None:
        """A normalization that changes nothing."""
        self.constant(f"{name}.weight", 1.0, channels)
        self.constant(f"{name}.bias", 0.0, channels)


def add_unet(weights: Weights, at: str) -> None:
    """A UNet of one level: in, one block with attention, out."""
    weights.linear(f"{at}time_embed.0", WIDTH, WIDTH * 4)
    weights.linear(f"{at}time_embed.2", WIDTH * 4, WIDTH * 4)
    weights.convolution(f"{at}input_blocks.0.0", LATENT, WIDTH)
    for block, inputs in (("input_blocks.1", WIDTH), ("output_blocks.0", WIDTH * 2), ("output_blocks.1", WIDTH * 2)):
        _add_residual(weights, f"{at}{block}.0", inputs)
    _add_attention(weights, f"{at}input_blocks.1.1")
    weights.norm(f"{at}out.0", WIDTH)
    weights.convolution(f"{at}out.2", WIDTH, LATENT)


def _add_residual(weights: Weights, at: str, inputs: int) -> None:
    weights.norm(f"{at}.in_layers.0", inputs)
    weights.convolution(f"{at}.in_layers.2", inputs, WIDTH)
    weights.linear(f"{at}.emb_layers.1", WIDTH * 4, WIDTH)
    weights.norm(f"{at}.out_layers.0", WIDTH)
    weights.convolution(f"{at}.out_layers.3", WIDTH, WIDTH)
    if inputs != WIDTH:
        weights.convolution(f"{at}.skip_connection", inputs, WIDTH, 1)


def _add_attention(weights: Weights, at: str) -> None:
    weights.norm(f"{at}.norm", WIDTH)
    weights.convolution(f"{at}.proj_in", WIDTH, WIDTH, 1)
    block = f"{at}.transformer_blocks.0"
    for attention, context in (("attn1", WIDTH), ("attn2", TEXT_WIDTH)):
        weights.linear(f"{block}.{attention}.to_q", WIDTH, WIDTH, bias=False)
        weights.linear(f"{block}.{attention}.to_k", context, WIDTH, bias=False)
        weights.linear(f"{block}.{attention}.to_v", context, WIDTH, bias=False)
        weights.linear(f"{block}.{attention}.to_out.0", WIDTH, WIDTH)
    weights.linear(f"{block}.ff.net.0.proj", WIDTH, WIDTH * 8)
    weights.linear(f"{block}.ff.net.2", WIDTH * 4, WIDTH)
    for number in (1, 2, 3):
        weights.norm(f"{block}.norm{number}", WIDTH)
    weights.convolution(f"{at}.proj_out", WIDTH, WIDTH, 1)


def add_text_encoder(weights: Weights, at: str) -> None:
    """A text encoder with the shape of CLIP-L, which is fixed."""
    weights.add(f"{at}embeddings.token_embedding.weight", TOKENS, TEXT_WIDTH)
    weights.add(f"{at}embeddings.position_embedding.weight", POSITIONS, TEXT_WIDTH)
    for number in range(TEXT_LAYERS):
        layer = f"{at}encoder.layers.{number}"
        for part in ("q_proj", "k_proj", "v_proj", "out_proj"):
            weights.linear(f"{layer}.self_attn.{part}", TEXT_WIDTH, TEXT_WIDTH)
        weights.linear(f"{layer}.mlp.fc1", TEXT_WIDTH, TEXT_WIDTH * 4)
        weights.linear(f"{layer}.mlp.fc2", TEXT_WIDTH * 4, TEXT_WIDTH)
        weights.norm(f"{layer}.layer_norm1", TEXT_WIDTH)
        weights.norm(f"{layer}.layer_norm2", TEXT_WIDTH)
    weights.norm(f"{at}final_layer_norm", TEXT_WIDTH)


def add_taesd(weights: Weights, at: str) -> None:
    """The tiny autoencoder TAESD; each letter is a layer: convolution, block, strided, upsampling, none."""
    for half, layers in (("encoder", "cbsbbbsbbbsbbbz"), ("decoder", "-c-bbb-sbbb-sbbb-sbo")):
        for number, kind in enumerate(layers):
            layer = f"{at}taesd_{half}.{number}"
            if kind == "c":
                weights.convolution(layer, 3 if half == "encoder" else LATENT, TAESD_WIDTH)
            elif kind == "b":
                for part in (0, 2, 4):
                    weights.convolution(f"{layer}.conv.{part}", TAESD_WIDTH, TAESD_WIDTH)
            elif kind == "s":
                weights.convolution(layer, TAESD_WIDTH, TAESD_WIDTH, bias=None)
            elif kind == "z":
                weights.convolution(layer, TAESD_WIDTH, LATENT)
            elif kind == "o":
                # Around middle gray, so that pictures are not black.
                weights.convolution(layer, TAESD_WIDTH, 3, bias=0.5, gain=0.1)
    weights.named[f"{at}vae_scale"] = torch.tensor(0.18215)
    weights.named[f"{at}vae_shift"] = torch.tensor(0.0)


def part_of(weights: Weights, prefix: str) -> dict[str, Any]:
    """The weights below a name, without it."""
    return {name.removeprefix(prefix): value for name, value in weights.named.items() if name.startswith(prefix)}


def main(models: Path) -> None:
    """Write all models."""
    weights = Weights(seed=0)
    add_unet(weights, "model.diffusion_model.")
    add_text_encoder(weights, "cond_stage_model.transformer.text_model.")
    add_taesd(weights, "first_stage_model.")
    files = {
        "checkpoints/tiny_sd15.ckpt": weights.named,
        "diffusion_models/tiny_sd15_unet.ckpt": part_of(weights, "model.diffusion_model."),
        "text_encoders/tiny_clip_l.pt": part_of(weights, "cond_stage_model.transformer."),
    }
    for name, named in files.items():
        (models / name).parent.mkdir(parents=True, exist_ok=True)
        torch.save(named, models / name)
    (models / "vae_approx").mkdir(exist_ok=True)
    for half in ("encoder", "decoder"):
        named = part_of(weights, f"first_stage_model.taesd_{half}.")
        whole = {name: value.contiguous().float() for name, value in named.items()}
        save_file(whole, models / "vae_approx" / f"taesd_{half}.safetensors")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
