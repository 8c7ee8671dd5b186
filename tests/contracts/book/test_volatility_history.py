"""One sample a symbol and session; the newest are given, oldest first."""

from datetime import timedelta

import pytest

from tests.builders import SESSION, a_sample
from tests.contracts.book.conftest import Stores

SAMPLES = tuple(a_sample(SESSION + timedelta(days=day), 0.2 + day / 100) for day in range(5))


def test_a_symbol_without_samples_has_none(stores: Stores) -> None:
    assert stores.volatility.samples("AAPL", 252, source="quotes") == ()


def test_the_newest_samples_are_given_oldest_first(stores: Stores) -> None:
    for sample in (SAMPLES[3], SAMPLES[0], SAMPLES[4], SAMPLES[2], SAMPLES[1]):
        assert stores.volatility.record("AAPL", [sample]) == 1

    assert stores.volatility.samples("AAPL", 252, source="quotes") == SAMPLES
    assert stores.volatility.samples("AAPL", 5, source="quotes") == SAMPLES
    assert stores.volatility.samples("AAPL", 2, source="quotes") == SAMPLES[3:]
    assert stores.volatility.samples("AAP", 252, source="quotes") == ()


def test_the_first_sample_of_a_session_stands(stores: Stores) -> None:
    assert stores.volatility.record("AAPL", [a_sample()]) == 1
    assert stores.volatility.record("AAPL", [a_sample(implied_volatility=0.5)]) == 0
    assert stores.volatility.record("MSFT", [a_sample(implied_volatility=0.5)]) == 1

    assert stores.volatility.samples("AAPL", 1, source="quotes") == (a_sample(),)


def test_an_equal_sample_of_the_same_session_is_refused_too(stores: Stores) -> None:
    sample = a_sample(bid=None, ask=None)
    assert stores.volatility.record("AAPL", [sample]) == 1
    assert stores.volatility.record("AAPL", [sample]) == 0

    assert stores.volatility.samples("AAPL", 1, source="quotes") == (sample,)


def test_a_history_of_no_sessions_cannot_be_asked_for(stores: Stores) -> None:
    with pytest.raises(ValueError, match="sessions_max must be at least 1, not 0"):
        stores.volatility.samples("AAPL", 0, source="quotes")


def test_each_source_has_a_series_of_its_own(stores: Stores) -> None:
    stripped = a_sample(implied_volatility=0.21, source="stripped")
    assert stores.volatility.record("AAPL", [a_sample(), stripped]) == 2
    assert stores.volatility.record("AAPL", [stripped]) == 0

    assert stores.volatility.samples("AAPL", 252, source="quotes") == (a_sample(),)
    assert stores.volatility.samples("AAPL", 252, source="stripped") == (stripped,)
    assert stores.volatility.samples("AAPL", 252, source="bars") == ()


def test_many_samples_are_stored_at_once_and_only_the_new_ones_counted(stores: Stores) -> None:
    assert stores.volatility.record("AAPL", SAMPLES[:3]) == 3
    assert stores.volatility.record("AAPL", SAMPLES) == 2
    assert stores.volatility.record("AAPL", []) == 0

    assert stores.volatility.samples("AAPL", 252, source="quotes") == SAMPLES
