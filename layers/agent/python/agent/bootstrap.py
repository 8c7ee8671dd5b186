"""The one place that knows which adapters are real, and makes each when it is first asked for."""

import os
from collections.abc import Callable, Mapping
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

from aws_lambda_powertools.utilities.typing import LambdaContext

from agent.config.environment import (
    ENVIRONMENTS,
    AlertingEnvironment,
    AnalyzingEnvironment,
    BookEnvironment,
    CommonEnvironment,
    FunctionEnvironment,
    LearningEnvironment,
    MeasuringEnvironment,
    StartingEnvironment,
    ViewingEnvironment,
    WebhookEnvironment,
)
from agent.config.settings import Settings
from agent.ports import (
    AlertOutbox,
    Alerts,
    Beats,
    Book,
    Broker,
    Calendar,
    Clock,
    Control,
    CredentialsRefused,
    JournalArchive,
    LearningLog,
    MarketData,
    Metrics,
    ReportDates,
    VolatilityHistory,
    Webhook,
    Workflows,
)
from agent.telemetry import count, make_logger, make_metrics
from agent.use_cases.steps import Message

if TYPE_CHECKING:
    from agent.adapters.alpaca.connection import AlpacaConnection
    from agent.adapters.dynamodb.tables import Tables
    from agent.strategies.strategy import Strategy

EventT = TypeVar("EventT", bound=Message)
ResultT = TypeVar("ResultT", bound=Message)


class FunctionDesk:
    """Make the desk of one function from its environment; unused ports cost nothing."""

    def __init__(self, environment: CommonEnvironment) -> None:
        self._environment = environment

    @property
    def settings(self) -> Settings:
        return self._environment.settings

    @cached_property
    def strategies(self) -> "Mapping[str, Strategy]":
        from agent.strategies.registry import strategies_for

        return strategies_for(self.settings)

    @cached_property
    def _alpaca(self) -> "AlpacaConnection":
        from agent.adapters.alpaca.connection import connect
        from agent.adapters.alpaca.credentials import parse_credentials
        from agent.adapters.alpaca.market_data import DataFeeds
        from agent.adapters.aws.secrets import SecretsManagerSecrets

        if not isinstance(self._environment, FunctionEnvironment):
            raise TypeError("this function's environment names no keys of the broker")
        text = SecretsManagerSecrets().text(self._environment.alpaca_secret_arn)
        market = self.settings.market
        return connect(
            parse_credentials(text),
            live_trading=self.settings.live_trading,
            feeds=DataFeeds(stocks=market.stock_feed, options=market.option_feed),
        )

    @property
    def broker(self) -> Broker:
        return self._alpaca.broker

    @property
    def clock(self) -> Clock:
        return self._alpaca.hours

    @property
    def calendar(self) -> Calendar:
        return self._alpaca.hours

    @property
    def market(self) -> MarketData:
        return self._alpaca.market

    @cached_property
    def _tables(self) -> "Tables":
        from agent.adapters.dynamodb.tables import Tables

        environment = self._environment
        if not isinstance(environment, BookEnvironment):
            raise TypeError("this function's environment names no tables")
        return Tables.named(
            trades=environment.trades_table,
            positions=environment.positions_table,
            agent_state=environment.agent_state_table,
            agent_control=environment.agent_control_table,
            performance_metrics=(
                environment.performance_metrics_table
                if isinstance(environment, MeasuringEnvironment | ViewingEnvironment)
                else None
            ),
            learning_logs=(
                environment.learning_logs_table
                if isinstance(environment, LearningEnvironment)
                else None
            ),
        )

    @cached_property
    def book(self) -> Book:
        from agent.adapters.dynamodb.book import DynamoBook

        return DynamoBook(self._tables)

    @cached_property
    def volatility(self) -> VolatilityHistory:
        from agent.adapters.dynamodb.volatility import DynamoVolatilityHistory

        return DynamoVolatilityHistory(self._tables)

    @cached_property
    def reports(self) -> ReportDates:
        from agent.adapters.dynamodb.reports import DynamoReportDates

        return DynamoReportDates(self._tables)

    @cached_property
    def control(self) -> Control:
        from agent.adapters.dynamodb.control import DynamoControl

        return DynamoControl(self._tables)

    @cached_property
    def beats(self) -> Beats:
        from agent.adapters.dynamodb.beats import DynamoBeats

        return DynamoBeats(self._tables)

    @cached_property
    def outbox(self) -> AlertOutbox:
        from agent.adapters.dynamodb.outbox import DynamoAlertOutbox

        return DynamoAlertOutbox(self._tables)

    @cached_property
    def metrics(self) -> Metrics:
        from agent.adapters.dynamodb.metrics import DynamoMetrics

        return DynamoMetrics(self._tables)

    @cached_property
    def learning_log(self) -> LearningLog:
        from agent.adapters.dynamodb.learning_log import DynamoLearningLog

        return DynamoLearningLog(self._tables)

    @cached_property
    def archive(self) -> JournalArchive:
        from agent.adapters.aws.archive import S3JournalArchive

        if not isinstance(self._environment, AnalyzingEnvironment):
            raise TypeError("this function's environment names no bucket for the journal")
        return S3JournalArchive(self._environment.journal_bucket)

    @cached_property
    def alerts(self) -> Alerts:
        from agent.adapters.aws.sns import SnsAlerts

        if not isinstance(self._environment, AlertingEnvironment):
            raise TypeError("this function's environment names no alerts topic")
        return SnsAlerts(self._environment.alerts_topic_arn, self.settings.stage)

    @property
    def webhook(self) -> Webhook:
        """Read the URL anew for each invocation: alerts are rare, and the owner may replace it."""
        from agent.adapters.aws.secrets import SecretsManagerSecrets
        from agent.adapters.webhook import HttpWebhook

        if not isinstance(self._environment, WebhookEnvironment):
            raise TypeError("this function's environment names no webhook")
        return HttpWebhook(SecretsManagerSecrets().text(self._environment.webhook_secret_arn))

    @cached_property
    def workflows(self) -> Workflows:
        from agent.adapters.aws.step_functions import StepFunctionsWorkflows

        if not isinstance(self._environment, StartingEnvironment):
            raise TypeError("this function's environment names no state machines")
        return StepFunctionsWorkflows(
            self._environment.open_position_arn,
            self._environment.close_position_arn,
            self._environment.roll_position_arn,
        )


@lru_cache(maxsize=len(ENVIRONMENTS))
def _desk(function: str, variables: tuple[tuple[str, str], ...]) -> FunctionDesk:
    return FunctionDesk(ENVIRONMENTS[function].parse(dict(variables)))


def forget_desks() -> None:
    """Have the next invocation read its secret and make its clients anew."""
    _desk.cache_clear()


def run(
    function: str,
    use_case: Callable[[FunctionDesk, EventT], ResultT],
    event_model: type[EventT],
    event: dict[str, Any],
    context: LambdaContext,
) -> dict[str, Any]:
    """Run one use case for one invocation: event to model, one call, result to JSON.

    An error leaves as it is: the state machines match it by the name of its class.
    """
    names = {field.alias for field in ENVIRONMENTS[function].model_fields.values()}
    variables = tuple(sorted((k, v) for k, v in os.environ.items() if k in names))
    desk = _desk(function, variables)
    environment = ENVIRONMENTS[function].parse(dict(variables))
    logger = make_logger(environment.service_name)
    told: Mapping[str, Any] = event
    with logger.append_context_keys(function=function, request_id=context.aws_request_id):
        try:
            asked = event_model.model_validate(event)
            # What the model leaves out, such as addresses and signatures of a topic, is not logged.
            told = asked.model_dump(mode="json")
            result = use_case(desk, asked)
        except CredentialsRefused:
            forget_desks()  # The owner may have replaced the keys since they were read.
            raise
        except Exception:
            logger.exception("failed", extra={"event": told})
            raise
        answer = result.model_dump(mode="json")
        logger.info("done", extra={"event": told, "result": answer})
    count(make_metrics(function, environment.metrics_namespace), **result.counts())
    return answer
