"""Tell the owner what the book's outbox holds, and remember that it was told."""

from agent.ports import AlertUnavailable
from agent.use_cases.desk import Desk


def publish_alerts(desk: Desk) -> int:
    """Publish what is unsent and count it; what cannot be told now stays for the next pass.

    An alert is published before it is marked: told twice is better than never.
    """
    told = 0
    for alert in desk.outbox.unsent():
        try:
            desk.alerts.publish(alert)
        except AlertUnavailable:
            return told
        desk.outbox.mark_sent(alert.alert_id)
        told += 1
    return told
