"""The trading API: account, configuration, activities and history."""

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

from simulator.exchange.calendar import new_york_date
from simulator.exchange.calls import Call, Reply
from simulator.exchange.errors import bad_query, malformed
from simulator.exchange.exchange import Exchange
from simulator.exchange.records import Activity
from simulator.exchange.rendering import render_account

ACTIVITIES_MAX = 100
PERIOD_DAYS = {"D": 1, "W": 7, "M": 31, "A": 366}
DAILY_TIMEFRAME = "1D"
EVERYTHING = "all"
TIMEFRAMES = ("1Min", "5Min", "15Min", "1H", DAILY_TIMEFRAME)
CATEGORIES = ("trade_activity", "non_trade_activity")


def get_account(exchange: Exchange, _: Call) -> Reply:
    """GET /v2/account."""
    return Reply(render_account(exchange))


def get_configurations(exchange: Exchange, _: Call) -> Reply:
    """GET /v2/account/configurations."""
    return Reply(exchange.configuration.as_json())


def patch_configurations(exchange: Exchange, call: Call) -> Reply:
    """PATCH /v2/account/configurations; what this exchange does not know is ignored."""
    exchange.configuration = exchange.configuration.changed(call.body)
    return Reply(exchange.configuration.as_json())


def get_portfolio_history(exchange: Exchange, call: Call) -> Reply:
    """GET /v2/account/portfolio/history: equity at each close, and now, in any timeframe."""
    timeframe = call.text("timeframe") or DAILY_TIMEFRAME
    if timeframe not in TIMEFRAMES:
        raise bad_query(f"invalid timeframe: {timeframe}")
    end = min(call.moment("end") or call.moment("date_end") or exchange.now, exchange.now)
    start = call.moment("start")
    oldest = _period_days(call.text("period") or "1M") if start is None else None
    points: list[tuple[datetime, Decimal]] = [
        (close.at, close.equity) for close in exchange.book.closes
    ]
    points.append((exchange.now, exchange.equity))
    shown = [
        (at, equity)
        for at, equity in points
        if at <= end
        and (start is None or at >= start)
        and (oldest is None or (end - at).days < oldest)
    ]
    earlier = [(at, equity) for at, equity in points if shown and at < shown[0][0]]
    base = earlier[-1][1] if earlier else exchange.book.starting_cash
    return Reply(
        {
            "timestamp": [int(at.timestamp()) for at, _ in shown],
            "equity": [float(equity) for _, equity in shown],
            "profit_loss": [float(equity - base) for _, equity in shown],
            "profit_loss_pct": [
                round(float((equity - base) / base), 8) if base else 0.0 for _, equity in shown
            ],
            "base_value": float(base),
            "base_value_asof": new_york_date(
                earlier[-1][0] if earlier else exchange.opened_at
            ).isoformat(),
            "timeframe": timeframe,
        }
    )


def _period_days(period: str) -> int:
    if period.lower() == EVERYTHING:
        return sys.maxsize
    count, unit = period[:-1], period[-1:].upper()
    if not count.isdecimal() or unit not in PERIOD_DAYS:
        raise bad_query(f"invalid period: {period}")
    return int(count) * PERIOD_DAYS[unit]


def get_activities(exchange: Exchange, call: Call) -> Reply:
    """GET /v2/account/activities[/{activity_type}], paged by the last id of a page."""
    direction = call.one_of("direction", ("asc", "desc"), "desc")
    size = call.limit("page_size", ACTIVITIES_MAX, ACTIVITIES_MAX)
    is_asked_for = _filter(call)
    shown = [
        activity
        for activity in exchange.book.activities
        if activity.visible_at <= exchange.now and is_asked_for(activity)
    ]
    shown.sort(key=lambda activity: activity.at)
    if direction == "desc":
        shown.reverse()
    token = call.text("page_token")
    ids = [activity.activity_id for activity in shown]
    if token is not None and token not in ids:
        return Reply([])
    start = 0 if token is None else ids.index(token) + 1
    return Reply([activity.body for activity in shown[start : start + size]])


def _filter(call: Call) -> Callable[[Activity], bool]:
    path_type = call.path.get("activity_type")
    types = {str(path_type)} if path_type else set(call.words("activity_types"))
    category = call.one_of("category", CATEGORIES, "") if call.text("category") else None
    if types and category is not None:
        raise malformed("category and activity_types cannot be given together")
    day, after, until = call.date("date"), call.moment("after"), call.moment("until")

    def is_asked_for(activity: Activity) -> bool:
        is_trade = activity.activity_type == "FILL"
        at: datetime = activity.at.astimezone(UTC)
        return (
            (not types or activity.activity_type in types)
            and (category is None or is_trade == (category == "trade_activity"))
            and (day is None or new_york_date(at) == day)
            and (after is None or at > after)
            and (until is None or at < until)
        )

    return is_asked_for
