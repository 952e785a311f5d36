"""In the place of torchvision: what ComfyUI touches when it is imported."""

from . import models, transforms  # noqa: TID252 - it stands outside of our package

__version__ = "0"
__all__ = ["models", "transforms"]
