"""In the place of torchvision.transforms: the three names that ComfyUI uses."""

import enum
from collections.abc import Callable, Sequence
from typing import Any


class InterpolationMode(enum.Enum):
    """Names of ways to resize."""

    NEAREST = "nearest"
    BILINEAR = "bilinear"
    BICUBIC = "bicubic"


class Normalize:
    """Subtract the mean and divide by the deviation."""

    def __init__(self, mean: Any, std: Any) -> None:
        self.mean, self.std = mean, std

    def __call__(self, value: Any) -> Any:
        """Do it."""
        return (value - self.mean) / self.std


class Compose:
    """Do one after the other."""

    def __init__(self, steps: Sequence[Callable[[Any], Any]]) -> None:
        self.steps = steps

    def __call__(self, value: Any) -> Any:
        """Do it."""
        for step in self.steps:
            value = step(value)
        return value
