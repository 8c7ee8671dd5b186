"""What a stormy day left at the broker tells its trades as they were lived."""

from dataclasses import replace
from datetime import timedelta

import pytest

from agent.adapters.alpaca.connection import connect
from agent.adapters.alpaca.credentials import Credentials
from agent.adapters.alpaca.order_history import AlpacaOrderHistory
from agent.adapters.memory.book import MemoryBook
from agent.use_cases.rebuild_book import RebuildPlan
from simulator.exchange import serve
from simulator.storm.climate import Climate
from simulator.storm.day import StormDay
from simulator.storm.faults import ROUGH
from tests.rebuilding import rebuild_from, told_by_orders, told_of_legs

ROLLS = Climate(
    old_days=1.0,
    expiration_days=0.0,
    assignments=0.0,
    pins=1.0,
    pin_deviations=(-0.6, 0.2),
    strategies=("bull_put_spread",),
)
WHEELS = Climate(
    assignments=1.0, early_assignments=1.0, strategies=("cash_secured_put",), covers_shares=True
)
UNTIL_ACTIVITIES = timedelta(hours=22)


def rebuilt(day: StormDay) -> tuple[RebuildPlan, MemoryBook]:
    """Rebuild the book of a day that is over, once its assignments are told."""
    exchange = day.exchange
    exchange.clock.advance(UNTIL_ACTIVITIES.total_seconds())
    with serve(exchange) as server:
        keys = Credentials(
            key_id=exchange.key_id, secret_key=exchange.secret_key, endpoint=server.url
        )
        with connect(keys, live_trading=False) as connection:
            history = AlpacaOrderHistory(connection.sessions[0])
            settings = day.scenario.settings
            return rebuild_from(connection.broker, history, settings, exchange.now)


@pytest.mark.parametrize(("climate", "seed"), [(ROLLS, 3), (WHEELS, 1)], ids=["rolls", "wheels"])
def test_campaigns_come_back_from_a_storm(climate: Climate, seed: int) -> None:
    profile = replace(ROUGH, climate=climate, partial_fills=0.9, fickleness=0.85)
    day = StormDay(seed, profile)
    assert day.run().violation is None
    plan, book = rebuilt(day)
    assert plan.doubts == {}
    lived = [trade for trade in day.view.book.all_trades() if trade.execution.contracts]
    assert any(trade.campaign.parts for trade in lived)
    assert [told_by_orders(trade) for trade in book.all_trades()] == [
        told_by_orders(trade) for trade in lived
    ]
    for trade in lived:
        legs = day.view.book.positions(trade.trade_id)
        assert told_of_legs(book.positions(trade.trade_id)) == told_of_legs(legs)
