"""Whatever a trade holds and however its stock splits, the money stays what it was."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from agent.book.splits import WholeSplit, after_split, book_split
from agent.market.splits import struck_for
from agent.options.contracts import parse_occ_symbol
from tests.builders import AS_OF, EXPIRATION, a_put_spread, a_trade, an_execution, positions_of

CENT = Decimal("0.01")
NOTHING = Decimal("1e-20")


@given(
    factor=st.integers(2, 20),
    contracts=st.integers(1, 40),
    credit=st.decimals("0.05", "4.50", places=2),
    short=st.integers(60, 400),
    width=st.integers(1, 20),
)
def test_credit_in_all_and_the_legs_worth_are_unmoved_and_the_width_but_for_cents(
    factor: int, contracts: int, credit: Decimal, short: int, width: int
) -> None:
    structure = a_put_spread(short_strike=str(short), long_strike=str(short - width))
    trade = a_trade(
        structure=structure,
        execution=an_execution(contracts=contracts, credit=credit, entry_cash=credit * 100),
    )
    symbols = structure.symbols
    split = WholeSplit(
        trade.symbol,
        EXPIRATION,
        factor,
        {symbol: struck_for(parse_occ_symbol(symbol), factor) for symbol in symbols},
    )
    positions = positions_of(trade)
    change = book_split(trade, positions, split, AS_OF)
    assert change.trade is not None
    after = change.trade.trade
    assert after_split(trade, split).execution == after.execution
    assert after.execution.credit is not None
    in_all = after.execution.credit * after.execution.contracts
    assert abs(in_all - credit * contracts) < NOTHING
    for was, now in zip(positions, change.positions, strict=True):
        assert was.entry_price is not None
        assert now.entry_price is not None
        assert abs(now.entry_price * now.quantity - was.entry_price * was.quantity) < NOTHING
    assert structure.width is not None
    assert after.structure.width is not None
    assert abs(after.structure.width * factor - structure.width) <= CENT * factor
    assert after.leg_quantities == {
        split.contracts[symbol].symbol: factor * quantity
        for symbol, quantity in trade.leg_quantities.items()
    }
