"""Rule 9: what matters was told once at least, as what it is, and not more often than bounded."""

from collections import Counter

from agent.book.records import AlertKind, Trade
from agent.book.states import ExitReason, TradeStatus
from agent.market.calendar import new_york_date
from simulator.storm.market import Disturbance
from simulator.storm.view import DayView, MonitorPass, is_touched

PASSES_TO_TELL = 2
"""Of two passes that saw it and met no fault, one has told it."""
LOSS_MARGIN_FRACTION = 0.05


class OwnerIsTold:
    """9: entries, exits, marks that failed and losses beyond the limit reach the owner."""

    name = "owner_is_told"

    def __init__(self) -> None:
        self._passes = 0
        self._seen: Counter[str] = Counter()

    def check(self, view: DayView) -> list[str]:
        for one in view.passes[self._passes :]:
            if one.is_clean:
                self._seen.update(_due(view, one))
        self._passes = len(view.passes)
        told = Counter(alert.alert_id for alert in view.alerts.published)
        most = view.profile.tellings_max
        return [f"{key} was told {count} times" for key, count in told.items() if count > most]

    def check_end(self, view: DayView) -> list[str]:
        found = self.check(view)
        told = {alert.alert_id: alert.kind for alert in view.alerts.published}
        found += [f"{a.alert_id} was never told" for a in view.book.outbox.unsent()]
        found += [
            f"the owner never heard of {due}"
            for due, count in self._seen.items()
            if count >= PASSES_TO_TELL and not any(key.startswith(due) for key in told)
        ]
        for trade in view.book.all_trades():
            found += _untold(trade, told)
        return found


def _untold(trade: Trade, told: dict[str, AlertKind]) -> list[str]:
    found = []
    opened = told.get(f"{trade.trade_id}-entry-1-alert")
    if trade.execution.contracts and opened is not AlertKind.TRADE_EXECUTED:
        found.append(f"the owner heard that {trade.trade_id} was opened as {opened}")
    ended_by = f"close-{trade.close_attempts}"
    if trade.exit_reason is ExitReason.ROLL:
        ended_by = f"roll-{trade.campaign.attempts}"
    closed = told.get(f"{trade.trade_id}-{ended_by}-alert")
    if trade.holdings.booked:  # It went in parts, and each part was told.
        own = {kind for key, kind in told.items() if key.startswith(f"{trade.trade_id}-")}
        closed = AlertKind.POSITION_CLOSED if AlertKind.POSITION_CLOSED in own else closed
    if trade.status is TradeStatus.CLOSED and closed is not AlertKind.POSITION_CLOSED:
        found.append(f"the owner heard that {trade.trade_id} was closed as {closed}")
    return found


def _due(view: DayView, one: MonitorPass) -> list[str]:
    """Name what a pass must have told: how the ids of its alerts begin."""
    due = []
    market = view.scenario.market
    view.unbooked_moves()
    excused = view.mishaps.pending_symbols
    for trade_id in one.close_attempts:
        trade = view.book.trade(trade_id)
        window = None if trade is None else market.disturbed(trade.symbol, one.began_at)
        if trade is not None and (is_touched(trade) or excused & trade.leg_quantities.keys()):
            continue  # What is left of it goes leg by leg: nobody marks it.
        if window is not None and window.kind is not Disturbance.STALE:
            due.append(f"{trade_id}-mark_")
    closes = view.exchange.book.closes
    if closes:
        loss = float((closes[-1].equity - view.exchange.equity) / closes[-1].equity)
        limit = float(view.scenario.settings.risk.daily_loss_max_fraction)
        if loss > limit * (1 + LOSS_MARGIN_FRACTION):
            due.append(f"daily-loss-limit-{new_york_date(one.began_at):%Y%m%d}")
    return due
