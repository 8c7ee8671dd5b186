"""However an exit is cut into parts, the book comes to the same cash."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from agent.book.fills import FillSummary
from agent.book.states import ExitReason, TradeStatus
from agent.book.transitions import open_trade, settle_close
from tests.builders import AS_OF, a_close_intent, a_risk, a_trade, an_intent

prices = st.decimals(min_value="0.01", max_value="20", places=2)


def summary(contracts: int, sign: int, short: Decimal, long: Decimal) -> FillSummary:
    net = sign * (short - long)
    return FillSummary(contracts, net * contracts * 100, net, (short, long), Decimal(0), AS_OF, 0)


@given(
    entry=st.tuples(prices, prices),
    parts=st.lists(st.tuples(st.integers(1, 5), prices, prices), min_size=1, max_size=4),
)
def test_legs_and_trade_agree_on_what_was_earned(
    entry: tuple[Decimal, Decimal], parts: list[tuple[int, Decimal, Decimal]]
) -> None:
    contracts = sum(part[0] for part in parts)
    change = open_trade(
        a_trade(TradeStatus.PENDING),
        an_intent(),
        summary(contracts, 1, *entry),
        risk=a_risk(),
        fees=Decimal(0),
        adjustment=(),
        at=AS_OF,
    )
    for count, short, long in parts:
        assert change.trade is not None
        trade = change.trade.trade
        assert trade.status is TradeStatus.OPEN
        change = settle_close(
            trade.model_copy(
                update={"status": TradeStatus.CLOSING, "exit_reason": ExitReason.STOP_LOSS}
            ),
            change.positions,
            a_close_intent(),
            summary(count, -1, short, long),
            fees=Decimal(0),
            max_loss=Decimal(1000),
            release=(),
            risk=a_risk(),
            at=AS_OF,
        )
    assert change.trade is not None
    closed = change.trade.trade
    assert closed.status is TradeStatus.CLOSED
    assert closed.pnl is not None
    realized = sum(
        (position.realized_pnl or Decimal(0) for position in change.positions), Decimal(0)
    )
    assert abs(realized - closed.pnl) < Decimal("1e-15")
