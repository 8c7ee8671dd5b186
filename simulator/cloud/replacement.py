"""One attribute of somebody else's code, replaced for a while and put back."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch


@dataclass(frozen=True)
class Replacement:
    """Replace attribute `name` of `owner`; `reviewed` is the code whose behaviour was studied."""

    owner: Any
    name: str
    value: Any
    reviewed: Any


@contextmanager
def replaced(replacement: Replacement) -> Iterator[None]:
    """Have the replacement in place within the block."""
    with patch.object(replacement.owner, replacement.name, replacement.value):
        yield
