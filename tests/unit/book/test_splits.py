"""A trade restated for a split: more of everything, each worth less, and the same money."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from agent.book.holdings import Holdings, SharesHeld
from agent.book.records import (
    Campaign,
    FillQuality,
    PositionStatus,
    RolledPart,
    RollResidue,
    StopWatch,
    Trade,
)
from agent.book.splits import WholeSplit, after_split, book_split, explains_adjustment
from agent.book.states import TradeStatus, TransitionRefused
from agent.market.splits import struck_for
from agent.options.contracts import parse_occ_symbol
from tests.builders import (
    AS_OF,
    a_later_spread,
    a_put_spread,
    a_risk,
    a_snapshot,
    a_trade,
    an_execution,
    positions_of,
)

EX_DATE = date(2026, 6, 16)
ZERO = Decimal(0)


def a_split(trade: Trade, factor: int = 2) -> WholeSplit:
    contracts = {
        symbol: struck_for(parse_occ_symbol(symbol), factor) for symbol in trade.leg_quantities
    }
    return WholeSplit(trade.symbol, EX_DATE, factor, contracts)


def test_legs_are_restruck_and_contracts_multiplied() -> None:
    trade = a_trade()
    after = after_split(trade, a_split(trade))
    assert after.structure == a_put_spread(short_strike="95", long_strike="92.5")
    assert (after.execution.contracts, after.contracts_held) == (4, 4)
    assert after.holdings.former_symbols == trade.structure.symbols
    assert after.symbols_ever == {*trade.structure.symbols, *after.structure.symbols}
    assert (after.status, after.version) == (trade.status, trade.version)


def test_what_is_a_share_is_divided_and_what_is_of_the_whole_stays() -> None:
    quality = FillQuality(slippage_on_arrival=Decimal("0.04"), slippage_at_fill=Decimal("0.02"))
    trade = a_trade(
        execution=an_execution(
            contracts_closed=1, exit_debit=Decimal("0.60"), entry_quality=quality
        ),
        market_snapshot=a_snapshot(stress_debit=Decimal("3.00")),
        risk=a_risk(stress_loss_per_contract=Decimal("300.00")),
        stop_debit=Decimal("2.40"),
    )
    after = after_split(trade, a_split(trade))
    execution, snapshot, risk = after.execution, after.market_snapshot, after.risk
    assert (execution.credit, execution.exit_debit) == (Decimal("0.60"), Decimal("0.30"))
    assert execution.entry_slippage == Decimal("0.025")
    assert execution.contracts_closed == 2
    assert execution.entry_quality == FillQuality(
        slippage_on_arrival=Decimal("0.02"), slippage_at_fill=Decimal("0.01")
    )
    assert (execution.exit_quality, execution.exit_slippage) == (None, None)
    assert (execution.entry_cash, execution.fees) == (Decimal(240), Decimal("0.17"))
    assert (snapshot.underlying_price, snapshot.credit_mid) == (
        Decimal("100.675"),
        Decimal("0.625"),
    )
    assert (snapshot.stress_debit, snapshot.iv_rank) == (Decimal("1.50"), 41.5)
    assert (risk.contracts_reserved, risk.sizing_loss_per_contract) == (4, Decimal(120))
    assert (risk.stress_loss_per_contract, risk.capital_per_contract) == (
        Decimal(150),
        Decimal("192.5"),
    )
    assert (risk.heat_cents, risk.capital_cents) == (48_000, 77_000)
    assert after.stop_debit == Decimal("1.20")


def test_a_stop_that_was_seen_once_is_to_be_seen_anew() -> None:
    trade = a_trade(stop_watch=StopWatch(passes=1, last_slot=AS_OF))
    assert after_split(trade, a_split(trade)).stop_watch == StopWatch()


def test_shares_and_legs_that_went_are_restated_too() -> None:
    short = a_trade().structure.symbols[0]
    trade = a_trade(
        holdings=Holdings(
            legs_gone={short: 1},
            legs_cash=Decimal(-55),
            shares=SharesHeld(
                quantity=100, basis=Decimal(190), tax_basis=Decimal("187.05"), since=AS_OF
            ),
            booked={"assigned": 1},
        )
    )
    after = after_split(trade, a_split(trade))
    holdings = after.holdings
    assert holdings.legs_gone == {after.structure.symbols[0]: 2}
    assert holdings.legs_cash == Decimal(-55)
    assert holdings.shares == SharesHeld(
        quantity=200, basis=Decimal(95), tax_basis=Decimal("93.525"), since=AS_OF
    )
    assert holdings.booked == {"assigned": 1, "split-AAPL-20260616": 2}


def test_what_a_roll_left_is_restated_and_what_it_closed_is_not() -> None:
    part = RolledPart(
        structure=a_put_spread(),
        contracts=2,
        credit=Decimal("1.20"),
        debit=Decimal("2.00"),
        rolled_at=AS_OF,
    )
    residue = RollResidue(
        structure=a_put_spread(),
        contracts=1,
        opened=2,
        sizing_loss_per_contract=Decimal(240),
        capital_per_contract=Decimal(385),
        legs_gone={a_put_spread().symbols[0]: 1},
    )
    trade = a_trade(
        structure=a_later_spread(),
        campaign=Campaign(
            rolls=1,
            parts=(part,),
            residue=residue,
            budget_per_contract=Decimal(240),
            max_loss=Decimal(770),
        ),
    )
    campaign = after_split(trade, a_split(trade)).campaign
    assert campaign.parts == (part,)
    assert (campaign.budget_per_contract, campaign.max_loss) == (Decimal(120), Decimal(770))
    restruck = a_put_spread(short_strike="95", long_strike="92.5")
    assert campaign.residue == RollResidue(
        structure=restruck,
        legs_gone={restruck.symbols[0]: 2},
        contracts=2,
        opened=4,
        sizing_loss_per_contract=Decimal(120),
        capital_per_contract=Decimal("192.5"),
    )


def test_a_split_is_booked_with_its_legs_a_line_and_a_word() -> None:
    trade = a_trade()
    positions = positions_of(trade)
    change = book_split(trade, positions, a_split(trade), AS_OF)
    assert change.trade is not None
    assert (change.trade.expected_version, change.trade.trade.version) == (1, 2)
    assert change.ledger == ()
    after = change.trade.trade
    for was, now, leg in zip(positions, change.positions, after.structure.legs, strict=True):
        assert was.entry_price is not None
        assert (now.option_symbol, now.strike) == (leg.contract.symbol, leg.contract.strike)
        assert (now.quantity, now.entry_price) == (2 * was.quantity, was.entry_price / 2)
        assert (now.position_id, now.current_delta) == (was.position_id, was.current_delta)
    (event,), (alert,) = change.events, change.alerts
    assert event.event_id == f"{trade.trade_id}-split-AAPL-20260616"
    assert "2 x AAPL -190P/+185P" in alert.message
    assert "became 4 x AAPL -95P/+92.5P" in alert.message


def test_positions_of_what_is_no_leg_any_more_stay_as_they_are() -> None:
    trade = a_trade()
    former = positions_of(a_trade(structure=a_later_spread()))[0].model_copy(
        update={"status": PositionStatus.CLOSED}
    )
    change = book_split(trade, (*positions_of(trade), former), a_split(trade), AS_OF)
    assert len(change.positions) == 2


def test_shares_alone_are_told_as_shares() -> None:
    shares = SharesHeld(quantity=100, basis=Decimal(190), tax_basis=Decimal(187), since=AS_OF)
    trade = a_trade(execution=an_execution(contracts_closed=2), holdings=Holdings(shares=shares))
    (alert,) = book_split(trade, (), a_split(trade), AS_OF).alerts
    assert "100 shares became 200 shares" in alert.message


@pytest.mark.parametrize("status", [TradeStatus.CLOSING, TradeStatus.ROLLING, TradeStatus.CLOSED])
def test_a_trade_that_moves_is_not_restated(status: TradeStatus) -> None:
    trade = a_trade(status)
    with pytest.raises(TransitionRefused, match=f"a {status} trade"):
        book_split(trade, (), a_split(trade), AS_OF)


def test_a_split_is_refused_a_second_time() -> None:
    trade = a_trade()
    after = after_split(trade, a_split(trade))
    with pytest.raises(ValueError, match="has booked split-AAPL-20260616 before"):
        after_split(after, a_split(after))


@pytest.mark.parametrize(("days", "expected"), [(-4, True), (0, True), (4, True), (5, False)])
def test_an_adjustment_near_a_booked_split_is_that_split(days: int, expected: bool) -> None:
    trade = a_trade(holdings=Holdings(booked={"20260601::x": 1, "split-AAPL-20260616": 2}))
    assert explains_adjustment(trade, EX_DATE + timedelta(days=days)) is expected
