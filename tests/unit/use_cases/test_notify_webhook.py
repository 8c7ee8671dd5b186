"""From what the topic publishes to what the webhook is handed, and what the log tells of it."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext
from moto import mock_aws

from agent.bootstrap import forget_desks
from agent.ports import WebhookRefused, WebhookUnavailable
from agent.use_cases.notify_webhook import PublishedAlerts, notify_webhook
from functions.notify_webhook.handler import handler
from tests.unit.adapters.test_webhook import TOKEN, Served, served


@dataclass
class Webhook:
    posted: list[Mapping[str, str]] = field(default_factory=list)
    failure: Exception | None = None

    def post(self, notice: Mapping[str, str]) -> None:
        if self.failure is not None:
            raise self.failure
        self.posted.append(notice)


@dataclass
class Desk:
    webhook: Webhook = field(default_factory=Webhook)


def published(**changes: Any) -> dict[str, Any]:
    """Give an event as a topic sends it, addresses and signatures included."""
    body = {
        "Type": "Notification",
        "MessageId": "95df01b4-ee98-5cb9-9903-4c221d41eb5e",
        "TopicArn": "arn:aws:sns:us-east-1:123456789012:alerts",
        "Subject": "[paper] Opened AAPL bull_put_spread",
        "Message": "Opened 2 x AAPL -190P/+185P.",
        "Timestamp": "2026-06-09T19:45:45.000Z",
        "SignatureVersion": "1",
        "Signature": "EXAMPLE",
        "SigningCertUrl": "https://sns.example.com/cert.pem",
        "UnsubscribeUrl": "https://sns.example.com/?Action=Unsubscribe",
        "MessageAttributes": {"kind": {"Type": "String", "Value": "trade_executed"}},
        **changes,
    }
    record = {
        "EventVersion": "1.0",
        "EventSubscriptionArn": "arn:aws:sns:us-east-1:123456789012:alerts:21be56ed",
        "EventSource": "aws:sns",
        "Sns": body,
    }
    return {"Records": [record]}


def test_an_alert_is_handed_over_as_chats_and_programs_read_it() -> None:
    desk = Desk()
    report = notify_webhook(desk, PublishedAlerts.model_validate(published()))
    assert report.counts() == {"WebhookPosts": 1}
    text = "[paper] Opened AAPL bull_put_spread\nOpened 2 x AAPL -190P/+185P."
    assert desk.webhook.posted == [
        {
            "text": text,
            "content": text,
            "subject": "[paper] Opened AAPL bull_put_spread",
            "message": "Opened 2 x AAPL -190P/+185P.",
            "kind": "trade_executed",
            "message_id": "95df01b4-ee98-5cb9-9903-4c221d41eb5e",
        }
    ]


def test_an_alarm_has_no_kind_of_the_agents_and_is_handed_over_as_one() -> None:
    desk = Desk()
    event = published(Subject=None, MessageAttributes={}, Message='{"AlarmName": "Heartbeat"}')
    notify_webhook(desk, PublishedAlerts.model_validate(event))
    (notice,) = desk.webhook.posted
    assert (notice["kind"], notice["subject"]) == ("alarm", "options-agent")


@pytest.mark.parametrize("failure", [WebhookUnavailable("503"), WebhookRefused("404")])
def test_what_did_not_arrive_fails_the_function(failure: Exception) -> None:
    with pytest.raises(type(failure)):
        notify_webhook(Desk(Webhook(failure=failure)), PublishedAlerts.model_validate(published()))


class Context(LambdaContext):
    """Be what the runtime hands over, as far as it is looked at."""

    _aws_request_id = "request-1"


@pytest.fixture
def deployed(monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """Deploy the function as far as it looks: its environment, its secret, a server behind it."""
    with served(200) as server, mock_aws():
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        secrets: Any = boto3.client("secretsmanager")
        arn = secrets.create_secret(Name="hook", SecretString=server.secret)["ARN"]
        for name, value in {
            "WEBHOOK_SECRET_ARN": arn,
            "AGENT_SETTINGS": "{}",
            "POWERTOOLS_SERVICE_NAME": "notify_webhook",
            "POWERTOOLS_METRICS_NAMESPACE": "test",
        }.items():
            monkeypatch.setenv(name, value)
        forget_desks()
        yield server
        forget_desks()


def test_the_handler_posts_to_the_url_of_the_secret_and_logs_no_address(
    deployed: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    assert handler(published(), Context()) == {"posted": 1}
    assert [notice["kind"] for notice in deployed.received] == ["trade_executed"]
    said = capsys.readouterr().out
    assert "Opened 2 x AAPL" in said
    assert TOKEN not in said
    assert "Unsubscribe" not in said


def test_a_url_that_was_replaced_is_taken_at_once_and_a_refusal_names_none(
    deployed: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    handler(published(), Context())
    deployed.statuses[:] = [410]
    with pytest.raises(WebhookRefused):
        handler(published(), Context())
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["message"] for line in lines if "message" in line] == ["done", "failed"]
    assert TOKEN not in json.dumps(lines)

    secrets: Any = boto3.client("secretsmanager")
    with served(200) as other:
        secrets.put_secret_value(SecretId="hook", SecretString=other.secret)
        handler(published(), Context())
        assert len(other.received) == 1
