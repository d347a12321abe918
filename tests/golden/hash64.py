"""Numbers from a formula, for input batches and for the signs of projections."""
import numpy as np


def hash64(seed, index):
    """The output function of SplitMix64 at index + (seed + 1) * 0x9E3779B97F4A7C15, all modulo 2^64."""
    with np.errstate(over='ignore'):
        z = np.asarray(index, np.uint64) + np.uint64((seed + 1) * 0x9E3779B97F4A7C15 & (2**64 - 1))
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))
