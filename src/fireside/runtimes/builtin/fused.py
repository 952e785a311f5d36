"""Multiply and add with one rounding, as torch's kernels do on every processor of the last ten years.

A product of two float32 is exact in float64. Its sum is rounded there once more, which changes the result in about
one of 2**29 cases.
"""

import numpy as np

from fireside.runtimes.builtin.pictures import Pixels


def fused(values: Pixels, factors: Pixels | np.float32, added: Pixels | np.float32) -> Pixels:
    """Give `values * factors + added`."""
    made = values * np.asarray(factors, np.float64)
    made += added
    return made.astype(np.float32)
