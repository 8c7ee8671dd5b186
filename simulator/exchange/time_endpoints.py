"""The trading API: clock and calendar, in their second and third versions."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from simulator.exchange.calendar import NEW_YORK, new_york_date
from simulator.exchange.calls import Call, Reply
from simulator.exchange.errors import bad_query
from simulator.exchange.exchange import Exchange
from simulator.exchange.rendering import Json, render_calendar, render_clock, settlement_date
from simulator.worlds.world import TradingSession

CALENDAR_DAYS_DEFAULT = 366
WEEK = timedelta(days=7)
MARKETS: dict[str, tuple[str, str | None]] = {
    "NYSE": ("New York Stock Exchange", "XNYS"),
    "NASDAQ": ("Nasdaq", "XNAS"),
    "OPRA": ("Options Price Reporting Authority", None),
}
ALIASES = {"XNYS": "NYSE", "XNAS": "NASDAQ"}
PRE_MARKET_OPENS, POST_MARKET_CLOSES = time(4), time(20)


def get_clock(exchange: Exchange, _: Call) -> Reply:
    """GET /v2/clock."""
    return Reply(render_clock(exchange.calendar, exchange.now))


def get_calendar(exchange: Exchange, call: Call) -> Reply:
    """GET /v2/calendar; without bounds, a year either side of now."""
    today = new_york_date(exchange.now)
    by_settlement = call.one_of("date_type", ("trading", "settlement"), "trading") == "settlement"
    start = call.date("start") or today - timedelta(days=CALENDAR_DAYS_DEFAULT)
    end = call.date("end") or today + timedelta(days=CALENDAR_DAYS_DEFAULT)
    # A session settles on the next one, so that those of a week before may settle in the range.
    first = start - WEEK if by_settlement else start
    rows = render_calendar(exchange.calendar, first, end)
    if by_settlement:
        wanted = (start.isoformat(), end.isoformat())
        rows = [row for row in rows if wanted[0] <= row["settlement_date"] <= wanted[1]]
    return Reply(rows)


def get_clocks(exchange: Exchange, call: Call) -> Reply:
    """GET /v3/clock; of the markets asked for, or of all this exchange knows."""
    at = call.moment("time") or exchange.now
    named = call.words("markets") or list(MARKETS)
    return Reply({"clocks": [_clock(exchange, _market(name), at) for name in named]})


def get_market_calendar(exchange: Exchange, call: Call) -> Reply:
    """GET /v3/calendar/{market}; without bounds, the week that begins today."""
    market = _market(str(call.path["market"]))
    today = new_york_date(exchange.now)
    start = call.date("start") or today
    end = call.date("end") or start + WEEK
    zone: Any = UTC if call.text("timezone") == "UTC" else NEW_YORK
    rows = []
    for session in exchange.calendar.between(start, end):
        hours = _hours(session, market)
        rows.append(
            {
                "date": session.session.isoformat(),
                "settlement_date": settlement_date(exchange.calendar, session).isoformat(),
                **{name: at.astimezone(zone).isoformat() for name, at in hours.items()},
            }
        )
    return Reply({"market": _render_market(market), "calendar": rows})


def _market(name: str) -> str:
    known = ALIASES.get(name.upper(), name.upper())
    if known not in MARKETS:
        raise bad_query(f"unknown market: {name}")
    return known


def _render_market(market: str) -> Json:
    name, mic = MARKETS[market]
    body: Json = {"acronym": market, "name": name, "timezone": NEW_YORK.key}
    return body if mic is None else {**body, "mic": mic}


def _hours(session: TradingSession, market: str) -> dict[str, datetime]:
    core = {"core_start": session.opens_at, "core_end": session.closes_at}
    if market == "OPRA":
        return core
    return {
        "pre_start": _at(session.session, PRE_MARKET_OPENS),
        "pre_end": session.opens_at,
        **core,
        "post_start": session.closes_at,
        "post_end": _at(session.session, POST_MARKET_CLOSES),
    }


def _at(day: date, hour: time, zone: ZoneInfo = NEW_YORK) -> datetime:
    return datetime.combine(day, hour, zone)


def _clock(exchange: Exchange, market: str, at: datetime) -> Json:
    calendar = exchange.calendar
    session = calendar.session_on(new_york_date(at))
    next_open = calendar.next_open(at)
    phase, until = "closed", next_open
    if session is not None:
        hours = _hours(session, market)
        for name in ("pre", "core", "post"):
            begins, ends = hours.get(f"{name}_start"), hours.get(f"{name}_end")
            if begins is not None and ends is not None and begins <= at < ends:
                phase, until = name, ends
    if phase == "closed" and market != "OPRA":
        until = _at(new_york_date(next_open), PRE_MARKET_OPENS)
        if until <= at:
            until = next_open
    return {
        "market": _render_market(market),
        "timestamp": at.astimezone(NEW_YORK).isoformat(),
        "is_market_day": session is not None,
        "next_market_open": next_open.astimezone(NEW_YORK).isoformat(),
        "next_market_close": calendar.next_close(at).astimezone(NEW_YORK).isoformat(),
        "phase": phase,
        "phase_until": until.astimezone(NEW_YORK).isoformat(),
    }
