"""The market data API's JSON, and the contracts list: what clients read of the world."""

from collections.abc import Iterable
from datetime import date, datetime, time
from decimal import Decimal
from functools import lru_cache
from typing import Any

from agent.options.contracts import OptionContract
from simulator.exchange.calendar import NEW_YORK, SessionCalendar
from simulator.exchange.greeks import GREEKS, Greeks
from simulator.exchange.market import mark_of
from simulator.exchange.numbers import Identifiers, plain, timestamp
from simulator.worlds.world import DailyBar, OptionListing, StockQuote, TradingSession

Json = dict[str, Any]
OPTION_VENUE = "C"
STOCK_VENUE = "V"
CONTRACTS_MAX = 20_000
STOCK_QUOTE_SIZE = 1
"""The world knows no stock sizes; one round lot stands for them."""


def number(value: Decimal | None) -> float:
    """Spell a price; the market data API says 0 where a side has no quote."""
    return 0.0 if value is None else float(value)


def render_option_quote(listing: OptionListing) -> Json:
    """Spell a contract's quote."""
    return {
        "t": timestamp(listing.at),
        "bp": number(listing.bid),
        "bs": 0 if listing.bid is None else listing.bid_size,
        "bx": OPTION_VENUE,
        "ap": number(listing.ask),
        "as": 0 if listing.ask is None else listing.ask_size,
        "ax": OPTION_VENUE,
        "c": " ",
    }


def render_option_trade(listing: OptionListing) -> Json | None:
    """Spell a contract's last trade of the session, at the mid, where it traded at all."""
    mid = mark_of(listing.bid, listing.ask)
    if mid is None or listing.volume <= 0:
        return None
    return {"t": timestamp(listing.at), "p": float(mid), "s": 1, "x": OPTION_VENUE, "c": " "}


def render_option_snapshot(
    listing: OptionListing,
    today: TradingSession | None,
    before: TradingSession | None,
    greeks: Greeks | None = None,
) -> Json:
    """Spell a contract's snapshot; greeks that are unknown are left out.

    The world knows quotes and volumes but no option trades: bars carry the volume, at the mid
    in place of traded prices.
    """
    snapshot: Json = {"latestQuote": render_option_quote(listing)}
    if greeks is not None:
        snapshot["impliedVolatility"], *slopes = greeks
        snapshot["greeks"] = dict(zip(GREEKS, slopes, strict=True))
    trade = render_option_trade(listing)
    if trade is not None:
        snapshot["latestTrade"] = trade
    mid = number(mark_of(listing.bid, listing.ask))
    if today is not None and listing.volume > 0:
        snapshot["dailyBar"] = _volume_bar(today, mid, listing.volume)
    if before is not None and listing.prior_volume > 0:
        snapshot["prevDailyBar"] = _volume_bar(before, mid, listing.prior_volume)
    return snapshot


def _volume_bar(session: TradingSession, price: float, volume: int) -> Json:
    return {
        "t": bar_stamp(session.session),
        "o": price,
        "h": price,
        "l": price,
        "c": price,
        "v": volume,
        "n": volume,
        "vw": price,
    }


def sessions_around(
    calendar: SessionCalendar, at: datetime
) -> tuple[TradingSession | None, TradingSession | None]:
    """Give the session that a quote of `at` belongs to, and the one before it."""
    open_now = calendar.session_at(at)
    today = open_now or calendar.last_completed(at)
    if today is None:
        return None, None
    return today, calendar.last_completed(today.opens_at)


def render_contract(
    listing: OptionListing,
    identifiers: Identifiers,
    open_interest_date: str | None,
    *,
    show_deliverables: bool,
    is_listed: bool = True,
) -> Json:
    """Spell a contract; open interest appears here only, as a string."""
    contract = listing.contract
    body: Json = {
        "id": identifiers.asset(contract.symbol),
        **_terms(contract),
        "status": "active" if is_listed else "inactive",
        "tradable": is_listed,
        "underlying_asset_id": identifiers.asset(contract.underlying),
    }
    if open_interest_date is not None:
        body["open_interest"] = str(listing.open_interest)
        body["open_interest_date"] = open_interest_date
    if show_deliverables:
        body["deliverables"] = [_deliverable(contract, identifiers)]
    return body


@lru_cache(maxsize=CONTRACTS_MAX)
def _terms(contract: OptionContract) -> Json:
    """Spell what a contract never changes; every session lists thousands of them again."""
    return {
        "symbol": contract.symbol,
        "name": contract_name(contract),
        "expiration_date": contract.expiration.isoformat(),
        "root_symbol": contract.underlying,
        "underlying_symbol": contract.underlying,
        "type": contract.option_type.value,
        "style": "american",
        "strike_price": plain(contract.strike),
        "multiplier": str(contract.multiplier),
        "size": str(contract.multiplier),
        "ppind": True,
    }


def contract_name(contract: OptionContract) -> str:
    """Spell a contract for people, as Alpaca does: AAPL Jun 19 2026 190 Put."""
    day = contract.expiration
    right = contract.option_type.value.capitalize()
    return f"{contract.underlying} {day:%b} {day.day} {day.year} {plain(contract.strike)} {right}"


def _deliverable(contract: OptionContract, identifiers: Identifiers) -> Json:
    return {
        "type": "equity",
        "symbol": contract.underlying,
        "asset_id": identifiers.asset(contract.underlying),
        "amount": str(contract.multiplier),
        "allocation_percentage": "100",
        "settlement_type": "T+1",
        "settlement_method": "CCC",
        "delayed_settlement": False,
    }


def render_stock_quote(quote: StockQuote) -> Json:
    """Spell a stock's quote."""
    return {
        "t": timestamp(quote.at),
        "bp": number(quote.bid),
        "bs": 0 if quote.bid is None else STOCK_QUOTE_SIZE,
        "bx": STOCK_VENUE,
        "ap": number(quote.ask),
        "as": 0 if quote.ask is None else STOCK_QUOTE_SIZE,
        "ax": STOCK_VENUE,
        "c": ["R"],
        "z": "C",
    }


def render_stock_trade(quote: StockQuote) -> Json:
    """Spell a stock's last trade; the world knows its price, not its size."""
    return {
        "t": timestamp(quote.at),
        "i": 1,
        "x": STOCK_VENUE,
        "p": float(quote.last),
        "s": 100,
        "c": ["@"],
        "z": "C",
    }


def render_stock_snapshot(
    quote: StockQuote, today: TradingSession | None, before: DailyBar | None
) -> Json:
    """Spell a stock's snapshot: the session so far and the session before."""
    snapshot: Json = {
        "latestTrade": render_stock_trade(quote),
        "latestQuote": render_stock_quote(quote),
    }
    if today is not None:
        so_far = DailyBar(
            session=today.session,
            open=quote.open,
            high=quote.high,
            low=quote.low,
            close=quote.last,
            volume=quote.volume,
        )
        snapshot["dailyBar"] = render_bar(so_far)
        snapshot["minuteBar"] = {**render_bar(so_far), "t": timestamp(quote.at)}
    if before is not None:
        snapshot["prevDailyBar"] = render_bar(before)
    return snapshot


def render_bar(bar: DailyBar) -> Json:
    """Spell a daily bar, stamped with New York's midnight; vw is the typical price."""
    typical = (bar.high + bar.low + bar.close) / 3
    return {
        "t": bar_stamp(bar.session),
        "o": float(bar.open),
        "h": float(bar.high),
        "l": float(bar.low),
        "c": float(bar.close),
        "v": bar.volume,
        "n": max(bar.volume // 100, 0),
        "vw": round(float(typical), 6),
    }


def render_auctions(bar: DailyBar, session: TradingSession) -> Json:
    """Spell a session's opening and closing auction, at the first and the last price of its bar."""
    auctions = (("o", "Q", session.opens_at, bar.open), ("c", "M", session.closes_at, bar.close))
    return {
        "d": bar.session.isoformat(),
        **{
            name: [{"t": timestamp(at), "x": STOCK_VENUE, "p": float(price), "c": condition}]
            for name, condition, at, price in auctions
        },
    }


def bar_moment(session: date) -> datetime:
    """Give the moment a session's daily bar is stamped with: New York's midnight."""
    return datetime.combine(session, time(0), NEW_YORK)


@lru_cache(maxsize=1_000)
def bar_stamp(session: date) -> str:
    """Spell the moment a session's daily bar is stamped with."""
    return timestamp(bar_moment(session))


def bars_between(bars: Iterable[DailyBar], start: datetime, end: datetime) -> list[DailyBar]:
    """Keep the bars stamped within [start, end]."""
    return [bar for bar in bars if start <= bar_moment(bar.session) <= end]
