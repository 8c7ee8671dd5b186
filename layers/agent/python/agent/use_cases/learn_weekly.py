"""Review each strategy once a week, and keep in the learning log what came of it."""

from collections.abc import Mapping
from datetime import date, datetime

from pydantic import Field, JsonValue

from agent.config.settings import Settings
from agent.learning.learner import Window, review_strategy
from agent.market.calendar import new_york_date
from agent.use_cases.book_value import analysed_days, value_trades
from agent.use_cases.desk import Desk
from agent.use_cases.schedule import ScheduledEvent
from agent.use_cases.steps import Message


class WeekReport(Message):
    """Say what a review came to; `status` says why there was none where there was none."""

    slot: datetime
    status: str
    window_start: date | None = None
    window_end: date | None = None
    reviews: dict[str, str] = Field(default_factory=dict)
    """Strategy to the status of its entry in the learning log."""
    entries_added: int = 0
    """0 where the week was reviewed before: its entries stand."""

    def counts(self) -> dict[str, int]:
        return {
            "WeeklyReviews": int(self.status == "reviewed"),
            "StrategiesReviewed": len(self.reviews),
            "StaleSlots": int(self.status == "stale_slot"),
        }


def learn_weekly(desk: Desk, event: ScheduledEvent) -> WeekReport:
    """Review every strategy that may enter or that has trades in the window, on the slot's date."""
    now = desk.clock.market_clock().now
    end = new_york_date(event.slot)
    if new_york_date(now) != end:
        return WeekReport(slot=event.slot, status="stale_slot")
    settings = desk.settings
    window = Window.before(end, settings.learning.window_days)
    trades = value_trades(desk, desk.book.all_trades())
    days = analysed_days(desk, trades, end)
    seen = {trade.strategy for trade in trades if window.contains(trade)}
    reviews: dict[str, str] = {}
    added = 0
    for strategy in sorted(seen | set(settings.strategies)):
        entry = review_strategy(
            strategy,
            trades,
            days,
            window=window,
            trades_min=settings.learning.closed_trades_min,
            params=_parameters(settings, strategy),
            # The slot's time, so that a review done again is the same entry.
            at=event.slot,
        )
        added += desk.learning_log.append(entry)
        reviews[strategy] = entry.status
    return WeekReport(
        slot=event.slot,
        status="reviewed",
        window_start=window.start,
        window_end=window.end,
        reviews=reviews,
        entries_added=added,
    )


def _parameters(settings: Settings, strategy: str) -> Mapping[str, JsonValue]:
    """Give a strategy's parameters as they stand: its own section, or what was added for it."""
    added = settings.added_strategies.get(strategy)
    section = getattr(settings, strategy, None) if added is None else None
    return (added or {}) if section is None else section.model_dump(mode="json")
