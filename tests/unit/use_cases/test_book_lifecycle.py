"""What a monitor pass does about contracts that went without a trade of ours."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from agent.book.comparison import booked_positions
from agent.book.overrides import request_manual_exit
from agent.book.records import AlertKind, PositionStatus, Trade
from agent.book.states import ExitReason, TradeStatus
from agent.book.transitions import write_entry_intent
from agent.options.contracts import parse_occ_symbol
from agent.use_cases.book_lifecycle import Befallen, book_lifecycle
from agent.use_cases.monitor_positions import MonitorReport, monitor_positions
from agent.use_cases.schedule import ScheduledEvent
from tests.builders import a_signal
from tests.simulation.exchange.small_world import FRIDAY, contract_symbol
from tests.unit.use_cases.conftest import LONG_PUT, SHORT_PUT, SLOT, TestDesk
from tests.unit.use_cases.test_four_legs_and_one import (
    CHEAP_PUT,
    LONG_CALL,
    SHORT_CALL,
    a_pass,
    a_structure,
    carry_entry,
    open_condor,
    open_put,
)

FRIDAY_SHORT = contract_symbol("P", 100)
FRIDAY_LONG = contract_symbol("P", 95)
OVERNIGHT = timedelta(hours=22)


def watch(desk: TestDesk) -> MonitorReport:
    now = desk.exchange.clock.now
    return monitor_positions(desk.desk, ScheduledEvent(slot=now))


def carry_all(desk: TestDesk) -> None:
    for intent in desk.book.unfinished_intents():
        desk.carry(intent)
        desk.workflows.end(intent.intent_id)


def stored(desk: TestDesk, trade: Trade) -> Trade:
    found = desk.book.trade(trade.trade_id)
    assert found is not None
    return found


def at_the_broker(desk: TestDesk) -> dict[str, int]:
    return {held.symbol: held.quantity for held in desk.desk.broker.holdings()}


def befell(desk: TestDesk, *trades: Trade) -> Befallen:
    """Book what befell these trades, or all active ones."""
    before = trades or desk.book.active_trades()
    return book_lifecycle(desk.desk, before, at_the_broker(desk), desk.exchange.now)


def test_a_quiet_pass_books_nothing(desk: TestDesk) -> None:
    trade = desk.open_trade()
    assert watch(desk).lifecycle_events == 0
    assert stored(desk, trade).is_whole


def test_an_assignment_is_booked_from_its_shares_before_anybody_reports_it(
    desk: TestDesk,
) -> None:
    trade = desk.open_trade()
    desk.exchange.assign(SHORT_PUT)

    report = watch(desk)

    held = stored(desk, trade)
    assert report.lifecycle_events == 1
    assert report.differences == 0
    assert held.shares_held == 100 * trade.contracts_held
    assert held.leg_quantities == {SHORT_PUT: 0, LONG_PUT: trade.contracts_held}
    assert held.holdings.reason is ExitReason.ASSIGNED
    short, long = desk.book.positions(trade.trade_id)
    assert (short.status, long.status) == (PositionStatus.CLOSED, PositionStatus.OPEN)


def test_what_was_inferred_is_not_booked_again_when_the_activity_shows(desk: TestDesk) -> None:
    trade = desk.open_trade()
    desk.exchange.assign(SHORT_PUT)
    watch(desk)
    carry_all(desk)
    events = stored(desk, trade).holdings.booked

    desk.exchange.clock.advance(OVERNIGHT.total_seconds())
    assert desk.desk.broker.option_events(trade.timestamp_enter.date())
    again = befell(desk)

    assert again.booked == 0
    assert stored(desk, trade).holdings.booked == events


def test_a_contract_is_assigned_twice_in_a_session_and_booked_twice(desk: TestDesk) -> None:
    trade = open_put(desk)
    for _ in range(2):
        desk.exchange.assign(CHEAP_PUT, 1)
        report = a_pass(desk)
        assert (report.lifecycle_events, report.differences) == (1, 0)

    events = stored(desk, trade).holdings.booked
    assert list(events.values()) == [1, 1]
    desk.exchange.clock.advance(OVERNIGHT.total_seconds())
    assert befell(desk).booked == 0
    assert stored(desk, trade).holdings.booked == events


def test_an_orphaned_leg_is_an_alarm_and_goes_after_the_shares(desk: TestDesk) -> None:
    trade = desk.open_trade()
    desk.exchange.assign(SHORT_PUT)

    assert watch(desk).exits_begun == {"assigned": 1}
    (intent,) = desk.close_intents()
    assert intent.shares == -100 * trade.contracts_held
    (alarm,) = [alert for alert in desk.alerts.published if "left alone" in alert.subject]
    assert alarm.kind is AlertKind.SYSTEM_ERROR
    carry_all(desk)
    assert at_the_broker(desk) == {LONG_PUT: trade.contracts_held}

    assert watch(desk).exits_begun == {"assigned": 1}
    assert desk.close_intents()[-1].leg == LONG_PUT
    carry_all(desk)

    closed = stored(desk, trade)
    assert closed.status is TradeStatus.CLOSED
    assert closed.exit_reason is ExitReason.ASSIGNED
    assert at_the_broker(desk) == {} == booked_positions([closed])
    cash = desk.desk.broker.account().cash - Decimal(100_000)
    assert closed.execution.entry_cash + closed.execution.exit_cash == cash
    portfolio = desk.book.ledger("portfolio")
    assert (portfolio.heat_cents, portfolio.positions) == (0, 0)


def test_shares_of_an_assigned_put_stay_and_are_marked_by_what_is_seen(desk: TestDesk) -> None:
    trade = open_put(desk)
    desk.exchange.assign(CHEAP_PUT)

    assert a_pass(desk).exits_begun == {}
    held = stored(desk, trade)
    assert (held.status, held.pnl) == (TradeStatus.OPEN, None)
    assert held.shares_held == 100 * trade.contracts_held
    assert held.holdings.shares is not None
    assert held.holdings.shares.basis == Decimal(30)
    assert held.holdings.shares.mark == Decimal("32.00")
    assert desk.book.ledger("portfolio").heat_cents == trade.risk.heat_cents
    assert a_pass(desk).differences == 0
    assert stored(desk, trade) == held


def test_shares_of_an_assigned_put_are_sold_where_the_owner_says_so(desk: TestDesk) -> None:
    trade = open_put(desk)
    desk.exchange.assign(CHEAP_PUT)
    exits = desk.desk.settings.exits.model_copy(update={"sell_assigned_shares": ("ACME",)})
    settings = desk.desk.settings.model_copy(update={"exits": exits})
    desk.desk = replace(desk.desk, settings=settings)

    assert a_pass(desk).exits_begun == {"assigned": 1}
    carry_all(desk)

    closed = stored(desk, trade)
    assert closed.status is TradeStatus.CLOSED
    assert closed.holdings.shares_realized > 0
    assert at_the_broker(desk) == {}


def test_shares_that_were_kept_are_sold_once_their_owner_closes_the_trade(desk: TestDesk) -> None:
    trade = open_put(desk)
    desk.exchange.assign(CHEAP_PUT)
    assert a_pass(desk).exits_begun == {}
    desk.book.commit(request_manual_exit(stored(desk, trade), desk.exchange.now))

    assert a_pass(desk).exits_begun == {"assigned": 1}
    carry_all(desk)

    assert stored(desk, trade).status is TradeStatus.CLOSED
    assert at_the_broker(desk) == {}


def test_short_shares_of_an_assigned_call_are_bought_back_first(desk: TestDesk) -> None:
    trade = open_condor(desk)
    desk.exchange.assign(SHORT_CALL)

    assert a_pass(desk).exits_begun == {"assigned": 1}
    assert desk.close_intents()[0].shares == 100 * trade.contracts_held
    carry_all(desk)
    for _ in range(3):
        assert a_pass(desk).exits_begun == {"assigned": 1}
        carry_all(desk)

    legs = [intent.leg for intent in desk.close_intents()]
    assert legs == [None, SHORT_PUT, LONG_PUT, LONG_CALL]
    assert stored(desk, trade).status is TradeStatus.CLOSED
    assert at_the_broker(desk) == {}


def test_a_long_leg_that_nobody_bids_for_is_left_to_expire(desk: TestDesk) -> None:
    trade = desk.open_trade()
    desk.exchange.assign(SHORT_PUT)
    watch(desk)
    carry_all(desk)
    desk.world.with_option(LONG_PUT, None, "0.05", since=desk.exchange.now)

    assert a_pass(desk).exits_begun == {}
    assert stored(desk, trade).leg_quantities[LONG_PUT] == trade.contracts_held


def test_legs_that_expire_worthless_close_the_trade(desk: TestDesk) -> None:
    for symbol, bid, ask in ((FRIDAY_SHORT, "2.35", "2.45"), (FRIDAY_LONG, "1.15", "1.25")):
        desk.world.with_option(symbol, bid, ask, since=desk.exchange.now)
    trade = carry_entry(
        desk,
        a_structure(FRIDAY_SHORT, FRIDAY_LONG),
        "bull_put_spread",
        credit_mid=Decimal("1.20"),
        credit_natural=Decimal("1.10"),
        credit_min=Decimal("1.10"),
        max_loss=Decimal("3.80"),
        underlying_price=Decimal("105.00"),
    )
    desk.world.with_close("105.00", FRIDAY)
    desk.exchange.clock.advance(timedelta(days=4, hours=20).total_seconds())

    befallen = befell(desk)

    closed = stored(desk, trade)
    assert befallen.booked == 2
    assert closed.status is TradeStatus.CLOSED
    assert closed.exit_reason is ExitReason.EXPIRED
    assert closed.pnl == closed.execution.entry_cash - closed.execution.fees
    assert closed.timestamp_exit is not None
    assert closed.timestamp_exit.date() == FRIDAY


def bought_by_hand(desk: TestDesk, symbol: str, contracts: int) -> None:
    desk.exchange.place_order(
        {
            "symbol": symbol,
            "qty": str(contracts),
            "side": "buy",
            "type": "market",
            "time_in_force": "day",
        }
    )
    desk.exchange.clock.advance(5)


def test_what_its_owners_hand_left_of_a_trade_goes_as_the_owners_doing(desk: TestDesk) -> None:
    trade = desk.open_trade()
    bought_by_hand(desk, SHORT_PUT, trade.contracts_held)
    assert watch(desk).exits_begun == {"manual": 1}
    carry_all(desk)
    closed = stored(desk, trade)
    assert (closed.status, closed.exit_reason) == (TradeStatus.CLOSED, ExitReason.MANUAL)
    assert at_the_broker(desk) == {}


def test_a_leg_that_its_owner_closed_by_hand_is_booked_at_its_price(desk: TestDesk) -> None:
    trade = desk.open_trade()
    bought_by_hand(desk, SHORT_PUT, trade.contracts_held)

    report = watch(desk)

    held = stored(desk, trade)
    assert (report.lifecycle_events, report.differences) == (1, 0)
    assert held.leg_quantities == {SHORT_PUT: 0, LONG_PUT: trade.contracts_held}
    assert held.execution.exit_cash == Decimal("-245.00") * trade.contracts_held
    assert held.execution.fees > trade.execution.fees
    carry_all(desk)
    closed = stored(desk, trade)
    assert (closed.status, at_the_broker(desk)) == (TradeStatus.CLOSED, {})
    assert befell(desk, closed).booked == 0


def test_what_nobody_explains_is_not_booked_and_not_closed_but_told(desk: TestDesk) -> None:
    trade = desk.open_trade()
    # Gone, and no order or activity says why.
    contract = parse_occ_symbol(SHORT_PUT)
    desk.exchange.book.trade(SHORT_PUT, contract, trade.contracts_held, Decimal(0))

    report = watch(desk)

    assert (report.lifecycle_events, report.exits_begun, report.differences) == (0, {}, 1)
    assert stored(desk, trade) == trade
    befallen = befell(desk)
    assert befallen.unexplained == {trade.trade_id}


def test_an_adjusted_contract_is_an_alarm_and_nothing_else(desk: TestDesk) -> None:
    trade = desk.open_trade()
    contract = parse_occ_symbol(SHORT_PUT)
    desk.exchange.book.trade(SHORT_PUT, contract, trade.contracts_held, Decimal(0))
    desk.exchange.book.record_event(
        "OPCA",
        desk.exchange.now,
        visible_at=desk.exchange.now,
        cash_change=Decimal(0),
        description="Option Corporate Action",
        symbol=SHORT_PUT,
        qty=str(trade.contracts_held),
    )

    report = watch(desk)

    assert (report.lifecycle_events, report.exits_begun) == (0, {})
    assert stored(desk, trade) == trade
    subjects = [alert.subject for alert in desk.alerts.published]
    assert f"Adjusted contract: {SHORT_PUT}" in subjects


def test_a_contract_that_another_order_of_ours_may_move_waits(desk: TestDesk) -> None:
    trade = desk.open_trade()
    desk.exchange.assign(SHORT_PUT)
    signal = a_signal(structure=trade.structure, as_of=SLOT)
    desk.book.commit(write_entry_intent("another-entry-1", "another", signal, SLOT))

    befallen = befell(desk, trade)

    assert befallen == Befallen()
    assert stored(desk, trade) == trade


def test_shares_that_are_sold_bear_their_fees(desk: TestDesk) -> None:
    trade = open_put(desk)
    desk.exchange.assign(CHEAP_PUT)
    before = trade.execution.fees
    desk.book.commit(request_manual_exit(stored(desk, trade), desk.exchange.now))
    a_pass(desk)
    carry_all(desk)

    (sale,) = [fill for fill in desk.exchange.fills if fill.symbol == "ACME"]
    rates = desk.desk.settings.fees
    shares = 100 * trade.contracts_held
    by_share = shares * rates.regulatory_per_share_sold
    by_value = shares * sale.price * rates.sale_value_fraction
    assert stored(desk, trade).execution.fees == before + by_share + by_value


def test_shares_that_a_strangers_order_keeps_in_the_account_are_told_once(desk: TestDesk) -> None:
    trade = open_put(desk)
    desk.exchange.assign(CHEAP_PUT)
    stranger = {
        "symbol": "ACME",
        "side": "buy",
        "qty": "1",
        "type": "limit",
        "time_in_force": "day",
        "limit_price": "0.05",
        "client_order_id": "somebody",
    }
    desk.exchange.place_order(stranger)
    desk.book.commit(request_manual_exit(stored(desk, trade), desk.exchange.now))
    for _ in range(2):
        a_pass(desk)
        carry_all(desk)

    held = stored(desk, trade)
    assert (held.status, held.shares_held) == (TradeStatus.OPEN, 100 * trade.contracts_held)
    told = [a for a in desk.alerts.published if a.alert_id.startswith(f"{trade.trade_id}-exit-un")]
    assert len({alert.alert_id for alert in told}) == 1
    assert f"{held.shares_held} shares" in told[0].message
