"""An exchange that speaks Alpaca's API over HTTP, trading against a simulated world.

The stable names are those exported here: build an `Exchange` on a world, move its `clock`,
and `serve` it on a port that any Alpaca client can be pointed at.
"""

from simulator.exchange.app import create_app
from simulator.exchange.clock import SimulatedClock
from simulator.exchange.corporate_actions import CashDividend, CorporateActionWorld, Split
from simulator.exchange.effects import NotRepeatableError, repeat
from simulator.exchange.errors import ExchangeUnavailableError, RefusalError
from simulator.exchange.exchange import Effect, Exchange
from simulator.exchange.faults import Faults, HttpFaultKind
from simulator.exchange.fees import DEFAULT_SCHEDULE, FeeRates, FeeSchedule, FeeType, fees_for_fill
from simulator.exchange.fills import ConcessionFillModel, FillModel, NaturalFillModel
from simulator.exchange.lifecycle import EarlyAssignment
from simulator.exchange.pace import Pace
from simulator.exchange.records import Fill, Order, OrderStatus, Position
from simulator.exchange.server import ExchangeServer, serve

__all__ = [
    "DEFAULT_SCHEDULE",
    "CashDividend",
    "ConcessionFillModel",
    "CorporateActionWorld",
    "EarlyAssignment",
    "Effect",
    "Exchange",
    "ExchangeServer",
    "ExchangeUnavailableError",
    "Faults",
    "FeeRates",
    "FeeSchedule",
    "FeeType",
    "Fill",
    "FillModel",
    "HttpFaultKind",
    "NaturalFillModel",
    "NotRepeatableError",
    "Order",
    "OrderStatus",
    "Pace",
    "Position",
    "RefusalError",
    "SimulatedClock",
    "Split",
    "create_app",
    "fees_for_fill",
    "repeat",
    "serve",
]
