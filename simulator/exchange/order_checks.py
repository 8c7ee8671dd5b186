"""The checks an order passes before it is accepted, in the order in which Alpaca makes them.

Schema and ids come first (`order_requests`), then contract and session, position intent, ratio,
coverage, and last the account's level and buying power.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import reduce
from math import gcd

from agent.options.contracts import OptionContract, OptionType
from simulator.exchange.book import Book
from simulator.exchange.calendar import SessionCalendar, new_york_date
from simulator.exchange.clock import SimulatedClock
from simulator.exchange.errors import forbidden, unprocessable
from simulator.exchange.exits import check_exits
from simulator.exchange.faults import Faults
from simulator.exchange.margin import SHARES_PER_CONTRACT, is_less_covered, uncovered_shorts
from simulator.exchange.market import MarketView, option_contract
from simulator.exchange.numbers import plain
from simulator.exchange.order_requests import LegRequest, OrderRequest
from simulator.exchange.records import (
    ZERO,
    Order,
    OrderClass,
    OrderType,
    PositionIntent,
    Side,
)
from simulator.exchange.valuation import Valuation

OPENING_STOPS_BEFORE_CLOSE = timedelta(minutes=45)
"""On expiration day nothing opens in its expiring contracts from 15:15 on."""

UNCOVERED_MULTILEG = "mleg uncovered short contracts not allowed, please use single leg order"


@dataclass(frozen=True, slots=True)
class CheckedLeg:
    """A leg whose contract exists and whose intent is known; stocks have neither."""

    symbol: str
    contract: OptionContract | None
    side: Side
    position_intent: PositionIntent | None
    ratio: int

    @property
    def opens(self) -> bool:
        return self.position_intent is not None and self.position_intent.opens


@dataclass(frozen=True, slots=True)
class CheckedOrder:
    """An order that may be accepted, and what buying power it claims while it works."""

    legs: tuple[CheckedLeg, ...]
    reservation: Decimal


class OrderChecks:
    """Check orders against one account, its market and its calendar."""

    def __init__(
        self,
        *,
        book: Book,
        market: MarketView,
        calendar: SessionCalendar,
        clock: SimulatedClock,
        valuation: Valuation,
        faults: Faults,
    ) -> None:
        self._faults = faults
        self._book = book
        self._market = market
        self._calendar = calendar
        self._clock = clock
        self._valuation = valuation

    def check(
        self, request: OrderRequest, working: Sequence[Order], options_level: int
    ) -> CheckedOrder:
        """Give the order as it would be accepted; raises RefusalError."""
        if request.is_for_stock:
            return self._check_stock(request, working)
        contracts = self._contracts(request)
        if request.is_multileg and self._faults.take_submit_refusal():
            raise forbidden("submit mleg order is disabled")
        self._check_session(request)
        legs = tuple(
            self._with_intent(leg, contract)
            for leg, contract in zip(request.legs, contracts, strict=True)
        )
        self._check_expiration_day(legs)
        if request.is_multileg:
            _check_ratios(legs)
            if not all(leg.opens for leg in legs) and self._faults.take_close_refusal():
                raise forbidden(UNCOVERED_MULTILEG)
        self._check_held(legs, request.units, working)
        self._check_wash_trade(request, working)
        self._check_coverage(request, legs)
        _check_level(legs, options_level, request)
        return CheckedOrder(legs, self._reservation(request, legs, working))

    def _contracts(self, request: OrderRequest) -> list[OptionContract]:
        contracts: list[OptionContract] = []
        for leg in request.legs:
            contract = option_contract(leg.symbol)
            if contract is None and leg.symbol in self._market.world.symbols:
                raise unprocessable(
                    "equity legs are allowed only with a corresponding amount of call contracts"
                )
            if contract is None or not self._is_listed(leg.symbol):
                raise unprocessable(self._not_listed(request, leg.symbol, contract))
            if self._is_expired(contract):
                raise unprocessable(f'contract "{leg.symbol}" is expired')
            if contract.underlying != (contracts or [contract])[0].underlying:
                raise unprocessable(
                    f"underlying asset mismatch: {contracts[0].underlying} != {contract.underlying}"
                )
            contracts.append(contract)
        return contracts

    def _not_listed(
        self, request: OrderRequest, symbol: str, contract: OptionContract | None
    ) -> str:
        if request.is_multileg:
            return f"asset not found for {symbol}"
        if contract is None:
            return "invalid contract"
        if contract.underlying not in self._market.world.symbols:
            return f'underlying asset "{contract.underlying}" not found'
        return f'contract "{symbol}" not found'

    def _is_listed(self, symbol: str) -> bool:
        contract = option_contract(symbol)
        if contract is None or contract.underlying not in self._market.world.symbols:
            return False
        # A world may stop quoting a contract that is still held, or know no expired ones.
        return (
            self._book.held(symbol) != 0
            or self._is_expired(contract)
            or self._market.option(symbol) is not None
        )

    def _is_expired(self, contract: OptionContract) -> bool:
        now = self._clock.now
        today = new_york_date(now)
        if contract.expiration != today:
            return contract.expiration < today
        session = self._calendar.session_on(today)
        return session is None or now >= session.closes_at

    def _check_session(self, request: OrderRequest) -> None:
        is_open = self._calendar.session_at(self._clock.now) is not None
        if request.order_type is OrderType.MARKET and not is_open:
            raise unprocessable("options market orders are only allowed during market hours")

    def _with_intent(self, leg: LegRequest, contract: OptionContract) -> CheckedLeg:
        held = self._book.held(leg.symbol)
        if leg.side is Side.BUY:
            inferred = PositionIntent.BUY_TO_CLOSE if held < 0 else PositionIntent.BUY_TO_OPEN
        else:
            inferred = PositionIntent.SELL_TO_CLOSE if held > 0 else PositionIntent.SELL_TO_OPEN
        if leg.position_intent not in {None, inferred}:
            raise unprocessable(
                f"position intent mismatch, inferred: {inferred}, specified: {leg.position_intent}"
            )
        return CheckedLeg(leg.symbol, contract, leg.side, inferred, leg.ratio)

    def _check_expiration_day(self, legs: Iterable[CheckedLeg]) -> None:
        now = self._clock.now
        session = self._calendar.session_on(new_york_date(now))
        if session is None or now < session.closes_at - OPENING_STOPS_BEFORE_CLOSE:
            return
        for leg in legs:
            if leg.opens and leg.contract and leg.contract.expiration == session.session:
                raise unprocessable(
                    f'contract "{leg.symbol}" expires soon, unable to open new positions'
                )

    def _check_held(self, legs: Iterable[CheckedLeg], units: int, working: Sequence[Order]) -> None:
        for leg in legs:
            if not leg.opens:
                self._check_available(leg.symbol, units * leg.ratio, working)

    def _check_available(self, symbol: str, quantity: int, working: Sequence[Order]) -> None:
        existing = abs(self._book.held(symbol))
        related = [
            (order, leg)
            for order in working
            if order.claims_quantity
            for leg in order.legs
            if leg.symbol == symbol and _closes(leg.position_intent, leg.side)
        ]
        held_for_orders = sum(order.remaining_units * leg.ratio for order, leg in related)
        available = max(existing - held_for_orders, 0)
        if quantity <= available:
            return
        raise forbidden(
            f"insufficient qty available for order (requested: {quantity}, available: {available})",
            available=str(available),
            existing_qty=str(existing),
            held_for_orders=str(held_for_orders),
            related_orders=[order.order_id for order, _ in related],
            symbol=symbol,
        )

    def _check_wash_trade(self, request: OrderRequest, working: Sequence[Order]) -> None:
        if request.is_multileg:
            return
        symbol, side = request.legs[0].symbol, request.legs[0].side
        for order in working:
            if order.order_class is not OrderClass.SIMPLE:
                continue
            if order.legs[0].symbol == symbol and order.legs[0].side is side.opposite:
                raise forbidden(
                    "potential wash trade detected. use complex orders",
                    reject_reason="opposite side order exists",
                    existing_order_id=order.order_id,
                )

    def _check_coverage(self, request: OrderRequest, legs: Sequence[CheckedLeg]) -> None:
        uncovered_by_order = uncovered_shorts(_opening_quantities(legs), {})
        if request.is_multileg and any(uncovered_by_order.values()):
            raise forbidden(UNCOVERED_MULTILEG)
        after = _quantities_after(self._book.option_quantities(), legs, request.units)
        shares = self._book.share_quantities()
        less_covered = is_less_covered(
            uncovered_shorts(self._book.option_quantities(), shares),
            uncovered_shorts(after, shares),
        )
        first = legs[0]
        if not less_covered or first.contract is None:
            return
        if request.is_multileg or not first.opens:
            raise forbidden("account not eligible to trade uncovered option contracts")
        if first.contract.option_type is OptionType.CALL:
            required = request.units * SHARES_PER_CONTRACT
            available = shares.get(first.contract.underlying, 0)
            raise forbidden(
                "insufficient underlying qty available for covered call "
                f"(required: {required}, available: {max(available, 0)})"
            )

    def _reservation(
        self, request: OrderRequest, legs: Sequence[CheckedLeg], working: Sequence[Order]
    ) -> Decimal:
        margin_before = self._valuation.maintenance_margin()
        after = _quantities_after(self._book.option_quantities(), legs, request.units)
        margin_after = self._valuation.maintenance_margin(after)
        if margin_before is None:
            return ZERO  # Uncovered before, and by now known not to become more so.
        if margin_after is None:
            raise forbidden("account not eligible to trade uncovered option contracts")
        net = self._signed_limit(request, legs)
        multiplier = legs[0].contract.multiplier if legs[0].contract else 1
        required = margin_after - margin_before + net * multiplier * request.units
        if required <= 0:
            return ZERO
        available = self._valuation.balances(working).buying_power
        if required > available:
            kind = "" if not _is_short_put(request, legs) else " for cash-secured put"
            raise forbidden(
                f"insufficient options buying power{kind} "
                f"(required: {plain(required)}, available: {plain(max(available, ZERO))})"
            )
        return required

    def _signed_limit(self, request: OrderRequest, legs: Sequence[CheckedLeg]) -> Decimal:
        """Give the most that one unit may cost per share, a market order's at natural."""
        if request.limit_price is not None:
            sign = 1 if request.is_multileg else legs[0].side.sign
            return request.limit_price * sign
        total = ZERO
        for leg in legs:
            quote = self._market.quote(leg.symbol)
            if quote is None:
                raise unprocessable(f"no valid quote for {leg.symbol}")
            bid, ask, _ = quote
            total += leg.side.sign * leg.ratio * (ask if leg.side is Side.BUY else bid)
        if request.stop_price is not None and legs[0].side is Side.BUY:
            # It trades no earlier than there.
            return max(total, request.stop_price)
        return total

    def _check_stock(self, request: OrderRequest, working: Sequence[Order]) -> CheckedOrder:
        leg = request.legs[0]
        if leg.symbol not in self._market.world.symbols:
            raise unprocessable(f'asset "{leg.symbol}" not found')
        checked = CheckedLeg(leg.symbol, None, leg.side, None, 1)
        self._check_wash_trade(request, working)
        held = self._book.held(leg.symbol)
        if leg.side is Side.SELL and held <= 0:
            raise forbidden("account is not allowed to short")
        if request.attached:
            check_exits(request, self._market.mark(leg.symbol))
        if leg.side is Side.SELL:
            self._check_available(leg.symbol, request.units, working)
            shares = self._book.share_quantities()
            fewer = {**shares, leg.symbol: held - request.units}
            options = self._book.option_quantities()
            if is_less_covered(uncovered_shorts(options, shares), uncovered_shorts(options, fewer)):
                raise forbidden(
                    f"insufficient qty available for order (requested: {request.units}, "
                    "available: 0)",
                    symbol=leg.symbol,
                )
            return CheckedOrder((checked,), ZERO)
        if held < 0:
            return CheckedOrder((checked,), ZERO)
        required = self._signed_limit(request, (checked,)) * request.units
        available = self._valuation.balances(working).buying_power
        if required > available:
            raise forbidden(
                "insufficient buying power",
                buying_power=plain(max(available, ZERO)),
                cost_basis=plain(required),
            )
        return CheckedOrder((checked,), required)


def _closes(intent: PositionIntent | None, side: Side) -> bool:
    # Stock orders carry no intent; this exchange lets shares be sold only where they are held.
    return side is Side.SELL if intent is None else not intent.opens


def _check_ratios(legs: Sequence[CheckedLeg]) -> None:
    ratios = [leg.ratio for leg in legs]
    divisor = reduce(gcd, ratios)
    if divisor != 1:
        listed = " ".join(str(ratio) for ratio in ratios)
        raise unprocessable(
            f"leg ratio quantities should be relatively prime: GCD[{listed}] = {divisor}"
        )


def _opening_quantities(legs: Iterable[CheckedLeg]) -> dict[OptionContract, int]:
    return {leg.contract: leg.side.sign * leg.ratio for leg in legs if leg.contract and leg.opens}


def _quantities_after(
    held: Mapping[OptionContract, int], legs: Iterable[CheckedLeg], units: int
) -> dict[OptionContract, int]:
    after = dict(held)
    for leg in legs:
        if leg.contract is not None:
            change = leg.side.sign * leg.ratio * units
            after[leg.contract] = after.get(leg.contract, 0) + change
    return after


def _is_short_put(request: OrderRequest, legs: Sequence[CheckedLeg]) -> bool:
    contract = legs[0].contract
    return (
        not request.is_multileg
        and contract is not None
        and contract.option_type is OptionType.PUT
        and legs[0].position_intent is PositionIntent.SELL_TO_OPEN
    )


def _check_level(legs: Sequence[CheckedLeg], level: int, request: OrderRequest) -> None:
    opening = [leg for leg in legs if leg.opens]
    if not opening:
        return
    if level <= 0:
        raise forbidden("account not authorized to trade options")
    if request.is_multileg and level < 3:
        raise forbidden("account not eligible to trade spreads or uncovered contracts")
    if opening[0].side is Side.BUY and level < 2:
        raise forbidden("account not eligible to trade long option contracts")
