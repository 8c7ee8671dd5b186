import numpy as np
import pytest

from agent.market.forward import StrikePairs, forward_from_carry, forward_from_parity

DISCOUNT_FACTOR = 0.99


def pairs(
    strikes: list[float], forward: float, half_width: float | list[float] = 0.05
) -> StrikePairs:
    """Quote calls and puts whose mids agree on `forward`."""
    strike = np.array(strikes)
    put = 5.0 + np.maximum(strike - forward, 0.0)
    call = put + DISCOUNT_FACTOR * (forward - strike)
    half = np.broadcast_to(np.asarray(half_width, dtype=np.float64), strike.shape)
    return StrikePairs(strike, call - half, call + half, put - half, put + half)


def implied(quoted: StrikePairs, *, spot: float = 100.0) -> float | None:
    return forward_from_parity(quoted, spot=spot, discount_factor=DISCOUNT_FACTOR)


def test_parity_gives_the_forward_that_calls_and_puts_agree_on() -> None:
    assert implied(pairs([95.0, 100.0, 105.0], 100.4)) == pytest.approx(100.4)


def test_tight_quotes_outweigh_wide_ones_by_the_square_of_their_width() -> None:
    tight, wide = pairs([100.0], 100.0, 0.05), pairs([101.0], 100.2, 0.10)
    both = StrikePairs(
        *(
            np.concatenate([getattr(tight, name), getattr(wide, name)])
            for name in ("strike", "call_bid", "call_ask", "put_bid", "put_ask")
        )
    )
    assert implied(both) == pytest.approx((4 * 100.0 + 1 * 100.2) / 5)


def test_locked_quotes_do_not_weigh_infinitely() -> None:
    assert implied(pairs([99.0, 100.0], 100.1, [0.0, 0.01])) == pytest.approx(100.1)


def test_strikes_beyond_six_percent_of_spot_do_not_count() -> None:
    assert implied(pairs([93.9, 106.1], 100.4)) is None
    assert implied(pairs([93.9, 94.0], 100.4)) == pytest.approx(100.4)


def test_strikes_whose_bids_and_asks_do_not_meet_are_not_one_market() -> None:
    apart = pairs([99.0, 101.0], 100.0)
    apart.call_bid[1] += 0.5
    apart.call_ask[1] += 0.5
    assert implied(apart) is None


@pytest.mark.parametrize("side", ["call_bid", "put_bid"])
@pytest.mark.parametrize("value", [np.nan, 0.0])
def test_a_strike_counts_only_where_both_options_have_a_bid(side: str, value: float) -> None:
    one_sided = pairs([100.0], 100.4)
    getattr(one_sided, side)[0] = value
    assert implied(one_sided) is None


@pytest.mark.parametrize("side", ["call_ask", "put_ask"])
@pytest.mark.parametrize("value", [np.nan, 0.01])
def test_a_strike_counts_only_where_both_asks_are_known_and_not_crossed(
    side: str, value: float
) -> None:
    crossed = pairs([100.0], 100.4)
    getattr(crossed, side)[0] = value
    assert implied(crossed) is None


def test_without_strikes_there_is_no_parity() -> None:
    assert implied(pairs([], 100.0)) is None


def test_carry_grows_the_spot_at_the_rate() -> None:
    found = forward_from_carry(spot=100.0, rate=0.04, time_years=0.5)
    assert found == pytest.approx(100.0 * np.exp(0.02))


def test_known_dividends_lower_the_carried_forward_by_what_they_grow_to() -> None:
    dividends = [(0.25, 1.0), (0.75, 5.0)]  # The second goes ex after the expiration.
    found = forward_from_carry(spot=100.0, rate=0.04, time_years=0.5, dividends=dividends)
    assert found == pytest.approx(100.0 * np.exp(0.02) - np.exp(0.01))
