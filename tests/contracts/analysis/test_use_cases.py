"""Both analyses find the same whatever store the book is in."""

from dataclasses import replace
from decimal import Decimal

from agent.adapters.dynamodb.book import DynamoBook
from agent.adapters.dynamodb.learning_log import DynamoLearningLog
from agent.adapters.dynamodb.metrics import DynamoMetrics
from agent.adapters.dynamodb.outbox import DynamoAlertOutbox
from agent.book.analysis_records import LearningLogEntry, PerformanceMetric, PeriodType
from agent.book.states import TradeStatus
from agent.use_cases.analyze_day import DayReport, analyze_day
from agent.use_cases.desk import AssembledDesk
from agent.use_cases.learn_weekly import learn_weekly
from tests.analysis_builders import SUNDAY
from tests.builders import SESSION, STRATEGY, a_creation, a_trade, positions_of
from tests.dynamodb import create, dynamodb_in_process, new_tables
from tests.unit.use_cases.analysis_desk import AnalysisDesk, new_york

Outcome = tuple[DayReport, tuple[PerformanceMetric, ...], tuple[str, ...], LearningLogEntry | None]


def play(office: AnalysisDesk, desk: AssembledDesk) -> Outcome:
    """Analyse a day of one open and one closed trade twice, then review the week."""
    closed = a_trade(
        TradeStatus.CLOSED,
        trade_id="gone",
        pnl=Decimal(-600),
        timestamp_exit=new_york(SESSION, 12),
    )
    held = a_trade(trade_id="held")
    for trade in (closed, held):
        marked = (
            leg.model_copy(update={"unrealized_pnl": Decimal("7.25")})
            for leg in positions_of(trade)
        )
        desk.book.commit(a_creation(trade, positions=tuple(marked)))
    analyze_day(desk, office.at(SESSION, 17))
    again = analyze_day(desk, office.at(SESSION, 17))
    learn_weekly(desk, office.at(SUNDAY, 20))
    tagged = desk.book.trade("gone")
    return (
        again,
        tuple(
            metric
            for period_type in PeriodType
            for metric in desk.metrics.metrics(period_type, SESSION.replace(day=1), SESSION)
        ),
        () if tagged is None else tagged.reason_tags,
        desk.learning_log.entry(f"weekly-{SUNDAY}-{STRATEGY}"),
    )


def test_a_day_and_a_week_come_to_the_same_in_memory_and_in_dynamodb() -> None:
    office = AnalysisDesk()
    in_memory = play(office, office.desk)
    with dynamodb_in_process():
        tables = new_tables()
        create(tables)
        other = AnalysisDesk()
        in_dynamodb = play(
            other,
            replace(
                other.desk,
                book=DynamoBook(tables),
                outbox=DynamoAlertOutbox(tables),
                metrics=DynamoMetrics(tables),
                learning_log=DynamoLearningLog(tables),
            ),
        )

    assert in_dynamodb == in_memory
    assert in_memory[0].total_pnl == Decimal("-585.67")
    assert in_memory[2] == ("risk_policy",)
    assert len(other.alerts.published) == 1
