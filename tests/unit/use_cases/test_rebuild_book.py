"""A lost book rebuilt from an exchange: what is sure is written, what is not is told."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from agent.adapters.alpaca.connection import AlpacaConnection, connect
from agent.adapters.alpaca.credentials import Credentials
from agent.adapters.alpaca.order_history import AlpacaOrderHistory
from agent.adapters.memory.book import MemoryBook
from agent.adapters.memory.control import MemoryControl
from agent.book.identifiers import read_order_name
from agent.book.records import PositionStatus
from agent.book.states import ExitReason, TradeStatus
from agent.config.settings import Settings
from agent.ports import ShareOrderRequest
from agent.risk.fees import share_fees
from agent.risk.reservation import STREAK_KEY
from agent.strategies.registry import strategies_for
from agent.use_cases.rebuild_book import (
    RebuildPlan,
    RebuildRefused,
    Site,
    plan_rebuild,
    write_rebuild,
)
from simulator.exchange import Exchange, serve
from simulator.worlds.events import Split
from tests.simulation.exchange.builders import (
    CALL_110,
    NOON,
    PUT_95,
    PUT_100,
    exchange_at_noon,
    filled,
    put_spread,
    put_spread_close,
    single_order,
)
from tests.simulation.exchange.small_world import WEEK, SmallWorld

TRADE = "paper-20260608T1600Z-ACME-bps"
OTHER = "paper-20260608T1605Z-ACME-bps"
SETTINGS = Settings()


@dataclass
class Ruin:
    """An exchange that traded, and the stores of a stage that lost what it knew."""

    exchange: Exchange
    connection: AlpacaConnection
    book: MemoryBook
    control: MemoryControl

    @property
    def site(self) -> Site:
        return Site(
            settings=SETTINGS,
            strategies={each.code: each.name for each in strategies_for(SETTINGS).values()},
            broker=self.connection.broker,
            history=AlpacaOrderHistory(self.connection.sessions[0]),
            book=self.book,
            control=self.control,
        )

    def enter(self, trade: str = TRADE, *, qty: int = 2, rung: int = 1) -> None:
        name = f"{trade}-entry-1-o{rung}"
        filled(self.exchange, put_spread("-0.60", qty=qty, client_order_id=name))

    def leave(self, trade: str = TRADE, *, qty: int = 2, attempt: int = 1) -> None:
        name = f"{trade}-close-{attempt}-o1"
        filled(self.exchange, put_spread_close("0.90", qty=qty, client_order_id=name))

    def rebuild(self) -> RebuildPlan:
        plan = plan_rebuild(self.site)
        write_rebuild(self.site, plan, self.exchange.now)
        return plan


@pytest.fixture
def ruin() -> Iterator[Ruin]:
    exchange = exchange_at_noon()
    with serve(exchange) as server:
        keys = Credentials(
            key_id=exchange.key_id, secret_key=exchange.secret_key, endpoint=server.url
        )
        with connect(keys, live_trading=False) as connection:
            yield Ruin(exchange, connection, MemoryBook(), MemoryControl())


def test_an_open_trade_stands_again_with_its_legs_its_credit_and_its_risk(ruin: Ruin) -> None:
    ruin.enter()
    plan = ruin.rebuild()
    assert (plan.doubts, plan.unexplained) == ({}, ())
    (trade,) = ruin.book.active_trades()
    assert (trade.trade_id, trade.strategy, trade.status) == (
        *(TRADE, "bull_put_spread"),
        TradeStatus.OPEN,
    )
    assert trade.leg_quantities == {PUT_100: -2, PUT_95: 2}
    order = ruin.exchange.orders[0]
    assert trade.execution.credit == -order.filled_net / 2
    assert trade.execution.entry_cash == ruin.exchange.cash - 100_000
    assert trade.timestamp_enter == NOON
    positions = ruin.book.positions(TRADE)
    assert [(leg.option_symbol, leg.quantity) for leg in positions] == [(PUT_100, 2), (PUT_95, 2)]
    portfolio, day = ruin.book.ledger("portfolio"), ruin.book.ledger(f"day#{NOON:%Y-%m-%d}")
    assert (portfolio.heat_cents, portfolio.positions) == (trade.risk.heat_cents, 1)
    assert portfolio.heat_cents > 0
    assert day.entries == 1
    assert ruin.control.account_number() == ruin.exchange.account_number


def test_what_the_scan_saw_stays_unknown(ruin: Ruin) -> None:
    ruin.enter()
    ruin.rebuild()
    (trade,) = ruin.book.active_trades()
    assert trade.market_snapshot.iv_rank is None
    assert trade.market_snapshot.underlying_price is None
    assert trade.execution.entry_slippage is None
    assert "rebuilt" in trade.notes


def test_rungs_that_filled_in_part_make_one_trade(ruin: Ruin) -> None:
    ruin.enter(qty=1, rung=1)
    ruin.enter(qty=2, rung=2)
    ruin.rebuild()
    (trade,) = ruin.book.active_trades()
    assert (trade.execution.contracts, trade.execution.reprices) == (3, 1)
    assert trade.execution.entry_cash == ruin.exchange.cash - 100_000


def test_a_closed_trade_has_its_profit_and_counts_in_its_day_and_in_the_streak(ruin: Ruin) -> None:
    ruin.enter()
    ruin.leave()
    ruin.rebuild()
    (trade,) = ruin.book.all_trades()
    assert (trade.status, trade.exit_reason, trade.close_attempts) == ("closed", None, 1)
    assert trade.pnl is not None
    assert trade.pnl + trade.execution.fees == ruin.exchange.cash - 100_000
    assert ruin.book.ledger("portfolio").heat_cents == 0
    assert ruin.book.ledger(f"day#{NOON:%Y-%m-%d}").entries == 1
    assert ruin.book.ledger(STREAK_KEY).losing_streak == (1 if trade.pnl < 0 else 0)


def test_a_trade_closed_in_part_holds_the_rest_and_numbers_its_next_attempt(ruin: Ruin) -> None:
    ruin.enter(qty=3)
    ruin.leave(qty=1, attempt=2)
    ruin.rebuild()
    (trade,) = ruin.book.active_trades()
    assert (trade.contracts_held, trade.close_attempts, trade.version) == (2, 2, 1)
    assert [leg.quantity for leg in ruin.book.positions(TRADE)] == [2, 2]


def test_an_entry_that_never_filled_leaves_nothing(ruin: Ruin) -> None:
    order = ruin.exchange.place_order(put_spread("-3", client_order_id=f"{TRADE}-entry-1-o1"))
    ruin.exchange.cancel_order(order.order_id)
    plan = ruin.rebuild()
    assert (plan.trades, plan.doubts, ruin.book.all_trades()) == ((), {}, ())


def told_flows(ruin: Ruin) -> Decimal:
    """Add up what the rebuilt book says its trades moved, fees left out."""
    return sum(
        (
            trade.execution.entry_cash + trade.execution.exit_cash
            for trade in ruin.book.all_trades()
        ),
        Decimal(0),
    )


def sold_alone(ruin: Ruin, symbol: str, side: str, limit: str, name: str, *, qty: int = 2) -> None:
    filled(
        ruin.exchange,
        single_order(symbol, side, limit, qty=qty, client_order_id=f"{TRADE}-close-{name}"),
    )


def test_a_trade_closed_leg_by_leg_comes_back_with_its_profit(ruin: Ruin) -> None:
    ruin.enter()
    sold_alone(ruin, PUT_100, "buy", "1.60", "1-leg1-o1")
    sold_alone(ruin, PUT_95, "sell", "0.10", "1-leg2-o2")
    assert ruin.rebuild().doubts == {}
    (trade,) = ruin.book.all_trades()
    assert (trade.status, trade.exit_reason, trade.close_attempts) == ("closed", None, 1)
    assert told_flows(ruin) == ruin.exchange.cash - 100_000
    assert trade.pnl == told_flows(ruin) - trade.execution.fees
    assert ruin.book.ledger("portfolio").heat_cents == 0
    assert {leg.status for leg in ruin.book.positions(TRADE)} == {PositionStatus.CLOSED}


def test_a_trade_of_which_one_leg_was_closed_holds_the_other(ruin: Ruin) -> None:
    ruin.enter()
    sold_alone(ruin, PUT_100, "buy", "1.60", "3-leg1-o1")
    assert ruin.rebuild().doubts == {}
    (trade,) = ruin.book.active_trades()
    assert trade.leg_quantities == {PUT_100: 0, PUT_95: 2}
    assert (trade.close_attempts, trade.version) == (3, 1)


def test_a_trade_whose_leg_was_assigned_comes_back_with_its_shares(ruin: Ruin) -> None:
    ruin.enter()
    ruin.exchange.assign(PUT_100)
    ruin.exchange.clock.advance(timedelta(hours=22).total_seconds())
    assert ruin.rebuild().doubts == {}
    (trade,) = ruin.book.active_trades()
    assert trade.leg_quantities == {PUT_100: 0, PUT_95: 2}
    assert (trade.shares_held, trade.holdings.reason) == (200, ExitReason.ASSIGNED)
    charged = ruin.exchange.book.fees_charged
    assert told_flows(ruin) == ruin.exchange.cash - 100_000 + charged


def test_shares_that_were_sold_after_an_assignment_are_told_by_their_order(ruin: Ruin) -> None:
    ruin.enter()
    ruin.exchange.assign(PUT_100)
    ruin.connection.broker.submit_shares(
        ShareOrderRequest(f"{TRADE}-close-1-o1", "ACME", -200, Decimal("100.00"))
    )
    ruin.exchange.clock.advance(60)
    sold_alone(ruin, PUT_95, "sell", "0.10", "2-leg1-o1")
    ruin.exchange.clock.advance(timedelta(hours=22).total_seconds())
    assert ruin.rebuild().doubts == {}
    (trade,) = ruin.book.all_trades()
    assert (trade.status, trade.exit_reason) == ("closed", ExitReason.ASSIGNED)
    assert trade.execution.fees > share_fees(-200, Decimal(100), SETTINGS.fees) > 0
    charged = ruin.exchange.book.fees_charged
    assert told_flows(ruin) == ruin.exchange.cash - 100_000 + charged


def test_an_assignment_that_no_activity_tells_yet_is_told_and_left_out(ruin: Ruin) -> None:
    ruin.enter()
    ruin.exchange.assign(PUT_100)
    plan = ruin.rebuild()
    assert ruin.book.all_trades() == ()
    assert f"its orders leave -2 of {PUT_100}, the broker holds 0" in plan.doubts[TRADE]
    held = {difference.symbol: difference.held for difference in plan.unexplained}
    assert held == {PUT_95: 2, "ACME": 200}


def test_a_trade_that_expired_worthless_is_closed(ruin: Ruin) -> None:
    ruin.enter()
    ruin.exchange.clock.advance(timedelta(days=5).total_seconds())
    plan = ruin.rebuild()
    assert (plan.doubts, plan.unexplained) == ({}, ())
    (trade,) = ruin.book.all_trades()
    assert (trade.status, trade.exit_reason) == ("closed", ExitReason.EXPIRED)
    assert trade.pnl == trade.execution.entry_cash - trade.execution.fees


def test_what_befell_a_contract_of_two_open_trades_is_neithers_beyond_doubt(ruin: Ruin) -> None:
    ruin.enter()
    ruin.enter(OTHER, qty=1)
    ruin.exchange.assign(PUT_100)
    ruin.exchange.clock.advance(timedelta(hours=22).total_seconds())
    doubt = f"{PUT_100} may be what another trade lost"
    assert ruin.rebuild().doubts == {TRADE: doubt, OTHER: doubt}


def test_a_trade_that_ended_before_claims_nothing_of_what_befell_its_contract(ruin: Ruin) -> None:
    ruin.enter()
    ruin.leave()
    ruin.enter(OTHER, qty=1)
    ruin.exchange.assign(PUT_100)
    ruin.exchange.clock.advance(timedelta(hours=22).total_seconds())
    assert ruin.rebuild().doubts == {}
    assert ruin.book.trade(OTHER) is not None


def test_orders_that_no_trade_can_have_lived_through_are_a_doubt(ruin: Ruin) -> None:
    ruin.enter(qty=1)
    ruin.enter(OTHER, qty=2)
    sold_alone(ruin, PUT_100, "buy", "1.60", "1-leg1-o1", qty=2)
    plan = ruin.rebuild()
    assert "it cannot have been through all of this" in plan.doubts[TRADE]


def test_a_trade_of_no_known_strategy_is_told(ruin: Ruin) -> None:
    ruin.enter("paper-20260608T1600Z-ACME-xyz", qty=1)
    assert ruin.rebuild().doubts == {
        "paper-20260608T1600Z-ACME-xyz": "no strategy has the code xyz"
    }


@pytest.mark.parametrize(
    ("symbol", "side", "limit"), [(PUT_100, "buy", "1.60"), (CALL_110, "buy", "1.60")]
)
def test_a_roll_that_is_not_about_the_structure_it_held_is_a_doubt(
    ruin: Ruin, symbol: str, side: str, limit: str
) -> None:
    ruin.enter(qty=1)
    name = f"{TRADE}-roll-1-o1"
    filled(ruin.exchange, single_order(symbol, side, limit, qty=1, client_order_id=name))
    assert (
        f"it cannot have been through all of this: {TRADE}-roll-1" == ruin.rebuild().doubts[TRADE]
    )


def test_what_others_hold_is_told_and_never_booked(ruin: Ruin) -> None:
    ruin.enter()
    filled(ruin.exchange, single_order(CALL_110, "buy", "1.10", client_order_id="by-hand"))
    filled(
        ruin.exchange,
        put_spread("-0.60", client_order_id="live-20260608T1600Z-ACME-bps-entry-1-o1"),
    )
    plan = plan_rebuild(ruin.site)
    # The other stage's spread is of the same contracts: nobody can say whose the broker holds.
    assert plan.trades == ()
    assert set(plan.doubts) == {TRADE}
    assert CALL_110 in {difference.symbol for difference in plan.unexplained}


def test_two_trades_of_other_slots_are_told_apart(ruin: Ruin) -> None:
    ruin.enter()
    ruin.leave()
    ruin.enter(OTHER, qty=1)
    ruin.rebuild()
    assert {trade.trade_id: trade.status.value for trade in ruin.book.all_trades()} == {
        TRADE: "closed",
        OTHER: "open",
    }


def test_only_an_empty_book_is_rebuilt(ruin: Ruin) -> None:
    ruin.enter()
    ruin.rebuild()
    with pytest.raises(RebuildRefused, match="the book of paper is not empty"):
        plan_rebuild(ruin.site)


def test_a_stage_of_another_account_is_not_rebuilt(ruin: Ruin) -> None:
    ruin.control.bind_account("PA-another")
    with pytest.raises(RebuildRefused, match="this stage belongs to PA-another"):
        plan_rebuild(ruin.site)


def test_nothing_is_rebuilt_while_an_order_of_the_stage_works(ruin: Ruin) -> None:
    ruin.exchange.place_order(put_spread("-3", client_order_id=f"{TRADE}-entry-1-o1"))
    with pytest.raises(RebuildRefused, match=f"orders still work.*{TRADE}-entry-1-o1"):
        plan_rebuild(ruin.site)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("paper-20260608T1600Z-ACME-bps-entry-1-o2", ("paper", TRADE, "bps", "entry", 1, 2)),
        (
            "my-own-20260608T1600Z-ACME-bps-close-12-o3",
            ("my-own", "my-own-", "bps", "close", 12, 3),
        ),
        ("paper-20260608T1600Z-ACME-bps-entry-1", None),
        ("flatten-0123456789ab-1", None),
    ],
)
def test_the_name_of_an_order_says_whose_it_is(text: str, read: Any) -> None:
    name = read_order_name(text)
    if read is None:
        assert name is None
        return
    assert name is not None
    stage, trade, *rest = read
    assert (name.stage, name.symbol) == (stage, "ACME")
    assert name.trade_id.startswith(trade)
    assert [name.strategy, name.purpose, name.attempt, name.rung] == rest


@pytest.mark.parametrize(
    ("days_later", "reason"),
    [(1, "the broker holds 0: expired, assigned"), (2, "a corporate action changed")],
)
def test_a_trade_whose_stock_split_is_named_and_left_out(
    ruin: Ruin, days_later: int, reason: str
) -> None:
    world, split_day = ruin.exchange.world, WEEK[1]
    assert isinstance(world, SmallWorld)
    world.actions.append(Split("ACME", split_day.session, Decimal(2), Decimal(1)))
    ruin.enter()
    ruin.exchange.clock.advance_to(WEEK[days_later].opens_at)

    plan = ruin.rebuild()

    assert reason in plan.doubts[TRADE]
    assert ruin.book.all_trades() == ()
    assert len(plan.unexplained) == 2
