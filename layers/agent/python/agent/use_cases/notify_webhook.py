"""Pass what the alerts topic published on to the owner's webhook."""

from collections.abc import Mapping
from typing import Protocol

from pydantic import ConfigDict, Field

from agent.ports import Webhook
from agent.use_cases.steps import Message

RECORDS_MAX = 10
"""A topic sends one at a time; more would not fit into the function's time."""


class _Attribute(Message):
    model_config = ConfigDict(frozen=True, extra="ignore")

    value: str = Field("", alias="Value")


class _Published(Message):
    """Hold what one publication says; its addresses and signatures are left out."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    message_id: str = Field(alias="MessageId")
    subject: str | None = Field(None, alias="Subject")
    message: str = Field(alias="Message")
    attributes: Mapping[str, _Attribute] = Field(default_factory=dict, alias="MessageAttributes")


class _Record(Message):
    model_config = ConfigDict(frozen=True, extra="ignore")

    published: _Published = Field(alias="Sns")


class PublishedAlerts(Message):
    """Read the event that a topic calls a function with."""

    records: tuple[_Record, ...] = Field(alias="Records", max_length=RECORDS_MAX)


class NotifyReport(Message):
    posted: int

    def counts(self) -> dict[str, int]:
        return {"WebhookPosts": self.posted}


class NotifyingDesk(Protocol):
    @property
    def webhook(self) -> Webhook: ...


def notify_webhook(desk: NotifyingDesk, event: PublishedAlerts) -> NotifyReport:
    """Post each publication; raise WebhookUnavailable or WebhookRefused for what did not arrive."""
    for record in event.records:
        published = record.published
        kind = published.attributes.get("kind")
        subject = published.subject or "options-agent"
        text = f"{subject}\n{published.message}"
        desk.webhook.post(
            {
                # Slack and Mattermost show `text`, Discord `content`; the rest is for programs.
                "text": text,
                "content": text,
                "subject": subject,
                "message": published.message,
                "kind": "alarm" if kind is None else kind.value,
                "message_id": published.message_id,
            }
        )
    return NotifyReport(posted=len(event.records))
