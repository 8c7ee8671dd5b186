"""The account's book: cash, positions, fills, fees and activities, moved by exact Decimals."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from agent.options.contracts import OptionContract
from simulator.exchange.calendar import NEW_YORK, new_york_date
from simulator.exchange.fees import FeeType, charged
from simulator.exchange.numbers import Identifiers, plain
from simulator.exchange.records import ZERO, Activity, Fill, Position, SessionEquity, Side


def next_new_york_midnight(at: datetime) -> datetime:
    """Give the first moment of the New York day after `at`."""
    tomorrow = new_york_date(at) + timedelta(days=1)
    return datetime(tomorrow.year, tomorrow.month, tomorrow.day, tzinfo=NEW_YORK)


class Book:
    """Hold what the account owns and how it came to it.

    `realized_profit` sums what closed quantities brought over what they cost, before fees;
    `fees_charged` what was taken from cash for fees.
    """

    def __init__(
        self, starting_cash: Decimal, identifiers: Identifiers, *, hides_events: bool
    ) -> None:
        self._hides_events = hides_events
        self.starting_cash = starting_cash
        self.cash = starting_cash
        self.positions: dict[str, Position] = {}
        self.fills: list[Fill] = []
        self.activities: list[Activity] = []
        self.closes: list[SessionEquity] = []
        self.accrued_fees: dict[FeeType, Decimal] = {}
        self.realized_profit = ZERO
        self.fees_charged = ZERO
        self._identifiers = identifiers

    def held(self, symbol: str) -> int:
        """Give the signed quantity held."""
        position = self.positions.get(symbol)
        return 0 if position is None else position.quantity

    def option_quantities(self) -> dict[OptionContract, int]:
        """Give the signed quantity per contract held."""
        return {
            position.contract: position.quantity
            for position in self.positions.values()
            if position.contract is not None
        }

    def share_quantities(self) -> dict[str, int]:
        """Give the signed number of shares per stock held."""
        return {
            position.symbol: position.quantity
            for position in self.positions.values()
            if position.contract is None
        }

    def trade(
        self,
        symbol: str,
        contract: OptionContract | None,
        signed_quantity: int,
        price: Decimal,
    ) -> Decimal:
        """Move a position and cash by a trade; gives the change of cash in dollars."""
        position = self.positions.setdefault(symbol, Position(symbol, contract))
        multiplier = position.multiplier
        held = position.quantity
        closing = 0 if held * signed_quantity >= 0 else min(abs(held), abs(signed_quantity))
        if closing:
            freed_cost = position.cost * closing / abs(held)
            brought = closing * price * multiplier * (1 if held > 0 else -1)
            self.realized_profit += brought - freed_cost
            position.cost -= freed_cost
        opening = abs(signed_quantity) - closing
        position.cost += opening * price * multiplier * (1 if signed_quantity > 0 else -1)
        position.quantity = held + signed_quantity
        if closing and opening:
            position.lastday_mark = None
        if position.quantity == 0:
            del self.positions[symbol]
        cash_change = -signed_quantity * price * multiplier
        self.cash += cash_change
        return cash_change

    def accrue(self, fees: Mapping[FeeType, Decimal]) -> None:
        """Remember fees until the day is charged."""
        for kind, amount in fees.items():
            self.accrued_fees[kind] = self.accrued_fees.get(kind, ZERO) + amount

    def charge_fees(self, at: datetime) -> None:
        """Take the accrued fees from cash, each type rounded up to the cent."""
        for kind, amount in charged(self.accrued_fees).items():
            self.cash -= amount
            self.fees_charged += amount
            self.record_event(
                "FEE",
                at,
                cash_change=-amount,
                visible_at=at,
                description=f"{kind.value} fee for {new_york_date(at).isoformat()}",
                activity_sub_type=kind.value,
            )
        self.accrued_fees.clear()

    def record_fill(self, fill: Fill, row: Mapping[str, Any], cash_change: Decimal) -> None:
        """Keep a fill and its activity row, which is visible at once."""
        self.fills.append(fill)
        self._record("FILL", fill.at, fill.at, cash_change, row)

    def record_event(
        self,
        activity_type: str,
        at: datetime,
        *,
        cash_change: Decimal,
        description: str,
        visible_at: datetime | None = None,
        **fields: str,
    ) -> None:
        """Keep a non-trade activity.

        Unless `visible_at` says otherwise it shows at once, or from the next day on where the
        book hides events that long, as paper accounts do.
        """
        if visible_at is None:
            visible_at = next_new_york_midnight(at) if self._hides_events else at
        row = {
            "date": new_york_date(at).isoformat(),
            "net_amount": plain(cash_change),
            "description": description,
            "status": "executed",
            "currency": "USD",
            **fields,
        }
        self._record(activity_type, at, visible_at, cash_change, row)

    def close_out(
        self,
        position: Position,
        at: datetime,
        activity_type: str,
        group: str,
        contracts: int | None = None,
    ) -> None:
        """Remove expired, exercised or assigned contracts, all of them unless told how many."""
        count = abs(position.quantity) if contracts is None else contracts
        quantity = -count if position.quantity > 0 else count
        self.trade(position.symbol, position.contract, quantity, ZERO)
        self.record_event(
            activity_type,
            at,
            cash_change=ZERO,
            description={
                "OPEXP": "Option Expiry",
                "OPASN": "Option Assignment",
                "OPEXC": "Option Exercise",
            }[activity_type],
            symbol=position.symbol,
            qty=plain(quantity),
            group_id=group,
        )

    def deliver_shares(
        self, contract: OptionContract, signed_shares: int, at: datetime, group: str
    ) -> None:
        """Trade shares at the strike because a contract was exercised or assigned."""
        cash_change = self.trade(contract.underlying, None, signed_shares, contract.strike)
        self.record_event(
            "OPTRD",
            at,
            cash_change=cash_change,
            description="Option Trade",
            symbol=contract.underlying,
            qty=plain(signed_shares),
            price=plain(contract.strike),
            group_id=group,
        )

    def event_group(self, symbol: str, at: datetime) -> str:
        """Give the id that ties the rows of one exercise or assignment together."""
        return self._identifiers.of("group", f"{symbol}/{at.isoformat()}")

    def _record(
        self,
        activity_type: str,
        at: datetime,
        visible_at: datetime,
        cash_change: Decimal,
        row: Mapping[str, Any],
    ) -> None:
        local = at.astimezone(NEW_YORK)
        number = len(self.activities)
        activity_id = (
            f"{local:%Y%m%d%H%M%S}{local.microsecond // 1000:03d}"
            f"::{self._identifiers.of('activity', str(number))}"
        )
        body = {"id": activity_id, "activity_type": activity_type, **row}
        self.activities.append(
            Activity(activity_id, activity_type, at, visible_at, cash_change, body)
        )


def fill_row(
    *,
    order_id: str,
    symbol: str,
    side: Side,
    price: Decimal,
    quantity: int,
    filled: int,
    ordered: int,
    at: str,
) -> dict[str, str]:
    """Spell the FILL activity of one leg; `filled` and `ordered` count the leg's quantity."""
    done = filled >= ordered
    return {
        "transaction_time": at,
        "type": "fill" if done else "partial_fill",
        "price": plain(price),
        "qty": plain(quantity),
        "side": side.value,
        "symbol": symbol,
        "leaves_qty": plain(ordered - filled),
        "cum_qty": plain(filled),
        "order_id": order_id,
        "order_status": "filled" if done else "partially_filled",
    }
