"""The seeded random stream of packages/model/src/latents/random.ts, in Python."""

import hashlib

import numpy as np


def words(key: str, count: int) -> np.ndarray:
    """`count` 32-bit words: SHAKE128 over the UTF-8 of `key`, little endian."""
    return np.frombuffer(hashlib.shake_128(key.encode()).digest(4 * count), "<u4")


def uniform(key: str, count: int) -> np.ndarray:
    """`count` float32 numbers in [-1, 1), each exact: (word >> 8) / 2**23 - 1."""
    return ((words(key, count) >> 8).astype(np.float64) / 2**23 - 1).astype(np.float32)


def mask(key: str, count: int, rate: float) -> np.ndarray:
    """`count` numbers 0 or 1, a share `rate` of them 0."""
    return ((words(key, count) >> 8) >= rate * 2**24).astype(np.float32)
