"""A scan from the watchlist to the entries it states."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from agent.adapters.memory.volatility import MemoryVolatilityHistory
from agent.book.changes import BookChange, Lease, TradeWrite
from agent.book.intents import Signal
from agent.book.records import Trade
from agent.market.events import SOURCE_QUOTES_STRIPPED
from agent.market.last_trades import SOURCE_LAST_TRADES
from agent.market.volatility import SOURCE_QUOTES
from agent.ports import BrokerPosition, BrokerUnavailable, TradingState
from tests.builders import AS_OF, SESSION, SYMBOL, a_trade
from tests.unit.strategies.market import FAR, NEAR, VOLATILITY, a_stock, put, quotes_of
from tests.unit.use_cases.scan_desk import (
    LATER,
    QuotedMarket,
    ScanDesk,
    another_stock,
    settings_for,
)


def entered(desk: ScanDesk) -> Signal:
    (intent,) = desk.entries
    assert intent.signal is not None
    return intent.signal


def test_the_best_signal_of_a_chain_becomes_an_entry() -> None:
    desk = ScanDesk(settings_for())
    report = desk.scan()
    assert (report.status, report.signals, report.entries) == ("scanned", 1, 1)
    assert entered(desk).symbol == SYMBOL


@pytest.mark.parametrize("minutes", [("entry_closing_minutes", 16), ("entry_opening_minutes", 376)])
def test_nothing_is_entered_at_the_edges_of_a_session(minutes: tuple[str, int]) -> None:
    name, bound = minutes
    desk = ScanDesk(settings_for(schedule={name: bound}))
    report = desk.scan()
    assert (report.status, report.entries) == ("scanned", 0)
    assert report.rejections["session_edge"] == report.signals == 1
    assert not desk.entries


def test_a_scan_beside_another_does_nothing_and_does_not_take_the_slot() -> None:
    desk = ScanDesk(settings_for())
    other = desk.book.acquire_lease("scan", AS_OF - timedelta(seconds=30), 240)
    assert other is not None
    assert desk.scan().status == "busy"
    assert not desk.entries
    desk.book.release_lease(other)
    assert desk.scan().status == "scanned"


def test_a_scan_that_lost_its_lease_states_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = ScanDesk(settings_for())
    right = desk.book.acquire_lease

    def overtaken(name: str, now: datetime, seconds: int) -> Lease | None:
        lease = right(name, now, seconds)
        right(name, now + timedelta(seconds=seconds), seconds)
        return lease

    monkeypatch.setattr(desk.book, "acquire_lease", overtaken)
    report = desk.scan()
    assert (report.signals, report.entries) == (1, 0)
    assert not desk.entries


def test_a_scan_that_fails_gives_its_lease_back() -> None:
    desk = ScanDesk(settings_for())
    desk.scan()
    later = AS_OF + timedelta(minutes=1)
    assert desk.book.acquire_lease("scan", later, 240) is not None


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


@pytest.mark.parametrize(
    "feeds", [{}, {"stock_feed": "sip"}, {"stock_feed": "iex", "option_feed": "opra"}]
)
def test_real_money_enters_nothing_on_quotes_that_are_not_of_all_exchanges(
    feeds: dict[str, str],
) -> None:
    desk = ScanDesk(settings_for(live_trading=True, market=feeds))
    assert desk.scan().status == "quotes_not_consolidated"


def test_real_money_enters_on_consolidated_quotes() -> None:
    both = {"stock_feed": "sip", "option_feed": "opra"}
    desk = ScanDesk(settings_for(live_trading=True, market=both))
    assert desk.scan().entries == 1


def test_another_account_is_not_traded() -> None:
    desk = ScanDesk(settings_for())
    desk.control.bind_account("PA-SOMEBODY-ELSE")
    assert desk.scan().status == "account_mismatch"


def test_nothing_is_entered_over_a_report_on_record() -> None:
    desk = ScanDesk(settings_for())
    desk.reports.replace_reports(SYMBOL, [NEAR])
    rank_clear_of_reports_between(desk, 0.15, 0.30)
    report = desk.scan()
    assert report.entries == 0
    assert report.rejections["earnings_in_life"] > 0


def test_nothing_is_entered_where_no_report_date_is_on_record() -> None:
    desk = ScanDesk(settings_for())
    desk.reports.replace_reports(SYMBOL, [])
    report = desk.scan()
    assert report.entries == 0
    assert report.rejections["earnings_unknown"] > 0


def test_a_fund_needs_no_report_date() -> None:
    desk = ScanDesk(settings_for(market={"symbols_without_reports": [SYMBOL]}))
    desk.reports.replace_reports(SYMBOL, [])
    assert desk.scan().entries == 1


def test_the_days_volatility_is_recorded_as_it_is_and_clear_of_reports() -> None:
    desk = ScanDesk(settings_for())
    desk.scan()
    desk.scan(AS_OF + timedelta(minutes=1))
    for source in (SOURCE_QUOTES, SOURCE_QUOTES_STRIPPED):
        samples = desk.volatility.samples(SYMBOL, 252, source=source)
        assert [s.implied_volatility for s in samples if s.session == SESSION] == [
            pytest.approx(VOLATILITY, abs=0.005)
        ]


def test_no_sample_is_taken_before_its_time() -> None:
    desk = ScanDesk(settings_for(market={"iv_sample_new_york_time": "15:46"}))
    desk.scan()
    assert not desk.volatility.samples(SYMBOL, 252, source=SOURCE_QUOTES_STRIPPED)


def test_near_a_report_the_rank_is_that_of_volatilities_clear_of_it() -> None:
    # The raw history ranks today at two thirds; clear of reports it has been higher all along.
    desk = ScanDesk(settings_for())
    desk.reports.replace_reports(SYMBOL, [FAR + timedelta(days=1)])
    desk.market.quotes[SYMBOL] += quotes_of((LATER,))
    rank_clear_of_reports_between(desk, 0.30, 0.50)
    assert desk.scan().rejections["iv_rank_low"] == 1


def rank_clear_of_reports_between(desk: ScanDesk, low: float, high: float) -> None:
    samples = desk.volatility.samples(SYMBOL, 60, source=SOURCE_QUOTES)
    clear = [
        replace(sample, implied_volatility=level, source=SOURCE_QUOTES_STRIPPED)
        for sample, level in zip(samples, [low, high] * 30, strict=True)
    ]
    desk.volatility.record(SYMBOL, clear)


def test_near_a_report_a_rank_without_a_clear_history_is_unknown() -> None:
    desk = ScanDesk(settings_for())
    desk.reports.replace_reports(SYMBOL, [FAR - timedelta(days=1)])
    assert desk.scan().rejections == {"iv_rank_unknown": 1}


def test_unknown_dividends_are_counted_and_stop_nothing() -> None:
    desk = ScanDesk(settings_for())
    desk.market.failures["dividends"] = BrokerUnavailable("no answer")
    report = desk.scan()
    assert report.rejections["dividends_unknown"] == 1
    assert report.entries == 1


def test_a_signal_says_how_likely_it_is_to_end_in_profit() -> None:
    desk = ScanDesk(settings_for())
    desk.scan()
    odds = entered(desk).probability_of_profit
    assert odds is not None
    assert 0.70 < odds < 0.85


def test_a_quote_out_of_line_with_its_neighbours_is_no_premium() -> None:
    desk = ScanDesk(settings_for())
    rich = Decimal("0.25")
    desk.market.quotes[SYMBOL] = [
        replace(quote, bid=quote.bid + rich, ask=quote.ask + rich)
        if quote.contract == put(190) and quote.bid is not None and quote.ask is not None
        else quote
        for quote in desk.market.quotes[SYMBOL]
    ]
    report = desk.scan()
    assert report.rejections["expected_value_implausible"] > 0
    assert put(190).symbol not in entered(desk).structure.symbols


def _signal(signal: Signal | None) -> Signal:
    assert signal is not None
    return signal


@pytest.mark.parametrize(("common_sessions", "entries"), [(19, 0), (20, 1)])
def test_last_trades_complete_a_short_history_once_twenty_sessions_tell_how_they_read(
    common_sessions: int, entries: int
) -> None:
    desk = ScanDesk(settings_for())
    quoted = desk.volatility.samples(SYMBOL, 252, source=SOURCE_QUOTES)
    young = MemoryVolatilityHistory()
    young.record(SYMBOL, quoted[-common_sessions:])
    young.record(
        SYMBOL,
        [
            replace(s, implied_volatility=1.1 * s.implied_volatility, source=SOURCE_LAST_TRADES)
            for s in quoted
        ],
    )
    desk.desk = replace(desk.desk, volatility=young)
    assert desk.scan().entries == entries


def a_held_trade() -> tuple[Trade, tuple[BrokerPosition, ...]]:
    """Give a trade of other contracts than the scan enters, and what the broker holds of it."""
    trade = a_trade(symbol=SYMBOL)
    held = tuple(BrokerPosition(*each) for each in trade.leg_quantities.items())
    return trade, held


def test_a_book_that_its_broker_contradicts_enters_nothing_until_they_agree() -> None:
    desk = ScanDesk(settings_for())
    trade, held = a_held_trade()
    desk.book.commit(BookChange(trade=TradeWrite(trade, None, None)))
    desk.account.held = held[:1]
    report = desk.scan()
    assert (report.signals, report.entries) == (1, 0)
    assert report.rejections["book_differs"] == 1
    assert not desk.entries

    desk.account.held = held
    assert desk.scan(AS_OF + timedelta(minutes=1)).entries == 1


def test_what_others_hold_is_no_difference_that_bars_entries() -> None:
    desk = ScanDesk(settings_for())
    desk.account.held = a_held_trade()[1]
    assert desk.scan().entries == 1


def test_a_book_that_could_not_be_compared_enters_nothing() -> None:
    desk = ScanDesk(settings_for())
    desk.account.held = BrokerUnavailable("no answer")
    report = desk.scan()
    assert (report.status, report.entries) == ("scanned", 0)
    assert report.rejections["book_not_compared"] == 1
