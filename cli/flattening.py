"""Close every option position of an account with nothing but its keys.

For the day on which nothing else of the agent can be reached: no table, no state machine and no
book takes part, and none hears of it. Shares are never touched.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from uuid import uuid4

from agent.adapters.alpaca.connection import AlpacaConnection
from agent.adapters.alpaca.open_orders import open_option_orders
from agent.market.quotes import OptionQuote
from agent.options.contracts import OptionContract, parse_occ_symbol
from agent.options.money import Rounding, round_to_tick
from agent.options.structures import Leg, LegSide
from agent.options.ticks import option_tick
from agent.ports import (
    BrokerPosition,
    BrokerRefused,
    BrokerUnavailable,
    OrderRequest,
    WorkingOrder,
)

ROUNDS_MAX = 20
ORDER_SECONDS = 10
"""How long an order works before it is cancelled and priced anew."""
POLL_SECONDS = 1
CANCEL_POLLS_MAX = 10
CONCESSION_FLOOR = Decimal("0.10")
"""Cheap contracts are quoted wide: so much beyond mid, in dollars a share, is always given."""
ZERO, HALF = Decimal(0), Decimal("0.5")


@dataclass(frozen=True)
class Plan:
    """What is to be done with one position: at which limit, or why nothing can be done now."""

    contract: OptionContract
    quantity: int
    """Signed: negative is short, and is bought back."""
    limit: Decimal | None
    """Dollars a share, unsigned; None where no order can be priced."""
    remark: str

    @property
    def is_bought(self) -> bool:
        return self.quantity < 0


@dataclass
class Outcome:
    """What is left, and what went wrong on the way."""

    left: tuple[BrokerPosition, ...] = ()
    orders_open: tuple[WorkingOrder, ...] = ()
    troubles: list[str] = field(default_factory=list)

    @property
    def is_flat(self) -> bool:
        return not self.left and not self.orders_open


@dataclass
class Flattening:
    """Flatten one account; `concession_fraction` of mid is the most that is given beyond mid."""

    connection: AlpacaConnection
    concession_fraction: Decimal
    tell: Callable[[str], None]
    sleep: Callable[[float], None] = time.sleep
    rounds_max: int = ROUNDS_MAX

    def __post_init__(self) -> None:
        self._run = uuid4().hex[:12]
        self._sent = 0

    def open_orders(self) -> tuple[WorkingOrder, ...]:
        return open_option_orders(self.connection.sessions[0])

    def plans(self, positions: Sequence[BrokerPosition]) -> list[Plan]:
        """Price every position by its quote of this moment, shorts first."""
        contracts = {position.symbol: parse_occ_symbol(position.symbol) for position in positions}
        quotes = self.connection.market.option_quotes(list(contracts.values()))
        ordered = sorted(positions, key=lambda position: (position.quantity > 0, position.symbol))
        return [
            plan_of(
                contracts[position.symbol],
                position.quantity,
                quotes.get(position.symbol),
                self.concession_fraction,
            )
            for position in ordered
            if position.quantity
        ]

    def act(self) -> Outcome:
        """Cancel, buy back, sell, and look again, until nothing is left or the rounds are used up.

        Raises CredentialsRefused, and BrokerMisunderstood for what cannot be read.
        """
        outcome = Outcome()
        for _ in range(self.rounds_max):
            try:
                if self._round(outcome):
                    break
            except BrokerUnavailable as error:
                self._trouble(outcome, f"the broker does not answer: {error}")
                self.sleep(ORDER_SECONDS)
        self._look(outcome)
        return outcome

    def _round(self, outcome: Outcome) -> bool:
        """Make one round; say whether there is no sense in another."""
        working = self._cancel_all(outcome)
        positions = self.connection.broker.positions()
        if not positions:
            return not working
        if not self.connection.hours.market_clock().is_open:
            self._trouble(outcome, "the market is closed: options trade in its sessions only")
            return True
        busy = {symbol for order in working for symbol in order.symbols}
        sent = 0
        for plan in due(self.plans(positions)):
            # What an order may still trade must not be traded twice.
            if plan.contract.symbol not in busy:
                sent += self._send(plan, outcome)
        self._wait_for(sent)
        return False

    def _cancel_all(self, outcome: Outcome) -> tuple[WorkingOrder, ...]:
        """Ask for every cancel, wait for the ends, and give what still has not ended."""
        asked: set[str] = set()
        for poll in range(CANCEL_POLLS_MAX):
            working = self.open_orders()
            if not working:
                return ()
            for order in working:
                if order.order_id in asked:
                    continue
                asked.add(order.order_id)
                self.tell(f"cancel {order.client_order_id}: {', '.join(order.symbols)}")
                try:
                    self.connection.broker.cancel(order.order_id)
                except BrokerRefused as refusal:
                    self._trouble(outcome, f"{order.client_order_id} is not cancelled: {refusal}")
            if poll + 1 < CANCEL_POLLS_MAX:
                self.sleep(POLL_SECONDS)
        return self.open_orders()

    def _send(self, plan: Plan, outcome: Outcome) -> int:
        if plan.limit is None:
            self._trouble(outcome, f"{plan.contract.symbol}: {plan.remark}")
            return 0
        self._sent += 1
        side = LegSide.SHORT if plan.is_bought else LegSide.LONG
        self.tell(spelled(plan))
        try:
            self.connection.broker.submit(
                OrderRequest(
                    client_order_id=f"flatten-{self._run}-{self._sent}",
                    legs=(Leg(plan.contract, side),),
                    opening=False,
                    contracts=abs(plan.quantity),
                    limit_cash=-plan.limit if plan.is_bought else plan.limit,
                )
            )
        except BrokerRefused as refusal:
            self._trouble(outcome, f"{plan.contract.symbol} is refused: {refusal}")
            return 0
        except BrokerUnavailable as error:
            # It may have landed: the next round cancels what works before it counts what is left,
            # and an order that only closes cannot close more than there is.
            self._trouble(outcome, f"{plan.contract.symbol}: the order's fate is unknown: {error}")
        return 1

    def _wait_for(self, sent: int) -> None:
        """Wait until the orders of this round have ended, or long enough."""
        for _ in range(ORDER_SECONDS // POLL_SECONDS):
            self.sleep(POLL_SECONDS)
            if sent and not self.open_orders():
                return

    def _look(self, outcome: Outcome) -> None:
        """See what is left at the end, orders of ours cancelled; the broker must answer for it."""
        outcome.orders_open = self._cancel_all(outcome)
        outcome.left = self.connection.broker.positions()

    def _trouble(self, outcome: Outcome, sentence: str) -> None:
        if sentence not in outcome.troubles:
            outcome.troubles.append(sentence)
            self.tell(sentence)


def due(plans: Sequence[Plan]) -> list[Plan]:
    """Choose what may be sent now: shorts, and longs of underlyings that owe nothing any more.

    A long may be what covers a short.
    """
    owing = {plan.contract.underlying for plan in plans if plan.is_bought}
    return [plan for plan in plans if plan.is_bought or plan.contract.underlying not in owing]


def plan_of(
    contract: OptionContract,
    quantity: int,
    quote: OptionQuote | None,
    concession_fraction: Decimal,
) -> Plan:
    """Price a position at natural, but at most a concession beyond mid.

    A contract that nobody bids for counts as bid at zero when it is bought; it cannot be sold.
    """
    bid, ask = (None, None) if quote is None else (quote.bid, quote.ask)
    if ask is None:
        return Plan(contract, quantity, None, "nobody offers it: no price can be trusted")
    if quantity > 0 and bid is None:
        return Plan(contract, quantity, None, "nobody bids for it")
    low = bid or ZERO
    if low > ask:
        return Plan(contract, quantity, None, f"its quote is crossed: {low} to {ask}")
    mid = (low + ask) * HALF
    concession = max(CONCESSION_FLOOR, concession_fraction * mid)
    if quantity < 0:
        natural, bound, towards_mid = ask, mid + concession, Rounding.DOWN
        is_capped = natural > bound
    else:
        natural, bound, towards_mid = low, mid - concession, Rounding.UP
        is_capped = natural < bound
    if not is_capped:
        return Plan(contract, quantity, natural, "at natural")
    # A step that every class of options takes.
    tick = option_tick(bound, penny_program=False, always_penny=False)
    limit = round_to_tick(bound, tick, towards_mid)
    return Plan(contract, quantity, limit, f"capped: natural is {natural}, mid {mid}")


def spelled(plan: Plan) -> str:
    """Say a plan in one line."""
    verb = "buy back" if plan.is_bought else "sell"
    price = "no order" if plan.limit is None else f"limit {plan.limit:.2f}"
    return f"{verb} {abs(plan.quantity)} {plan.contract.symbol}: {price}, {plan.remark}"
