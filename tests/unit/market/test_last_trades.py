"""Volatility of past sessions by last trades: what is measured, and when it may be ranked."""

from collections.abc import Callable, Iterable
from datetime import date, timedelta
from decimal import Decimal
from math import exp, sqrt

import pytest

from agent.market.events import SOURCE_QUOTES_STRIPPED
from agent.market.last_trades import (
    LAST_TRADES_OF,
    OVERLAP_SESSIONS_MIN,
    SOURCE_LAST_TRADES,
    SOURCE_LAST_TRADES_STRIPPED,
    PastCloses,
    contracts_around,
    joined_history,
    samples_of,
)
from agent.market.volatility import SOURCE_QUOTES, ImpliedVolatilitySample, iv_rank
from agent.options.black_scholes import price
from agent.options.contracts import OptionContract, OptionType
from tests.builders import SESSION, a_sample

RATE = 0.04
SPOT = Decimal(101)
DTES = (10, 17, 24, 31, 38, 45)
EXPIRATIONS = tuple(SESSION + timedelta(days=dte) for dte in DTES)


def listed(
    expirations: Iterable[date] = EXPIRATIONS, strikes: Iterable[int] = range(90, 115, 5)
) -> list[OptionContract]:
    return [
        OptionContract("AAPL", expiration, kind, Decimal(strike))
        for expiration in expirations
        for strike in strikes
        for kind in OptionType
    ]


def close_of(contract: OptionContract, session: date, volatility: float) -> Decimal:
    years = (contract.expiration - session).days / 365
    worth = price(
        is_call=contract.option_type is OptionType.CALL,
        forward=float(SPOT) * exp(RATE * years),
        strike=float(contract.strike),
        time_years=years,
        volatility=volatility,
        discount_factor=exp(-RATE * years),
    )
    return Decimal(f"{float(worth):.6f}")


def past(
    volatility_of: Callable[[int], float] = lambda _: 0.30, *, without: Iterable[str] = ()
) -> PastCloses:
    """Trade one session at a term structure; `without` names contracts that did not trade."""
    options = {
        contract: (
            {}
            if contract.symbol in without
            else {SESSION: close_of(contract, SESSION, volatility_of(contract.dte(SESSION)))}
        )
        for contract in listed()
    }
    return PastCloses({SESSION: SPOT}, options)


def measured(closes: PastCloses, *reports: date, never_reports: bool = False) -> dict[str, float]:
    samples = samples_of(closes, rate=RATE, reports=reports, never_reports=never_reports)
    assert {sample.session for sample in samples} <= {SESSION}
    return {sample.source: sample.implied_volatility for sample in samples}


def test_prices_of_one_volatility_give_it_back_under_a_source_of_their_own() -> None:
    found = samples_of(past(), rate=RATE, reports=[], never_reports=True)
    assert [sample.source for sample in found] == [SOURCE_LAST_TRADES, SOURCE_LAST_TRADES_STRIPPED]
    for sample in found:
        assert sample.implied_volatility == pytest.approx(0.30, abs=1e-4)
        assert (sample.implied_volatility_bid, sample.implied_volatility_ask) == (None, None)


def test_a_report_is_in_the_volatility_as_it_is_and_not_in_the_one_clear_of_it() -> None:
    report = SESSION + timedelta(days=27)

    def with_jump(dte: int) -> float:
        return sqrt(0.25**2 + (0.06**2 * 365 / dte if dte > 27 else 0.0))

    found = measured(past(with_jump), report)
    assert found[SOURCE_LAST_TRADES_STRIPPED] == pytest.approx(0.25, abs=1e-3)
    assert found[SOURCE_LAST_TRADES] > 0.28


def test_a_session_without_trades_next_to_thirty_days_has_no_sample() -> None:
    sides = {expiration: f"AAPL{expiration:%y%m%d}" for expiration in EXPIRATIONS[:3]}
    silent = [f"{root}P00100000" for root in sides.values()]
    assert measured(past(without=silent), never_reports=True) == {}


def test_one_silent_contract_silences_its_expiration_alone() -> None:
    silent = f"AAPL{EXPIRATIONS[3]:%y%m%d}C00105000"
    found = measured(past(without=[silent]), never_reports=True)
    assert found[SOURCE_LAST_TRADES] == pytest.approx(0.30, abs=1e-4)


def test_a_price_under_its_intrinsic_value_gives_no_volatility() -> None:
    broken = past()
    options = {
        contract: {SESSION: Decimal("0.01")} if contract.strike == 100 else closes
        for contract, closes in broken.options.items()
    }
    assert measured(PastCloses(broken.stock, options), never_reports=True) == {}


def test_contracts_next_to_each_close_are_wanted_and_no_others() -> None:
    closes = {SESSION: SPOT, SESSION + timedelta(days=1): Decimal(110)}
    wanted = contracts_around(closes, listed())
    assert {contract.strike for contract in wanted} == {Decimal(100), Decimal(105)}
    assert {contract.expiration for contract in wanted} == set(EXPIRATIONS)
    assert contracts_around({SESSION: Decimal(105)}, listed())[-1].strike == 110


def test_a_strike_counts_where_both_its_call_and_its_put_are_listed() -> None:
    calls = [c for c in listed() if c.option_type is OptionType.CALL or c.strike != 100]
    wanted = contracts_around({SESSION: SPOT}, calls)
    assert {contract.strike for contract in wanted} == {Decimal(95), Decimal(105)}


def test_expirations_of_under_a_week_and_over_two_months_are_not_wanted() -> None:
    near, far = SESSION + timedelta(days=6), SESSION + timedelta(days=61)
    assert contracts_around({SESSION: SPOT}, listed((near, far))) == ()


def history(source: str, sessions: range, level: float = 0.30) -> list[ImpliedVolatilitySample]:
    days = [SESSION - timedelta(days=number) for number in sessions]
    levels = [level * (1 + number % 5 / 10) for number in sessions]
    return [a_sample(day, at, None, None, source) for day, at in zip(days, levels, strict=True)]


def test_histories_are_not_joined_under_twenty_common_sessions() -> None:
    quotes = history(SOURCE_QUOTES, range(1, OVERLAP_SESSIONS_MIN))
    trades = history(SOURCE_LAST_TRADES, range(1, 200), 0.33)
    assert joined_history(quotes, trades) == tuple(quotes)
    assert joined_history([], trades) == ()


def test_twenty_common_sessions_bring_last_trades_to_the_scale_of_quotes() -> None:
    quotes = history(SOURCE_QUOTES, range(1, OVERLAP_SESSIONS_MIN + 1))
    trades = history(SOURCE_LAST_TRADES, range(1, 200), 0.33)
    joined = joined_history(quotes, trades)
    assert [sample.session for sample in joined] == sorted(sample.session for sample in trades)
    assert {sample.source for sample in joined} == {SOURCE_QUOTES}
    for sample, expected in zip(
        reversed(joined), history(SOURCE_QUOTES, range(1, 200)), strict=True
    ):
        assert sample.implied_volatility == pytest.approx(expected.implied_volatility)
    assert set(quotes) <= set(joined)
    rank = iv_rank(0.30, joined, session=SESSION, sessions_min=60, source=SOURCE_QUOTES)
    assert rank == pytest.approx(0.0, abs=1e-6)


def test_one_odd_session_does_not_move_the_scale() -> None:
    quotes = history(SOURCE_QUOTES, range(1, 31))
    trades = history(SOURCE_LAST_TRADES, range(1, 100), 0.33)
    odd = [a_sample(quotes[3].session, 3.0, None, None, SOURCE_QUOTES)]
    joined = joined_history([*quotes[:3], *odd, *quotes[4:]], trades)
    assert joined[0].implied_volatility == pytest.approx(
        trades[-1].implied_volatility / 1.1, rel=1e-9
    )


def test_each_source_of_quotes_has_its_own_source_of_last_trades() -> None:
    assert LAST_TRADES_OF[SOURCE_QUOTES] == SOURCE_LAST_TRADES
    assert LAST_TRADES_OF[SOURCE_QUOTES_STRIPPED] == SOURCE_LAST_TRADES_STRIPPED
    assert len(set(LAST_TRADES_OF.values()) | set(LAST_TRADES_OF)) == 4
