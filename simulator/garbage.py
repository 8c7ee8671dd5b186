"""How often Python looks for garbage while many short-lived objects are made."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

OBJECTS_BETWEEN_COLLECTIONS = 50_000


@contextmanager
def rare_collections() -> Iterator[None]:
    """Look for garbage seldom: a chain is some ten thousand objects, which go by themselves.

    After every 700 new ones, as Python does unasked, the looking costs 5 to 15 %.
    """
    usual = gc.get_threshold()
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)
    try:
        yield
    finally:
        gc.set_threshold(*usual)
