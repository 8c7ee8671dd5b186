"""What an open trade would cost to close."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from agent.config.settings import MarketSettings
from agent.market.calendar import expires_at
from agent.market.quotes import StructureQuote, quote_structure
from agent.strategies.marks import MarkSource, TradeMark, debit_of, mark_trade, model_prices
from tests.builders import AS_OF, EXPIRATION, a_put_spread, a_trade, an_execution
from tests.unit.strategies.market import a_quote, put

TRADE = a_trade()
SHORT, LONG = put(190, EXPIRATION), put(185, EXPIRATION)


def a_structure_quote(
    short: dict[str, Any] | None = None, long: dict[str, Any] | None = None
) -> StructureQuote:
    quotes = [
        a_quote(SHORT, **{"bid": Decimal("2.00"), "ask": Decimal("2.10")} | (short or {})),
        a_quote(LONG, **{"bid": Decimal("1.40"), "ask": Decimal("1.50")} | (long or {})),
    ]
    found = quote_structure(TRADE.structure, {q.contract.symbol: q for q in quotes})
    assert found is not None
    return found


def mark(quote: StructureQuote | None, model: Decimal | None = None) -> TradeMark:
    prices = None if model is None else (model, Decimal(0))
    return mark_trade(TRADE, quote, Decimal(200), AS_OF, MarketSettings(), model_prices=prices)


def model_debit(spot: int, as_of: datetime) -> Decimal:
    structure = a_put_spread()
    return debit_of(structure, model_prices(structure, Decimal(spot), [0.3, 0.3], as_of, 0.04))


def test_a_valid_quote_marks_at_mid() -> None:
    found = mark(a_structure_quote(), model=Decimal(9))
    assert found.source is MarkSource.MID
    assert found.is_valid
    assert found.debit == Decimal("0.60")
    assert found.debit_natural == Decimal("0.70")


def test_the_profit_counts_cash_in_cash_out_and_fees() -> None:
    # 2 contracts sold at 1.20; closing at 0.60 leaves 120 dollars less 0.17 in fees.
    assert mark(a_structure_quote()).pnl == Decimal("119.83")


def test_a_partly_closed_trade_marks_what_it_still_holds() -> None:
    execution = an_execution(contracts_closed=1, exit_cash=Decimal("-100.00"))
    trade = a_trade(execution=execution)
    found = mark_trade(trade, a_structure_quote(), None, AS_OF, MarketSettings())
    assert found.pnl == Decimal("240.00") - 100 - 60 - Decimal("0.17")


@pytest.mark.parametrize(
    "long",
    [
        {"quoted_at": AS_OF - timedelta(seconds=121)},
        {"bid": Decimal("1.60")},
        {"bid": None},
        {"bid": Decimal("0.70"), "ask": Decimal("1.40")},
    ],
)
def test_an_invalid_quote_of_one_leg_marks_by_model(long: dict[str, Any]) -> None:
    found = mark(a_structure_quote(long=long), model=Decimal("0.65"))
    assert found.source is MarkSource.MODEL
    assert not found.is_valid
    assert found.debit == Decimal("0.65")


def test_without_quote_or_model_the_mark_is_unknown_and_not_zero() -> None:
    found = mark(None)
    assert found.source is MarkSource.UNKNOWN
    assert (found.debit, found.debit_natural, found.pnl) == (None, None, None)


def test_a_wide_quote_is_no_mark_and_still_tells_natural() -> None:
    wide = a_structure_quote(short={"bid": Decimal("0.90"), "ask": Decimal("2.10")})
    found = mark(wide, model=Decimal("0.50"))
    assert found.source is MarkSource.MODEL
    assert found.debit_natural == Decimal("0.70")


@pytest.mark.parametrize(
    "short", [{"quoted_at": AS_OF - timedelta(seconds=121)}, {"bid": Decimal("2.20")}]
)
def test_a_stale_or_crossed_quote_tells_no_natural(short: dict[str, Any]) -> None:
    assert mark(a_structure_quote(short=short)).debit_natural is None


def test_a_long_leg_nobody_bids_for_is_given_away() -> None:
    found = mark(a_structure_quote(long={"bid": None}), model=Decimal("0.50"))
    assert found.debit_natural == Decimal("2.10")


def test_the_volatility_is_that_at_entry_unless_a_newer_one_is_known() -> None:
    quote = a_structure_quote()
    newer = mark_trade(TRADE, quote, None, AS_OF, MarketSettings(), implied_volatility=0.4)
    assert newer.implied_volatility == 0.4
    assert mark(quote).implied_volatility == TRADE.market_snapshot.implied_volatility


def test_the_model_agrees_with_quotes_made_by_the_same_model() -> None:
    found = model_debit(200, AS_OF)
    quote = quote_structure(
        a_put_spread(), {q.contract.symbol: q for q in (a_quote(SHORT), a_quote(LONG))}
    )
    assert quote is not None
    assert quote.debit_mid is not None
    assert abs(found - quote.debit_mid) <= Decimal("0.01")


def test_at_expiration_the_model_costs_what_the_structure_owes() -> None:
    end = expires_at(EXPIRATION)
    assert model_debit(188, end) == Decimal(2)
    assert model_debit(170, end) == Decimal(5)


def test_every_leg_needs_a_volatility() -> None:
    with pytest.raises(ValueError, match="1 volatilities do not fit 2 legs"):
        model_prices(a_put_spread(), Decimal(200), [0.30], AS_OF, 0.04)


def test_each_leg_has_the_price_of_its_own_valid_quote_or_that_of_the_model() -> None:
    quote = a_structure_quote(long={"bid": None})
    assert mark(quote, model=Decimal("1.90")).leg_prices == (Decimal("2.05"), Decimal(0))
    assert mark(quote).leg_prices == (Decimal("2.05"), None)
    assert mark(None).leg_prices == (None, None)
