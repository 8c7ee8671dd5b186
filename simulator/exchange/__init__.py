"""An exchange that speaks Alpaca's API over HTTP, trading against a simulated world.

The stable names are those exported here: build an `Exchange` on a world, move its `clock`,
and `serve` it on a port that any Alpaca client can be pointed at.
"""

from simulator.exchange.app import create_app
from simulator.exchange.clock import SimulatedClock
from simulator.exchange.errors import ExchangeUnavailableError, RefusalError
from simulator.exchange.exchange import Exchange
from simulator.exchange.fees import DEFAULT_SCHEDULE, FeeRates, FeeSchedule, FeeType, fees_for_fill
from simulator.exchange.fills import ConcessionFillModel, FillModel, NaturalFillModel
from simulator.exchange.records import Fill, Order, OrderStatus, Position
from simulator.exchange.server import ExchangeServer, serve

__all__ = [
    "DEFAULT_SCHEDULE",
    "ConcessionFillModel",
    "Exchange",
    "ExchangeServer",
    "ExchangeUnavailableError",
    "FeeRates",
    "FeeSchedule",
    "FeeType",
    "Fill",
    "FillModel",
    "NaturalFillModel",
    "Order",
    "OrderStatus",
    "Position",
    "RefusalError",
    "SimulatedClock",
    "create_app",
    "fees_for_fill",
    "serve",
]
