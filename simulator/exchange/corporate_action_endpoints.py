"""Dividends and splits, as the market data API and the older announcements show them."""

from collections.abc import Sequence
from datetime import date, timedelta

from simulator.exchange.calendar import new_york_date
from simulator.exchange.calls import Call, Reply, page_from
from simulator.exchange.corporate_actions import CashDividend, CorporateAction, actions_between
from simulator.exchange.errors import bad_query, not_found
from simulator.exchange.exchange import Exchange
from simulator.exchange.market_rendering import Json
from simulator.exchange.numbers import plain
from simulator.worlds.events import is_declared

ACTIONS_DEFAULT = 100
ACTIONS_MAX = 1_000
NO_CUSIP = "000000000"
"""The world knows no CUSIPs; the field is required."""
ANNOUNCED_TYPES = ("dividend", "merger", "spinoff", "split")
DATE_TYPES = ("declaration_date", "ex_date", "record_date", "payable_date")
ANNOUNCEMENT_RANGE_MAX = timedelta(days=90)
ANNOUNCED_WITHIN = timedelta(days=400)
"""How far from now an announcement that is named by its id is looked for."""


def get_corporate_actions(exchange: Exchange, call: Call) -> Reply:
    """GET /v1/corporate-actions, by ex-date, as declared so far; empty where none are known."""
    today = new_york_date(exchange.now)
    start = call.date("start") or today
    end = call.date("end") or today
    limit = call.limit("limit", ACTIONS_DEFAULT, ACTIONS_MAX)
    types = set(call.words("types"))
    symbols = call.words("symbols") or exchange.world.symbols
    found = [
        action
        for action in actions_between(exchange.world, symbols, start, end)
        if is_declared(action, today) and (not types or _action_type(action) in types)
    ]
    found.sort(key=lambda action: (_process_date(action), action.symbol))
    if call.one_of("sort", ("asc", "desc"), "asc") == "desc":
        found.reverse()
    page, token = page_from(found, call.text("page_token"), limit)
    grouped: dict[str, list[Json]] = {}
    for action in page:
        grouped.setdefault(f"{_action_type(action)}s", []).append(_render(exchange, action))
    return Reply({"corporate_actions": grouped, "next_page_token": token})


def get_announcements(exchange: Exchange, call: Call) -> Reply:
    """GET /v2/corporate_actions/announcements, by any of an action's dates."""
    since, until = call.date("since"), call.date("until")
    types = [each.lower() for each in call.words("ca_types")]
    if since is None or until is None or not types:
        raise bad_query("ca_types, since and until are required")
    if until - since > ANNOUNCEMENT_RANGE_MAX:
        raise bad_query("the date range is limited to 90 days")
    unknown = [each for each in types if each not in ANNOUNCED_TYPES]
    if unknown:
        raise bad_query(f"invalid ca_types: {unknown[0]}")
    by = call.one_of("date_type", DATE_TYPES, "ex_date")
    named = call.text("symbol")
    first, last = since.isoformat(), until.isoformat()
    rows = [
        row
        for row in _announcements(exchange, [named] if named else exchange.world.symbols)
        if row["ca_type"] in types and first <= str(row.get(by, "")) <= last
    ]
    return Reply(rows)


def get_announcement(exchange: Exchange, call: Call) -> Reply:
    """GET /v2/corporate_actions/announcements/{id}."""
    named = str(call.path["id"])
    for row in _announcements(exchange, exchange.world.symbols):
        if row["id"] == named:
            return Reply(row)
    raise not_found(f"announcement not found for {named}")


def _announcements(exchange: Exchange, symbols: Sequence[str]) -> list[Json]:
    today = new_york_date(exchange.now)
    around = (today - ANNOUNCED_WITHIN, today + ANNOUNCED_WITHIN)
    return [
        _render_announcement(exchange, action)
        for action in actions_between(exchange.world, symbols, *around)
        if is_declared(action, today)
    ]


def _render_announcement(exchange: Exchange, action: CorporateAction) -> Json:
    kind = _action_type(action)
    identifier = _identifier(exchange, action)
    ex_date = action.ex_date.isoformat()
    body: Json = {
        "id": identifier,
        "corporate_action_id": identifier,
        "corporate_actions_id": identifier,
        "initiating_symbol": action.symbol,
        "initiating_original_cusip": NO_CUSIP,
        "target_symbol": action.symbol,
        "target_original_cusip": NO_CUSIP,
        "ex_date": ex_date,
        "record_date": ex_date,
        "payable_date": _process_date(action).isoformat(),
    }
    if action.declared_on is not None:
        body["declaration_date"] = action.declared_on.isoformat()
    if isinstance(action, CashDividend):
        numbers = {"cash": plain(action.rate), "old_rate": "1", "new_rate": "1"}
        return {**body, "ca_type": "dividend", "ca_sub_type": "cash", **numbers}
    sub_type = "stock_split" if kind == "forward_split" else "reverse_split"
    numbers = {"cash": "0", "old_rate": plain(action.old_rate), "new_rate": plain(action.new_rate)}
    return {**body, "ca_type": "split", "ca_sub_type": sub_type, **numbers}


def _identifier(exchange: Exchange, action: CorporateAction) -> str:
    name = f"{action.symbol}/{action.ex_date}"
    return exchange.identifiers.of(_action_type(action), name)


def _action_type(action: CorporateAction) -> str:
    if isinstance(action, CashDividend):
        return "cash_dividend"
    return "forward_split" if action.new_rate > action.old_rate else "reverse_split"


def _process_date(action: CorporateAction) -> date:
    return action.payable_date if isinstance(action, CashDividend) else action.ex_date


def _render(exchange: Exchange, action: CorporateAction) -> Json:
    kind = _action_type(action)
    body: Json = {
        "id": _identifier(exchange, action),
        "symbol": action.symbol,
        "ex_date": action.ex_date.isoformat(),
        "process_date": _process_date(action).isoformat(),
    }
    if isinstance(action, CashDividend):
        return body | {
            "cusip": NO_CUSIP,
            "rate": float(action.rate),
            "special": action.special,
            "foreign": False,
            "record_date": action.ex_date.isoformat(),
            "payable_date": action.payable_date.isoformat(),
        }
    rates: Json = {"new_rate": float(action.new_rate), "old_rate": float(action.old_rate)}
    if kind == "reverse_split":
        return body | rates | {"old_cusip": NO_CUSIP, "new_cusip": NO_CUSIP}
    return body | rates | {"cusip": NO_CUSIP}
