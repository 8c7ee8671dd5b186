"""Whatever calls are written on assigned shares, the trade's cash and its legs tell the same."""

from dataclasses import dataclass
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from agent.book.changes import BookChange
from agent.book.comparison import booked_positions
from agent.book.covering import CoverBooking, begin_cover, calls_to_write, settle_cover
from agent.book.fills import FillSummary
from agent.book.intents import Urgency
from agent.book.lifecycle import (
    Booking,
    LegEvent,
    LegEventKind,
    ShareTrade,
    book_leg_event,
    book_share_trade,
)
from agent.book.records import Position, PositionStatus, Trade
from agent.book.roll_fills import RollFills
from agent.book.states import ExitReason, TradeStatus
from agent.book.transitions import begin_close, settle_close
from agent.options.contracts import OptionType
from agent.options.structures import Leg, LegSide, Structure
from tests.builders import AS_OF, a_contract, a_risk, a_signal, a_trade, an_execution, positions_of

CONTRACTS = 3
PREMIUM = Decimal("2.95")
PUT = Structure((Leg(a_contract(strike="190"), LegSide.SHORT),))
CALL = Structure((Leg(a_contract(strike="195", option_type=OptionType.CALL), LegSide.SHORT),))
FEE = Decimal("0.03")
prices = st.integers(1, 3_000).map(lambda cents: Decimal(cents).scaleb(-2))


@dataclass(frozen=True)
class Round:
    """Tell of one set of calls: how many were sold, for what, and what became of them."""

    sold: int
    premium: Decimal
    bought_back: int
    debit: Decimal
    assigned: int


@st.composite
def rounds(draw: st.DrawFn) -> Round:
    """Let calls be bought back, assigned or expire, in parts; 0 sold is an order nobody took."""
    sold = draw(st.integers(0, CONTRACTS))
    bought = draw(st.integers(0, sold))
    assigned = draw(st.integers(0, sold - bought))
    return Round(sold, draw(prices), bought, draw(prices), assigned)


class Book:
    """Keep what changes write of one trade, and count its fees."""

    def __init__(self) -> None:
        execution = an_execution(
            contracts=CONTRACTS, credit=PREMIUM, entry_cash=PREMIUM * CONTRACTS * 100
        )
        self.trade: Trade = a_trade(structure=PUT, strategy="cash_secured_put", execution=execution)
        self.positions: dict[str, Position] = {
            each.position_id: each.model_copy(update={"entry_price": PREMIUM})
            for each in positions_of(self.trade)
        }
        self.fees = execution.fees
        self.events = 0

    def keep(self, change: BookChange, fee: Decimal = FEE) -> None:
        assert change.trade is not None
        assert change.trade.expected_version == self.trade.version
        self.trade = change.trade.trade
        self.positions |= {each.position_id: each for each in change.positions}
        self.fees += fee

    def leg_goes(self, symbol: str, kind: LegEventKind, contracts: int) -> None:
        self.events += 1
        event = LegEvent(f"event-{self.events}", kind, symbol, contracts, AS_OF)
        booking = Booking(fees=FEE, max_loss=Decimal(1_000), risk=a_risk())
        held = list(self.positions.values())
        self.keep(book_leg_event(self.trade, held, event, booking, AS_OF))

    def cover(self, sold: int, premium: Decimal, wanted: int) -> None:
        signal = a_signal(structure=CALL, leg_deltas=(0.3,))
        change, intent = begin_cover(self.trade, signal, wanted, "idle", AS_OF)
        self.keep(change, Decimal(0))
        assert self.trade.status is TradeStatus.ROLLING
        booking = CoverBooking(FEE if sold else Decimal(0), Decimal(1_000), ExitReason.ASSIGNED)
        fills = RollFills(filled(0, premium), filled(sold, premium), CALL, signal.leg_deltas)
        self.keep(settle_cover(self.trade, intent, fills, booking, AS_OF), booking.fees)

    def buy_back(self, contracts: int, debit: Decimal) -> None:
        change, intent = begin_close(
            self.trade, ExitReason.PROFIT_TARGET, Urgency.PATIENT, "target", AS_OF
        )
        self.keep(change, Decimal(0))
        self.keep(
            settle_close(
                self.trade,
                list(self.positions.values()),
                intent,
                filled(contracts, -debit),
                fees=FEE,
                max_loss=Decimal(1_000),
                release=(),
                risk=a_risk(),
                at=AS_OF,
            )
        )

    def is_consistent(self) -> bool:
        """Compare what is open with what the trade holds, and never owe more than is covered."""
        open_now = {
            each.option_symbol: -each.quantity
            for each in self.positions.values()
            if each.status is PositionStatus.OPEN
        }
        held = {symbol: count for symbol, count in self.trade.leg_quantities.items() if count}
        return open_now == held and 100 * self.trade.contracts_held <= self.trade.shares_held


def filled(contracts: int, cash: Decimal) -> FillSummary:
    if not contracts:
        return FillSummary(0, Decimal(0), None, None, None, None, 0)
    total = cash * contracts * 100
    return FillSummary(contracts, total, cash, (abs(cash),), None, AS_OF, 0)


@settings(max_examples=150)
@given(played=st.lists(rounds(), max_size=4), last_price=prices)
def test_cash_legs_and_shares_tell_one_pnl_and_nothing_is_left(
    played: list[Round], last_price: Decimal
) -> None:
    book = Book()
    book.leg_goes(PUT.symbols[0], LegEventKind.ASSIGNED, CONTRACTS)
    for each in played:
        wanted = calls_to_write(book.trade)
        if not wanted:
            break
        sold = min(each.sold, wanted)
        book.cover(sold, each.premium, wanted)
        assert book.is_consistent()
        bought = min(each.bought_back, sold)
        if bought:
            book.buy_back(bought, each.debit)
            assert book.is_consistent()
        assigned = min(each.assigned, sold - bought)
        if assigned:
            book.leg_goes(CALL.symbols[0], LegEventKind.ASSIGNED, assigned)
            assert book.trade.is_flat or book.is_consistent()
        if sold - bought - assigned:
            book.leg_goes(CALL.symbols[0], LegEventKind.EXPIRED, sold - bought - assigned)
    if book.trade.shares_held:
        assert book.trade.status is TradeStatus.OPEN
        assert booked_positions([book.trade]) == {"AAPL": book.trade.shares_held}
        sale = ShareTrade("sale", -book.trade.shares_held, last_price, AS_OF)
        booking = Booking(fees=FEE, max_loss=Decimal(1_000), risk=a_risk())
        book.keep(book_share_trade(book.trade, sale, booking, AS_OF))

    trade = book.trade
    assert (trade.status, trade.exit_reason) == (TradeStatus.CLOSED, ExitReason.ASSIGNED)
    assert booked_positions([trade]) == {}
    assert trade.pnl is not None
    by_legs = sum((p.realized_pnl or Decimal(0) for p in book.positions.values()), Decimal(0))
    by_parts = by_legs + trade.holdings.shares_realized - book.fees
    assert abs(trade.pnl - by_parts) < Decimal("1e-15")
    assert trade.execution.fees == book.fees
