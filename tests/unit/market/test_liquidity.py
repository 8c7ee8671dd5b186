import pytest

from agent.market.liquidity import liquidity_score
from tests.unit.market.builders import a_quote


def test_a_penny_wide_busy_contract_scores_a_hundred() -> None:
    best = a_quote("9.98", "10.02", open_interest=20_000, volume=5_000)
    assert liquidity_score(best) == pytest.approx(100.0)


def test_a_wide_contract_that_nobody_holds_scores_zero() -> None:
    worst = a_quote("1.00", "2.00", open_interest=0, volume=0)
    assert liquidity_score(worst) == 0.0


def test_each_part_has_its_weight() -> None:
    wide = {"bid": "1.00", "ask": "2.00"}
    assert liquidity_score(a_quote("9.99", "10.01", open_interest=0, volume=0)) == 50.0
    held = a_quote(wide["bid"], wide["ask"], open_interest=10_000, volume=0)
    assert liquidity_score(held) == pytest.approx(30.0)
    traded = a_quote(wide["bid"], wide["ask"], open_interest=0, volume=2_000)
    assert liquidity_score(traded) == pytest.approx(20.0)


def test_a_width_of_five_percent_earns_half_of_its_part() -> None:
    # 5 % is the geometric mean of 1 % and 25 %.
    quote = a_quote("9.75", "10.25", open_interest=0, volume=0)
    assert liquidity_score(quote) == pytest.approx(25.0)


def test_unknown_interest_and_volume_earn_nothing() -> None:
    unknown = a_quote("9.75", "10.25", open_interest=None, volume=None)
    assert liquidity_score(unknown) == pytest.approx(25.0)


@pytest.mark.parametrize(("bid", "ask"), [(None, "1.00"), ("0", "1.00"), ("1.10", "1.00")])
def test_without_a_width_there_is_no_score(bid: str | None, ask: str) -> None:
    assert liquidity_score(a_quote(bid, ask)) is None
