"""Count trades that close at a loss in a row, and pause entries where they are too many."""

from dataclasses import replace
from datetime import datetime

from agent.book.changes import BookBusy, BookChange, LimitReached
from agent.book.states import TradeStatus
from agent.risk.alarms import streak_alert
from agent.risk.reservation import STREAK_KEY, forgiving_moves, outcome_moves
from agent.use_cases.desk import Desk

ATTEMPTS_MAX = 4


def commit_outcome(desk: Desk, change: BookChange) -> None:
    """Commit a change of a trade; one that closes it counts towards the losing streak.

    Raises what a commit raises; LimitReached only where the change itself has bounds.
    """
    trade = None if change.trade is None else change.trade.trade
    if trade is None or trade.status is not TradeStatus.CLOSED or trade.pnl is None:
        desk.book.commit(change)
        return
    for _ in range(ATTEMPTS_MAX):
        moves = outcome_moves(trade.pnl, desk.book.ledger(STREAK_KEY))
        try:
            desk.book.commit(replace(change, ledger=(*change.ledger, *moves)))
        except LimitReached as limit:
            if limit.keys != (STREAK_KEY,):
                raise
        else:
            return
    raise BookBusy(f"others kept ending the losing streak while {trade.trade_id} closed")


def pause_on_losing_streak(desk: Desk, now: datetime) -> bool:
    """Pause entries and tell the owner where the streak has come to its limit.

    Trading is tightened first: should this end in between, the next pass finds the streak again.
    The pause ends the streak, so that the next one is counted anew once the owner resumes.
    """
    limit = desk.settings.risk.losing_streak_max
    streak = desk.book.ledger(STREAK_KEY)
    if not limit or streak.losing_streak < limit:
        return False
    desk.control.pause_entries()
    try:
        desk.book.commit(
            BookChange(ledger=forgiving_moves(streak), alerts=(streak_alert(streak, now),))
        )
    except LimitReached:
        return False  # Another pass told of it, or a trade has ended the streak meanwhile.
    return True
