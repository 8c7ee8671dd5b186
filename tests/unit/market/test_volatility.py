from datetime import date, timedelta

import pytest

from agent.market.chain import OptionChain, analyze_chain
from agent.market.volatility import (
    AtTheMoneyVolatility,
    ImpliedVolatilitySample,
    IvRankBand,
    at_the_money_volatility,
    iv30,
    iv_percentile,
    iv_rank,
    iv_rank_band,
)
from agent.options.contracts import OptionType
from tests.unit.market.builders import (
    RATE,
    SESSION,
    STRIKES,
    a_chain,
    a_quote,
    an_expiration,
    flat,
    priced_quotes,
)


def found_iv30(chain: OptionChain) -> AtTheMoneyVolatility | None:
    return iv30(chain, analyze_chain(chain, rate=RATE))


def by_dte(volatilities: dict[int, float], *, half_width: float = 0.01) -> OptionChain:
    return a_chain(
        *(
            priced_quotes(dte, flat(volatility), half_width=half_width)
            for dte, volatility in volatilities.items()
        )
    )


def a_history(*values: float, source: str = "quotes") -> list[ImpliedVolatilitySample]:
    """Give the values to the days that end the day before the session, oldest first."""
    return [
        ImpliedVolatilitySample(SESSION - timedelta(days=days), value, None, None, source)
        for days, value in zip(range(len(values), 0, -1), values, strict=True)
    ]


def a_rank(current: float, history: list[ImpliedVolatilitySample]) -> float | None:
    return iv_rank(current, history, session=SESSION, sessions_min=3)


def test_total_variance_is_straight_between_the_expirations_around_thirty_days() -> None:
    found = found_iv30(by_dte({17: 0.40, 24: 0.30, 38: 0.24, 66: 0.20}))
    variance = (8 * 0.30**2 * 24 + 6 * 0.24**2 * 38) / 14
    assert found is not None
    assert found.implied_volatility == pytest.approx((variance / 30) ** 0.5, abs=5e-4)
    assert found.source == "quotes"


def test_an_expiration_thirty_days_away_needs_no_neighbour() -> None:
    found = found_iv30(by_dte({30: 0.3}))
    assert found is not None
    assert found.implied_volatility == pytest.approx(0.3, abs=5e-4)


@pytest.mark.parametrize("dtes", [[], [24], [38], [17, 24], [38, 45], [6, 38]])
def test_nothing_is_extrapolated_and_the_last_week_does_not_count(dtes: list[int]) -> None:
    assert found_iv30(by_dte(dict.fromkeys(dtes, 0.3))) is None


def test_an_expiration_without_usable_quotes_gives_way_to_the_next() -> None:
    blank = [a_quote(None, None, strike=strike, expiration=an_expiration(28)) for strike in STRIKES]
    sound = [priced_quotes(dte, flat(0.3)) for dte in (24, 38)]
    found = found_iv30(a_chain(blank, *sound))
    assert found is not None
    assert found.implied_volatility == pytest.approx(0.3, abs=5e-4)


def test_the_band_comes_from_bids_and_asks_and_grows_with_quote_width() -> None:
    tight, wide = by_dte({24: 0.3, 38: 0.3}), by_dte({24: 0.3, 38: 0.3}, half_width=0.2)
    widths: list[float] = []
    for chain in (tight, wide):
        found = found_iv30(chain)
        assert found is not None
        assert found.implied_volatility_bid is not None
        assert found.implied_volatility_ask is not None
        assert (
            found.implied_volatility_bid < found.implied_volatility < found.implied_volatility_ask
        )
        widths.append(found.implied_volatility_ask - found.implied_volatility_bid)
    assert widths[1] == pytest.approx(20 * widths[0], rel=0.05)


def test_puts_alone_are_enough() -> None:
    chain = a_chain(*(priced_quotes(dte, flat(0.3), types=[OptionType.PUT]) for dte in (24, 38)))
    found = found_iv30(chain)
    assert found is not None
    assert found.implied_volatility == pytest.approx(0.3, abs=5e-4)


def test_the_volatility_is_taken_at_the_forward_between_strikes() -> None:
    chain = a_chain(priced_quotes(38, lambda _dte, strike: 0.3 - 0.002 * (strike - 200.0)))
    analytics = analyze_chain(chain, rate=RATE)
    expiration = an_expiration(38)
    forward = analytics.forwards[expiration].forward
    found = at_the_money_volatility(chain, analytics, expiration)
    assert found is not None
    assert forward == pytest.approx(200.84, abs=0.01)
    assert found.implied_volatility == pytest.approx(0.3 - 0.002 * (forward - 200.0), abs=5e-4)


def test_a_bid_that_implies_nothing_leaves_that_side_of_the_band_unknown() -> None:
    # Deep enough in the money, the bid of a wide quote lies below intrinsic value.
    strikes = [190, 210]
    chain = a_chain(
        priced_quotes(24, flat(0.1), half_width=0.4, strikes=strikes),
        priced_quotes(38, flat(0.1), half_width=0.4, strikes=strikes),
    )
    found = iv30(chain, analyze_chain(chain, rate=RATE, width_fraction_max=2.0))
    assert found is not None
    assert found.implied_volatility_bid is None
    assert found.implied_volatility_ask is not None


@pytest.mark.parametrize("strikes", [(150, 230), (195,), (205,)])
def test_strikes_far_from_the_forward_or_on_one_side_are_not_at_the_money(
    strikes: tuple[int, ...],
) -> None:
    chain = a_chain(priced_quotes(38, flat(0.3), strikes=strikes))
    analytics = analyze_chain(chain, rate=RATE)
    assert at_the_money_volatility(chain, analytics, an_expiration(38)) is None


def test_an_expiration_the_chain_does_not_quote_has_no_volatility() -> None:
    chain = by_dte({38: 0.3})
    analytics = analyze_chain(chain, rate=RATE)
    assert at_the_money_volatility(chain, analytics, an_expiration(40)) is None


def test_the_rank_is_the_place_between_lowest_and_highest() -> None:
    history = a_history(0.20, 0.40, 0.25)
    assert a_rank(0.30, history) == pytest.approx(50.0)
    assert a_rank(0.10, history) == 0.0
    assert a_rank(0.60, history) == 100.0


def test_the_percentile_is_the_share_strictly_below() -> None:
    history = a_history(0.20, 0.25, 0.30, 0.40)
    found = iv_percentile(0.30, history, session=SESSION, sessions_min=3)
    assert found == 50.0
    assert iv_percentile(0.30, history, session=SESSION, sessions_min=5) is None


def test_rank_and_percentile_are_two_different_things() -> None:
    history = a_history(0.20, 0.21, 0.22, 1.00)
    assert a_rank(0.24, history) == pytest.approx(5.0)
    assert iv_percentile(0.24, history, session=SESSION, sessions_min=3) == 75.0


def test_too_few_sessions_rank_nothing() -> None:
    assert a_rank(0.30, a_history(0.20, 0.40)) is None
    assert iv_rank(0.30, [], session=SESSION, sessions_min=0) is None


def test_a_history_that_never_moved_ranks_nothing() -> None:
    assert a_rank(0.30, a_history(0.30, 0.30, 0.30)) is None


def test_today_and_later_do_not_count() -> None:
    history = a_history(0.20, 0.40, 0.25)
    today = ImpliedVolatilitySample(SESSION, 0.90, None, None, "quotes")
    later = ImpliedVolatilitySample(SESSION + timedelta(days=1), 0.01, None, None, "quotes")
    assert a_rank(0.30, [later, *history, today]) == pytest.approx(50.0)


def test_only_the_latest_sessions_count_whatever_their_order() -> None:
    history = a_history(0.05, 0.20, 0.40, 0.25)
    history.reverse()
    found = iv_rank(0.30, history, session=SESSION, sessions_min=3, sessions_max=3)
    assert found == pytest.approx(50.0)


def test_a_session_sampled_twice_counts_once() -> None:
    history = a_history(0.20, 0.40)
    assert a_rank(0.30, [*history, history[-1]]) is None


def test_samples_of_different_sources_are_not_compared() -> None:
    bars = [
        ImpliedVolatilitySample(date(2026, 1, day), 0.3 + day / 100, None, None, "bars")
        for day in range(1, 4)
    ]
    quotes = a_history(0.20, 0.40, 0.25)
    assert a_rank(0.30, [*bars, *quotes]) is None
    assert a_rank(0.32, bars) == pytest.approx(50.0)
    assert iv_rank(0.32, bars, session=SESSION, sessions_min=3, source="quotes") is None
    found = iv_rank(0.30, [*bars, *quotes], session=SESSION, sessions_min=3, sessions_max=3)
    assert found == pytest.approx(50.0)


def test_the_band_ranks_bid_mid_and_ask_in_the_same_history() -> None:
    current = AtTheMoneyVolatility(0.25, 0.24, 0.27)
    band = iv_rank_band(current, a_history(0.20, 0.40, 0.30), session=SESSION, sessions_min=3)
    assert band.bid == pytest.approx(20.0)
    assert band.mid == pytest.approx(25.0)
    assert band.ask == pytest.approx(35.0)


def test_a_band_that_straddles_the_threshold_gives_no_verdict() -> None:
    band = IvRankBand(20.0, 26.0, 35.0)
    assert band.is_above(25.0) is None
    assert band.is_above(19.0) is True
    assert band.is_above(35.0) is False


def test_a_band_with_an_unknown_side_gives_no_verdict() -> None:
    history = a_history(0.20, 0.40, 0.30)
    one_sided = AtTheMoneyVolatility(0.35, None, 0.36)
    band = iv_rank_band(one_sided, history, session=SESSION, sessions_min=3)
    assert band.bid is None
    assert band.mid == pytest.approx(75.0)
    assert band.is_above(25.0) is None
    assert IvRankBand(30.0, 30.0, None).is_above(25.0) is None
    assert IvRankBand(30.0, None, 30.0).is_above(25.0) is None


def test_a_history_of_another_source_than_todays_ranks_nothing() -> None:
    history = a_history(0.20, 0.40, 0.30, source="bars")
    band = iv_rank_band(
        AtTheMoneyVolatility(0.25, 0.24, 0.27), history, session=SESSION, sessions_min=3
    )
    assert band == IvRankBand(None, None, None)
