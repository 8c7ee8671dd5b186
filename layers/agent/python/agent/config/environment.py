"""The environment of each function, as a model: what infra must set and bootstrap may read."""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, Json

from agent.config.settings import Settings


class CommonEnvironment(BaseModel):
    """What every function is given."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    settings: Json[Settings] = Field(alias="AGENT_SETTINGS")
    """Only what differs from the defaults; JSON."""
    service_name: str = Field(alias="POWERTOOLS_SERVICE_NAME", min_length=1)
    metrics_namespace: str = Field(alias="POWERTOOLS_METRICS_NAMESPACE", min_length=1)

    @classmethod
    def parse(cls, variables: dict[str, str]) -> Self:
        """Read the environment; raise ValidationError naming each variable that is wrong."""
        return cls.model_validate(variables)


class BookEnvironment(CommonEnvironment):
    """For functions that touch the book."""

    trades_table: str = Field(alias="TRADES_TABLE", min_length=3)
    positions_table: str = Field(alias="POSITIONS_TABLE", min_length=3)
    agent_state_table: str = Field(alias="AGENT_STATE_TABLE", min_length=3)
    agent_control_table: str = Field(alias="AGENT_CONTROL_TABLE", min_length=3)


class FunctionEnvironment(BookEnvironment):
    """For functions that touch the book and the broker."""

    alpaca_secret_arn: str = Field(alias="ALPACA_SECRET_ARN", min_length=1)


class AlertingEnvironment(FunctionEnvironment):
    """For functions that also tell the owner."""

    alerts_topic_arn: str = Field(alias="ALERTS_TOPIC_ARN", min_length=1)


class StartingEnvironment(AlertingEnvironment):
    """For functions that also start state machines."""

    open_position_arn: str = Field(alias="OPEN_POSITION_ARN", min_length=1)
    close_position_arn: str = Field(alias="CLOSE_POSITION_ARN", min_length=1)
    roll_position_arn: str = Field(alias="ROLL_POSITION_ARN", min_length=1)


class MeasuringEnvironment(FunctionEnvironment):
    """For functions that also keep or read what periods came to."""

    performance_metrics_table: str = Field(alias="PERFORMANCE_METRICS_TABLE", min_length=3)


class AnalyzingEnvironment(MeasuringEnvironment, AlertingEnvironment):
    """For the daily analysis, which reports to the owner and keeps the journal."""

    journal_bucket: str = Field(alias="JOURNAL_BUCKET", min_length=3)


class LearningEnvironment(MeasuringEnvironment):
    """For the learner, which keeps a log of what it did."""

    learning_logs_table: str = Field(alias="LEARNING_LOGS_TABLE", min_length=3)


class ViewingEnvironment(BookEnvironment):
    """For the dashboard's widget, which reads the store and has no keys."""

    performance_metrics_table: str = Field(alias="PERFORMANCE_METRICS_TABLE", min_length=3)


class WebhookEnvironment(CommonEnvironment):
    """For the function that posts to the owner's webhook, and knows of nothing else."""

    webhook_secret_arn: str = Field(alias="WEBHOOK_SECRET_ARN")
    """Empty where the owner has none; then nothing calls the function."""


ENVIRONMENTS: dict[str, type[CommonEnvironment]] = {
    "scan_market": StartingEnvironment,
    "monitor_positions": StartingEnvironment,
    "check_risk": FunctionEnvironment,
    "size_position": FunctionEnvironment,
    "place_order": FunctionEnvironment,
    "poll_fill": FunctionEnvironment,
    "cancel_order": FunctionEnvironment,
    "record_fill": AlertingEnvironment,
    "reconcile_order": AlertingEnvironment,
    "analyze_day": AnalyzingEnvironment,
    "learn_weekly": LearningEnvironment,
    "watch_heartbeat": FunctionEnvironment,
    "notify_webhook": WebhookEnvironment,
    "render_dashboard": ViewingEnvironment,
}
"""Function folder to its environment."""
