"""The parts of a P&L add up to it, and each names its own cause."""

from decimal import Decimal

import pytest

from agent.book.records import Position, Trade
from agent.learning.attribution import Attribution, attribute
from tests.builders import a_trade, positions_of
from tests.unit.learning.losses import RATE, a_closed_spread


def attributed(spread: tuple[Trade, tuple[Position, ...]]) -> Attribution:
    found = attribute(*spread, rate=RATE)
    assert found is not None
    return found


@pytest.mark.parametrize("spot", [170.0, 188.0, 215.0])
@pytest.mark.parametrize("volatility", [0.15, 0.25, 0.50])
def test_the_parts_add_up_to_the_pnl(spot: float, volatility: float) -> None:
    trade, positions = a_closed_spread(spot_at_exit=spot, volatility_at_exit=volatility)
    found = attributed((trade, positions))
    assert trade.pnl is not None
    assert found.residual == pytest.approx(0, abs=1e-6)
    total = found.volatility + found.time + found.underlying + found.fees
    assert total == pytest.approx(float(trade.pnl), abs=1e-6)
    parts = (found.volatility, found.time, found.underlying, found.fees)
    assert found.gross == pytest.approx(sum(map(abs, parts)), abs=1e-6)


def test_what_the_last_fill_gave_up_is_the_residual() -> None:
    found = attributed(a_closed_spread(spot_at_exit=188.0, given_up="0.07"))
    same = attributed(a_closed_spread(spot_at_exit=188.0))
    assert found.residual == pytest.approx(-0.07 * 2 * 100, abs=1e-6)
    assert found.underlying == pytest.approx(same.underlying, abs=1e-6)
    assert found.adverse == pytest.approx(same.adverse + 14, abs=1e-6)


def test_where_nobody_saw_the_stock_there_is_no_residual_and_the_underlying_bears_it() -> None:
    told = attributed(a_closed_spread(spot_at_exit=188.0, given_up="0.07"))
    found = attributed(a_closed_spread(spot_at_exit=188.0, given_up="0.07", spot_seen=False))
    assert told.residual is not None
    assert found.residual is None
    assert found.underlying == pytest.approx(told.underlying + told.residual, abs=1e-6)


def test_a_residual_of_one_leg_alone_is_none_of_the_trade() -> None:
    trade, (short, long) = a_closed_spread(spot_at_exit=188.0, given_up="0.07")
    found = attributed((trade, (short, long.model_copy(update={"underlying_price": None}))))
    whole = attributed((trade, (short, long)))
    assert found.residual is None
    assert whole.residual is not None
    assert found.underlying == pytest.approx(whole.underlying + whole.residual, abs=1e-6)


def test_where_nothing_but_time_went_by_time_earned_it_all() -> None:
    found = attributed(a_closed_spread())
    assert found.time > 20
    assert found.volatility == pytest.approx(0, abs=1e-6)
    assert found.underlying == pytest.approx(0, abs=1e-6)
    assert found.fees == -0.5
    assert found.adverse == pytest.approx(0.5, abs=1e-6)


def test_a_rise_of_volatility_alone_is_charged_to_volatility() -> None:
    found = attributed(a_closed_spread(volatility_at_exit=0.45))
    assert found.volatility < -50
    assert found.underlying == pytest.approx(0, abs=1e-6)


def test_a_fall_of_the_stock_alone_is_charged_to_the_underlying() -> None:
    found = attributed(a_closed_spread(spot_at_exit=184.0))
    assert found.underlying < -100
    assert found.volatility == pytest.approx(0, abs=1e-6)
    assert found.adverse == pytest.approx(-found.underlying + 0.5, abs=1e-6)


@pytest.mark.parametrize(
    "gap", [{"implied_volatility": None}, {"exit_price": None}, {"entry_price": None}]
)
def test_a_leg_with_a_gap_leaves_the_causes_unknown(gap: dict[str, None]) -> None:
    trade, (short, long) = a_closed_spread()
    assert attribute(trade, (short, long.model_copy(update=gap)), rate=RATE) is None


def test_an_entry_price_below_its_intrinsic_value_leaves_them_unknown() -> None:
    trade, (short, long) = a_closed_spread()
    impossible = short.model_copy(update={"entry_price": Decimal(0)})
    assert attribute(trade, (impossible, long), rate=RATE) is None


def test_a_missing_leg_or_end_leaves_them_unknown() -> None:
    trade, positions = a_closed_spread()
    assert attribute(trade, positions[:1], rate=RATE) is None
    still_open = a_trade()
    assert attribute(still_open, positions_of(still_open), rate=RATE) is None
