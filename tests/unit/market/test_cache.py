"""What was seen a moment ago is given again, for a while."""

from datetime import timedelta

import pytest

from agent.market.cache import MomentCache
from tests.builders import AS_OF


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


def test_what_was_kept_is_given_until_it_is_too_old() -> None:
    cache: MomentCache[str, int] = MomentCache(60, 10)
    cache.keep("AAPL", 1, AS_OF)
    assert cache.get("AAPL", AS_OF) == 1
    assert cache.get("AAPL", AS_OF + seconds(60)) == 1
    assert cache.get("AAPL", AS_OF + seconds(60.001)) is None
    assert cache.get("MSFT", AS_OF) is None


def test_nothing_is_given_before_it_was_seen() -> None:
    cache: MomentCache[str, int] = MomentCache(60, 10)
    cache.keep("AAPL", 1, AS_OF)
    assert cache.get("AAPL", AS_OF - seconds(1)) is None


def test_what_is_kept_again_is_new() -> None:
    cache: MomentCache[str, int] = MomentCache(60, 10)
    cache.keep("AAPL", 1, AS_OF)
    cache.keep("AAPL", 2, AS_OF + seconds(30))
    assert cache.get("AAPL", AS_OF + seconds(90)) == 2


def test_what_was_kept_longest_ago_makes_room() -> None:
    cache: MomentCache[str, int] = MomentCache(60, 2)
    cache.keep("A", 1, AS_OF)
    cache.keep("B", 2, AS_OF)
    cache.keep("A", 3, AS_OF)
    cache.keep("C", 4, AS_OF)
    assert [cache.get(key, AS_OF) for key in "ABC"] == [3, None, 4]


@pytest.mark.parametrize(("age", "entries"), [(-1.0, 1), (60.0, 0)])
def test_a_cache_that_holds_nothing_is_refused(age: float, entries: int) -> None:
    with pytest.raises(ValueError, match="no cache of"):
        MomentCache[str, int](age, entries)
