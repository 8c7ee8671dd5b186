"""The broker behind its port: the account, orders, positions and fees."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from agent.adapters.alpaca.answers import Answer
from agent.adapters.alpaca.cash_activities import ACTIVITY_TYPES as CASH_ACTIVITY_TYPES
from agent.adapters.alpaca.cash_activities import parse_cash_activities
from agent.adapters.alpaca.leg_fills import read_leg_fills
from agent.adapters.alpaca.open_orders import open_orders
from agent.adapters.alpaca.option_events import ACTIVITY_TYPES, parse_option_events
from agent.adapters.alpaca.orders import (
    CANCEL_NEEDLESS_STATUSES,
    order_payload,
    parse_order,
    share_order_payload,
)
from agent.adapters.alpaca.session import PAGES_MAX, AlpacaSession
from agent.options.contracts import parse_occ_symbol
from agent.ports import (
    Account,
    BrokerMisunderstood,
    BrokerOrder,
    BrokerPosition,
    BrokerRefused,
    BrokerUnavailable,
    CashActivity,
    FeeCharge,
    LegFill,
    OptionEvent,
    OrderRequest,
    ShareOrderRequest,
    WorkingOrder,
)

SPREADS_LEVEL = 3
"""The options level from which Alpaca takes multi-leg orders."""
ACTIVITIES_PAGE_SIZE = 100
CASH_FLOWS = "CSD,CSW,JNLC"
"""Alpaca's kinds of activity that bring or take cash without a trade: deposits, withdrawals, and
journals between accounts."""
DUPLICATE_ID_CODE = 40010001
DUPLICATE_ID_MESSAGE = "client_order_id must be unique"


class AlpacaBroker:
    """Trade through Alpaca's trading endpoint.

    Every method raises as AlpacaSession does. Not thread-safe: use one object per thread.
    """

    def __init__(self, trading: AlpacaSession) -> None:
        self._trading = trading

    def account(self) -> Account:
        """Read the account; it can trade options where it may place multi-leg orders now."""
        account = self._trading.read_object("/account")
        is_blocked = any(
            account.flag(name)
            for name in ("trading_blocked", "account_blocked", "trade_suspended_by_user")
            if account.has(name)
        )
        level = account.optional_whole("options_trading_level")
        return Account(
            account_number=account.text("account_number"),
            can_trade_options=(
                account.text("status") == "ACTIVE"
                and not is_blocked
                and level is not None
                and level >= SPREADS_LEVEL
            ),
            equity=account.number("equity"),
            last_equity=account.number("last_equity"),
            cash=account.number("cash"),
            options_buying_power=account.number("options_buying_power"),
            accrued_fees=account.number("accrued_fees"),
        )

    def submit(self, request: OrderRequest) -> BrokerOrder:
        """Send an order once and give what the broker made of it.

        Where the broker has an order of this client id already, that one is given. Raises
        BrokerUnavailable where it is unknown whether the order landed, an unreadable answer
        included: look it up by its client id before it is sent again. Raises ValueError, having
        sent nothing, for an order that cannot be meant.
        """
        return self._post(request.client_order_id, order_payload(request))

    def submit_shares(self, request: ShareOrderRequest) -> BrokerOrder:
        """Send an order for shares once, on the terms of `submit`."""
        return self._post(request.client_order_id, share_order_payload(request))

    def _post(self, client_order_id: str, payload: dict[str, Any]) -> BrokerOrder:
        try:
            return parse_order(self._trading.post("/orders", payload))
        except BrokerMisunderstood as error:
            raise BrokerUnavailable(
                f"the fate of order {client_order_id} is unknown: {error}"
            ) from error
        except BrokerRefused as refusal:
            if refusal.code != DUPLICATE_ID_CODE or DUPLICATE_ID_MESSAGE not in str(refusal):
                raise
            first = self.order_by_client_id(client_order_id)
            if first is None:
                raise BrokerUnavailable(
                    f"the broker has an order {client_order_id}, but does not show it"
                ) from refusal
            return first

    def exercise(self, symbol: str) -> None:
        """Ask once for the exercise of every contract held long; the answer has no content."""
        self._trading.post_bare(f"/positions/{quote(symbol, safe='')}/exercise")

    def order_by_client_id(self, client_order_id: str) -> BrokerOrder | None:
        """Look an order up by the id we gave it; None where the broker knows none."""
        try:
            found = self._trading.read_object(
                "/orders:by_client_order_id", {"client_order_id": client_order_id}
            )
        except BrokerRefused as refusal:
            if refusal.status == 404:
                return None
            raise
        order = parse_order(found)
        if order.client_order_id != client_order_id:
            raise BrokerMisunderstood(
                f"{found.source}: asked for {client_order_id}, got {order.client_order_id}"
            )
        return order

    def cancel(self, order_id: str) -> None:
        """Ask for a cancel; an order that has ended is no error, one that never was is."""
        path = f"/orders/{quote(order_id, safe='')}"
        try:
            self._trading.delete(path)
        except BrokerRefused as refusal:
            if refusal.status != 422:
                raise
            # One status answers for an ended order and for one that cannot be cancelled now.
            if self._trading.read_object(path).text("status") not in CANCEL_NEEDLESS_STATUSES:
                raise

    def working_orders(self) -> tuple[WorkingOrder, ...]:
        """List every order of the account that may still fill, newest first."""
        return open_orders(self._trading)

    def positions(self) -> tuple[BrokerPosition, ...]:
        """List the option positions; shares are left out."""
        rows = self._trading.read_objects("/positions")
        return tuple(
            _position(row) for row in rows if row.optional_text("asset_class") == "us_option"
        )

    def holdings(self) -> tuple[BrokerPosition, ...]:
        """List the option positions and the shares; of shares, whole ones."""
        rows = self._trading.read_objects("/positions")
        return tuple(
            _position(row) if kind == "us_option" else _shares(row)
            for row in rows
            if (kind := row.optional_text("asset_class")) in {"us_option", "us_equity"}
        )

    def option_events(self, since: date) -> tuple[OptionEvent, ...]:
        """List what became of contracts without a trade, on `since` and after, oldest first."""
        rows = self._activities("/account/activities", since, activity_types=ACTIVITY_TYPES)
        return tuple(event for event in parse_option_events(rows) if event.session >= since)

    def leg_fills(self, since: date) -> tuple[LegFill, ...]:
        """List what ended orders sent on `since` and after traded, newest order first."""
        return read_leg_fills(self._trading, since)

    def cash_activities(self, since: date) -> tuple[CashActivity, ...]:
        """List what moved cash without a trade on `since` and after, oldest first."""
        rows = self._activities("/account/activities", since, activity_types=CASH_ACTIVITY_TYPES)
        return tuple(each for each in parse_cash_activities(rows) if each.session >= since)

    def fee_charges(self, since: date) -> tuple[FeeCharge, ...]:
        """List the fees charged on `since` and after, oldest first; a refund is negative."""
        rows = self._activities("/account/activities/FEE", since)
        charges = [_fee_charge(row) for row in rows]
        found = [charge for charge in charges if charge is not None and charge.session >= since]
        return tuple(sorted(found, key=lambda charge: (charge.session, charge.activity_id)))

    def cash_flows(self, session: date) -> Decimal:
        """Add up the deposits, withdrawals and journals of cash of one day."""
        rows = self._activities("/account/activities", session, activity_types=CASH_FLOWS)
        return sum(
            (
                row.number("net_amount")
                for row in rows
                if row.day("date") == session and row.optional_text("status") != "canceled"
            ),
            Decimal(0),
        )

    def _activities(self, path: str, since: date, **asked: str) -> list[Answer]:
        # Whether `after` includes its own day is not documented, so a day more is asked for.
        parameters: dict[str, str] = {
            **asked,
            "after": (since - timedelta(days=1)).isoformat(),
            "direction": "asc",
            "page_size": str(ACTIVITIES_PAGE_SIZE),
        }
        found: dict[str, Answer] = {}
        for _ in range(PAGES_MAX):
            page = self._trading.read_objects(path, parameters)
            known = len(found)
            found.update({row.text("id"): row for row in page})
            if len(page) < ACTIVITIES_PAGE_SIZE:
                return list(found.values())
            if len(found) == known:
                raise BrokerMisunderstood(f"{page[-1].source}: a page repeats the one before")
            parameters["page_token"] = page[-1].text("id")
        raise BrokerMisunderstood(f"the activities since {since} fill more than {PAGES_MAX} pages")


def _shares(row: Answer) -> BrokerPosition:
    quantity = int(row.number("qty"))
    is_short = row.optional_text("side") == "short"
    return BrokerPosition(
        symbol=row.text("symbol"), quantity=-abs(quantity) if is_short else quantity
    )


def _position(row: Answer) -> BrokerPosition:
    symbol = row.text("symbol")
    try:
        parse_occ_symbol(symbol)
    except ValueError as error:
        raise BrokerMisunderstood(f"{row.source}: {error}") from error
    quantity = row.whole("qty")
    # The quantity is signed by the specification; the side makes sure of it.
    is_short = row.optional_text("side") == "short"
    return BrokerPosition(symbol=symbol, quantity=-abs(quantity) if is_short else quantity)


def _fee_charge(row: Answer) -> FeeCharge | None:
    if row.optional_text("status") == "canceled":
        return None
    return FeeCharge(
        activity_id=row.text("id"), session=row.day("date"), amount=-row.number("net_amount")
    )
