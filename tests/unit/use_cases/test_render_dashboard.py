"""What the dashboard's own widget shows of the store."""

from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

from agent.adapters.memory.beats import MemoryBeats
from agent.adapters.memory.book import MemoryBook
from agent.adapters.memory.control import MemoryControl
from agent.adapters.memory.metrics import MemoryMetrics
from agent.book.analysis_records import PeriodType
from agent.book.states import TradeStatus
from agent.ports import TradingState
from agent.use_cases.render_dashboard import (
    DESCRIPTION,
    TRADES_SHOWN_MAX,
    WidgetRequest,
    render_dashboard,
)
from tests.analysis_builders import a_metric
from tests.builders import AS_OF, SESSION, a_creation, a_trade, positions_of


@dataclass
class Desk:
    book: MemoryBook = field(default_factory=MemoryBook)
    control: MemoryControl = field(default_factory=MemoryControl)
    beats: MemoryBeats = field(default_factory=MemoryBeats)
    metrics: MemoryMetrics = field(default_factory=MemoryMetrics)


def shown(desk: Desk) -> str:
    return render_dashboard(desk, WidgetRequest()).markdown


def test_a_stage_that_never_ran_says_so() -> None:
    said = shown(Desk())
    assert "| active | never | never | 0 |" in said
    assert "No trade is open." in said
    assert "Nothing was measured yet." in said


def test_the_widget_describes_itself_to_whoever_adds_it() -> None:
    event = {"describe": True, "widgetContext": {"dashboardName": "Board"}}
    assert render_dashboard(Desk(), WidgetRequest.model_validate(event)).markdown == DESCRIPTION


def test_status_tells_the_trading_state_and_the_last_signs_of_life() -> None:
    desk = Desk()
    desk.control.set_trading_state(TradingState.REDUCING)
    desk.beats.beat("scan_market", AS_OF)
    desk.beats.beat("monitor_positions", AS_OF + timedelta(minutes=4))
    assert "| reducing | 2026-06-09 15:45 New York | 2026-06-09 15:49 New York | 0 |" in shown(desk)


def test_a_position_is_shown_at_its_last_mark_and_as_unknown_without_one() -> None:
    desk = Desk()
    marked, unmarked = a_trade(trade_id="a"), a_trade(trade_id="b")
    half_marked, ended = a_trade(trade_id="c"), a_trade(TradeStatus.CLOSED, trade_id="d")
    amounts = {"a": ("60.50", "-10.25"), "b": (None, None), "c": ("60.50", None)}
    for trade in (marked, unmarked, half_marked):
        legs = [
            leg.model_copy(update={"unrealized_pnl": None if amount is None else Decimal(amount)})
            for leg, amount in zip(positions_of(trade), amounts[trade.trade_id], strict=True)
        ]
        desk.book.commit(a_creation(trade, positions=tuple(legs)))
    desk.book.commit(a_creation(ended))
    rows = [line for line in shown(desk).splitlines() if "bull_put_spread" in line]
    name = "| AAPL -190P/+185P 2026-07-17 | bull_put_spread | open | 2 | 1.20 |"
    assert rows == [f"{name} +50.25 |", f"{name} unknown |", f"{name} unknown |"]


def test_more_trades_than_fit_are_counted() -> None:
    desk = Desk()
    for number in range(TRADES_SHOWN_MAX + 2):
        desk.book.commit(a_creation(a_trade(trade_id=f"t{number:03}")))
    said = shown(desk)
    assert said.count("bull_put_spread") == TRADES_SHOWN_MAX
    assert said.endswith("2 trades more are not shown.")


def test_performance_is_that_of_the_newest_period_of_each_kind_and_of_all_time() -> None:
    desk = Desk()
    desk.beats.beat("scan_market", AS_OF)
    for day in (SESSION - timedelta(days=1), SESSION):
        desk.metrics.store(a_metric(day))
    first = SESSION - timedelta(days=300)
    desk.metrics.store(a_metric(first, metric_id="all", period_type=PeriodType.ALL))
    rows = [line for line in shown(desk).splitlines() if " from 20" in line]
    assert [row.split(" |")[0] for row in rows] == [
        f"| day from {SESSION}",
        f"| all from {first}",
    ]
