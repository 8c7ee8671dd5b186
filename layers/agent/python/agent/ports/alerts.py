"""How the owner is told."""

from collections.abc import Mapping
from typing import Protocol

from agent.book.records import Alert


class AlertOutbox(Protocol):
    def unsent(self) -> tuple[Alert, ...]: ...

    def mark_sent(self, alert_id: str) -> None: ...


class Alerts(Protocol):
    def publish(self, alert: Alert) -> None:
        """Tell the owner; raise AlertUnavailable where nobody was told."""
        ...


class AlertUnavailable(Exception):
    """Raised where an alert could not be handed over."""


class Webhook(Protocol):
    """A place of the owner's that takes alerts over HTTP."""

    def post(self, notice: Mapping[str, str]) -> None:
        """Hand over one notice; raise WebhookUnavailable or WebhookRefused where it was not."""
        ...


class WebhookUnavailable(Exception):
    """Raised where the webhook did not answer; the notice may have arrived. No URL is named."""


class WebhookRefused(Exception):
    """Raised where the webhook does not take notices, or its secret holds no usable URL."""
