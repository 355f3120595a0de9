"""Independent streams of random numbers, each named by what it is for.

An episode's stream depends on the seed, its host and its number on that host, and on nothing else:
not on who writes it, nor on the other hosts. Not here: drawing from them.
"""

import zlib
from enum import IntEnum

import numpy as np


class Stream(IntEnum):
    """What a stream is for; the numbers are part of what a seed means."""

    HOST = 1
    PLAN = 2
    EPISODE = 3
    DAMAGE = 4
    INDEX = 5


def generator(seed: int, stream: Stream, host: str = "", number: int = 0) -> np.random.Generator:
    """Return the generator at the beginning of a stream."""
    entropy = [seed, int(stream), zlib.crc32(host.encode()), number]
    return np.random.Generator(np.random.SFC64(entropy))


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """Draw a number whose logarithm is uniform."""
    return float(low * (high / low) ** rng.random())
