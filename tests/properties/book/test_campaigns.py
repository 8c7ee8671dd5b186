"""However often and in whatever parts a trade rolls, its cash, its legs and its P&L agree."""

from datetime import timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from agent.book.changes import BookChange
from agent.book.fills import FillSummary
from agent.book.intents import OrderAttempt, OrderPart, OrderStatus
from agent.book.order_plan import LegFill
from agent.book.records import Position, Trade
from agent.book.roll_fills import summarize_roll
from agent.book.roll_settlement import settle_residue, settle_roll
from agent.book.states import ExitReason, TradeStatus
from agent.book.transitions import settle_close
from tests.builders import (
    AS_OF,
    EXPIRATION,
    ROLL_INTENT_ID,
    a_close_intent,
    a_put_spread,
    a_risk,
    a_roll_intent,
    a_signal,
    a_trade,
    an_execution,
    positions_of,
)

prices = st.decimals(min_value="0.01", max_value="20", places=2)
legs = st.tuples(prices, prices, prices, prices)
CONTRACTS = 6
Paid = tuple[Decimal, Decimal, Decimal, Decimal]


def rolled(trade: Trade, held: dict[str, Position], number: int, part: int, paid: Paid) -> Trade:
    following = a_put_spread(expiration=EXPIRATION + timedelta(days=30 * number))
    net = -paid[0] + paid[1] + paid[2] - paid[3]
    order = OrderAttempt(
        client_order_id=f"{ROLL_INTENT_ID}-o1",
        contracts=trade.contracts_held,
        part=OrderPart.WHOLE,
        limit_cash=net,
        mid_cash=net,
        natural_cash=net,
        submitted_at=AS_OF,
        status=OrderStatus.CANCELED,
        filled_contracts=part,
        filled_cash=net,
        leg_prices=paid,
        filled_at=AS_OF,
    )
    intent = a_roll_intent(
        intent_id=f"{trade.trade_id}-roll-{number}",
        signal=a_signal(structure=following),
        contracts=trade.contracts_held,
        orders=(order,),
    )
    change = settle_roll(
        trade.model_copy(update={"status": TradeStatus.ROLLING}),
        tuple(held.values()),
        intent,
        summarize_roll(intent, trade.structure),
        fees=Decimal(0),
        max_loss=Decimal(1000),
        risk=a_risk(),
        adjustment=(),
        at=AS_OF,
    )
    return stored(change, held)


def stored(change: BookChange, held: dict[str, Position]) -> Trade:
    assert change.trade is not None
    held.update({position.position_id: position for position in change.positions})
    return change.trade.trade


def summary(contracts: int, short: Decimal, long: Decimal) -> FillSummary:
    net = long - short
    return FillSummary(contracts, net * contracts * 100, net, (short, long), Decimal(0), AS_OF, 0)


def cleared(
    trade: Trade, held: dict[str, Position], paid: tuple[Decimal, Decimal], *, leg_by_leg: bool
) -> Trade:
    residue = trade.campaign.residue
    if residue is None:
        return trade
    steps: list[tuple[FillSummary, tuple[LegFill, ...]]] = [(summary(residue.contracts, *paid), ())]
    if leg_by_leg:
        nothing = FillSummary(0, Decimal(0), None, None, None, None, 0)
        legs = zip(residue.structure.legs, paid, strict=True)
        steps = [
            (nothing, (LegFill(leg, number, residue.contracts, price, AS_OF),))
            for number, (leg, price) in enumerate(legs, start=1)
        ]
    for fills, alone in steps:
        change = settle_residue(
            trade.model_copy(update={"status": TradeStatus.CLOSING}),
            tuple(held.values()),
            a_close_intent(of_residue=True),
            fills,
            alone=alone,
            fees=Decimal(0),
            risk=a_risk(),
            release=(),
            at=AS_OF,
        )
        trade = stored(change, held)
        open_now = {p.option_symbol: p.quantity for p in held.values() if p.exit_price is None}
        assert open_now == {s: abs(n) for s, n in trade.leg_quantities.items() if n}
    assert trade.campaign.residue is None
    return trade


@given(
    rolls=st.lists(st.tuples(st.integers(1, CONTRACTS), legs), max_size=3),
    leaving=st.tuples(prices, prices),
    leg_by_leg=st.booleans(),
)
def test_a_campaign_is_one_story_to_the_cent(
    rolls: list[tuple[int, Paid]], leaving: tuple[Decimal, Decimal], leg_by_leg: bool
) -> None:
    trade = a_trade(
        execution=an_execution(contracts=CONTRACTS, entry_cash=Decimal(720), fees=Decimal(0))
    )
    held = {position.position_id: position for position in positions_of(trade)}
    credit = Decimal("1.20")
    for number, (wanted, paid) in enumerate(rolls, start=1):
        part = min(wanted, trade.contracts_held)
        trade = rolled(trade, held, number, part, paid)
        credit += -paid[0] + paid[1] + paid[2] - paid[3]
        assert trade.execution.credit == credit
        assert trade.contracts_held == part
        booked = {s: n for structure, n in trade.structures_held for s in structure.symbols}
        open_now = {p.option_symbol: p.quantity for p in held.values() if p.exit_price is None}
        assert open_now == booked
        trade = cleared(trade, held, leaving, leg_by_leg=leg_by_leg)
    change = settle_close(
        trade.model_copy(
            update={"status": TradeStatus.CLOSING, "exit_reason": ExitReason.STOP_LOSS}
        ),
        tuple(held.values()),
        a_close_intent(),
        summary(trade.contracts_held, *leaving),
        fees=Decimal(0),
        max_loss=Decimal(1000),
        release=(),
        risk=a_risk(),
        at=AS_OF,
    )
    closed = stored(change, held)
    assert closed.status is TradeStatus.CLOSED
    assert closed.campaign.rolls == len(rolls)
    assert closed.pnl == closed.execution.entry_cash + closed.execution.exit_cash
    earned = sum((p.realized_pnl or Decimal(0) for p in held.values()), Decimal(0))
    assert abs(earned - closed.pnl) < Decimal("1e-9")
    assert all(p.exit_price is not None for p in held.values())
