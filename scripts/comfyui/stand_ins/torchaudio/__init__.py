"""In the place of torchaudio: what ComfyUI touches when it is imported, and nothing that works."""

from . import functional, transforms  # noqa: TID252 - it stands outside of our package

__version__ = "0"
__all__ = ["functional", "transforms"]
