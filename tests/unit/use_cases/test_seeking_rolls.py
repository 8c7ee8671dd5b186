"""A monitor pass that finds a short strike in danger: it rolls, or says why not and lets go."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from agent.book.changes import LedgerField, LedgerMove
from agent.book.intents import IntentKind
from agent.book.records import Campaign, Trade
from agent.book.states import TradeStatus
from agent.config.settings import RiskSettings, Settings
from agent.market.quotes import OptionQuote
from agent.options.contracts import OptionContract
from agent.ports import (
    BrokerPosition,
    BrokerUnavailable,
    OptionEvent,
    TradingState,
    WorkingOrder,
)
from agent.risk.reservation import PORTFOLIO_KEY, symbol_key
from agent.use_cases.monitor_positions import MonitorReport, monitor_positions
from agent.use_cases.schedule import ScheduledEvent
from tests.builders import (
    AS_OF,
    SESSION,
    SYMBOL,
    a_creation,
    a_put_spread,
    a_risk,
    a_trade,
    positions_of,
)
from tests.unit.strategies.market import FAR, NEAR, a_quote, a_stock, quotes_of
from tests.unit.use_cases.scan_desk import (
    EARLIER,
    AccountOnly,
    QuotedMarket,
    ScanDesk,
    settings_for,
)

ENDING = SESSION + timedelta(days=3)
HELD = a_put_spread(short_strike="195", long_strike="190", expiration=ENDING)


@dataclass
class LiveMarket(QuotedMarket):
    """Quote single contracts too."""

    held: Mapping[str, Any] = field(default_factory=dict)

    def option_quotes(self, contracts: Sequence[OptionContract]) -> Mapping[str, OptionQuote]:
        return {each.symbol: a_quote(each, **self.held) for each in contracts}


@dataclass
class HoldingBroker(AccountOnly):
    """Hold what the story's trade holds."""

    def positions(self) -> tuple[BrokerPosition, ...]:
        return tuple(BrokerPosition(leg.contract.symbol, 2 * leg.signed_ratio) for leg in HELD.legs)

    def holdings(self) -> tuple[BrokerPosition, ...]:
        return self.positions()

    def working_orders(self) -> tuple[WorkingOrder, ...]:
        return ()

    def option_events(self, since: date) -> tuple[OptionEvent, ...]:
        """Report none, from whatever day."""
        return ()[: since.day]

    def cash_flows(self, session: date) -> Decimal:
        """Give none, whatever the day."""
        return Decimal(0 * session.day)


def a_held_trade(**changes: Any) -> Trade:
    given: dict[str, Any] = {
        "structure": HELD,
        "risk": a_risk(sizing_loss_per_contract=Decimal(390)),
    }
    return a_trade(**(given | changes))


def a_desk(trade: Trade, spot: str = "197.00", settings: Settings | None = None) -> ScanDesk:
    """Hold the 195/190 put spread for three more days, the stock within reach of its strike."""
    stock = a_stock(bid=Decimal(spot), ask=Decimal(spot) + Decimal("0.02"), last=Decimal(spot))
    market = LiveMarket(
        {SYMBOL: stock},
        {SYMBOL: quotes_of((EARLIER, NEAR, FAR), spot=float(spot))},
        held={"spot": float(spot)},
    )
    desk = ScanDesk(
        settings or settings_for("bull_put_spread"), market=market, account=HoldingBroker()
    )
    desk.clock.set(AS_OF)
    reserved = {
        LedgerField.HEAT_CENTS: trade.risk.heat_cents,
        LedgerField.CAPITAL_CENTS: trade.risk.capital_cents,
        LedgerField.POSITIONS: 1,
    }
    moves = tuple(LedgerMove(key, reserved) for key in (PORTFOLIO_KEY, symbol_key(SYMBOL)))
    desk.book.commit(a_creation(trade, positions=positions_of(trade), ledger=moves))
    return desk


def a_pass(desk: ScanDesk, minutes: int = 0) -> MonitorReport:
    slot = AS_OF + timedelta(minutes=minutes)
    desk.clock.set(slot)
    return monitor_positions(desk.desk, ScheduledEvent(slot=slot))


def stored(desk: ScanDesk) -> Trade:
    (trade,) = desk.book.all_trades()
    return trade


def reasons(desk: ScanDesk) -> list[str]:
    events = desk.book.journal(AS_OF.date())
    return [str(event.details["reason"]) for event in events if event.kind == "roll_refused"]


def test_a_threatened_spread_near_its_end_begins_to_roll() -> None:
    desk = a_desk(a_held_trade())
    assert a_pass(desk).exits_begun == {"roll": 1}
    trade = stored(desk)
    assert trade.status is TradeStatus.ROLLING
    (intent,) = desk.workflows.started
    assert (intent.kind, intent.contracts) == (IntentKind.ROLL, 2)
    assert intent.signal is not None
    assert intent.signal.structure.expiration > ENDING
    entry = desk.book.ledger(PORTFOLIO_KEY)
    assert entry.heat_cents == trade.risk.heat_cents
    assert entry.positions == 1


def test_a_spread_out_of_reach_is_left_to_the_exit_by_days() -> None:
    desk = a_desk(a_held_trade(), spot="203.00")
    assert a_pass(desk).exits_begun in ({"expiration_near": 1}, {"profit_target": 1})


def test_where_nothing_can_be_rolled_to_the_other_rules_act_in_the_same_pass() -> None:
    trade = a_held_trade(campaign=Campaign(budget_per_contract=Decimal(1)))
    desk = a_desk(trade)
    assert a_pass(desk).exits_begun == {"expiration_near": 1}
    assert "budget_exceeded" in reasons(desk)[0]


def test_a_policy_of_waiting_keeps_the_trade_and_looks_again_later() -> None:
    trade = a_held_trade(campaign=Campaign(budget_per_contract=Decimal(1)))
    settings = settings_for("bull_put_spread", bull_put_spread={"roll_policy": "roll"})
    desk = a_desk(trade, settings=settings)
    assert a_pass(desk).exits_begun == {}
    assert stored(desk).status is TradeStatus.OPEN
    assert a_pass(desk, minutes=1).exits_begun == {}
    assert len(reasons(desk)) == 1


def test_a_policy_of_closing_never_looks_for_a_roll() -> None:
    settings = settings_for("bull_put_spread", bull_put_spread={"roll_policy": "close"})
    desk = a_desk(a_held_trade(), settings=settings)
    assert a_pass(desk).exits_begun == {"expiration_near": 1}
    assert reasons(desk) == []


def test_what_the_ledger_refuses_is_not_rolled() -> None:
    trade = a_held_trade(risk=a_risk(sizing_loss_per_contract=Decimal(390), heat_cents=100))
    settings = settings_for(
        "bull_put_spread", risk=RiskSettings(heat_max_fraction=Decimal("0.001")).model_dump()
    )
    desk = a_desk(trade, settings=settings)
    assert a_pass(desk).exits_begun == {"expiration_near": 1}
    assert "the ledger refuses: portfolio" in reasons(desk)[0]


def test_a_chain_that_cannot_be_seen_is_a_reason_like_any_other() -> None:
    desk = a_desk(a_held_trade())
    desk.market.failures[SYMBOL] = BrokerUnavailable("no answer")
    assert a_pass(desk).exits_begun == {"expiration_near": 1}
    assert "cannot be seen" in reasons(desk)[0]


def test_a_stock_without_a_chain_has_its_reasons_told() -> None:
    desk = a_desk(a_held_trade())
    desk.market.quotes[SYMBOL] = []
    assert a_pass(desk).exits_begun == {"expiration_near": 1}
    assert reasons(desk)[0].startswith("the strategy would enter nothing now: ")


def test_a_halted_desk_rolls_nothing() -> None:
    desk = a_desk(a_held_trade())
    desk.control.set_trading_state(TradingState.HALTED)
    assert a_pass(desk).exits_begun == {}
    assert stored(desk).status is TradeStatus.OPEN


def test_a_contract_of_another_trade_is_not_rolled_into() -> None:
    desk = a_desk(a_held_trade())
    a_pass(desk)
    (intent,) = desk.workflows.started
    assert intent.signal is not None
    other = a_desk(a_held_trade())
    other.book.commit(
        a_creation(
            a_trade(
                TradeStatus.PENDING,
                trade_id="paper-other",
                structure=intent.signal.structure,
            )
        )
    )
    a_pass(other)
    rolled = [each for each in other.workflows.started if each.kind is IntentKind.ROLL]
    for each in rolled:
        assert each.signal is not None
        taken = set(intent.signal.structure.symbols)
        assert taken.isdisjoint(each.signal.structure.symbols)


def test_the_stop_comes_before_a_roll() -> None:
    desk = a_desk(a_held_trade(), spot="187.00")
    assert a_pass(desk).exits_begun == {"stop_loss": 1}
