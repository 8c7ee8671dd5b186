"""A put spread that was priced by the model at entry and at exit, so that its causes are known."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from agent.book.records import Position, PositionStatus, Trade
from agent.book.states import ExitReason, TradeStatus
from agent.market.calendar import years_to_expiration
from agent.options.black_scholes import spot_price
from tests.builders import a_position, a_snapshot, a_trade, an_execution

RATE = 0.04
ENTERED_AT = datetime(2026, 6, 9, 19, 45, tzinfo=UTC)
LEFT_AT = datetime(2026, 6, 22, 19, 45, tzinfo=UTC)
EXPIRATION = date(2026, 7, 17)
SPOT = 200.0
VOLATILITY = 0.25
CONTRACTS = 2


def put_price(strike: float, *, spot: float, volatility: float, at: datetime) -> Decimal:
    price = spot_price(
        is_call=False,
        spot=spot,
        strike=strike,
        time_years=years_to_expiration(EXPIRATION, at),
        volatility=volatility,
        rate=RATE,
    )
    return Decimal(repr(float(price)))


def a_closed_spread(
    *,
    spot_at_exit: float = SPOT,
    volatility_at_exit: float = VOLATILITY,
    left_at: datetime = LEFT_AT,
    fees: str = "0.50",
    given_up: str = "0",
    spot_seen: bool = True,
    **changes: Any,
) -> tuple[Trade, tuple[Position, ...]]:
    """Sell the 190/185 put spread at the model's prices and buy it back at those of the exit.

    `given_up` dollars a share more are paid for the short leg; without `spot_seen` no pass kept
    what the stock was at.
    """
    legs: list[Position] = []
    cash = credit = Decimal(0)
    held = a_trade(symbol="AAPL")
    for number, (strike, direction) in enumerate(((190.0, -1), (185.0, 1)), start=1):
        entry = put_price(strike, spot=SPOT, volatility=VOLATILITY, at=ENTERED_AT)
        left = put_price(strike, spot=spot_at_exit, volatility=volatility_at_exit, at=left_at)
        left += Decimal(given_up) if direction < 0 else 0
        cash += direction * (left - entry) * CONTRACTS * 100
        credit -= direction * entry
        legs.append(
            a_position(
                held,
                number,
                entry_price=entry,
                exit_price=left,
                implied_volatility=volatility_at_exit,
                underlying_price=Decimal(repr(spot_at_exit)) if spot_seen else None,
                status=PositionStatus.CLOSED,
            )
        )
    parts: dict[str, Any] = {
        "execution": an_execution(
            contracts_closed=CONTRACTS, credit=credit, fees=Decimal(fees), entry_slippage=Decimal(0)
        ),
        "pnl": cash - Decimal(fees),
        "timestamp_enter": ENTERED_AT,
        "timestamp_exit": left_at,
        "days_held": (left_at - ENTERED_AT).days,
        "exit_reason": ExitReason.STOP_LOSS,
        "market_snapshot": a_snapshot(underlying_price=Decimal(repr(SPOT)), iv_rank=60.0),
        "params": {"credit_min": "0.30"},
    }
    return a_trade(TradeStatus.CLOSED, **parts | changes), tuple(legs)
