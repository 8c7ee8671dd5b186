"""A scan from the watchlist to the entries it states."""

from datetime import timedelta
from decimal import Decimal

import pytest

from agent.book.changes import BookChange, TradeWrite
from agent.book.records import Signal
from agent.ports import BrokerUnavailable, TradingState
from tests.builders import AS_OF, SYMBOL, a_trade
from tests.unit.strategies.market import a_stock
from tests.unit.use_cases.scan_desk import QuotedMarket, ScanDesk, another_stock, settings_for


def entered(desk: ScanDesk) -> Signal:
    (intent,) = desk.entries
    assert intent.signal is not None
    return intent.signal


def test_the_best_signal_of_a_chain_becomes_an_entry() -> None:
    desk = ScanDesk(settings_for())
    report = desk.scan()
    assert (report.status, report.signals, report.entries) == ("scanned", 1, 1)
    assert entered(desk).symbol == SYMBOL


def test_the_next_best_is_taken_where_the_best_is_too_large_for_the_account() -> None:
    rich, poor = ScanDesk(settings_for()), ScanDesk(settings_for())
    poor.account.equity = Decimal(45_000)  # 1 % of it bears a loss of 450: no 10-point spread.
    rich_report, poor_report = rich.scan(), poor.scan()
    assert "too_large_for_account" not in rich_report.rejections
    assert poor_report.rejections["too_large_for_account"] > 0
    assert entered(poor).structure.width == Decimal(5)
    assert poor_report.candidates == rich_report.candidates


def test_an_account_too_small_for_every_signal_enters_nothing_and_says_so() -> None:
    desk = ScanDesk(settings_for())
    desk.account.equity = Decimal(10_000)
    report = desk.scan()
    assert (report.signals, report.entries) == (0, 0)
    assert report.rejections["too_large_for_account"] > 1


def test_no_contract_is_traded_twice() -> None:
    desk = ScanDesk(settings_for())
    desk.scan()
    first = entered(desk)
    # The entry is stated, and not a trade yet: its contracts are taken all the same.
    report = desk.scan(AS_OF + timedelta(minutes=1))
    assert report.rejections["already_held"] > 0
    second = desk.entries[1].signal
    assert second is not None
    assert set(first.structure.symbols).isdisjoint(second.structure.symbols)


def test_strategies_do_not_choose_one_contract_in_one_scan() -> None:
    settings = settings_for("bull_put_spread", "iron_condor", "bear_call_spread")
    desk = ScanDesk(settings)
    desk.scan()
    legs = [leg for intent in desk.entries for leg in _signal(intent.signal).structure.symbols]
    assert len(legs) == len(set(legs))


def test_a_symbol_gets_no_more_entries_than_it_has_positions_left() -> None:
    settings = settings_for("bull_put_spread", "bear_call_spread", risk={"symbol_positions_max": 1})
    desk = ScanDesk(settings)
    report = desk.scan()
    assert (report.signals, report.entries) == (2, 1)
    assert report.rejections["symbol_positions_full"] == 1


def test_a_symbol_that_is_full_is_looked_at_and_not_entered() -> None:
    desk = ScanDesk(settings_for(risk={"symbol_positions_max": 1}))
    desk.book.commit(BookChange(trade=TradeWrite(a_trade(), None, None)))
    report = desk.scan()
    assert (report.symbols_scanned, report.entries) == (1, 0)
    assert report.rejections == {"symbol_positions_full": 1}


def test_the_pace_of_the_session_bounds_the_entries_of_a_scan() -> None:
    names = ("AAA", "BBB", "CCC", "DDD")
    stocks = dict(zip(names, (another_stock(name) for name in names), strict=True))
    market = QuotedMarket(
        {name: stock for name, (stock, _) in stocks.items()},
        {name: quotes for name, (_, quotes) in stocks.items()},
    )
    desk = ScanDesk(settings_for(watchlist=names), market)
    report = desk.scan()
    assert (report.signals, report.entries) == (4, 3)
    assert report.rejections["not_among_the_best"] == 1
    assert [_signal(intent.signal).symbol for intent in desk.entries] == ["AAA", "BBB", "CCC"]


def test_a_slot_scans_once() -> None:
    desk = ScanDesk(settings_for())
    desk.scan()
    assert desk.scan().status == "duplicate_slot"


def test_a_symbol_whose_data_does_not_come_leaves_the_others_scanned() -> None:
    other, quotes = another_stock("BBB")
    market = QuotedMarket({SYMBOL: a_stock(), "BBB": other}, {SYMBOL: [], "BBB": quotes})
    market.failures[SYMBOL] = BrokerUnavailable("no answer")
    desk = ScanDesk(settings_for(watchlist=(SYMBOL, "BBB", "ZZZ")), market)
    report = desk.scan()
    assert (report.symbols_scanned, report.entries) == (1, 1)
    assert report.rejections["data_unavailable"] == 1
    assert report.rejections["underlying_unknown"] == 1


def test_a_scan_that_sees_no_symbol_fails() -> None:
    desk = ScanDesk(settings_for())
    desk.market.failures[SYMBOL] = BrokerUnavailable("no answer")
    with pytest.raises(BrokerUnavailable):
        desk.scan()


@pytest.mark.parametrize("state", [TradingState.REDUCING, TradingState.HALTED])
def test_a_restricted_desk_does_not_scan(state: TradingState) -> None:
    desk = ScanDesk(settings_for())
    desk.control.set_trading_state(state)
    assert desk.scan().status == f"trading_{state}"


def test_another_account_is_not_traded() -> None:
    desk = ScanDesk(settings_for())
    desk.control.bind_account("PA-SOMEBODY-ELSE")
    assert desk.scan().status == "account_mismatch"


def _signal(signal: Signal | None) -> Signal:
    assert signal is not None
    return signal
