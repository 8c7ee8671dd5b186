"""The trading API's JSON of account, clock, calendar and positions: numbers as strings."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from simulator.exchange.calendar import LONGEST_CLOSURE_DAYS, NEW_YORK, SessionCalendar
from simulator.exchange.exchange import Exchange
from simulator.exchange.numbers import (
    new_york_timestamp,
    plain,
    timestamp,
)
from simulator.exchange.records import ZERO, Order, Position
from simulator.worlds.world import TradingSession

Json = dict[str, Any]
FRACTION_PLACES = Decimal("0.000001")
STOCK_EXCHANGE = "NASDAQ"


def render_account(exchange: Exchange) -> Json:
    """Spell GET /v2/account."""
    balances = exchange.balances()
    closes = exchange.book.closes
    last = closes[-1] if closes else None
    buying_power = plain(max(balances.buying_power, ZERO))
    margin = plain(balances.maintenance_margin)
    approved = exchange.options_approved_level
    return {
        "id": exchange.account_id,
        "account_number": exchange.account_number,
        "status": "ACTIVE",
        "crypto_status": "INACTIVE",
        "currency": "USD",
        "cash": plain(balances.cash),
        "equity": plain(balances.equity),
        "portfolio_value": plain(balances.equity),
        "last_equity": plain(last.equity if last else exchange.book.starting_cash),
        "buying_power": buying_power,
        "regt_buying_power": buying_power,
        "options_buying_power": buying_power,
        "non_marginable_buying_power": buying_power,
        "initial_margin": margin,
        "maintenance_margin": margin,
        "last_maintenance_margin": plain(last.maintenance_margin if last else ZERO),
        "long_market_value": plain(balances.long_market_value),
        "short_market_value": plain(balances.short_market_value),
        "multiplier": "1",
        "sma": "0",
        "accrued_fees": plain(exchange.accrued_fees),
        "pending_transfer_in": "0",
        "pending_transfer_out": "0",
        "intraday_adjustments": "0",
        "balance_asof": _balance_date(exchange),
        "options_approved_level": approved,
        "options_trading_level": exchange.options_level,
        "account_blocked": False,
        "trading_blocked": False,
        "transfers_blocked": False,
        "trade_suspended_by_user": False,
        "shorting_enabled": False,
        "created_at": timestamp(exchange.opened_at),
    }


def _balance_date(exchange: Exchange) -> str:
    completed = exchange.calendar.last_completed(exchange.now)
    opened = exchange.opened_at.astimezone(NEW_YORK).date()
    return (completed.session if completed else opened).isoformat()


def render_clock(calendar: SessionCalendar, now: datetime) -> Json:
    """Spell GET /v2/clock, in New York's offset."""
    return {
        "timestamp": new_york_timestamp(now),
        "is_open": calendar.session_at(now) is not None,
        "next_open": new_york_timestamp(calendar.next_open(now)),
        "next_close": new_york_timestamp(calendar.next_close(now)),
    }


def render_calendar(calendar: SessionCalendar, start: date, end: date) -> list[Json]:
    """Spell GET /v2/calendar for the sessions from `start` to `end`."""
    return [_render_session(calendar, session) for session in calendar.between(start, end)]


def settlement_date(calendar: SessionCalendar, session: TradingSession) -> date:
    """Give the day on which trades of a session settle: that of the session after it."""
    days = [session.session + timedelta(days=1 + n) for n in range(LONGEST_CLOSURE_DAYS)]
    # A world that knows no session so soon settles on the next day all the same.
    return next((day for day in days if calendar.session_on(day) is not None), days[0])


def _render_session(calendar: SessionCalendar, session: TradingSession) -> Json:
    return {
        "date": session.session.isoformat(),
        "open": session.opens_at.astimezone(NEW_YORK).strftime("%H:%M"),
        "close": session.closes_at.astimezone(NEW_YORK).strftime("%H:%M"),
        "session_open": "0400",
        "session_close": "2000",
        "settlement_date": settlement_date(calendar, session).isoformat(),
    }


def render_positions(exchange: Exchange) -> list[Json]:
    """Spell GET /v2/positions, ordered by symbol."""
    return [render_position(exchange, position) for position in exchange.positions]


def render_position(exchange: Exchange, position: Position) -> Json:
    """Spell one position; short quantities and values are negative."""
    mark = exchange.valuation.mark(position)
    shares = position.quantity * position.multiplier
    value = mark * shares
    profit = value - position.cost
    before = position.lastday_mark
    lastday = position.average_entry_price if before is None else before
    intraday = (mark - lastday) * shares
    is_option = position.contract is not None
    return {
        "asset_id": exchange.identifiers.asset(position.symbol),
        "symbol": position.symbol,
        "exchange": "" if is_option else STOCK_EXCHANGE,
        "asset_class": "us_option" if is_option else "us_equity",
        "asset_marginable": not is_option,
        "qty": plain(position.quantity),
        "qty_available": plain(_available(position, exchange.working_orders)),
        "side": "long" if position.quantity > 0 else "short",
        "avg_entry_price": plain(position.average_entry_price.quantize(FRACTION_PLACES)),
        "cost_basis": plain(position.cost),
        "market_value": plain(value),
        "unrealized_pl": plain(profit),
        "unrealized_plpc": _fraction(profit, abs(position.cost)),
        "unrealized_intraday_pl": plain(intraday),
        "unrealized_intraday_plpc": _fraction(intraday, abs(lastday * shares)),
        "current_price": plain(mark),
        "lastday_price": plain(lastday.quantize(FRACTION_PLACES)),
        "change_today": _fraction(mark - lastday, lastday),
    }


def _available(position: Position, working: Sequence[Order]) -> int:
    sign = 1 if position.quantity > 0 else -1
    held = sum(
        order.remaining_units * leg.ratio
        for order in working
        if order.claims_quantity
        for leg in order.legs
        if leg.symbol == position.symbol and leg.side.sign != sign
    )
    return sign * max(abs(position.quantity) - held, 0)


def _fraction(part: Decimal, whole: Decimal) -> str:
    return "0" if whole == 0 else plain((part / whole).quantize(FRACTION_PLACES))
