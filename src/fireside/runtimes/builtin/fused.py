"""Arithmetic with torch's roundings: fused multiplication and addition, and sums of many terms.

Torch's kernels round a product and its sum once, on every processor of the last ten years. In float64 the product of
two float32 is exact and the sum is rounded once more, which changes the result in about one of 2**29 cases.
"""

import math

import numpy as np

from fireside.runtimes.builtin.pictures import Pixels

_LEVELS = 4
_LEAST_LEVEL_BITS = 4


def fused(values: Pixels, factors: Pixels | np.float32, added: Pixels | np.float32) -> Pixels:
    """Give `values * factors + added`."""
    made = values * np.asarray(factors, np.float64)
    made += added
    return made.astype(np.float32)


def summed(rows: Pixels, chains: int) -> Pixels:
    """Sum [N,K] over N as one thread of torch does: in `chains` sums side by side, each closed every few terms."""
    rounds = len(rows) // chains
    level_bits = max(_LEAST_LEVEL_BITS, math.ceil(math.log2(max(1, rounds))) // _LEVELS)
    levels = np.zeros((_LEVELS, chains, rows.shape[1]), np.float32)
    for number, terms in enumerate(rows[: rounds * chains].reshape(rounds, chains, rows.shape[1]), start=1):
        levels[0] += terms
        for level in range(1, _LEVELS):
            if number % (1 << level_bits * level):
                break
            levels[level] += levels[level - 1]
            levels[level - 1] = 0
    for level in levels[1:]:
        levels[0] += level
    total = levels[0, 0]
    for terms in (*rows[rounds * chains :], *levels[0, 1:]):
        total += terms
    return total
