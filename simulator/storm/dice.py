"""Chance that belongs to a name: what is drawn for one thing never shifts what others draw."""

import hashlib
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")
_RANGE = float(2**64)


class Dice:
    """Draw by seed and name; the same name gives the same draw, whatever was drawn before.

    That is what makes a failure shrinkable: without one fault, all others stay where they were.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._salt = hashlib.blake2b(str(seed).encode(), digest_size=16).digest()

    def fraction(self, name: str) -> float:
        """Give a number in [0, 1)."""
        digest = hashlib.blake2b(name.encode(), digest_size=8, key=self._salt).digest()
        return int.from_bytes(digest, "big") / _RANGE

    def between(self, name: str, low: float, high: float) -> float:
        """Give a number in [low, high)."""
        return low + (high - low) * self.fraction(name)

    def whole(self, name: str, low: int, high: int) -> int:
        """Give a whole number from `low` to `high`, both included."""
        return low + int(self.fraction(name) * (high - low + 1))

    def chance(self, name: str, probability: float) -> bool:
        return self.fraction(name) < probability

    def pick(self, name: str, choices: Sequence[T]) -> T:
        """Give one of the choices."""
        return choices[int(self.fraction(name) * len(choices))]
