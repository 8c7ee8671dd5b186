"""Tell the owner through an SNS topic."""

from typing import TYPE_CHECKING

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from agent.adapters.aws.secrets import CLIENT_CONFIG
from agent.book.records import Alert
from agent.ports import AlertUnavailable

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient

SUBJECT_CHARACTERS_MAX = 100


class SnsAlerts:
    """Publish alerts to one topic; the kind is an attribute that subscriptions may filter on."""

    def __init__(self, topic_arn: str, stage: str) -> None:
        self._client: SNSClient = boto3.client("sns", config=CLIENT_CONFIG)
        self._topic_arn = topic_arn
        self._stage = stage

    def publish(self, alert: Alert) -> None:
        """Publish one alert; raise AlertUnavailable where the topic did not take it."""
        subject = f"[{self._stage}] {alert.subject}".encode("ascii", "replace").decode()
        try:
            self._client.publish(
                TopicArn=self._topic_arn,
                Subject=subject[:SUBJECT_CHARACTERS_MAX],
                Message=alert.message,
                MessageAttributes={
                    "kind": {"DataType": "String", "StringValue": alert.kind},
                    "alert_id": {"DataType": "String", "StringValue": alert.alert_id},
                },
            )
        except (BotoCoreError, ClientError) as error:
            raise AlertUnavailable(f"alert {alert.alert_id} was not published: {error}") from error
