"""A book thrown away after some sessions comes back from the exchange as it was."""

import json

from agent.adapters.alpaca.connection import connect
from agent.adapters.alpaca.credentials import parse_credentials
from agent.adapters.alpaca.order_history import AlpacaOrderHistory
from agent.config.settings import Settings
from simulator.rehearsal.preparation import prepare
from tests.rebuilding import ledger_of, rebuild_from, told_by_orders, told_of_legs

SETTINGS = {
    "watchlist": ["FXTT"],
    "strategies": ["bull_put_spread", "iron_condor"],
    "market": {"symbols_without_reports": ["FXTT"]},
    # Stopped out as soon as anything moves against a trade, so that there are exits.
    "bull_put_spread": {"stop_loss": "0.05"},
    "iron_condor": {"stop_loss": "0.05"},
    "exits": {"stop_confirmation_passes": 1},
}


def test_a_book_that_was_thrown_away_comes_back() -> None:
    with prepare(
        data_directory=None, seed=1, sessions=4, config=None, command_line=SETTINGS
    ) as rehearsal:
        for _ in rehearsal.play():
            pass
        keys = parse_credentials(json.dumps(rehearsal._secret))
        settings = Settings.model_validate(SETTINGS)
        with connect(keys, live_trading=False) as connection:
            history = AlpacaOrderHistory(connection.sessions[0])
            now = rehearsal.exchange.now
            plan, book = rebuild_from(connection.broker, history, settings, now)
        before = [trade for trade in rehearsal.book.all_trades() if trade.execution.contracts]
        legs = rehearsal.book.positions_by_trade([trade.trade_id for trade in before])
        ledger = ledger_of(rehearsal.book, before)
    assert (plan.doubts, plan.unexplained) == ({}, ())
    assert {trade.status.value for trade in before} == {"open", "closed"}
    after = list(book.all_trades())
    assert [told_by_orders(trade) for trade in after] == [told_by_orders(trade) for trade in before]
    for trade in before:
        assert told_of_legs(book.positions(trade.trade_id)) == told_of_legs(legs[trade.trade_id])
    assert ledger_of(book, after) == ledger
