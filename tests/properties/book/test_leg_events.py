"""However the legs of a trade go, its cash and its legs tell the same P&L."""

from dataclasses import dataclass
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from agent.book.comparison import booked_positions
from agent.book.lifecycle import (
    Booking,
    LegEvent,
    LegEventKind,
    ShareTrade,
    book_leg_event,
    book_share_trade,
)
from agent.book.records import Position, PositionStatus, Trade
from agent.book.states import TradeStatus
from agent.options.contracts import OptionType
from agent.options.structures import Leg, LegSide, Structure
from tests.builders import AS_OF, a_contract, a_risk, a_trade, an_execution, positions_of

CONTRACTS = 3
CONDOR = Structure(
    tuple(
        Leg(a_contract(strike=strike, option_type=option_type), side)
        for strike, option_type, side in (
            ("190", OptionType.PUT, LegSide.SHORT),
            ("185", OptionType.PUT, LegSide.LONG),
            ("210", OptionType.CALL, LegSide.SHORT),
            ("215", OptionType.CALL, LegSide.LONG),
        )
    )
)
ENTRY_PRICES = (Decimal("2.95"), Decimal("1.75"), Decimal("1.75"), Decimal("1.75"))
FEE = Decimal("0.03")
prices = st.integers(1, 3_000).map(lambda cents: Decimal(cents).scaleb(-2))


@dataclass(frozen=True)
class Departure:
    symbol: str
    kind: LegEventKind
    contracts: int
    price: Decimal


@st.composite
def departures(draw: st.DrawFn) -> list[Departure]:
    """Let every contract of a condor go, leg by leg, in any order and in any way it can."""
    found: list[Departure] = []
    for leg in CONDOR.legs:
        delivers = LegEventKind.ASSIGNED if leg.side is LegSide.SHORT else LegEventKind.EXERCISED
        kinds = [delivers, LegEventKind.EXPIRED, LegEventKind.LIQUIDATED, LegEventKind.TRADED]
        left = CONTRACTS
        while left:
            count = draw(st.integers(1, left))
            kind = draw(st.sampled_from(kinds))
            is_traded = kind in {LegEventKind.LIQUIDATED, LegEventKind.TRADED}
            price = draw(prices) if is_traded else Decimal(0)
            found.append(Departure(leg.contract.symbol, kind, count, price))
            left -= count
    return draw(st.permutations(found))


def a_condor() -> Trade:
    credit = sum(
        (-leg.signed_ratio * price for leg, price in zip(CONDOR.legs, ENTRY_PRICES, strict=True)),
        Decimal(0),
    )
    execution = an_execution(
        contracts=CONTRACTS, credit=credit, entry_cash=credit * CONTRACTS * 100
    )
    return a_trade(structure=CONDOR, execution=execution)


def opened(trade: Trade) -> dict[str, Position]:
    held = zip(positions_of(trade), ENTRY_PRICES, strict=True)
    return {
        position.option_symbol: position.model_copy(update={"entry_price": price})
        for position, price in held
    }


@settings(max_examples=150)
@given(gone=departures(), last_price=prices)
def test_cash_and_legs_tell_the_same_and_nothing_is_left(
    gone: list[Departure], last_price: Decimal
) -> None:
    trade = a_condor()
    positions = opened(trade)
    fees = trade.execution.fees
    booking = Booking(fees=FEE, max_loss=Decimal(1_000), risk=a_risk())
    for number, each in enumerate(gone):
        assert trade.status is TradeStatus.OPEN
        event = LegEvent(
            f"event-{number}", each.kind, each.symbol, each.contracts, AS_OF, each.price
        )
        change = book_leg_event(trade, list(positions.values()), event, booking, AS_OF)
        assert change.trade is not None
        trade = change.trade.trade
        positions |= {position.option_symbol: position for position in change.positions}
        fees += FEE
        held = {symbol: abs(count) for symbol, count in trade.leg_quantities.items() if count}
        stored = {p.option_symbol: p.quantity for p in positions.values() if p.status == "open"}
        assert stored == held
    assert trade.contracts_held == 0
    if trade.shares_held:
        assert trade.status is TradeStatus.OPEN
        assert booked_positions([trade]) == {trade.symbol: trade.shares_held}
        sale = ShareTrade("sale", -trade.shares_held, last_price, AS_OF)
        change = book_share_trade(trade, sale, booking, AS_OF)
        assert change.trade is not None
        trade = change.trade.trade
        fees += FEE

    assert trade.status is TradeStatus.CLOSED
    assert trade.pnl is not None
    assert all(position.status is PositionStatus.CLOSED for position in positions.values())
    by_legs = sum((p.realized_pnl or Decimal(0) for p in positions.values()), Decimal(0))
    by_parts = by_legs + trade.holdings.shares_realized - fees
    assert abs(trade.pnl - by_parts) < Decimal("1e-15")
    assert booked_positions([trade]) == {}
