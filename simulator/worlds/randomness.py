"""Chance that depends on what is asked, never on what was asked before.

Sequences come from counter-based generators keyed by names; single numbers about many contracts
come from hashing the contracts. Either way the same question has the same answer in any order.
"""

import hashlib

import numpy as np
from numpy.typing import NDArray

UintArray = NDArray[np.uint64]
FloatArray = NDArray[np.float64]

_UNIT_INTERVAL_BITS = 53


def key_of(*parts: object) -> int:
    """Condense names, dates and numbers into one 64-bit key."""
    text = "\x1f".join(str(part) for part in parts)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


def generator_of(*parts: object) -> np.random.Generator:
    """Start the random sequence that belongs to these names."""
    return np.random.Generator(np.random.Philox(key=key_of(*parts)))


def uniforms_of(items: UintArray, *parts: object) -> FloatArray:
    """Give each of `items` its own number, strictly between 0 and 1, for these names.

    The mixing is SplitMix64's finaliser (Steele, Lea and Flood, 2014), applied twice.
    """
    mixed = _mix(items ^ np.uint64(key_of(*parts)))
    mixed = _mix(mixed + np.uint64(0x9E3779B97F4A7C15))
    shift = np.uint64(64 - _UNIT_INTERVAL_BITS)
    halves: FloatArray = (mixed >> shift).astype(np.float64) + 0.5
    return halves / 2.0**_UNIT_INTERVAL_BITS


def _mix(value: UintArray) -> UintArray:
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))
